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

import csv
import io
import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from ..analysis.evaluation import confusion_matrix
from ..errors import ConfigError, RunError
from ..files import write_whole
from ..process import ERROR_PREFIX, begin
from ..runs.events import EpochEvent
from ..runs.run import Run
from ..training import device
from .report import Translate, html_report

if TYPE_CHECKING:
    import keras

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

_CSV_COLUMNS = ("epoch", "step", "seconds", "loss", "accuracy", "val_loss", "val_accuracy")


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


class Conversion:
    """`export` in a process of its own, so that TensorFlow holds nobody else up.

    Args:
        run, to: of `export`.
        folder: where the file is made.
    """

    def __init__(self, run: Run, to: str, folder: Path) -> None:
        self.output = Path(tempfile.mkdtemp(dir=folder)) / f"{run.path.name}{SUFFIXES[to]}"
        self._log = self.output.with_name("log")
        self.begun = time.time()
        # With '=' and '--', for the name of a folder may begin with '-'.
        command = ["export", f"--to={to}", f"--output={self.output}", f"--runs={run.path.parent}"]
        self._process = begin([*command, "--", run.id], self._log)

    @property
    def is_running(self) -> bool:
        """Whether the file is still being made."""
        return self._process.poll() is None

    @property
    def error(self) -> str:
        """Why there is no file, once the process has ended; else ''."""
        if self.is_running or self.output.exists():
            return ""
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return said[-1].removeprefix(ERROR_PREFIX) if said else "the process ended early"


def _write_file(run: Run, to: str, path: Path, translate: Translate) -> None:
    match to:
        case "csv":
            path.write_text(history_csv(run), encoding="utf-8", newline="")
        case "html":
            path.write_text(html_report(run, translate), encoding="utf-8")
        case "keras":
            from ..network.predict import load_model

            load_model(run)  # says what is wrong with it
            shutil.copyfile(run.model_path, path)
        case "tflite":
            path.write_bytes(_tflite(run))
        case "onnx":
            import keras

            with tempfile.TemporaryDirectory() as folder:
                made = Path(folder) / "model.onnx"
                model = _with_softmax(run)
                signature = [
                    keras.InputSpec(shape=model.input_shape, dtype="float32", name="pixels")
                ]
                model.export(made, format="onnx", verbose=False, input_signature=signature)
                shutil.copyfile(made, path)


def _write_folder(run: Run, to: str, output: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".new-", dir=output.parent) as parent:
        folder = Path(parent) / output.name.removesuffix(".zip")
        folder.mkdir()
        if to == "savedmodel":
            _with_softmax(run).export(folder, format="tf_saved_model", verbose=False)
        else:
            _write_tensorboard(run, folder)
        if output.suffix == ".zip":
            made = shutil.make_archive(str(folder), "zip", parent, folder.name)
            Path(made).replace(output)
        else:
            folder.replace(output)


def _epochs(run: Run) -> list[EpochEvent]:
    epochs = run.history().epochs
    if not epochs:
        raise RunError(
            f"curves need a whole epoch. Received: {run.id}, which is {run.state()} and has none."
        )
    return epochs


