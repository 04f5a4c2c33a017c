"""TrainingConfig: its rules, its JSON, its presets."""

from dataclasses import fields
from urllib.parse import urlencode

import pytest

from cifar_core.config import PRESETS, TrainingConfig, names_of, preset_of
from cifar_core.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 1001),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", "3"),
        ("dropout", 1.2),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("validation", "train"),
        ("l2", 1.5),
        ("weight_decay", -0.1),
        ("label_smoothing", 1.0),
        ("patience", -1),
        ("width", 3.0),
        ("convolutions", 0),
        ("convolutions", 5),
        ("network", "resnet"),
        ("optimiser", "lion"),
        ("schedule", "step"),
        ("folds", 1),
        ("fold", 6),
        ("train_images", -1),
        ("precision", "float16"),
        ("device", "tpu"),
        ("flip", 1),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_a_broken_rule_is_told_with_the_value(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"`{name}` must be ")
    assert f"Received: {name}={value!r}." in message
    assert "\n" not in message


def test_whole_numbers_do_for_real_ones() -> None:
    assert TrainingConfig(dropout=0) == TrainingConfig(dropout=0.0)


def test_json_and_back() -> None:
    config = TrainingConfig(epochs=3, dropout=0.25, validation="holdout", seed=9)
    assert TrainingConfig.from_json(config.to_json()) == config
    assert TrainingConfig.from_json({"epochs": 3}) == TrainingConfig(epochs=3)
    with pytest.raises(ConfigError, match=r"unknown setting.*Did you mean 'epochs'\?"):
        TrainingConfig.from_json({"epoch": 3})


TWINS = [
    ("optimizer", "Adam", "optimiser", "adam"),
    ("optimizer", "RMS-prop", "optimiser", "rmsprop"),
    ("optimiser", "AdamW", "optimiser", "adamw"),
    ("color", "gray", "colour", "grey"),
    ("color", "Grayscale", "colour", "grey"),
    ("colour", "color", "colour", "rgb"),
    ("standardize", "True", "standardise", True),
    ("batch_normalization", "true", "batch_norm", True),
    ("batch_normalisation", "true", "batch_norm", True),
    ("schedule", "one_cycle", "schedule", "one-cycle"),
    ("schedule", "OneCycle", "schedule", "one-cycle"),
    ("validation", "hold-out", "validation", "holdout"),
    ("validation", "Hold out", "validation", "holdout"),
    ("validation", "cross-validation", "validation", "folds"),
    ("pooling", "avg", "pooling", "average"),
    ("precision", "mixed_bfloat16", "precision", "mixed"),
    ("precision", "Float32", "precision", "float32"),
    ("device", "GPU", "device", "gpu"),
]


@pytest.mark.parametrize(("alias", "text", "name", "value"), TWINS)
def test_other_spellings_are_understood_in_a_link(
    alias: str, text: str, name: str, value: object
) -> None:
    expected = TrainingConfig(**{name: value})
    assert TrainingConfig.from_query({alias: text}) == (expected, [])


@pytest.mark.parametrize(("alias", "text", "name", "value"), TWINS)
def test_json_has_one_spelling(alias: str, text: str, name: str, value: object) -> None:
    if alias != name:
        with pytest.raises(ConfigError, match=f"Did you mean '{name}'"):
            TrainingConfig.from_json({alias: value})
    if text != value:
        with pytest.raises(ConfigError, match=f"`{name}` must be "):
            TrainingConfig.from_json({name: text})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("optimiser", "adamm", "'adam'"),
        ("schedule", "cosin", "'cosine'"),
        ("precision", "mixed_float16", "'mixed_bfloat16', which is 'mixed'"),
        ("precision", "mixd", "'mixed'"),
        ("validation", "fold", "'folds'"),
        ("network", "tutorials", "'tutorial'"),
    ],
)
def test_the_nearest_word_is_named(name: str, text: str, said: str) -> None:
    config, (error,) = TrainingConfig.from_query({name: text})
    assert config == TrainingConfig()
    assert str(error).endswith(f"Received: {name}='{text}'. Did you mean {said}?")


