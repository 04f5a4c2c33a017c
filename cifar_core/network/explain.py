"""What a network looks at: Grad-CAM, and what its layers make of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.images import to_channels

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def outputs(layers: Sequence[keras.layers.Layer], values: tf.Tensor) -> Iterator[tf.Tensor]:
    """What one layer after the other gives when predicting, the first one fed with `values`."""
    for layer in layers:
        values = layer(values, training=False) if layer._call_has_training_arg else layer(values)
        yield values


def pixels(model: keras.Model, images: np.ndarray) -> tf.Tensor:
    """uint8 (N, 32, 32, 3) as the network's first layer takes them: float32, grey if it is."""
    import tensorflow as tf

    return tf.constant(to_channels(images, model.input_shape[-1]), tf.float32)


def convolutions(model: keras.Model) -> list[int]:
    """Places in `model.layers` at which convolutions are done, each with its activation.

    That is the convolution itself or, where batch normalisation follows, the activation after it.
    """
    import keras

    after = (keras.layers.BatchNormalization, keras.layers.Activation, keras.layers.ReLU)
    places: list[int] = []
    for place, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Conv2D):
            places.append(place)
        elif places and isinstance(layer, after) and len(layer.output.shape) == 4:
            places[-1] = place
    return places


def grad_cam(model: keras.Model, image: np.ndarray, label: int) -> np.ndarray:
    """Where the last convolution found what speaks for a class.

    Its maps A_k, weighed by the mean over all places of the derivative of the class's logit by
    A_k, summed, and cut off below 0 (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep
    Networks via Gradient-based Localization", ICCV 2017).

    Args:
        image: uint8 (32, 32, 3).
        label: the class.

    Returns:
        float32 (H, W), a value for each place of the maps, the highest 1; all 0 where nothing
        speaks for the class.
    """
    import tensorflow as tf

    after = convolutions(model)[-1] + 1
    *_, maps = outputs(model.layers[:after], pixels(model, image[None]))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        *_, logits = outputs(model.layers[after:], maps)
        score = logits[0, label]
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))[0]
    found = np.asarray(tf.cast(heat, tf.float32))
    highest = found.max()
    return found / highest if highest > 0 else found


def feature_maps(model: keras.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """What each layer up to the last with places makes of an image.

    Args:
        image: uint8 (32, 32, 3).

    Returns:
        float32 (H, W, channels) by the layer's name, in order; without the scaling of pixels
        and dropout, which change nothing that could be seen.
    """
    import keras
    import tensorflow as tf

    unseen = (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.Dropout)
    return {
        layer.name: np.asarray(tf.cast(maps, tf.float32))[0]
        for layer, maps in zip(
            model.layers, outputs(model.layers, pixels(model, image[None])), strict=True
        )
        if len(maps.shape) == 4 and not isinstance(layer, unseen)
    }
