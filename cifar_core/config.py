"""What one training run is asked to do, and the presets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple

from .errors import ConfigError
from .spelling import meant, nearest


def N_(message: str) -> str:
    """Mark a message that is translated where it is shown."""
    return message


WIDTHS = {0.5: N_("half"), 1.0: N_("full"), 2.0: N_("double")}
OPTIMISERS = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": N_("SGD with momentum"),
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
    "muon": "Muon",
}
SCHEDULES = {
    "constant": N_("constant"),
    "exponential": N_("exponential"),
    "cosine": N_("cosine"),
    "one-cycle": N_("one-cycle"),
}
MOST_EPOCHS = 1000
MOST_FOLDS = 20
HOLDOUT_SHARE = 0.1


class Zero(NamedTuple):
    """What 0 means in a setting where it is no amount.

    Attributes:
        word: what it is called.
        number: label of the number that stands beside a switch, '' where there is no widget.
        first: what that number is before anybody changes it.
        is_no_limit: it comes after all other numbers, not before them.
    """

    word: str
    number: str = ""
    first: float = 0
    is_no_limit: bool = False


def number(
    default: Any,
    label: str,
    row: str,
    help: str,
    rule: str,
    holds: Callable[[Any], bool],
    *,
    aliases: tuple[str, ...] = (),
    zero: Zero | None = None,
    only_with: tuple[str, Any] | None = None,
    **more: Any,
) -> Any:
    """A setting that carries all that is known of it, so that this has one place.

    Args:
        default: its value unless another is asked for, which also says its kind.
        label: its name for people.
        row: the row of the Train page that it stands in; '' for none.
        help: what it does, in words that follow a name.
        rule: what its values must be, in words.
        holds: whether a value of its kind keeps the rule.
        aliases: other names for it on the command line and in links.
        zero: what 0 means, where it is no amount.
        only_with: the setting, and its value, without which this one does nothing.
        more: `least`, `most` and `step` of its widget, and whether that is a `slider`.
    """
    if only_with:
        help = f"with {only_with[0]} '{only_with[1]}': {help}"
    if zero:
        help = f"{help}; 0 is {zero.word}"
    about = {"label": label, "row": row, "help": help, "rule": rule, "holds": holds}
    about |= {"aliases": aliases, "zero": zero, "only_with": only_with, **more}
    return field(default=default, metadata=about)


def choice(
    options: Mapping[Any, str],
    default: Any,
    label: str,
    row: str,
    help: str,
    aliases: tuple[str, ...] = (),
    words: Mapping[str, str] | None = None,
) -> Any:
    """A setting that is one of these options, by what a person calls each.

    Args:
        words: other spellings, and the option that each stands for.
    """
    *others, last = (f"'{option}'" if isinstance(option, str) else option for option in options)
    rule = f"{', '.join(map(str, others))} or {last}"
    known = {**{one: one for one in options if isinstance(one, str)}, **(words or {})}
    return number(
        default,
        label,
        row,
        help,
        rule,
        lambda value: value in options,
        aliases=aliases,
        options=options,
        words=known,
    )


def switch(label: str, row: str, help: str, aliases: tuple[str, ...] = ()) -> Any:
    """A setting that is off by default."""
    return number(False, label, row, help, "true or false", lambda value: True, aliases=aliases)


def count(
    default: int, label: str, row: str, help: str, most: int, least: int = 0, **more: Any
) -> Any:
    """A setting that is a whole number from `least` to `most`; `more` is that of `number`."""
    rule = f"a whole number from {least} to {most}"
    more = {"least": 1 if more.get("zero") else least, "most": most, **more}
    return number(default, label, row, help, rule, lambda value: least <= value <= most, **more)


def share(label: str, row: str, help: str, most: float, step: float, **more: Any) -> Any:
    """A setting from 0 to 1, below 1 where its widget ends at less; `more` is that of `number`."""
    rule = "in [0, 1]" if most == 1 else "in [0, 1)"
    more = {"least": 0.0, "most": most, "step": step, **more}
    return number(
        0.0, label, row, help, rule, lambda value: 0 <= value < 1 or value == most, **more
    )


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run: validated, immutable, to and from JSON.

    A setting is one field: the command line's options, the Train page's widgets, in the fields'
    order, Compare's columns, links, help and errors are made of it. On the command line and in
    links, other spellings are taken too (`setting_from_text`, `aliases`).

    Raises:
        ConfigError: a value breaks its rule; the message says the rule and the value.

    Example:
        >>> TrainingConfig(epochs=3, dropout=0.4).dropout
        0.4
    """

    epochs: int = count(
        10, N_("Epochs"), "view", "how many times training sees every image", MOST_EPOCHS, 1
    )
    dropout: float = share(
        N_("Dropout"),
        "view",
        "share of the flattened features switched off at random in every training step; the first "
        "cure when train accuracy runs away from validation accuracy",
        most=0.9,
        step=0.05,
        least=0.05,
        slider=True,
        zero=Zero(N_("off"), N_("Dropout rate"), 0.4),
    )
    flip: bool = switch(
        N_("Mirror"),
        "augmentation",
        "augmentation: mirror half of the training images, drawn again each epoch; helps wherever "
        "left and right mean the same",
    )
    shift: int = count(
        0,
        N_("Shift"),
        "augmentation",
        "augmentation: move each training image by up to this many pixels both ways",
        most=8,
        slider=True,
    )
    cutout: int = count(
        0,
        N_("Cutout"),
        "augmentation",
        "augmentation: blank a square of this many pixels a side, at a random place",
        most=24,
        slider=True,
    )
    l2: float = share(
        N_("L2 regularisation"),
        "regularisation",
        "L2 regularisation: this times the sum of all squared kernel weights is added to the loss, "
        "so that weights stay small; 0 is off, 0.001 a good start against overfitting",
        most=1.0,
        step=0.0005,
    )
    weight_decay: float = share(
        N_("Weight decay"),
        "regularisation",
        "each step takes this share, times the learning rate, off every kernel weight; 0 is off; "
        "like L2, but the optimiser does not rescale it",
        most=1.0,
        step=0.0005,
    )
    label_smoothing: float = share(
        N_("Label smoothing"),
        "regularisation",
        "share of each label that is spread over all classes, so that the network learns to be "
        "less sure; 0 is off, 0.1 usual",
        most=0.9,
        step=0.05,
    )
    patience: int = count(
        0,
        N_("Early stopping"),
        "stopping",
        "early stopping: end after this many epochs without a lower validation loss, and keep the "
        "weights of the best epoch",
        most=MOST_EPOCHS,
        zero=Zero(N_("off"), N_("Patience"), 3, is_no_limit=True),
    )
    network: str = choice(
        {
            "tutorial": N_("the tutorial's"),
            "compact": N_("compact"),
            "whitened": N_("whitened"),
            "whitened-deep": N_("whitened, deep"),
        },
        "tutorial",
        N_("Network"),
        "network",
        "'tutorial', its three convolutions and two dense layers; 'compact', same-padded "
        "convolutions, the first with stride 2, and one dense layer: more accuracy for the time; "
        "or 'whitened', whose first convolution is computed from the images and stays as it is: "
        "the most in few epochs, with batch normalisation",
    )
    width: float = choice(
        WIDTHS,
        1.0,
        N_("Width"),
        "network",
        "times the filters of every layer; a narrower network overfits less and is faster, a "
        "wider one learns more",
    )
    convolutions: int = count(
        3,
        N_("Convolution layers"),
        "network",
        "how many of the network's convolution layers are used, from the first",
        most=4,
        least=1,
    )
    pooling: str = choice(
        {"max": N_("max"), "average": N_("average")},
        "max",
        N_("Pooling"),
        "network",
        "what a 2x2 pooling window keeps: its 'max' or its 'average'",
        words={"avg": "average", "mean": "average", "maximum": "max"},
    )
    colour: str = choice(
        {"rgb": N_("colour"), "grey": N_("greyscale")},
        "rgb",
        N_("Colour"),
        "normalisation",
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
    batch_norm: bool = switch(
        N_("Batch normalisation"),
        "normalisation",
        "batch normalisation after each convolution; training is steadier and bears a higher "
        "learning rate",
        aliases=("batch_normalisation", "batch_normalization"),
    )
    standardise: bool = switch(
        N_("Standardise"),
        "normalisation",
        "scale pixels to mean 0 and deviation 1 by channel over the training images, instead of "
        "0 to 1; training starts faster",
        aliases=("standardize",),
    )
    optimiser: str = choice(
        OPTIMISERS,
        "adam",
        N_("Optimiser"),
        "optimiser",
        "how gradients become steps: 'adam', 'adamw' (Adam with weight decay), 'sgd' (with "
        "Nesterov momentum 0.9; wants a learning rate of about 0.01, or 0.1 with batch "
        "normalisation), 'adagrad', 'rmsprop' or 'muon' (a convolution's step as long in every "
        "direction; wants a learning rate of about 0.05, or 0.3 with batch normalisation)",
        aliases=("optimizer",),
    )
    schedule: str = choice(
        SCHEDULES,
        "constant",
        N_("Schedule"),
        "optimiser",
        "how the learning rate goes over the run: 'constant', 'exponential' (down to a "
        "hundredth), 'cosine' (down to 0) or 'one-cycle' (up, then down to 0: most in few epochs)",
    )
    learning_rate: float = number(
        0.001,
        N_("Learning rate"),
        "steps",
        "step length of the optimiser, the highest one of the schedule; lower it when the loss "
        "jumps or grows",
        "above 0 and at most 10",
        lambda value: 0 < value <= 10,
        least=0.00001,
        most=10.0,
        step=0.0005,
    )
    batch_size: int = count(32, N_("Batch size"), "steps", "images in one training step", 4096, 1)
    validation: str = choice(
        {
            "test": N_("test set, the tutorial's way"),
            "holdout": N_("hold-out, a tenth of the training images"),
            "folds": N_("cross-validation, each fold in turn"),
        },
        "test",
        N_("Validation"),
        "validation",
        "images that the validation figures are measured on: 'test', the tutorial's way; "
        "'holdout', a tenth of the training images kept aside, which leaves the test set unseen; "
        "or 'folds', cross-validation: one run for each fold, which it keeps aside",
        words={"test-set": "test", "cross-validation": "folds"},
    )
    folds: int = count(
        5,
        N_("Folds"),
        "validation",
        "parts that the training images are split into",
        most=MOST_FOLDS,
        least=2,
        only_with=("validation", "folds"),
    )
    fold: int = count(
        0,
        N_("Fold"),
        "",
        "the part that validates, from 1",
        most=MOST_FOLDS,
        only_with=("validation", "folds"),
        zero=Zero(N_("a run for each"), is_no_limit=True),
    )
    train_images: int = count(
        0,
        N_("Fewer images"),
        "images",
        "train on this many images at most, drawn with the seed; fewer show how much more data "
        "helps",
        most=10_000_000,
        step=1000,
        zero=Zero(N_("all"), N_("Training images"), 5_000, is_no_limit=True),
    )
    seed: int = count(
        0,
        N_("Seed"),
        "chance",
        "start of every random draw: first weights, order of images, dropout",
        most=2**32 - 1,
    )
    device: str = choice(
        {"auto": N_("automatic"), "cpu": "CPU", "gpu": "GPU"},
        "auto",
        N_("Device"),
        "machine",
        "'auto' takes a GPU where there is one; 'cpu'; or 'gpu', which must be one",
    )
    precision: str = choice(
        {"float32": "float32", "mixed": N_("mixed, bfloat16")},
        "float32",
        N_("Precision"),
        "machine",
        "'float32', or 'mixed': bfloat16 arithmetic with float32 weights, faster on GPUs from "
        "2020 on",
        words={"mixed_bfloat16": "mixed"},
    )
    deterministic: bool = switch(
        N_("Deterministic"),
        "machine",
        "the same bits at every repetition, on a GPU too, where it costs speed",
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


def option_of(name: str) -> str:
    """A setting's option on the command line."""
    return f"--{name.replace('_', '-')}"


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


_WHITENED = TrainingConfig(
    label_smoothing=0.1,
    network="whitened-deep",
    convolutions=4,
    pooling="average",
    batch_norm=True,
    standardise=True,
    optimiser="muon",
    schedule="one-cycle",
    learning_rate=0.3,
    batch_size=256,
)
PRESETS: dict[str, TrainingConfig] = {
    "tutorial-baseline": TrainingConfig(epochs=10),
    "tutorial-dropout": TrainingConfig(epochs=15, dropout=0.4),
    "fast": replace(
        _WHITENED,
        epochs=2,
        label_smoothing=0.0,
        network="whitened",
        convolutions=3,
        train_images=36_000,
    ),
    "fast-tutorial": TrainingConfig(
        epochs=3,
        standardise=True,
        optimiser="muon",
        schedule="one-cycle",
        learning_rate=0.05,
        batch_size=128,
    ),
    "best": replace(_WHITENED, epochs=7, flip=True, shift=2),
}


def preset_of(config: TrainingConfig) -> str:
    """Name of the preset with the same settings, whatever the seed; 'custom' where none has."""
    for name, preset in PRESETS.items():
        if preset.group() == config.group():
            return name
    return "custom"