def test_no_word_stands_for_two_settings_or_two_values() -> None:
    names = [name for spec in fields(TrainingConfig) for name in names_of(spec)]
    assert len(names) == len(set(names))
    for spec in fields(TrainingConfig):
        words = spec.metadata.get("words", {})
        assert set(words.values()) <= set(spec.metadata.get("options", ()))
        bare = {word.replace("-", "").replace("_", "").lower() for word in words}
        assert len(bare) == len(words), spec.name


def test_every_setting_is_explained() -> None:
    for spec in fields(TrainingConfig):
        assert spec.metadata["help"], spec.name
        assert spec.metadata["rule"], spec.name


def test_cross_validation_asks_for_a_run_a_fold() -> None:
    config = TrainingConfig(validation="folds", folds=3, seed=7)
    assert [one.fold for one in config.runs()] == [1, 2, 3]
    assert {one.group() for one in config.runs()} == {config.group()}
    assert config.runs()[1].runs() == [config.runs()[1]]
    assert TrainingConfig(folds=3).runs() == [TrainingConfig(folds=3)]


def test_a_group_differs_in_seed_and_fold_alone() -> None:
    assert TrainingConfig(seed=1).group() == TrainingConfig(seed=2).group()
    assert TrainingConfig(seed=1).group() != TrainingConfig(seed=1, dropout=0.1).group()


def test_presets_are_the_tutorials() -> None:
    assert PRESETS["tutorial-baseline"] == TrainingConfig(epochs=10, dropout=0.0, batch_size=32)
    assert PRESETS["tutorial-dropout"] == TrainingConfig(epochs=15, dropout=0.4, batch_size=32)


def test_a_preset_is_known_again_whatever_the_seed() -> None:
    assert preset_of(TrainingConfig(epochs=15, dropout=0.4, seed=5)) == "tutorial-dropout"
    assert preset_of(TrainingConfig(epochs=14, dropout=0.4)) == "custom"


ODD = [
    TrainingConfig(dropout=0.123456789012345, learning_rate=1e-7, l2=5e-324, width=0.5),
    TrainingConfig(validation="folds", folds=20, fold=20, seed=2**32 - 1, deterministic=True),
    TrainingConfig(train_images=1, patience=1000, schedule="one-cycle", optimiser="rmsprop"),
    TrainingConfig(colour="grey", pooling="average", network="compact", batch_norm=True),
]


@pytest.mark.parametrize("config", [*PRESETS.values(), *ODD])
def test_link_and_back(config: TrainingConfig) -> None:
    query = config.to_query()
    assert TrainingConfig.from_query(query) == (config, [])
    assert TrainingConfig.from_query({**query, "run": "x", "section": "look"}) == (config, [])
    differing = {spec.name for spec in fields(config) if getattr(config, spec.name) != spec.default}
    assert set(query) == differing


def test_a_link_is_short_and_plain() -> None:
    config = TrainingConfig(dropout=0.4, epochs=15, flip=True)
    assert urlencode(config.to_query()) == "epochs=15&dropout=0.4&flip=true"
    assert TrainingConfig().to_query() == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs", "0"),
        ("epochs", "many"),
        ("epochs", "2.5"),
        ("epochs", ""),
        ("epochs", "9" * 100_000),
        ("dropout", "1"),
        ("dropout", "nan"),
        ("learning_rate", "inf"),
        ("flip", "yes"),
        ("schedule", "cosinus"),
        ("precision", "mixed_float16"),
        ("width", "3"),
        ("fold", "6"),
    ],
)
def test_a_broken_value_in_a_link_costs_that_value_alone(name: str, text: str) -> None:
    rest = {"seed": "3", "batch_norm": "true"}
    config, (error,) = TrainingConfig.from_query({**rest, name: text})
    assert config == TrainingConfig(seed=3, batch_norm=True)
    assert str(error).startswith(f"`{name}` must be ")
    assert f"Received: {name}=" in str(error)
    assert len(str(error)) < 300
