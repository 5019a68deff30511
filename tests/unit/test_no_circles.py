"""No module imports itself, however long the way round and whatever the import is for.

An import for types alone, or one inside a function, makes two modules that can be read only together just as one at the
top does. What a module needs of a higher one it says itself, as a protocol, or it moves to where both can reach it.

A package's face (`__init__`) counts when a module takes something from it, and not because Python loads it on the way
to a module inside.
"""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shared", "functions", "sandbox", "tools")


def modules(root: Path, rooms: tuple[str, ...]) -> dict[str, Path]:
    """Every module below these folders, by its dotted name; a package's name is that of its face."""
    found: dict[str, Path] = {}
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            found[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> set[str]:
    """All that a file imports, wherever in it, as dotted names: `from a import b` is `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: imports are absolute"
            names |= {f"{node.module}.{each.name}" for each in node.names}
    return names


def circle(known: dict[str, Path]) -> list[str] | None:
    """A way from a module back to itself, each importing the next, or None."""
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        # `from a import b` is about the module `a.b` if there is one, and else about `a`.
        graph[module] = {name if name in known else name.rpartition(".")[0] for name in imported(path)} & known.keys()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return None


def test_no_module_of_the_house_imports_in_a_circle() -> None:
    known = modules(ROOT, ROOMS)
    assert {name.partition(".")[0] for name in known} == set(ROOMS)
    found = circle(known)
    assert found is None, " -> ".join(found or ())


ONE_WAY = "from room.low import Low\n"
BACK = {
    "at the top": "from room.high import High\n",
    "a module": "import room.high\n",
    "by its package": "from room import high\n",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.high import High\n",
    "late": "def late() -> object:\n    from room.high import High\n    return High\n",
    "by way of the face": "from room import High\n",
    "of itself": "import room.low\n",
}


@pytest.mark.parametrize("back", BACK)
def test_a_way_back_is_seen_however_it_is_written(back: str, tmp_path: Path) -> None:
    house(tmp_path, high=ONE_WAY, low=BACK[back])
    found = circle(modules(tmp_path, ("room",)))
    assert found is not None
    assert "room.low" in found
    assert found[0] == found[-1]


def test_a_house_in_layers_has_no_circle(tmp_path: Path) -> None:
    house(tmp_path, high=ONE_WAY + "from room import low\nimport json\n", low="import asyncio\n")
    assert circle(modules(tmp_path, ("room",))) is None


def house(root: Path, high: str, low: str) -> None:
    (root / "room").mkdir()
    for name, text in {"__init__": "from room.high import High\n", "high": high, "low": low}.items():
        (root / "room" / f"{name}.py").write_text(text, encoding="utf-8")
