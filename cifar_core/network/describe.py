"""The layers of a network, one row each: shapes, parameters, work and field."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


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
            '4·32' for batch normalisation: mean, variance, scale and offset of each channel, or
            '3·32' without the scale; '' where there are none.
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
                formula=_formula(layer, kernel),
                multiply_adds=prod(kernel) * prod(shape[:-1]) if kernel else 0,
                window=window,
                receptive_field=field,
            )
        )
    return rows


def _formula(layer: keras.Layer, kernel: tuple[int, ...]) -> str:
    import keras

    if isinstance(layer, keras.layers.BatchNormalization):
        return f"{len(layer.weights)}·{layer.output.shape[-1]}"
    bias = f" + {kernel[-1]}" if kernel and layer.use_bias else ""
    return "·".join(map(str, kernel)) + bias
