"""From settings to the network."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

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
        input_shape: without the batch axis.
        output_shape: without the batch axis.
        parameters: trainable and other weights.
        formula: the sum behind them, '3·3·3·32 + 32': the kernel's shape and one bias an output;
            '' where there are none.
        multiply_adds: pairs of a multiplication and an addition for one image: each weight of
            the kernel, once a place of the output. Convolution and dense layers alone have any;
            pooling compares or adds without a weight, about one operation a value it reads, and
            is counted as 0, as are biases, activations and the scaling of pixels.
        window: pixels a side of the window that the layer slides over its input; 0 without one.
        receptive_field: pixels a side of the square of the image that one output depends on.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    formula: str
    multiply_adds: int
    window: int
    receptive_field: int


def describe(model: keras.Model) -> list[LayerInfo]:
    """The layers of a built model, first to last.

    The receptive field r grows with each window of k pixels by (k - 1) * j, where j is the number
    of pixels between neighbouring outputs and is multiplied by each stride (Araujo, Norris and
    Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019). A dense
    layer is a window as large as its input. Square windows and strides are taken for granted.
    """
    import keras

    rows = []
    field, step, side = 1, 1, model.input_shape[1]
    for layer in model.layers:
        shape = tuple(layer.output.shape[1:])
        window, stride = 0, 1
        if size := getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None):
            window, stride = size[0], layer.strides[0]
        dense = isinstance(layer, keras.layers.Dense)
        field += ((side if dense else window or 1) - 1) * step
        step *= stride
        side = 1 if dense else shape[0] if len(shape) == 3 else side
        kernel = tuple(layer.kernel.shape) if hasattr(layer, "kernel") else ()
        rows.append(
            LayerInfo(
                name=layer.name,
                kind=type(layer).__name__,
                input_shape=tuple(layer.input.shape[1:]),
                output_shape=shape,
                parameters=layer.count_params(),
                formula="·".join(map(str, kernel)) + f" + {kernel[-1]}" if kernel else "",
                multiply_adds=prod(kernel) * prod(shape[:-1]) if kernel else 0,
                window=window,
                receptive_field=field,
            )
        )
    return rows


def first_kernels(model: keras.Model) -> np.ndarray:
    """The kernels of a model's first convolution, float32 (height, width, channels, kernels)."""
    first = next(layer for layer in model.layers if hasattr(layer, "kernel_size"))
    return np.asarray(first.get_weights()[0])
