"""CIFAR-10's own files, made small by code in the very form that Python 2 wrote them."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import numpy as np

from cifar_core.data import batches

PER_BATCH = 4
RNG = np.random.default_rng(0)
PIXELS = {name: RNG.integers(0, 256, (PER_BATCH, 3072), dtype=np.uint8) for name in batches.BATCHES}
LABELS = {name: RNG.integers(0, 10, PER_BATCH).tolist() for name in batches.BATCHES}


def python2(value: object) -> bytes:
    """The opcodes that Python 2's pickle (protocol 2) writes; its str are today's bytes."""
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            return b"J" + struct.pack("<i", value)
        case bytes():
            return b"T" + struct.pack("<I", len(value)) + value
        case tuple():
            return b"(" + b"".join(map(python2, value)) + b"t"
        case list():
            return b"](" + b"".join(map(python2, value)) + b"e"
        case dict():
            return b"}(" + b"".join(python2(part) for pair in value.items() for part in pair) + b"u"
        case np.ndarray():
            dtype = b"cnumpy\ndtype\n" + python2((b"u1", 0, 1)) + b"R"
            dtype += python2((3, b"|", None, None, None, -1, -1, 0)) + b"b"
            made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
            made += python2((0,)) + python2(b"b") + b"tR"
            state = python2(1) + python2(value.shape) + dtype + python2(False)
            return made + b"(" + state + python2(value.tobytes()) + b"tb"
    raise TypeError(value)


def batch(name: str, **changes: object) -> bytes:
    content = {b"data": PIXELS[name], b"labels": LABELS[name], b"filenames": [b"a.png"]}
    content |= {key.encode(): value for key, value in changes.items()}
    return b"\x80\x02" + python2(content) + b"."


def write_folder(folder: Path, **batches_of_other_form: bytes) -> Path:
    folder.mkdir(parents=True)
    for name in batches.BATCHES:
        (folder / name).write_bytes(batches_of_other_form.get(name, batch(name)))
    (folder / "batches.meta").write_bytes(b"\x80\x02}.")
    return folder


def write_archive(path: Path, **batches_of_other_form: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name in reversed(batches.BATCHES):  # the real one's are in no order either
            content = batches_of_other_form.get(name, batch(name))
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
