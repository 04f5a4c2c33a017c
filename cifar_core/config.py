"""What one training run is asked to do, and the presets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .errors import ConfigError

VALIDATION_KINDS = ("test", "holdout")
COLOURS = ("rgb", "grey")
POOLINGS = ("max", "average")
MOST_EPOCHS = 1000
HOLDOUT_SHARE = 0.1


def _setting(default: Any, help: str, rule: str, holds: Callable[[Any], bool]) -> Any:
    """A field that carries its help and its rule, so that both stand in one place."""
    return field(default=default, metadata={"help": help, "rule": rule, "holds": holds})


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run: validated, immutable, to and from JSON.

    The command line's options, their help and their errors are made from these fields.

    Raises:
        ConfigError: a value breaks its rule; the message says the rule and the value.

    Example:
        >>> TrainingConfig(epochs=3, dropout=0.4).dropout
        0.4
    """

    epochs: int = _setting(
        10,
        "how many times training sees every image",
        f"a whole number from 1 to {MOST_EPOCHS}",
        lambda v: 1 <= v <= MOST_EPOCHS,
    )
    dropout: float = _setting(
        0.0,
        "share of the flattened features switched off at random in every training step; 0 is off",
        "in [0, 1)",
        lambda v: 0 <= v < 1,
    )
    colour: str = _setting(
        "rgb",
        "'rgb', or 'grey' for a network that sees brightness only",
        "'rgb' or 'grey'",
        lambda v: v in COLOURS,
    )
    pooling: str = _setting(
        "max",
        "what a 2x2 pooling window keeps: its 'max' or its 'average'",
        "'max' or 'average'",
        lambda v: v in POOLINGS,
    )
    flip: bool = _setting(
        False,
        "augmentation: mirror half of the training images, drawn anew each epoch",
        "true or false",
        lambda v: True,
    )
    shift: int = _setting(
        0,
        "augmentation: move each training image by up to this many pixels both ways",
        "a whole number from 0 to 8",
        lambda v: 0 <= v <= 8,
    )
    cutout: int = _setting(
        0,
        "augmentation: blank a square of this many pixels a side, at a random place",
        "a whole number from 0 to 24",
        lambda v: 0 <= v <= 24,
    )
    batch_size: int = _setting(
        32,
        "images in one training step",
        "a whole number from 1 to 4096",
        lambda v: 1 <= v <= 4096,
    )
    learning_rate: float = _setting(
        0.001,
        "step length of the Adam optimiser",
        "above 0 and at most 1",
        lambda v: 0 < v <= 1,
    )
    validation: str = _setting(
        "test",
        "images that the validation figures are measured on: 'test', the tutorial's way, or "
        "'holdout', a tenth of the training images kept aside, which leaves the test set unseen",
        "'test' or 'holdout'",
        lambda v: v in VALIDATION_KINDS,
    )
    seed: int = _setting(
        0,
        "start of every random draw: first weights, order of images, dropout",
        "a whole number from 0 to 4294967295",
        lambda v: 0 <= v < 2**32,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            value: Any = getattr(self, spec.name)
            kind: type = type(spec.default)
            if kind is float and type(value) is int:
                value = float(value)
                object.__setattr__(self, spec.name, value)
            if type(value) is not kind or value != value or not spec.metadata["holds"](value):
                raise ConfigError(
                    f"`{spec.name}` must be {spec.metadata['rule']}. "
                    f"Received: {spec.name}={value!r}."
                )

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
                raise ConfigError(
                    f"unknown setting. Received: {json.dumps(name)}; "
                    f"the settings are {', '.join(known)}."
                )
        return cls(**values)


PRESETS: dict[str, TrainingConfig] = {
    "tutorial-baseline": TrainingConfig(epochs=10),
    "tutorial-dropout": TrainingConfig(epochs=15, dropout=0.4),
}


def preset_of(config: TrainingConfig) -> str:
    """Name of the preset with the same settings, whatever the seed; 'custom' where none has."""
    for name, preset in PRESETS.items():
        if {**asdict(preset), "seed": config.seed} == asdict(config):
            return name
    return "custom"
