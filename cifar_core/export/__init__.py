"""A run in the forms that other programs read: `FORMS` lists them, `export` makes one.

All networks take pixels of 0 to 255 as float32, (N, 32, 32, 3), or (N, 32, 32, 1) where the run
sees brightness only. The Keras file gives logits; the others have softmax behind them, so that they
give probabilities.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ..config import N_
from ..errors import ConfigError, RunError
from ..files import write_whole
from ..runs.run import Run
from ..training import device
from .networks import write_keras, write_onnx, write_savedmodel, write_tflite
from .report import Translate, html_report
from .table import history_csv
from .tensorboard import write_tensorboard


@dataclass(frozen=True)
class Form:
    """A form that a run can be had in.

    Attributes:
        about: what it is, in English, for the page's list and the command's help.
        suffix: what the file is called, after the run's name. Of '.zip', the form is a folder of
            files, or a zip of it.
        at_once: gives the file's content without TensorFlow, in the reader's language.
        convert: writes the file, or fills the folder, by means of TensorFlow. Where there are both,
            this one looks whether the run's file is whole.
        needs: what the run must have: a whole epoch, or a network that was saved.
        packages: those of requirements-export.txt that it needs.
    """

    about: str
    suffix: str
    at_once: Callable[[Run, Translate], bytes] | None = None
    convert: Callable[[Run, Path], None] | None = None
    needs: Literal["epochs", "network"] | None = None
    packages: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is several files."""
        return self.suffix.endswith(".zip")


FORMS = {
    "html": Form(
        N_("report: one HTML page to read, print and hand in"),
        ".html",
        at_once=lambda run, translate: html_report(run, translate).encode(),
    ),
    "csv": Form(
        N_("history: the figures of each epoch as CSV"),
        ".csv",
        at_once=lambda run, _translate: history_csv(run).encode(),
        needs="epochs",
    ),
    "keras": Form(
        N_("network: Keras file, to train further"),
        ".keras",
        at_once=lambda run, _translate: run.model_path.read_bytes(),
        convert=write_keras,
        needs="network",
    ),
    "savedmodel": Form(
        N_("network: TensorFlow SavedModel, for servers"),
        "-savedmodel.zip",
        convert=write_savedmodel,
        needs="network",
    ),
    "tflite": Form(
        N_("network: TFLite, for phones and small devices"),
        ".tflite",
        convert=write_tflite,
        needs="network",
    ),
    "onnx": Form(
        N_("network: ONNX, for other frameworks"),
        ".onnx",
        convert=write_onnx,
        needs="network",
        packages=("tf2onnx", "onnx"),
    ),
    "tensorboard": Form(
        N_("curves and pictures: TensorBoard event files"),
        "-tensorboard.zip",
        convert=write_tensorboard,
        needs="epochs",
        packages=("tensorboard",),
    ),
}
"""All forms, by the name that the command line knows them by."""


def export(run: Run, to: str, output: Path) -> None:
    """Write a run in another form, whole or not at all.

    Args:
        run: the run.
        to: one of `FORMS`.
        output: the file or, of several files, the folder or zip to make; must be new.

    Raises:
        ConfigError: `output` is there already or cannot be written, or a package is missing.
        RunError: the run has no network, or no epoch.
    """
    need_packages(to)
    form = FORMS[to]
    if output.exists():
        raise ConfigError(f"the output must be new. Received: {output}; name another one.")
    if form.needs == "epochs" and not run.history().epochs:
        raise RunError(
            f"curves need a whole epoch. Received: {run.id}, which is {run.state()} and has none."
        )
    if form.convert:
        device.use_cpu()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if form.is_folder:
            _write_folder(run, form, output)
        else:
            write_whole(output, lambda new: _write(run, form, new))
    except OSError as error:
        raise ConfigError(
            f"the output must be a place to write to. Received: {output} ({error})."
        ) from error


def need_packages(to: str) -> None:
    """See to it that a form can be made here.

    Raises:
        ConfigError: a package is missing.
    """
    missing = [name for name in FORMS[to].packages if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the form {to} needs the packages of requirements-export.txt. Received: no "
            f"{', '.join(missing)}; pip install -r requirements-export.txt."
        )


def _write(run: Run, form: Form, path: Path) -> None:
    if form.convert:
        form.convert(run, path)
    elif form.at_once:
        path.write_bytes(form.at_once(run, str))


def _write_folder(run: Run, form: Form, output: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".new-", dir=output.parent) as parent:
        folder = Path(parent) / output.name.removesuffix(".zip")
        folder.mkdir()
        _write(run, form, folder)
        if output.suffix == ".zip":
            made = shutil.make_archive(str(folder), "zip", parent, folder.name)
            Path(made).replace(output)
        else:
            folder.replace(output)
