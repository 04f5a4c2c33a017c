"""Writes docs/imports.md, who imports whom: `make graph`.

A room is a package of cifar_core or ui, or a module that lies beside them; the pages are one. An
arrow that others make up for, a to c where there are a to b and b to c, is left out.
"""

from __future__ import annotations

import graphlib
import sys
from collections import defaultdict
from pathlib import Path

import grimp

DOCS = Path(__file__).parent
SMALL = "config, errors, files, lock, percent, process, spelling"
"""Modules of cifar_core that are one room: they import nothing but one another."""

HEAD = """# Who imports whom

Written by `make graph`. An arrow points to what is imported; one that others make up for is left
out.
"""

Graph = dict[str, set[str]]


def room(module: str) -> str:
    """The room that a module lies in."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    if package == "pages":
        return "pages"
    if package == "cifar_core" and name in SMALL.split(", "):
        return SMALL
    if name in ("", "__main__"):
        return package if not name else f"{package}.cli"
    return f"{package}.{name}"


def rooms() -> Graph:
    """Which rooms each room imports from."""
    modules = grimp.build_graph("cifar_core", "ui", "pages", cache_dir=None)
    found: Graph = defaultdict(set)
    for module in modules.modules:
        for imported in modules.find_modules_directly_imported_by(module):
            if room(module) != room(imported):
                found[room(module)].add(room(imported))
    return dict(found)


def circle(graph: Graph) -> list[str]:
    """Rooms that import one another in a circle, none where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def reduced(graph: Graph) -> Graph:
    """The same without arrows that others make up for. For a graph without circles."""

    def below(one: str) -> set[str]:
        return graph.get(one, set()).union(*map(below, graph.get(one, ())))

    return {
        one: {to for to in tos if not any(to in below(other) for other in tos - {to})}
        for one, tos in graph.items()
    }


def drawn(graph: Graph) -> str:
    """The graph as Mermaid, which GitHub draws."""
    names = sorted({*graph, *(to for tos in graph.values() for to in tos)})
    number = {name: f"m{k}" for k, name in enumerate(names)}
    boxes = [f'    {number[name]}["{name}"]' for name in names]
    pairs = [(one, to) for one in names for to in sorted(graph.get(one, ()))]
    arrows = [f"    {number[one]} --> {number[to]}" for one, to in pairs]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *arrows, "```"])


def main() -> int:
    """Write the page; 1 where the rooms import one another in a circle, which is printed."""
    graph = rooms()
    if found := circle(graph):
        print("a circle of imports: " + " -> ".join(found))
        return 1
    (DOCS / "imports.md").write_text(f"{HEAD}\n{drawn(reduced(graph))}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
