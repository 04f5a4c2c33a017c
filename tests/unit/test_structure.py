"""One way only: dashboard -> pages -> ui -> cifar_core, and upwards nowhere in that."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CORE = sorted((ROOT / "cifar_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
UI = sorted((ROOT / "ui").rglob("*.py"))
LAYERS = (
    {"errors", "config", "files", "lock", "percent", "process", "spelling"},
    {"data"},
    {"network"},
    {"runs"},
    {"analysis", "training"},
    {"workers"},
    {"export"},
    {"cli"},
    {"__main__"},
)
"""The engine's rooms: each imports those above it in this list, and itself."""


def imports(path: Path) -> set[str]:
    """Top-level names of everything a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def module(path: Path) -> str:
    """What Python calls a file or folder of ours: 'cifar_core.data.cache', 'cifar_core.data'."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path) for path in [*CORE, *PAGES, *UI]}


def own_imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            around = module(path.parents[node.level - 1]) if node.level else ""
            within = ".".join(filter(None, (around, node.module)))
            inner = {f"{within}.{name.name}" for name in node.names}
            found |= {name if name in MODULES else within for name in inner}
    return found & MODULES


def test_the_engine_loads_without_a_web_framework() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in CORE
        if path.name != "__main__.py"
    ]
    code = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\n"
        "print([name for name in ('streamlit', 'plotly', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_engines_own_names_are_these() -> None:
    names = "PRESETS CifarError Dataset Run RunState RunStore Summary TrainingConfig execute"
    names += " load_data predict_probabilities resume start"
    code = (
        "import sys, cifar_core\n"
        "for name in cifar_core.__all__: print(name, getattr(cifar_core, name) is not None)\n"
        "print('tensorflow' in sys.modules or 'cifar_core.cli' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == [*(f"{name} True" for name in names.split()), "False"]


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_engine_imports_nothing_above_it(path: Path) -> None:
    assert not imports(path) & {"streamlit", "plotly", "ui", "pages", "dashboard"}


@pytest.mark.parametrize(
    "path",
    [path for path in CORE if path.parent != ROOT / "cifar_core" or path.stem != "__init__"],
    ids=module,
)
def test_the_engines_rooms_import_none_above_them(path: Path) -> None:
    room = module(path).split(".")[1]
    (number,) = (number for number, layer in enumerate(LAYERS) if room in layer)
    allowed = {room}.union(*LAYERS[: max(number, 1)])
    found = {name for name in own_imports(path) if name != "cifar_core"}
    assert {name for name in found if name.split(".")[1] not in allowed} == set()
    if room == "training":
        of_runs = {name for name in found if name.startswith("cifar_core.runs")}
        assert of_runs <= {"cifar_core.runs.events", "cifar_core.runs.history"}


@pytest.mark.parametrize("files", [CORE, [*UI, *PAGES]], ids=["engine", "dashboard"])
def test_no_module_imports_itself_by_way_of_others(files: list[Path]) -> None:
    graph = {module(path): own_imports(path) for path in files if path.name != "__init__.py"}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_import_neither_tensorflow_nor_one_another(path: Path) -> None:
    assert not imports(path) & {"tensorflow", "keras", "pages", "dashboard"}


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_what_pages_share_imports_no_page(path: Path) -> None:
    found = imports(path)
    assert not found & {"pages", "dashboard"}
    if path.parent.name == "figures":
        assert "streamlit" not in found


@pytest.mark.parametrize(
    "path",
    [path for path in [*CORE, *PAGES, *UI] if path.name != "run.py"],
    ids=lambda path: path.stem,
)
def test_only_run_py_knows_a_runs_files(path: Path) -> None:
    names = {"config.json", "environment.json", "events.jsonl", "model.keras", "checkpoint.keras"}
    names |= {"predictions.npz", "novelty.npz", "notes.md", "worker.log"}
    strings = {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert not strings & names


def test_the_router_is_short() -> None:
    assert len((ROOT / "dashboard.py").read_text().splitlines()) < 60


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_are_thin_and_guarded(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    assert f'frame.guard("pages/{path.name}")' in text


@pytest.mark.parametrize("path", [*PAGES, *UI], ids=lambda path: path.stem)
def test_what_an_error_says_is_shown_as_plain_text(path: Path) -> None:
    """An error holds paths and names, in which Markdown would see markup."""
    handlers = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.name
    ]
    for handler in handlers:
        shown = [
            ast.unparse(call)
            for call in calls(handler)
            if ast.unparse(call.func).startswith(("st.", "row", "place", "column"))
            and any(mentions(part, handler.name) for part in [*call.args, *call.keywords])
        ]
        assert not shown


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def mentions(tree: ast.AST, name: str) -> bool:
    """Whether a name stands in an expression, but for what is given to `plain`."""
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) == "plain":
        return False
    if isinstance(tree, ast.Name) and tree.id == name:
        return True
    return any(mentions(child, name) for child in ast.iter_child_nodes(tree))
