"""`make` finds a Python that TensorFlow has packages for, on a PATH of the test's own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAKE = shutil.which("make") or "make"

# Answers as a Python of that version; its venv is a copy of itself, and pip is only noted.
PYTHON = """#!/bin/sh
echo "{name} $*" >>{log}
case "$1 $2" in
  -c*) exec {real} -c "import sys
sys.version_info = {version}; {before}exec(sys.argv[1])" "$2" ;;
  "-m venv") mkdir -p "$3/bin" && cp {path} "$3/bin/python" ;;
esac
"""

# Brings a Python 3.13, that is, a stand-in beside the PATH.
UV = """#!/bin/sh
echo "uv $*" >>{log}
for folder; do :; done
mkdir -p "$folder/bin" && cp {path}-python "$folder/bin/python"
"""


class Machine:
    """A folder with the Makefile, and a PATH with nothing on it but a shell's tools."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.path = folder / "bin"
        self.log = folder / "log"
        self.project.mkdir()
        self.path.mkdir()
        self.log.touch()
        for name in ("Makefile", "requirements.txt", "dashboard.py"):
            shutil.copy(ROOT / name, self.project)
        for tool in ("sh", "mkdir", "cp", "rm", "touch"):
            (self.path / tool).symlink_to(shutil.which(tool) or tool)

    def add(self, name: str, version: str = "", before: str = "", script: str = PYTHON) -> Path:
        """Put a stand-in on the PATH, or elsewhere if the name says so."""
        path = self.path / name
        path.write_text(
            script.format(
                name=path.name,
                path=path,
                log=self.log,
                real=sys.executable,
                version=f"({version.replace('.', ', ')}, 0)",
                before=before,
            )
        )
        path.chmod(0o755)
        return path

    def add_uv(self) -> None:
        self.add("uv-python", "3.13")
        self.add("uv", script=UV)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MAKE, *(arguments or ("install",))],
            cwd=self.project,
            env={"PATH": str(self.path)},
            capture_output=True,
            text=True,
            check=False,
        )

    def made_by(self) -> list[str]:
        """Who made the .venv, and who installed into it."""
        lines = self.log.read_text().splitlines()
        return [line.split()[0] for line in lines if " venv " in line or " pip install " in line]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ({"python3": "3.14", "python3.12": "3.12"}, "python3.12"),
        ({"python3": "3.11", "python3.12": "3.12", "python3.13": "3.13"}, "python3.13"),
        ({"python3": "3.14", "python3.14": "3.14", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.13"}, "python3"),
        ({"python3": "3.10", "python": "3.12"}, "python"),
    ],
)
def test_the_newest_that_tensorflow_has_packages_for_is_taken(
    machine: Machine, pythons: dict[str, str], taken: str
) -> None:
    machine.add_uv()  # which is not needed
    for name, version in pythons.items():
        machine.add(name, version)
    done = machine.make()
    assert done.returncode == 0, done.stderr
    assert machine.made_by() == [taken, taken]


def test_one_that_is_there_in_name_only_or_without_venv_is_passed_over(machine: Machine) -> None:
    shim = "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n"
    machine.add("python3.13", script=shim)
    machine.add("python3.12", "3.12", before="sys.modules['ensurepip'] = None; ")
    machine.add("python3.11", "3.11")
    done = machine.make()
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.made_by() == ["python3.11", "python3.11"]


@pytest.mark.parametrize("version", ["3.14", "3.10"])
def test_uv_brings_one_where_there_is_none(machine: Machine, version: str) -> None:
    machine.add("python3", version)
    machine.add_uv()
    done = machine.make()
    assert done.returncode == 0, done.stderr
    assert machine.made_by() == ["uv", "uv-python"]
    assert "--python >=3.11,<3.14" in machine.log.read_text()


@pytest.mark.parametrize("version", ["3.14", "3.10", None])
def test_without_any_make_says_what_is_needed_and_how_to_get_it(
    machine: Machine, version: str | None
) -> None:
    if version:
        machine.add("python3", version)
    done = machine.make()
    assert done.returncode == 2
    sentence, makes_own = done.stderr.splitlines()
    assert sentence.startswith("TensorFlow needs Python 3.11, 3.12 or 3.13")
    for word in ("python.org", "uv", "PYTHON="):
        assert word in sentence
    assert makes_own.startswith("make: ***")
    assert not (machine.project / ".venv").exists()


def test_the_one_that_is_named_wins(machine: Machine) -> None:
    machine.add("python3.13", "3.13")
    mine = machine.add("../mine", "3.11")
    done = machine.make("install", f"PYTHON={mine}")
    assert done.returncode == 0, done.stderr
    assert machine.made_by() == ["mine", "mine"]


def test_one_that_is_named_and_does_not_fit_is_told_and_not_replaced(machine: Machine) -> None:
    machine.add("python3.13", "3.13")
    machine.add_uv()
    mine = machine.add("../mine", "3.14")
    done = machine.make("install", f"PYTHON={mine}")
    assert done.returncode == 2
    assert f"which {mine} is not" in done.stderr
    assert not machine.made_by()


def test_a_venv_that_does_not_fit_is_made_anew_and_one_that_fits_is_kept(machine: Machine) -> None:
    old = machine.project / ".venv" / "bin"
    old.mkdir(parents=True)
    shutil.copy(machine.add("python3", "3.14"), old / "python")
    (old.parent / "installed").touch()
    machine.add("python3.12", "3.12")
    assert machine.make().returncode == 0
    assert machine.made_by() == ["python3.12", "python3.12"]
    machine.add("python3.13", "3.13")
    assert machine.make().returncode == 0
    assert machine.made_by() == ["python3.12", "python3.12"]


@pytest.mark.slow
def test_a_real_venv_is_made(machine: Machine) -> None:
    done = machine.make("venv", f"PYTHON={sys.executable}")
    assert done.returncode == 0, done.stderr
    inside = machine.project / ".venv" / "bin" / "python"
    subprocess.run([inside, "-m", "pip", "--version"], check=True, capture_output=True)


def test_all_places_say_the_same_versions() -> None:
    words = "3.11, 3.12 or 3.13"
    assert words in (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text()
    assert words in makefile
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    assert f"(3, {low}) <= sys.version_info < (3, {high})" in makefile
    assert project["requires-python"] in makefile
    assert words == f"3.{low}, 3.12 or 3.{int(high) - 1}"
