"""Servers on this machine to download from, and a small archive in CIFAR-10's own form."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from cifar_core.data import batches
from tests.archives import batch, write_archive
from tests.conftest import ROOT


class Handler(BaseHTTPRequestHandler):
    """Does what its server's `answer` says; notes the Range of every request."""

    server: Mirror

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        pass

    def start(self) -> int:
        """Head of an answer that honours Range; returns the first byte's place."""
        size = len(self.server.content)
        first = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - first))
        self.end_headers()
        return first


class Mirror(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, content: bytes, answer: Callable[[Handler], None]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.answer = answer
        self.ranges: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/cifar-10-python.tar.gz"

    def handle_error(self, *_: object) -> None:
        pass  # the client has gone away, as some tests want


@contextlib.contextmanager
def serving(content: bytes, answer: Callable[[Handler], None]) -> Iterator[Mirror]:
    """A mirror of these bytes until the block ends."""
    mirror = Mirror(content, answer)
    threading.Thread(target=mirror.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield mirror
    finally:
        mirror.shutdown()
        mirror.server_close()


def whole(handler: Handler) -> None:
    first = handler.start()
    handler.wfile.write(handler.server.content[first:])


def missing(handler: Handler) -> None:
    handler.send_error(404)


def login_page(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    handler.wfile.write(b"<html>please log in</html>")


def wrong_bytes(handler: Handler) -> None:
    first = handler.start()
    handler.wfile.write(b"x" * (len(handler.server.content) - first))


class Gate:
    """An answer that stops after a share of the archive, as if its line had gone dead, until it
    is opened; what is asked for after that comes whole.

    Args:
        is_alive: send a byte a second meanwhile, so that nobody's patience ends.
    """

    def __init__(self, share: float = 0.5, *, is_alive: bool = False) -> None:
        self._share = share
        self._is_alive = is_alive
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    def __call__(self, handler: Handler) -> None:
        content = handler.server.content
        first = handler.start()
        stop = max(first, int(self._share * len(content)))
        handler.wfile.write(content[first:stop])
        while self._is_alive and not self._opened.wait(1):
            handler.wfile.write(content[stop : stop + 1])
            stop += 1
        self._opened.wait(60)
        handler.wfile.write(content[stop:])


@dataclass(frozen=True)
class SmallCifar10:
    """An archive of 6 x `images` noisy pictures that processes take for CIFAR-10's own.

    The product compares with the published checksum and size, and has no switch for that. So
    processes started with `environment` find, before their own first line, other constants.
    """

    content: bytes
    images: int
    environment: dict[str, str]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def make_small_cifar10(folder: Path, images: int = 4) -> SmallCifar10:
    rng = np.random.default_rng(0)
    made = {
        name: batch(
            name,
            data=rng.integers(0, 256, (images, 3072), dtype=np.uint8),
            labels=[i % 10 for i in range(images)],
        )
        for name in batches.BATCHES
    }
    content = write_archive(folder / "small.tar.gz", **made).read_bytes()
    at_start = folder / "at-start"  # Python imports sitecustomize wherever it finds it
    at_start.mkdir()
    (at_start / "sitecustomize.py").write_text(
        "from cifar_core.data import download\n"
        f"download.SIZE = {len(content)}\n"
        f"download.SHA256 = {hashlib.sha256(content).hexdigest()!r}\n"
        "download._PAUSE = 0.1\n",
        encoding="utf-8",
    )
    return SmallCifar10(
        content, images, {"PYTHONPATH": os.pathsep.join([str(at_start), str(ROOT)])}
    )
