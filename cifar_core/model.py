"""From settings to the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .config import TrainingConfig
from .data.dataset import IMAGE_SIZE

if TYPE_CHECKING:
    import keras


def build_model(config: TrainingConfig, classes: int = 10) -> keras.Model:
    """The tutorial's network, compiled.

    Takes pixels of 0 to 255, (batch, 32, 32, 3), or (batch, 32, 32, 1) where `config.colour` is
    'grey', and gives logits, (batch, classes). The normalisation is its first layer, so that a
    saved model cannot be fed wrongly scaled pixels.
    The first weights follow `config.seed`.

    Args:
        config: the settings; `dropout` adds its layer, `colour` and `pooling` change theirs,
            `learning_rate` sets Adam's.
        classes: how many classes the data has.
    """
    import keras

    keras.utils.set_random_seed(config.seed)
    layers = keras.layers
    channels = 1 if config.colour == "grey" else 3
    pool = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[config.pooling]
    model = keras.Sequential(
        [
            layers.Input((IMAGE_SIZE, IMAGE_SIZE, channels), name="pixels"),
            layers.Rescaling(1 / 255, name="normalise"),
            layers.Conv2D(32, 3, activation="relu", name="conv1"),
            pool(2, name="pool1"),
            layers.Conv2D(64, 3, activation="relu", name="conv2"),
            pool(2, name="pool2"),
            layers.Conv2D(64, 3, activation="relu", name="conv3"),
            *([layers.Dropout(config.dropout, name="dropout")] if config.dropout else []),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense"),
            layers.Dense(classes, name="logits"),
        ],
        name="tutorial",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    # Else a checkpoint from before the first step could not be read again.
    model.optimizer.build(model.trainable_variables)
    return model


@dataclass(frozen=True)
class LayerInfo:
    """One row of the layer table.

    Attributes:
        name: the layer's own name.
        kind: Keras's class name.
        output_shape: without the batch axis.
        parameters: trainable and other weights.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


def describe(model: keras.Model) -> list[LayerInfo]:
    """The layers of a built model, first to last."""
    return [
        LayerInfo(
            layer.name,
            type(layer).__name__,
            tuple(layer.output.shape[1:]),
            layer.count_params(),
        )
        for layer in model.layers
    ]
