"""From settings to the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import TrainingConfig
from ..data.dataset import IMAGE_SIZE
from .muon import muon
from .whitening import whitening_kernels

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Convolution:
    """A convolution layer of a network, and whether 2x2 pooling follows."""

    filters: int
    size: int = 3
    stride: int = 1
    pool: bool = False


@dataclass(frozen=True)
class Network:
    """A family of networks: its convolutions, and the hidden dense layer where it has one.

    Attributes:
        is_whitened: the first convolution's kernels are computed from the images, whatever the
            width, and stay as they are; batch normalisation has no scale.
    """

    padding: str
    convolutions: tuple[Convolution, ...]
    dense: int = 0
    is_whitened: bool = False


_FAMILIES = {
    "tutorial": Network(
        "valid",
        (Convolution(32, pool=True), Convolution(64, pool=True), Convolution(64), Convolution(64)),
        dense=64,
    ),
    "compact": Network(
        "same",
        (
            Convolution(24, size=4, stride=2),
            Convolution(48, pool=True),
            Convolution(64, pool=True),
            Convolution(64),
        ),
    ),
    "whitened": Network(
        "same",
        (
            Convolution(48, size=5, stride=2, pool=True),
            Convolution(64, pool=True),
            Convolution(96),
            Convolution(96),
        ),
        is_whitened=True,
    ),
    "whitened-deep": Network(
        "same",
        (
            Convolution(48, size=5, stride=2),
            Convolution(64, pool=True),
            Convolution(128),
            Convolution(128, pool=True),
        ),
        is_whitened=True,
    ),
}
_RECENT = 0.7  # momentum of batch normalisation's means in a whitened network, for few steps


def input_channels(config: TrainingConfig) -> int:
    """How many numbers a pixel the network takes: 3 or, of grey images, 1."""
    return 1 if config.colour == "grey" else 3


def is_whitened(config: TrainingConfig) -> bool:
    """Whether the network's first kernels are computed from the images."""
    return _FAMILIES[config.network].is_whitened


def build_model(
    config: TrainingConfig,
    classes: int = 10,
    pixels: tuple[np.ndarray, np.ndarray] | None = None,
    images: np.ndarray | None = None,
) -> keras.Model:
    """The network of these settings, compiled.

    Takes pixels of 0 to 255, (batch, 32, 32, 3), or (batch, 32, 32, 1) where `config.colour` is
    'grey', and gives logits, float32 (batch, classes). The normalisation is its first layer, so
    that a saved model cannot be fed wrongly scaled pixels. The first weights follow `config.seed`.

    Its metrics are 'accuracy' and, where the loss that is minimised holds more than that,
    'cross_entropy'.

    Args:
        config: the settings.
        classes: how many classes the data has.
        pixels: mean and variance by channel, each (channels,), of pixels of 0 to 255, for
            `config.standardise`; without them a mean of 127.5 and a deviation of 64 are taken.
        images: uint8 (N, 32, 32, channels), some of those that train, of which a 'whitened'
            network's first kernels are computed; without them they are drawn, as all others are.
    """
    import keras

    keras.utils.set_random_seed(config.seed)
    layers = keras.layers
    channels = input_channels(config)
    policy = "mixed_bfloat16" if config.precision == "mixed" else "float32"
    penalty = keras.regularizers.L2(config.l2) if config.l2 else None
    pool = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[config.pooling]
    network = _FAMILIES[config.network]

    stack = [layers.Input((IMAGE_SIZE, IMAGE_SIZE, channels), name="pixels")]
    if config.standardise:
        mean, variance = pixels or (np.full(channels, 127.5), np.full(channels, 64.0**2))
        stack.append(layers.Normalization(mean=mean, variance=variance, name="normalise"))
    else:
        stack.append(layers.Rescaling(1 / 255, name="normalise"))
    for number, spec in enumerate(network.convolutions[: config.convolutions], 1):
        is_fixed = network.is_whitened and number == 1
        convolution = partial(
            layers.Conv2D,
            spec.filters if is_fixed else round(spec.filters * config.width),
            spec.size,
            strides=spec.stride,
            padding="valid" if is_fixed else network.padding,
            kernel_regularizer=penalty,
            name=f"conv{number}",
            dtype=policy,
        )
        if is_fixed:
            stack.append(convolution(activation="relu", use_bias=False, trainable=False))
        elif config.batch_norm:
            norm = partial(layers.BatchNormalization, name=f"norm{number}", dtype=policy)
            stack += [
                convolution(use_bias=False),
                norm(scale=False, momentum=_RECENT) if network.is_whitened else norm(),
                layers.ReLU(name=f"relu{number}", dtype=policy),
            ]
        else:
            stack.append(convolution(activation="relu"))
        if spec.pool:
            stack.append(pool(2, name=f"pool{number}", dtype=policy))
    if config.dropout:
        stack.append(layers.Dropout(config.dropout, name="dropout", dtype=policy))
    stack.append(layers.Flatten(name="flatten", dtype=policy))
    if network.dense:
        stack.append(
            layers.Dense(
                round(network.dense * config.width),
                activation="relu",
                kernel_regularizer=penalty,
                name="dense",
                dtype=policy,
            )
        )
    stack.append(layers.Dense(classes, kernel_regularizer=penalty, name="logits", dtype="float32"))
    model = keras.Sequential(stack, name=config.network)
    if network.is_whitened and images is not None:
        first, seen = network.convolutions[0], np.asarray(stack[1](images))
        kernels = whitening_kernels(seen, first.size, first.stride, first.filters)
        model.get_layer("conv1").set_weights([kernels])
    _compile(model, config)
    return model


def _compile(model: keras.Model, config: TrainingConfig) -> None:
    import keras
    import tensorflow as tf

    optimizers = keras.optimizers
    make = {
        "adam": optimizers.Adam,
        "adamw": optimizers.AdamW if config.weight_decay else optimizers.Adam,
        "sgd": partial(optimizers.SGD, momentum=0.9, nesterov=True),
        "adagrad": optimizers.Adagrad,
        "rmsprop": optimizers.RMSprop,
        "muon": muon,
    }[config.optimiser]
    optimizer = make(config.learning_rate, weight_decay=config.weight_decay or None)
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics: list[Any] = ["accuracy"]
    if config.l2 or config.label_smoothing:
        metrics.append(
            keras.metrics.SparseCategoricalCrossentropy(from_logits=True, name="cross_entropy")
        )
    model.compile(
        optimizer=optimizer,
        loss=_smoothed(config.label_smoothing) if config.label_smoothing else cross_entropy,
        metrics=metrics,
        # XLA takes up to twice the time of oneDNN's kernels on a CPU.
        jit_compile="auto" if tf.config.get_visible_devices("GPU") else False,
    )
    # Else a checkpoint from before the first step could not be read again.
    model.optimizer.build(model.trainable_variables)


def _smoothed(share: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy of whole-number labels with a share of each spread over all classes.

    Keras's sparse cross-entropy has no label smoothing.
    """
    import keras

    def smoothed_cross_entropy(labels: Any, logits: Any) -> Any:
        wanted = keras.ops.one_hot(labels, logits.shape[-1])
        return keras.losses.categorical_crossentropy(
            wanted, logits, from_logits=True, label_smoothing=share
        )

    return smoothed_cross_entropy


def first_kernels(model: keras.Model) -> np.ndarray:
    """The kernels of a model's first convolution, float32 (height, width, channels, kernels)."""
    first = next(layer for layer in model.layers if hasattr(layer, "kernel_size"))
    return np.asarray(first.get_weights()[0])
