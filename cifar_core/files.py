"""Files that appear whole or not at all, whenever the machine stops."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, flush it to disk and rename it into place.

    The file has the mode that the umask gives. Where something goes wrong, `path` is as it was and
    nothing is left beside it.
    """
    new = path.with_name(f".new-{secrets.token_hex(8)}{path.suffix}")
    try:
        write(new)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        _replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _replace(new: Path, path: Path) -> None:
    """Rename into place; on Windows, once no process has the old file open, 1 s at most."""
    for _ in range(100 if sys.platform == "win32" else 0):
        with contextlib.suppress(PermissionError):
            new.replace(path)
            return
        time.sleep(0.01)
    new.replace(path)


def write_json(path: Path, values: Any) -> None:
    """The values as a JSON file, whole."""
    text = json.dumps(values, indent=1) + "\n"
    write_whole(path, lambda new: new.write_text(text, encoding="utf-8"))
