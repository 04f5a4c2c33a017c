"""A run's network in the forms of other programs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..runs.run import Run

if TYPE_CHECKING:
    import keras


def write_keras(run: Run, path: Path) -> None:
    """The network's file as the run saved it."""
    run.load_model()  # says what is wrong with it
    shutil.copyfile(run.model_path, path)


def write_savedmodel(run: Run, folder: Path) -> None:
    """TensorFlow's SavedModel."""
    _with_softmax(run).export(folder, format="tf_saved_model", verbose=False)


def write_tflite(run: Run, path: Path) -> None:
    """TFLite, float32."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        write_savedmodel(run, Path(folder))
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def write_onnx(run: Run, path: Path) -> None:
    """ONNX, float32."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.onnx"
        model = _with_softmax(run)
        signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name="pixels")]
        model.export(made, format="onnx", verbose=False, input_signature=signature)
        shutil.copyfile(made, path)


def _with_softmax(run: Run) -> keras.Model:
    """The network with softmax behind it, float32 throughout, of layers all converters know."""
    import keras

    model = run.load_model()
    values = pixels = keras.Input(model.input_shape[1:], name="pixels")
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            # Its mean and variance would become inputs of an ONNX graph.
            deviation = np.maximum(np.sqrt(layer.variance), keras.config.epsilon()).ravel()
            twin = keras.layers.Rescaling(1 / deviation, -np.ravel(layer.mean) / deviation)
        else:
            twin = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
        values = twin(values)
        twin.set_weights(layer.get_weights())
    return keras.Model(pixels, keras.layers.Softmax(name="probabilities")(values))
