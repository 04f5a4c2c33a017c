"""Curves and pictures of a run as TensorBoard reads them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..analysis.evaluation import confusion_matrix
from ..network.build import first_kernels
from ..runs.run import Run


def write_tensorboard(run: Run, folder: Path) -> None:
    """Curves of 'train' and 'validation', batch figures, and two pictures, at their own times."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    def add(writer: EventFileWriter, time: float, step: int, **what: object) -> None:
        value = summary_pb2.Summary.Value(**what)
        summary = summary_pb2.Summary(value=[value])
        writer.add_event(event_pb2.Event(wall_time=time, step=step, summary=summary))

    history = run.history()
    writers = {side: EventFileWriter(str(folder / side)) for side in ("train", "validation")}
    for event in history.epochs:
        for side, prefix in (("train", ""), ("validation", "val_")):
            for metric in ("loss", "accuracy"):
                value = getattr(event, prefix + metric)
                tag = f"epoch_{metric}"
                add(writers[side], event.time, event.epoch, tag=tag, simple_value=value)
    for batch in history.batches:
        for metric in ("loss", "accuracy"):
            value = getattr(batch, metric)
            add(writers["train"], batch.time, batch.step, tag=f"batch_{metric}", simple_value=value)
    pictures, last = {}, history.epochs[-1]
    if (predictions := run.predictions()) is not None:
        matrix = confusion_matrix(predictions)
        pictures["confusion_matrix"] = ("validation", _matrix_picture(matrix, run.class_names()))
    if run.has_model():
        pictures["first_kernels"] = ("train", _kernel_picture(first_kernels(run.load_model())))
    for tag, (side, picture) in pictures.items():
        png = io.BytesIO()
        picture.save(png, "PNG")
        image = summary_pb2.Summary.Image(
            width=picture.width,
            height=picture.height,
            colorspace=3,  # RGB
            encoded_image_string=png.getvalue(),
        )
        add(writers[side], last.time, last.epoch, tag=tag, image=image)
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
