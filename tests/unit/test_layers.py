"""The house: each room imports only from rooms below it, and only one of them knows Azure.

The order is data. A room is a package or a module directly in `shared/`; it may import from itself and from the lines
above it.
"""

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "clock", "log", "release"}),
    frozenset({"tracing", "identity"}),
    frozenset({"access", "fhir", "messages"}),
    frozenset({"journal"}),
    frozenset({"registry"}),
    frozenset({"delivery", "trail", "watch"}),
    frozenset({"azure"}),
    frozenset({"road"}),
    frozenset({"api"}),
)
"""From the ground up. Rooms on one floor do not know each other."""

AZURE_SDKS = ("azure", "azure_functions_runtime")
WITHOUT_SDK = (
    "access",
    "api",
    "delivery",
    "fhir",
    "identity",
    "journal",
    "messages",
    "registry",
    "trail",
    "watch",
    "errors",
    "clock",
    "log",
    "release",
    "tracing",
)
DECIDING = ("messages", "registry", "fhir", "identity", "journal", "trail")
"""Rooms that need no network library either."""


@dataclass(frozen=True)
class Import:
    where: str
    room: str
    module: str


def imports(folder: str) -> list[Import]:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        room = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                found += [Import(where, room, name) for name in names(node)]
    return found


def names(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    assert node.level == 0, "imports are absolute"
    module = node.module or ""
    # `from shared import clock` names a room only in what it imports.
    return [f"{module}.{each.name}" for each in node.names] if module in ("shared", "azure") else [module]


SHARED = imports("shared")


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_has_its_floor() -> None:
    rooms = {each.name for each in (ROOT / "shared").iterdir() if each.is_dir() and each.name != "__pycache__"}
    rooms |= {each.stem for each in (ROOT / "shared").glob("*.py")} - {"__init__"}
    assert rooms == {room for rooms in FLOORS for room in rooms}


def test_a_room_imports_only_from_rooms_below_it() -> None:
    for each in SHARED:
        top, _, rest = each.module.partition(".")
        if top == "shared" and (other := rest.partition(".")[0]) != each.room:
            assert floor(other) < floor(each.room), f"{each.where} imports {each.module}"


def test_only_the_azure_room_imports_an_azure_sdk() -> None:
    for each in SHARED:
        if each.module.partition(".")[0] in AZURE_SDKS:
            assert each.room == "azure", f"{each.where} imports {each.module}"


def test_the_doors_import_the_functions_library_and_no_other_azure_sdk() -> None:
    for each in imports("functions"):
        if each.module.partition(".")[0] in AZURE_SDKS:
            assert each.module == "azure.functions", f"{each.where} imports {each.module}"


def test_nothing_that_runs_in_azure_imports_the_sandbox_the_tests_or_the_tools() -> None:
    for each in [*SHARED, *imports("functions")]:
        assert each.module.partition(".")[0] not in ("sandbox", "tests", "tools"), f"{each.where} imports {each.module}"


def test_no_room_imports_a_door() -> None:
    for each in SHARED:
        assert each.module.partition(".")[0] not in ("functions", "function_app"), each.where


def test_deciding_rooms_import_no_network_library() -> None:
    for each in SHARED:
        if each.room in DECIDING:
            assert each.module.partition(".")[0] not in ("aiohttp", "socket", "http", "urllib3", "requests"), each.where


@pytest.mark.parametrize("room", WITHOUT_SDK)
def test_a_room_loads_with_no_azure_sdk_installed(room: str) -> None:
    folder = ROOT / "shared" / room
    modules = [f"shared.{room}"]
    inside = (path.relative_to(folder).with_suffix("").parts for path in folder.rglob("*.py"))
    modules += [".".join(("shared", room, *parts)) for parts in inside]
    code = f"""
import importlib, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {AZURE_SDKS!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
for name in {[name for name in modules if not name.endswith("__init__")]!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr


def test_the_road_knows_azure_only_where_it_is_wired() -> None:
    for each in SHARED:
        if each.room == "road" and each.module.startswith("shared.azure"):
            assert each.where.startswith("shared/road/hub.py:"), each.where
