"""A run in the forms that other programs read.

- keras: the network as the run saved it, which gives logits and can be trained further.
- savedmodel, tflite, onnx: the same with softmax behind it, so that it gives probabilities.
- csv: the figures of each epoch.
- tensorboard: curves and pictures as TensorBoard reads them.
- html: a report that stands alone.

All networks take pixels of 0 to 255 as float32, (N, 32, 32, 3), or (N, 32, 32, 1) where the run
sees brightness only.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError
from ..files import write_whole
from ..runs.run import Run
from ..training import device
from .networks import write_keras, write_onnx, write_savedmodel, write_tflite
from .report import Translate, html_report
from .table import history_csv
from .tensorboard import write_tensorboard

SUFFIXES = {
    "keras": ".keras",
    "savedmodel": "-savedmodel.zip",
    "tflite": ".tflite",
    "onnx": ".onnx",
    "csv": ".csv",
    "tensorboard": "-tensorboard.zip",
    "html": ".html",
}
"""What each form's file is called, after the run's name."""

FOLDERS = ("savedmodel", "tensorboard")
"""Forms of several files: a folder, or a zip of it where the name ends so."""


def export(run: Run, to: str, output: Path, translate: Translate = str) -> None:
    """Write a run in another form, whole or not at all.

    Args:
        run: the run.
        to: one of `SUFFIXES`.
        output: the file or, of `FOLDERS`, the folder or zip to make; must be new.
        translate: of the report's words.

    Raises:
        ConfigError: `output` is there already or cannot be written, or a package is missing.
        RunError: the run has no network, or no epoch.
    """
    need_packages(to)
    if output.exists():
        raise ConfigError(f"the output must be new. Received: {output}; name another one.")
    if to not in ("csv", "html"):
        device.use_cpu()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if to in FOLDERS:
            _write_folder(run, to, output)
        else:
            write_whole(output, lambda new: _write_file(run, to, new, translate))
    except OSError as error:
        raise ConfigError(
            f"the output must be a place to write to. Received: {output} ({error})."
        ) from error


def need_packages(to: str) -> None:
    """See to it that a form can be made here.

    Raises:
        ConfigError: a package is missing.
    """
    needed = {"onnx": ("tf2onnx", "onnx"), "tensorboard": ("tensorboard",)}.get(to, ())
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the form {to} needs the packages of requirements-export.txt. Received: no "
            f"{', '.join(missing)}; pip install -r requirements-export.txt."
        )


def _write_file(run: Run, to: str, path: Path, translate: Translate) -> None:
    match to:
        case "csv":
            path.write_text(history_csv(run), encoding="utf-8", newline="")
        case "html":
            path.write_text(html_report(run, translate), encoding="utf-8")
        case "keras":
            write_keras(run, path)
        case "tflite":
            write_tflite(run, path)
        case "onnx":
            write_onnx(run, path)


def _write_folder(run: Run, to: str, output: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".new-", dir=output.parent) as parent:
        folder = Path(parent) / output.name.removesuffix(".zip")
        folder.mkdir()
        if to == "savedmodel":
            write_savedmodel(run, folder)
        else:
            write_tensorboard(run, folder)
        if output.suffix == ".zip":
            made = shutil.make_archive(str(folder), "zip", parent, folder.name)
            Path(made).replace(output)
        else:
            folder.replace(output)
