"""The network: the tutorial's shapes, and its arithmetic against an independent one."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from cifar_core.config import OPTIMISERS, PRESETS, TrainingConfig
from cifar_core.network.build import build_model, first_kernels
from cifar_core.network.describe import describe

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


VARIANTS = [
    (TrainingConfig(), 10),
    (TrainingConfig(dropout=0.4), 10),
    (TrainingConfig(colour="grey", pooling="average"), 3),
    (TrainingConfig(colour="grey", pooling="max", dropout=0.2), 101),
    (TrainingConfig(pooling="average"), 2),
]
variants = pytest.mark.parametrize(("config", "classes"), VARIANTS)


@variants
def test_the_sums_give_keras_parameters(config: TrainingConfig, classes: int) -> None:
    model = build_model(config, classes)
    rows = describe(model)
    for row, layer in zip(rows, model.layers, strict=True):
        assert row.parameters == sum(int(np.prod(weight.shape)) for weight in layer.weights)
        assert eval(row.formula.replace("·", "*") or "0") == row.parameters
        assert row.output_shape == layer.compute_output_shape((None, *row.input_shape))[1:]
    assert rows[-1].output_shape == (classes,)
    assert sum(row.parameters for row in rows) == model.count_params()


def test_the_tutorials_sums() -> None:
    sums = [row.formula for row in describe(build_model(TrainingConfig())) if row.parameters]
    assert sums == [
        "3·3·3·32 + 32",
        "3·3·32·64 + 64",
        "3·3·64·64 + 64",
        "1024·64 + 64",
        "64·10 + 10",
    ]


def profiled(model: keras.Model) -> dict[str, int]:
    """Multiply-adds by layer as TensorFlow's own profiler counts them: two operations each."""
    call = tf.function(lambda x: model(x, training=False))
    one_image = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    graph = convert_variables_to_constants_v2(call.get_concrete_function(one_image)).graph
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    # The view by operation, one node of the graph at a time.
    node = profiler.profile(graph, cmd="op", options=options.with_empty_output().build())
    found = {}
    while node.children:
        (node,) = node.children
        if node.name in ("Conv2D", "MatMul"):
            for one in node.graph_nodes:
                name = one.name.split("/")[1].split("_")[0]
                found[name] = one.float_ops // 2
    return found


@variants
def test_multiply_adds_are_those_of_tensorflows_profiler(
    config: TrainingConfig, classes: int
) -> None:
    model = build_model(config, classes)
    ours = {row.name: row.multiply_adds for row in describe(model) if row.multiply_adds}
    assert ours == profiled(model)
    assert list(ours) == ["conv1", "conv2", "conv3", "dense", "logits"]


