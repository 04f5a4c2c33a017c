"""Which device computes, chosen before TensorFlow's runtime starts."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError

# Read by TensorFlow when it is imported: its start-up notices are not for our users.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what TensorFlow's libraries print at their start off standard error.

    They print before they read any setting, from C++, so the file descriptor itself is turned
    away. What Python writes meanwhile, from whatever thread, is not touched.
    """
    _part_from_descriptor_2()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _part_from_descriptor_2() -> None:
    """Let Python's standard error write where it does by a descriptor of its own, from now on."""
    sys.stderr.flush()
    buffer = getattr(sys.stderr, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # without a buffer under PYTHONUNBUFFERED
    if isinstance(raw, io.FileIO) and raw.fileno() == 2:
        # The object itself, for loggers hold on to it.
        io.FileIO.__init__(raw, os.dup(2), "wb", closefd=False)


@dataclass(frozen=True)
class Device:
    """Attributes:
    kind: 'GPU' or 'CPU'.
    name: the maker's name of the GPU, or the number of CPU cores.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def cpu() -> Device:
    """The processor of this machine."""
    return Device("CPU", f"{os.cpu_count()} cores")


def find_device() -> Device:
    """The device a run of this machine trains on: GPU 0 where there is one, else the CPU.

    Imports TensorFlow, without starting its runtime.
    """
    _load_libraries()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return cpu()
    return _gpu(gpus[0])


def _load_libraries() -> None:
    """Load TensorFlow's two large libraries while other threads go on.

    An import holds all of Python up until they are loaded: 0.3 s on a quiet machine, 2.6 s on a
    busy one. A foreign function does not.
    """
    if sys.platform != "linux":
        return
    tensorflow = importlib.util.find_spec("tensorflow")
    for folder in tensorflow.submodule_search_locations or () if tensorflow else ():
        for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2"):
            ctypes.CDLL(None).dlopen(os.fsencode(Path(folder, name)), os.RTLD_NOW)


def _gpu(gpu: Any) -> Device:
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(gpu)
    return Device("GPU", str(details.get("device_name", gpu.name)))


def need_gpu(found: Device) -> None:
    """See to it that a run that wants a GPU gets one.

    Args:
        found: what `find_device` found.

    Raises:
        ConfigError: it is none.
    """
    if found.kind != "GPU":
        raise ConfigError(
            "a run on a GPU needs one that TensorFlow finds. Received: device='gpu' on "
            f"{found}; choose 'auto' or 'cpu'."
        )


def use_device(slot: int = 0, wanted: str = "auto") -> Device:
    """Take one GPU alone, with memory growth on; the CPU where there is no GPU.

    The tutorial's device step. Must be called before any tensor is made.

    Args:
        slot: which GPU: 0, the tutorial's, for the first of the trainings at one time.
        wanted: `TrainingConfig.device`.

    Raises:
        ConfigError: a GPU is wanted and there is none.
        RuntimeError: TensorFlow's runtime has started already.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        need_gpu(cpu())
    if not gpus or wanted == "cpu":
        use_cpu()
        return cpu()
    gpu = gpus[slot % len(gpus)]
    tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.set_visible_devices(gpu, "GPU")
    return _gpu(gpu)


def be_deterministic() -> None:
    """Let TensorFlow choose only kernels that give the same bits every time."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()


def use_cpu() -> None:
    """Leave every GPU alone in this process, so that trainings have them whole."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
