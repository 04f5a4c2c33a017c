"""The network: the tutorial's shapes, and its arithmetic against an independent one."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from cifar_core.config import TrainingConfig
from cifar_core.model import build_model, describe

TUTORIAL = [
    ("Conv2D", (30, 30, 32), 896),
    ("MaxPooling2D", (15, 15, 32), 0),
    ("Conv2D", (13, 13, 64), 18_496),
    ("MaxPooling2D", (6, 6, 64), 0),
    ("Conv2D", (4, 4, 64), 36_928),
    ("Flatten", (1024,), 0),
    ("Dense", (64,), 65_600),
    ("Dense", (10,), 650),
]


def test_layers_are_the_tutorials() -> None:
    model = build_model(TrainingConfig())
    first, *rest = describe(model)
    assert (first.kind, first.output_shape, first.parameters) == ("Rescaling", (32, 32, 3), 0)
    assert [(row.kind, row.output_shape, row.parameters) for row in rest] == TUTORIAL
    assert model.count_params() == 122_570
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 122_570


def test_dropout_stands_before_flatten_and_adds_no_parameters() -> None:
    kinds = [row.kind for row in describe(build_model(TrainingConfig(dropout=0.4)))]
    assert kinds.index("Dropout") + 1 == kinds.index("Flatten")
    assert build_model(TrainingConfig(dropout=0.4)).count_params() == 122_570


def test_other_numbers_of_classes() -> None:
    assert build_model(TrainingConfig(), classes=3).output_shape == (None, 3)


def by_hand(weights: list[np.ndarray], image: np.ndarray) -> np.ndarray:
    """The network in SciPy and NumPy, float64: logits (K,) of one image (32, 32, 3)."""

    def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
        maps = [correlate(x, kernel[..., i], mode="valid")[..., 0] for i in range(kernel.shape[-1])]
        return np.maximum(np.stack(maps, axis=-1) + bias, 0)

    def pool(x: np.ndarray) -> np.ndarray:
        height, width = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
        corners = [x[i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)]
        return np.max(corners, axis=0)

    k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = (weight.astype(np.float64) for weight in weights)
    x = image.astype(np.float64) / 255
    x = pool(convolve(x, k1, b1))
    x = pool(convolve(x, k2, b2))
    x = convolve(x, k3, b3).ravel()
    return np.maximum(x @ w4 + b4, 0) @ w5 + b5


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_forward_pass_agrees_with_an_independent_one(dropout: float) -> None:
    model = build_model(TrainingConfig(dropout=dropout, seed=3))
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:  # biases start at 0, which would hide them
        weight.assign(weight + rng.normal(0, 0.02, weight.shape))
    images = rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    logits = np.asarray(model(images, training=False))
    weights = [np.asarray(weight) for weight in model.trainable_weights]
    expected = np.stack([by_hand(weights, image) for image in images])
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_the_seed_sets_the_first_weights() -> None:
    def weights(seed: int) -> np.ndarray:
        model = build_model(TrainingConfig(seed=seed))
        return np.concatenate([np.ravel(weight) for weight in model.get_weights()])

    np.testing.assert_array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


def test_a_saved_model_takes_raw_pixels(tmp_path) -> None:
    model = build_model(TrainingConfig())
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(model(pixels)), np.asarray(again(pixels)))


def test_grey_and_average_pooling_change_their_layers() -> None:
    rows = describe(build_model(TrainingConfig(colour="grey", pooling="average")))
    assert rows[0].output_shape == (32, 32, 1)
    assert rows[1].parameters == 3 * 3 * 1 * 32 + 32
    assert [row.kind for row in rows].count("AveragePooling2D") == 2
