"""A worker that waits for a run with TensorFlow loaded, most of what a start takes.

It begins as any worker, but with a pipe to its standard input. One order comes through that, a
command line and a log, after which it is a run's worker as if it had been begun for that run. The
pipe's end without an order ends it: nobody needs it any more, or whoever began it is gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..config import TrainingConfig
from ..data import CIFAR10_CLASSES, Dataset, Source
from ..data.dataset import IMAGE_SIZE
from ..process import begin, when_ended
from ..spelling import is_off

IDLE_SECONDS = 600.0
_WARM_UP_IMAGES = 64


class WarmWorker:
    """The one worker of this process that waits, if one does."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._surroundings: object = None
        self._idle = threading.Timer(0.0, self.end)

    def begin(self, seconds: float = IDLE_SECONDS) -> None:
        """Let a worker wait, unless one does, until this was not called for so many seconds.

        Does nothing where CIFAR10_WARM_WORKER switches it off or no process can begin.
        """
        if is_off("CIFAR10_WARM_WORKER"):
            return
        with self._lock, suppress(OSError):
            if not self._is_fit():
                self.end()
                self._surroundings = _surroundings()
                command = ["train", "--wait"]
                self._process = begin(command, Path(os.devnull), stdin=subprocess.PIPE)
            self._idle.cancel()
            self._idle = threading.Timer(seconds, self.end)
            self._idle.daemon = True
            self._idle.start()

    def take(self, arguments: list[str], log_path: Path, ended: Callable[[], object]) -> bool:
        """Give the worker that waits, or still loads, its order.

        Args:
            arguments, log_path, ended: of `process.begin`, whose place this takes.

        Returns:
            Whether there was one that differs in nothing from one that were begun now.
        """
        with self._lock, suppress(OSError):  # of one that has just died
            if self._is_fit() and (process := self._process) and process.stdin:
                self._process = None
                with process.stdin as orders:
                    orders.write(json.dumps([arguments, str(log_path)]).encode())
                when_ended(process, ended)
                return True
        return False

    def end(self) -> None:
        """Let no worker wait any more."""
        with self._lock:
            self._idle.cancel()
            if self._process and self._process.stdin:
                self._process.stdin.close()
            self._process = None

    def _is_fit(self) -> bool:
        lives = self._process is not None and self._process.poll() is None
        return lives and self._surroundings == _surroundings()


worker = WarmWorker()
"""This process's."""


def _surroundings() -> object:
    return dict(os.environ), Path.cwd()


def wait() -> list[str]:
    """Load what a training needs and wait for an order, in the process that `begin` began.

    Returns:
        The command line to carry out, its output in the run's log; empty where none came.
    """
    with suppress(Exception):  # the run meets it again and says so
        _load()
    order = sys.stdin.read()
    if not order:
        return []
    arguments, log_path = json.loads(order)
    with open(log_path, "ab") as log, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        for output in (1, 2):
            os.dup2(log.fileno(), output)
    return list(arguments)


def _load() -> None:
    """Import all that trains and, without a GPU, train: the first graph takes longer to build.

    With a GPU it must not: the first tensor settles which card TensorFlow has, and the run says
    which.
    """
    import keras
    import tensorflow as tf

    from ..network import out_of_distribution  # noqa: F401 - for its imports
    from ..training.loop import Training

    if tf.config.list_physical_devices("GPU"):
        return
    pixels = np.zeros((_WARM_UP_IMAGES, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    labels = np.zeros(_WARM_UP_IMAGES, np.uint8)
    data = Dataset(pixels, labels, pixels, labels, CIFAR10_CLASSES, Source("npz", "", "", ""))
    for _ in Training(TrainingConfig(epochs=1), data).events():
        pass
    keras.utils.clear_session()
