"""From pixels to probabilities, with the network of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..analysis.evaluation import softmax
from ..data.images import to_channels
from ..errors import RunError
from ..runs.run import Run

if TYPE_CHECKING:
    import keras

_BATCH = 500


def load_model(run: Run) -> keras.Model:
    """The network that a run saved.

    Only for runs of our own store: a model file can carry code.

    Raises:
        RunError: the run has saved none yet, or the file is damaged.
    """
    if not run.has_model():
        raise RunError(
            f"a network is saved when a run ends. Received: {run.id}, which is "
            f"{run.state()}; choose a run that is finished or stopped."
        )
    import keras

    try:
        return keras.models.load_model(run.model_path, compile=False)
    except Exception as error:  # Keras raises whatever the damage leads to
        raise RunError(
            f"the run's network cannot be read. Received: {run.model_path} "
            f"({type(error).__name__}); train it again."
        ) from error


def predict_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The network's probability of each class.

    Args:
        images: as for `predict_logits`.

    Returns:
        float32 (N, K), rows sum to 1.
    """
    return softmax(predict_logits(model, images))


def predict_logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What the network gives for each class, before softmax.

    Args:
        images: uint8 (N, 32, 32, 3), 0 to 255; made grey for a network that sees grey.

    Returns:
        float32 (N, K).
    """
    images = to_channels(images, model.input_shape[-1])
    logits = [
        model.predict_on_batch(np.asarray(images[first : first + _BATCH], dtype=np.float32))
        for first in range(0, len(images), _BATCH)
    ]
    return np.concatenate(logits)
