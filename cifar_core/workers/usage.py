"""What a worker takes of the machine."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

import psutil

from ..runs.events import UsageEvent


def usage() -> UsageEvent:
    """Memory of this process; of its GPU, where TensorFlow has taken one, memory and use.

    GPU memory is what TensorFlow's allocator has given out. GPU use is the card's, whoever uses
    it; None where nvidia-ml-py is not installed or the driver does not say.
    """
    memory = psutil.Process().memory_info().rss
    tf = sys.modules.get("tensorflow")
    gpus = tf.config.get_visible_devices("GPU") if tf else []
    if not (tf and gpus):
        return UsageEvent(memory=memory)
    given = tf.config.experimental.get_memory_info("GPU:0")["current"]
    number = int(gpus[0].name.rsplit(":", 1)[1])
    return UsageEvent(memory=memory, gpu_memory=int(given), gpu_use=_gpu_use(number))


def card(number: int, visible: str | None) -> int | str:
    """What the driver calls a GPU that CUDA numbers so: its own number, or its UUID.

    Args:
        number: CUDA's, which counts only the cards that it sees.
        visible: CUDA_VISIBLE_DEVICES.
    """
    if not visible:
        return number
    name = visible.split(",")[number].strip()
    return int(name) if name.isdecimal() else name


def _gpu_use(number: int) -> float | None:
    try:
        nvml, handle = _handle(card(number, os.environ.get("CUDA_VISIBLE_DEVICES")))
        return float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
    except Exception:  # a figure to look at, not worth a training
        return None


@cache
def _handle(name: int | str) -> tuple[Any, Any]:
    import pynvml

    pynvml.nvmlInit()
    if isinstance(name, str):
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(name)
    return pynvml, pynvml.nvmlDeviceGetHandleByIndex(name)
