"""Grad-CAM against derivatives taken by hand, and maps against Keras's own graph."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.network.build import build_model
from cifar_core.network.explain import convolutions, feature_maps, grad_cam

TUTORIAL = TrainingConfig()
COMPACT = TrainingConfig(network="compact", convolutions=4, batch_norm=True, standardise=True)


def network(config: TrainingConfig) -> keras.Model:
    """A network whose every weight matters, running means of batch normalisation included."""
    model = build_model(config)
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if weight.path.endswith(("moving_mean", "bias", "beta")):
            weight.assign(rng.normal(0, 0.1, weight.shape))
        if weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(rng.uniform(0.5, 2, weight.shape))
    return model


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def output_of(model: keras.Model, name: str, image: np.ndarray) -> np.ndarray:
    """What a layer gives, through Keras's functional graph."""
    inner = keras.Model(model.inputs, model.get_layer(name).output)
    pixels = image[None].astype(np.float32)
    return np.asarray(inner.predict_on_batch(pixels), np.float64)[0]


def weights(model: keras.Model, name: str) -> list[np.ndarray]:
    return [np.asarray(part, np.float64) for part in model.get_layer(name).get_weights()]


def head(model: keras.Model, maps: np.ndarray) -> np.ndarray:
    """Logits (N, K) from maps (N, H, W, C): what follows the last convolution, in NumPy."""
    if "pool2" in [layer.name for layer in model.layers[-4:]]:
        rows, columns = maps.shape[1] // 2, maps.shape[2] // 2
        squares = maps[:, : 2 * rows, : 2 * columns].reshape(
            len(maps), rows, 2, columns, 2, maps.shape[3]
        )
        maps = squares.mean(axis=(2, 4))
    values = maps.reshape(len(maps), -1)
    if any(layer.name == "dense" for layer in model.layers):
        kernel, bias = weights(model, "dense")
        values = np.maximum(values @ kernel + bias, 0)
    kernel, bias = weights(model, "logits")
    return values @ kernel + bias


def by_differences(model: keras.Model, maps: np.ndarray, label: int) -> np.ndarray:
    """Grad-CAM from central differences of `head`, value by value."""
    slopes = np.empty(maps.size)
    step = 1e-5
    for first in range(0, maps.size, 500):
        places = np.arange(first, min(first + 500, maps.size))
        shifted = np.tile(maps.ravel(), (2, len(places), 1))
        shifted[0, np.arange(len(places)), places] += step
        shifted[1, np.arange(len(places)), places] -= step
        up, down = (head(model, part.reshape(-1, *maps.shape))[:, label] for part in shifted)
        slopes[places] = (up - down) / (2 * step)
    of_maps = slopes.reshape(maps.shape).mean(axis=(0, 1))
    heat = np.maximum((maps * of_maps).sum(axis=-1), 0)
    return heat / heat.max() if heat.max() > 0 else heat


@pytest.mark.parametrize(
    ("config", "last"),
    [
        (TUTORIAL, "conv3"),
        (TrainingConfig(dropout=0.4), "conv3"),
        (TrainingConfig(colour="grey"), "conv3"),
        (TrainingConfig(convolutions=2, pooling="average"), "conv2"),  # a pooling follows
        (COMPACT, "relu4"),
    ],
    ids=["tutorial", "dropout", "grey", "pooling", "compact"],
)
def test_grad_cam_is_what_differences_give(
    config: TrainingConfig, last: str, image: np.ndarray
) -> None:
    model = network(config)
    shown = image[..., :1] if config.colour == "grey" else image
    seen = image if config.colour == "rgb" else np.repeat(shown, 3, axis=-1)
    maps = output_of(model, last, shown)
    drawn = 0
    for label in (0, 4, 9):
        found = grad_cam(model, seen, label)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, by_differences(model, maps, label), atol=1e-4)
        drawn += found.max() == 1
    assert drawn > 0


def test_nothing_speaks_for_a_class_without_weights(image: np.ndarray) -> None:
    model = network(TUTORIAL)
    kernel, bias = model.get_layer("logits").get_weights()
    kernel[:, 2] = 0
    model.get_layer("logits").set_weights([kernel, bias])
    assert not grad_cam(model, image, 2).any()
    assert any(grad_cam(model, image, label).any() for label in range(10))


@pytest.mark.parametrize("config", [TUTORIAL, COMPACT], ids=["tutorial", "compact"])
def test_maps_are_those_of_keras(config: TrainingConfig, image: np.ndarray) -> None:
    model = network(config)
    found = feature_maps(model, image)
    expected = [
        layer.name
        for layer in model.layers
        if layer.name.startswith(("conv", "norm", "relu", "pool")) and layer.name != "normalise"
    ]
    assert list(found) == expected
    for name, maps in found.items():
        np.testing.assert_allclose(maps, output_of(model, name, image), atol=2e-5)


def test_a_convolution_ends_with_its_activation() -> None:
    model = build_model(COMPACT)
    ends = [model.layers[place].name for place in convolutions(model)]
    assert ends == ["relu1", "relu2", "relu3", "relu4"]
    model = build_model(TUTORIAL)
    ends = [model.layers[place].name for place in convolutions(model)]
    assert ends == ["conv1", "conv2", "conv3"]


def test_mixed_precision_gives_plain_numbers(image: np.ndarray) -> None:
    model = build_model(TrainingConfig(precision="mixed"))
    assert grad_cam(model, image, 0).dtype == np.float32
    assert {maps.dtype for maps in feature_maps(model, image).values()} == {np.dtype("float32")}