def history_csv(run: Run) -> str:
    """The figures of each epoch as a CSV table.

    Raises:
        RunError: there is no whole epoch.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_CSV_COLUMNS)
    writer.writerows([getattr(event, name) for name in _CSV_COLUMNS] for event in _epochs(run))
    return file.getvalue()


def _with_softmax(run: Run) -> keras.Model:
    """The network with softmax behind it, float32 throughout, of layers all converters know."""
    import keras

    from ..network.predict import load_model

    model = load_model(run)
    values = pixels = keras.Input(model.input_shape[1:], name="pixels")
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            # Its mean and variance would become inputs of an ONNX graph.
            deviation = np.maximum(np.sqrt(layer.variance), keras.config.epsilon()).ravel()
            twin = keras.layers.Rescaling(1 / deviation, -np.ravel(layer.mean) / deviation)
        else:
            twin = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
        values = twin(values)
        twin.set_weights(layer.get_weights())
    return keras.Model(pixels, keras.layers.Softmax(name="probabilities")(values))


def _tflite(run: Run) -> bytes:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        _with_softmax(run).export(folder, format="tf_saved_model", verbose=False)
        made: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    return made


def _write_tensorboard(run: Run, folder: Path) -> None:
    """Curves of 'train' and 'validation', batch figures, and two pictures, at their own times."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    from ..network.build import first_kernels
    from ..network.predict import load_model

    def add(writer: EventFileWriter, time: float, step: int, **what: object) -> None:
        value = summary_pb2.Summary.Value(**what)
        summary = summary_pb2.Summary(value=[value])
        writer.add_event(event_pb2.Event(wall_time=time, step=step, summary=summary))

    epochs, history = _epochs(run), run.history()
    writers = {side: EventFileWriter(str(folder / side)) for side in ("train", "validation")}
    for event in epochs:
        for side, prefix in (("train", ""), ("validation", "val_")):
            for metric in ("loss", "accuracy"):
                value = getattr(event, prefix + metric)
                tag = f"epoch_{metric}"
                add(writers[side], event.time, event.epoch, tag=tag, simple_value=value)
    for batch in history.batches:
        for metric in ("loss", "accuracy"):
            value = getattr(batch, metric)
            add(writers["train"], batch.time, batch.step, tag=f"batch_{metric}", simple_value=value)
    pictures = {}
    if (predictions := run.predictions()) is not None:
        matrix = confusion_matrix(predictions)
        pictures["confusion_matrix"] = ("validation", _matrix_picture(matrix, run.class_names()))
    if run.has_model():
        pictures["first_kernels"] = ("train", _kernel_picture(first_kernels(load_model(run))))
    for tag, (side, picture) in pictures.items():
        png = io.BytesIO()
        picture.save(png, "PNG")
        image = summary_pb2.Summary.Image(
            width=picture.width,
            height=picture.height,
            colorspace=3,  # RGB
            encoded_image_string=png.getvalue(),
        )
        add(writers[side], epochs[-1].time, epochs[-1].epoch, tag=tag, image=image)
    for writer in writers.values():
        writer.close()


def _matrix_picture(matrix: np.ndarray, names: tuple[str, ...]) -> Image.Image:
    """A row for each true class, a column for each predicted one; the darker, the larger share."""
    cell, margin = 44, 96
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = margin + cell * len(names)
    picture = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(picture)
    for i, name in enumerate(names):
        at = margin + cell * i
        draw.text((margin - 6, at + cell / 2), name[:14], "black", anchor="rm")
        draw.text((at + cell / 2, margin - 8), name[:7], "black", anchor="mb")
        for j, count in enumerate(matrix[i].tolist()):
            left = margin + cell * j
            red, green, blue = (round(255 - shares[i, j] * (255 - c)) for c in (26, 127, 193))
            draw.rectangle((left, at, left + cell - 1, at + cell - 1), (red, green, blue))
            draw.text((left + cell / 2, at + cell / 2), str(count), "black", anchor="mm")
    return picture


def _kernel_picture(kernels: np.ndarray) -> Image.Image:
    """Kernels (height, width, channels, N) side by side, eight a row, each from black to white."""
    low, high = kernels.min(axis=(0, 1, 2)), kernels.max(axis=(0, 1, 2))
    scaled = (255 * (kernels - low) / np.maximum(high - low, 1e-12)).astype(np.uint8)
    scaled = np.broadcast_to(scaled, (*kernels.shape[:2], 3, kernels.shape[3]))
    height, width, _channels, count = scaled.shape
    columns, rows = min(8, count), -(-count // 8)
    picture = np.zeros((rows * (height + 1), columns * (width + 1), 3), np.uint8)
    for number in range(count):
        top, left = number // 8 * (height + 1), number % 8 * (width + 1)
        picture[top : top + height, left : left + width] = scaled[..., number]
    return Image.fromarray(picture.repeat(12, axis=0).repeat(12, axis=1))
