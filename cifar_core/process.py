"""The command line as a process of its own, which outlives the one that begins it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

ERROR_PREFIX = "cifar_core: "  # before the one line that the command line says of an error


def begin(
    arguments: list[str],
    log_path: Path,
    ended: Callable[[], object] = lambda: None,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start `python -m cifar_core` in a session of its own, its words in a log.

    Args:
        arguments: of the command line.
        log_path: where the log is, or is to be made.
        ended: is called in a thread when the process has ended, if this one lives that long.
        stdin: what the process reads, of `subprocess.Popen`.

    Raises:
        OSError: the log cannot be written, or the process cannot begin.
    """
    apart: dict[str, Any] = (
        {"creationflags": 0x00000008 | 0x00000200}  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    root = Path(__file__).resolve().parent.parent
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cifar_core", *arguments],
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            **apart,
        )

    when_ended(process, ended)
    return process


def when_ended(process: subprocess.Popen[bytes], act: Callable[[], object]) -> None:
    """Call `act` in a thread when a process has ended, if this one lives that long."""

    def wait() -> None:
        process.wait()  # leaves no zombie behind
        act()

    threading.Thread(target=wait, daemon=True).start()