def sides(model: keras.Model, layer: keras.layers.Layer) -> set[int]:
    """Height and width of the part of the image that one unit's gradient reaches.

    The unit is the middle one, all weights are positive, and each window's values are the same
    to begin with, so that nothing is hidden: neither by ReLU nor by a maximum.
    """
    for weight in model.trainable_weights:
        weight.assign(tf.ones_like(weight))
    image = tf.Variable(tf.ones((1, *model.input_shape[1:])))
    with tf.GradientTape() as tape:
        x: tf.Tensor = image
        for each in model.layers:
            # A maximum passes the gradient on to one value alone; an average, to all.
            pooling = isinstance(each, keras.layers.MaxPooling2D)
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID") if pooling else each(x)
            if each is layer:
                break
        middle = x[(0, *(size // 2 for size in x.shape[1:]))]
    reached = np.asarray(tape.gradient(middle, image))[0].any(axis=-1)
    return {int(np.ptp(np.flatnonzero(reached.any(axis=axis)))) + 1 for axis in (0, 1)}


@variants
def test_receptive_fields_are_what_a_gradient_reaches(config: TrainingConfig, classes: int) -> None:
    model = build_model(config, classes)
    for row, layer in zip(describe(model), model.layers, strict=True):
        assert sides(model, layer) == {row.receptive_field}, row.name


def test_the_last_two_rows_of_pixels_reach_no_score() -> None:
    """13 rows go into the second pooling, which leaves the odd one out."""
    model = build_model(TrainingConfig())
    assert describe(model)[-1].receptive_field == 30
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3))
    other = image.copy()
    other[:, 30:] = other[:, :, 30:] = 0
    np.testing.assert_array_equal(np.asarray(model(image)), np.asarray(model(other)))


def test_first_kernels_are_the_first_convolutions() -> None:
    model = build_model(TrainingConfig(colour="grey"))
    kernels = first_kernels(model)
    assert kernels.shape == (3, 3, 1, 32)
    np.testing.assert_array_equal(kernels, model.get_layer("conv1").get_weights()[0])


def layers_of(**settings) -> list[str]:
    return [row.name for row in describe(build_model(TrainingConfig(**settings)))][1:]


def test_the_compact_network() -> None:
    config = TrainingConfig(network="compact", convolutions=4, batch_norm=True)
    model = build_model(config)
    assert model.count_params() == 87_082
    rows = {row.name: row for row in describe(model)}
    assert rows["conv1"].output_shape == (16, 16, 24)
    assert rows["conv2"].output_shape == (16, 16, 48)
    assert rows["conv3"].output_shape == (8, 8, 64)
    assert rows["conv4"].output_shape == (4, 4, 64)
    assert rows["conv1"].formula == "4·4·3·24"
    assert rows["norm1"].formula == "4·24"


def test_the_whitened_networks_are_the_presets() -> None:
    rows = {row.name: row for row in describe(build_model(PRESETS["fast"]))}
    assert sum(row.parameters for row in rows.values()) == 95_674 < 122_570
    assert rows["conv1"].output_shape == (14, 14, 48)
    assert rows["conv2"].output_shape == (7, 7, 64)
    assert rows["conv3"].output_shape == (3, 3, 96)
    assert (rows["conv1"].formula, rows["norm2"].formula) == ("5·5·3·48", "3·64")
    rows = {row.name: row for row in describe(build_model(PRESETS["best"]))}
    assert sum(row.parameters for row in rows.values()) == 264_922 < 300_000
    assert rows["conv2"].output_shape == (14, 14, 64)
    assert rows["conv4"].output_shape == (7, 7, 128)
    assert rows["flatten"].output_shape == (1152,)


def test_a_whitened_network_keeps_its_first_kernels_at_any_width() -> None:
    rows = {row.name: row for row in describe(build_model(replace(PRESETS["best"], width=2.0)))}
    assert [rows[f"conv{number}"].output_shape[-1] for number in (1, 2, 3, 4)] == [
        48,
        128,
        256,
        256,
    ]


def test_the_tutorials_fast_preset_has_the_tutorials_own_layers() -> None:
    names = [row.name for row in describe(build_model(PRESETS["fast-tutorial"]))]
    assert names == [row.name for row in describe(build_model(TrainingConfig()))]


def test_fewer_and_more_convolutions_and_filters() -> None:
    assert layers_of(convolutions=1) == ["conv1", "pool1", "flatten", "dense", "logits"]
    assert layers_of(convolutions=4)[4:6] == ["conv3", "conv4"]
    assert layers_of(batch_norm=True)[:4] == ["conv1", "norm1", "relu1", "pool1"]
    rows = {row.name: row for row in describe(build_model(TrainingConfig(width=0.5)))}
    assert rows["conv1"].output_shape == (30, 30, 16)
    assert rows["dense"].output_shape == (32,)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_weight_decay_leaves_biases_and_norms_alone(optimiser: str) -> None:
    config = TrainingConfig(optimiser=optimiser, weight_decay=0.5, batch_norm=True)
    model = build_model(config)
    before = [variable.numpy() for variable in model.trainable_variables]
    still = [np.zeros_like(value) for value in before]
    model.optimizer.apply(still, model.trainable_variables)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        expected = old * (1 - 0.5 * 0.001) if variable.name == "kernel" else old
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6)


def test_l2_adds_the_squares_of_all_kernels() -> None:
    model = build_model(TrainingConfig(l2=0.01))
    kernels = [layer.get_weights()[0] for layer in model.layers if hasattr(layer, "kernel")]
    assert len(kernels) == 5
    expected = 0.01 * sum((kernel**2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_is_keras_s_own_on_one_hot_labels() -> None:
    model = build_model(TrainingConfig(label_smoothing=0.1))
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 32, 32, 3)), rng.integers(0, 10, 20)
    figures = model.evaluate(images, labels, verbose=0, return_dict=True)
    logits = model.predict(images, verbose=0)
    oracle = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    assert figures["loss"] == pytest.approx(float(oracle(np.eye(10)[labels], logits)), rel=1e-5)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert figures["cross_entropy"] == pytest.approx(float(plain(labels, logits)), rel=1e-5)


def test_mixed_precision_keeps_weights_and_logits_in_float32() -> None:
    model = build_model(TrainingConfig(precision="mixed"))
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.get_layer("conv2").output.dtype == "bfloat16"
    assert model.get_layer("logits").output.dtype == "float32"
