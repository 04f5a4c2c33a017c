"""Whitening kernels: what they give is white, whatever the images."""

import numpy as np
import pytest
from scipy.signal import correlate

from cifar_core.config import TrainingConfig
from cifar_core.data.dataset import Dataset
from cifar_core.network.build import build_model
from cifar_core.network.whitening import whitening_kernels
from cifar_core.training.loop import Training


def smooth_images(seed: int, channels: int) -> np.ndarray:
    """Images whose neighbours are alike, as in photographs."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(300, 20, 20, channels))
    blurred = sum(np.roll(noise, shift, axis=axis) for shift in range(3) for axis in (1, 2))
    return (blurred @ rng.normal(size=(channels, channels))).astype(np.float32)


def responses(images: np.ndarray, kernels: np.ndarray, stride: int) -> np.ndarray:
    maps = [
        correlate(image, kernels[..., number], mode="valid")[::stride, ::stride, 0].ravel()
        for number in range(kernels.shape[-1])
        for image in images
    ]
    return np.reshape(maps, (kernels.shape[-1], -1))


@pytest.mark.parametrize(("channels", "size", "stride"), [(3, 5, 2), (1, 5, 2), (3, 3, 1)])
def test_responses_are_uncorrelated_and_of_one_variance(
    channels: int, size: int, stride: int
) -> None:
    images = smooth_images(1, channels)
    kernels = whitening_kernels(images, size, stride, 24)
    assert kernels.shape == (size, size, channels, 24)
    assert kernels.dtype == np.float32
    np.testing.assert_array_equal(kernels[..., 12:], -kernels[..., :12])
    found = np.cov(responses(images, kernels[..., :12], stride))
    np.testing.assert_allclose(found, np.eye(12), atol=0.02)


def test_the_first_kernels_see_the_most() -> None:
    """Their patches' variance, before it is divided out, is the greatest of any unit kernel."""
    images = smooth_images(2, 3)
    kernels = whitening_kernels(images, 5, 2, 48).reshape(75, 48)[:, :24]
    lengths = np.linalg.norm(kernels, axis=0)
    assert (np.diff(lengths) >= 0).all(), "1 over the deviation along each, from the greatest on"


@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_training_leaves_the_first_convolution_as_it_was(blobs: Dataset, colour: str) -> None:
    config = TrainingConfig(
        epochs=1,
        network="whitened",
        colour=colour,
        batch_norm=True,
        optimiser="muon",
        learning_rate=0.3,
        weight_decay=0.1,
        l2=0.001,
    )
    training = Training(config, blobs)
    before = training.model.get_layer("conv1").get_weights()[0]
    later = training.model.get_layer("conv2").get_weights()[0]
    drawn = build_model(config).get_layer("conv1").get_weights()[0]
    list(training.events())
    assert not np.array_equal(before, drawn)
    np.testing.assert_array_equal(training.model.get_layer("conv1").get_weights()[0], before)
    assert not np.array_equal(training.model.get_layer("conv2").get_weights()[0], later)
