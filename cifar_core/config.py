"""What one training run is asked to do, and the presets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any

from .errors import ConfigError
from .spelling import meant, nearest

VALIDATION_KINDS = ("test", "holdout", "folds")
COLOURS = ("rgb", "grey")
POOLINGS = ("max", "average")
NETWORKS = ("tutorial", "compact")
WIDTHS = (0.5, 1.0, 2.0)
OPTIMISERS = ("adam", "adamw", "sgd", "adagrad", "rmsprop")
SCHEDULES = ("constant", "exponential", "cosine", "one-cycle")
PRECISIONS = ("float32", "mixed")
DEVICES = ("auto", "cpu", "gpu")
MOST_EPOCHS = 1000
MOST_FOLDS = 20
HOLDOUT_SHARE = 0.1


def _setting(
    default: Any,
    help: str,
    rule: str,
    holds: Callable[[Any], bool],
    aliases: tuple[str, ...] = (),
    **more: Any,
) -> Any:
    """A field that carries its help, its rule and its other names, so that all have one place."""
    about = {"help": help, "rule": rule, "holds": holds, "aliases": aliases, **more}
    return field(default=default, metadata=about)


def _choice(
    options: tuple[Any, ...],
    default: Any,
    help: str,
    aliases: tuple[str, ...] = (),
    words: Mapping[str, str] | None = None,
) -> Any:
    """One of these options; `words` are others, and the option that each stands for."""
    *others, last = (f"'{option}'" if isinstance(option, str) else option for option in options)
    rule = f"{', '.join(map(str, others))} or {last}"
    known = {**{one: one for one in options if isinstance(one, str)}, **(words or {})}
    return _setting(
        default, help, rule, lambda value: value in options, aliases, options=options, words=known
    )


def _switch(help: str, aliases: tuple[str, ...] = ()) -> Any:
    return _setting(False, help, "true or false", lambda value: True, aliases)


def _count(default: int, help: str, least: int, most: int) -> Any:
    rule = f"a whole number from {least} to {most}"
    return _setting(
        default, help, rule, lambda value: least <= value <= most, least=least, most=most
    )


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run: validated, immutable, to and from JSON.

    The command line's options, their help and their errors are made from these fields. On the
    command line and in links, other spellings are taken too (`setting_from_text`, `aliases`).

    Raises:
        ConfigError: a value breaks its rule; the message says the rule and the value.

    Example:
        >>> TrainingConfig(epochs=3, dropout=0.4).dropout
        0.4
    """

    epochs: int = _count(10, "how many times training sees every image", 1, MOST_EPOCHS)
    dropout: float = _setting(
        0.0,
        "share of the flattened features switched off at random in every training step; 0 is off; "
        "the first cure when train accuracy runs away from validation accuracy",
        "in [0, 1)",
        lambda v: 0 <= v < 1,
    )
    flip: bool = _switch(
        "augmentation: mirror half of the training images, drawn anew each epoch; helps wherever "
        "left and right mean the same"
    )
    shift: int = _count(
        0, "augmentation: move each training image by up to this many pixels both ways", 0, 8
    )
    cutout: int = _count(
        0, "augmentation: blank a square of this many pixels a side, at a random place", 0, 24
    )
    l2: float = _setting(
        0.0,
        "L2 regularisation: this times the sum of all squared kernel weights is added to the loss, "
        "so that weights stay small; 0 is off, 0.001 a good start against overfitting",
        "in [0, 1]",
        lambda v: 0 <= v <= 1,
    )
    weight_decay: float = _setting(
        0.0,
        "each step takes this share, times the learning rate, off every kernel weight; 0 is off; "
        "like L2, but the optimiser does not rescale it",
        "in [0, 1]",
        lambda v: 0 <= v <= 1,
    )
    label_smoothing: float = _setting(
        0.0,
        "share of each label that is spread over all classes, so that the network learns to be "
        "less sure; 0 is off, 0.1 usual",
        "in [0, 1)",
        lambda v: 0 <= v < 1,
    )
    patience: int = _count(
        0,
        "early stopping: end after this many epochs without a lower validation loss, and keep the "
        "weights of the best epoch; 0 is off",
        0,
        MOST_EPOCHS,
    )
    train_images: int = _count(
        0,
        "train on this many images at most, drawn with the seed; 0 is all; fewer show how much "
        "more data helps",
        0,
        10_000_000,
    )
    network: str = _choice(
        NETWORKS,
        "tutorial",
        "'tutorial', its three convolutions and two dense layers, or 'compact', same-padded "
        "convolutions, the first with stride 2, and one dense layer: more accuracy for the time",
    )
    width: float = _choice(
        WIDTHS,
        1.0,
        "times the filters of every layer; a narrower network overfits less and is faster, a "
        "wider one learns more",
    )
    convolutions: int = _count(
        3, "how many of the network's convolution layers are used, from the first", 1, 4
    )
    batch_norm: bool = _switch(
        "batch normalisation after each convolution; training is steadier and bears a higher "
        "learning rate",
        aliases=("batch_normalisation", "batch_normalization"),
    )
    pooling: str = _choice(
        POOLINGS,
        "max",
        "what a 2x2 pooling window keeps: its 'max' or its 'average'",
        words={"avg": "average", "mean": "average", "maximum": "max"},
    )
    colour: str = _choice(
        COLOURS,
        "rgb",
        "'rgb', or 'grey' for a network that sees brightness only",
        aliases=("color",),
        words={
            "colour": "rgb",
            "color": "rgb",
            "gray": "grey",
            "greyscale": "grey",
            "grayscale": "grey",
        },
    )
    standardise: bool = _switch(
        "scale pixels to mean 0 and deviation 1 by channel over the training images, instead of "
        "0 to 1; training starts faster",
        aliases=("standardize",),
    )
    optimiser: str = _choice(
        OPTIMISERS,
        "adam",
        "how gradients become steps: 'adam', 'adamw' (Adam with weight decay), 'sgd' (with "
        "Nesterov momentum 0.9; wants a learning rate of about 0.01, or 0.1 with batch "
        "normalisation), 'adagrad' or 'rmsprop'",
        aliases=("optimizer",),
    )
    learning_rate: float = _setting(
        0.001,
        "step length of the optimiser, the highest one of the schedule; lower it when the loss "
        "jumps or grows",
        "above 0 and at most 10",
        lambda v: 0 < v <= 10,
    )
    schedule: str = _choice(
        SCHEDULES,
        "constant",
        "how the learning rate goes over the run: 'constant', 'exponential' (down to a "
        "hundredth), 'cosine' (down to 0) or 'one-cycle' (up, then down to 0: most in few epochs)",
    )
    batch_size: int = _count(32, "images in one training step", 1, 4096)
    validation: str = _choice(
        VALIDATION_KINDS,
        "test",
        "images that the validation figures are measured on: 'test', the tutorial's way; "
        "'holdout', a tenth of the training images kept aside, which leaves the test set unseen; "
        "or 'folds', cross-validation: one run for each fold, which it keeps aside",
        words={"test-set": "test", "cross-validation": "folds"},
    )
    folds: int = _count(
        5, "with validation 'folds': parts that the training images are split into", 2, MOST_FOLDS
    )
    fold: int = _count(
        0,
        "with validation 'folds': the part that validates, from 1; 0 asks for a run for each",
        0,
        MOST_FOLDS,
    )
    seed: int = _count(
        0, "start of every random draw: first weights, order of images, dropout", 0, 2**32 - 1
    )
    deterministic: bool = _switch(
        "the same bits at every repetition, on a GPU too, where it costs speed"
    )
    precision: str = _choice(
        PRECISIONS,
        "float32",
        "'float32', or 'mixed': bfloat16 arithmetic with float32 weights, faster on GPUs from "
        "2020 on",
        words={"mixed_bfloat16": "mixed"},
    )
    device: str = _choice(
        DEVICES, "auto", "'auto' takes a GPU where there is one; 'cpu'; or 'gpu', which must be one"
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            value: Any = getattr(self, spec.name)
            kind: type = type(spec.default)
            if kind is float and type(value) is int:
                value = float(value)
                object.__setattr__(self, spec.name, value)
            if type(value) is not kind or value != value or not spec.metadata["holds"](value):
                words = spec.metadata.get("words", {})
                hint = nearest(value, words) if isinstance(value, str) else ""
                raise ConfigError(
                    f"`{spec.name}` must be {spec.metadata['rule']}. "
                    f"Received: {spec.name}={value!r}. {hint}".rstrip()
                )
        if self.fold > self.folds:
            raise ConfigError(
                f"`fold` must be at most `folds`, {self.folds}. Received: fold={self.fold}."
            )

    def runs(self) -> list[TrainingConfig]:
        """What these settings ask for: themselves or, in cross-validation, a run a fold."""
        if self.validation != "folds" or self.fold:
            return [self]
        return [replace(self, fold=number + 1) for number in range(self.folds)]

    def group(self) -> TrainingConfig:
        """What runs that belong together share: all settings but the seed and the fold."""
        return replace(self, seed=0, fold=0)

    def to_json(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """The inverse of `to_json`; left-out fields take their defaults.

        Raises:
            ConfigError: a name is unknown or a value breaks its rule.
        """
        known = [spec.name for spec in fields(cls)]
        for name in values:
            if name not in known:
                names = {one: spec.name for spec in fields(cls) for one in names_of(spec)}
                raise ConfigError(
                    f"unknown setting. Received: {json.dumps(name)}; "
                    f"the settings are {', '.join(known)}. {nearest(name, names)}".rstrip()
                )
        return cls(**values)

    def to_query(self) -> dict[str, str]:
        """What differs from the defaults, by field name, as a link says it: flip=true."""
        return {
            spec.name: str(value).lower() if isinstance(value, bool) else str(value)
            for spec in fields(self)
            if (value := getattr(self, spec.name)) != spec.default
        }

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple[TrainingConfig, list[ConfigError]]:
        """The inverse of `to_query`, for links that anybody may have written.

        Args:
            query: values by name; names that are no settings are not looked at.

        Returns:
            The settings, and what is wrong with values that broke their rules, whose settings
            are left at their defaults.
        """
        config, errors = cls(), []
        for spec in fields(cls):
            if given := [query[name] for name in names_of(spec) if name in query]:
                try:
                    config = replace(config, **{spec.name: setting_from_text(spec, given[0])})
                except ConfigError as error:
                    errors.append(error)
        return config, errors


def names_of(setting: Field[Any]) -> tuple[str, ...]:
    """What a setting is called on the command line and in links: its name, then the others."""
    return setting.name, *setting.metadata["aliases"]


def setting_from_text(setting: Field[Any], text: str) -> Any:
    """The value that a person wrote: 'Adam' is 'adam', 'gray' is 'grey'.

    Args:
        setting: a field of TrainingConfig.

    Returns:
        A value of the setting's kind or, where the text says none, the text, cut to a line, which
        no TrainingConfig takes.
    """
    text = text[:100]
    kind: type = type(setting.default)
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind is str:
        return meant(text, setting.metadata["words"])
    try:
        return kind(text)
    except ValueError:
        return text


PRESETS: dict[str, TrainingConfig] = {
    "tutorial-baseline": TrainingConfig(epochs=10),
    "tutorial-dropout": TrainingConfig(epochs=15, dropout=0.4),
    "fast": TrainingConfig(
        epochs=5,
        flip=True,
        standardise=True,
        learning_rate=0.003,
        schedule="one-cycle",
        batch_size=64,
    ),
    "best": TrainingConfig(
        epochs=12,
        flip=True,
        shift=2,
        weight_decay=0.005,
        network="compact",
        convolutions=4,
        batch_norm=True,
        standardise=True,
        optimiser="sgd",
        learning_rate=0.1,
        schedule="one-cycle",
        batch_size=128,
    ),
}


def preset_of(config: TrainingConfig) -> str:
    """Name of the preset with the same settings, whatever the seed; 'custom' where none has."""
    for name, preset in PRESETS.items():
        if preset.group() == config.group():
            return name
    return "custom"
