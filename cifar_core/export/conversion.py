"""A conversion in a process of its own."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from ..process import ERROR_PREFIX, begin
from ..runs.run import Run
from . import FORMS


class Conversion:
    """`export` in a process of its own, so that TensorFlow blocks no other session.

    Args:
        run, to: of `export`.
        folder: where the file is made.
    """

    def __init__(self, run: Run, to: str, folder: Path) -> None:
        self.output = Path(tempfile.mkdtemp(dir=folder)) / f"{run.path.name}{FORMS[to].suffix}"
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
