"""Two people of one group at the same folder, each in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

# Not root, who alone can be somebody else, they are both the one who runs the tests.
IS_ROOT = os.geteuid() == 0
GROUP = 60100 if IS_ROOT else os.getegid()
ME = os.getuid()
ANNA, BERT = (60101, 60102) if IS_ROOT else (ME, ME)

# What is imported is read before: root's packages need not be readable for others.
BECOME = f"""
import encodings.utf_8_sig, os, sys
from pathlib import Path
from cifar_core.config import TrainingConfig
from cifar_core.lock import hold, is_held
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.workers.slots import move_up, slot, waiting
if {IS_ROOT}:
    os.setgroups([])
    os.setgid({GROUP})
    os.setuid(int(sys.argv[1]))
os.umask(int(sys.argv[2], 8))
path = Path(sys.argv[3])
"""

Worker = subprocess.Popen[str]


def begin(code: str, path: Path, user: int, umask: str = "022") -> Worker:
    """Run code as this user, `path` being a path; its words come through pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", BECOME + code, str(user), umask, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def says(code: str, path: Path, user: int, umask: str = "022") -> str:
    """What the code prints as this user."""
    worker = begin(code, path, user, umask)
    said, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0
    return said.strip()
