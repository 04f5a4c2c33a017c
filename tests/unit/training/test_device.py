"""What a process says while TensorFlow is imported."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = """
import logging, os, sys, threading
from cifar_core.training.device import quiet

logging.basicConfig(format="%(message)s")
for turn in range(2):
    with quiet():
        os.write(2, b"a library's notice\\n")
        print("print", turn, file=sys.stderr)
        other = threading.Thread(target=logging.warning, args=("another thread %s", turn))
        other.start()
        other.join()
    os.write(2, b"a library's notice afterwards\\n")
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_libraries_are_silenced_and_python_is_not(unbuffered: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        text=True,
        check=True,
    )
    said = [
        line
        for turn in "01"
        for line in (f"print {turn}", f"another thread {turn}", "a library's notice afterwards")
    ]
    assert done.stderr.splitlines() == said
