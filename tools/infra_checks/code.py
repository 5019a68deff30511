"""What the code says of what it stands on, read from its text: so that a copy of the tree can be looked at too."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from shared.messages.urgency import Urgency

_SIGNALS: Final = "shared/messages/signals.py"
_SETTINGS: Final = ("shared/azure/settings.py", "shared/azure/trail_settings.py")
_TRAIL: Final = "shared/azure/trail_parts.py"
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app."""

    name: str
    file: str
    trigger: str
    """`http`, `timer` or `queue`."""
    queue: str = ""
    sessions: bool = False
    connection: str = ""
    schedule: str = ""
    """The setting that says when it runs."""
    route: str = ""
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that the code reads."""

    name: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What a module of the code searches by."""

    file: str
    filtered: frozenset[str]
    """Paths as in an index (`/aside/at`)."""
    ordered: frozenset[str]


def parsed(root: Path, file: str) -> ast.Module:
    """A module of the tree. Raises OSError or SyntaxError."""
    return _parsed((root / file).read_text(encoding="utf-8"))


@lru_cache(maxsize=128)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def load(root: Path, file: str) -> Any:
    """A JSON file of the tree. Raises OSError or ValueError."""
    return json.loads((root / file).read_text(encoding="utf-8"))


def queues(root: Path) -> dict[str, str]:
    """The queues by the name that the code has for them."""
    for node in ast.walk(parsed(root, _SIGNALS)):
        if isinstance(node, ast.ClassDef) and node.name == "Queue":
            return {
                each.targets[0].id: str(each.value.value)
                for each in node.body
                if isinstance(each, ast.Assign)
                and isinstance(each.targets[0], ast.Name)
                and isinstance(each.value, ast.Constant)
            }
    return {}


def functions(root: Path) -> tuple[Function, ...]:
    """Every function that the app registers."""
    named = queues(root)
    return tuple(
        _function(f"functions/{path.name}", calls, named)
        for path in sorted((root / "functions").glob("*.py"))
        for calls in _doors(path.read_text(encoding="utf-8"))
    )


@lru_cache(maxsize=64)
def _doors(text: str) -> tuple[dict[str, ast.Call], ...]:
    """The decorators of each function of a module that is one of the app's."""
    found = [
        {_called(each): each for each in node.decorator_list if isinstance(each, ast.Call)}
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    ]
    return tuple(each for each in found if "function_name" in each)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _function(file: str, calls: dict[str, ast.Call], queues: dict[str, str]) -> Function:
    name = str(ast.literal_eval(calls["function_name"].args[0]))
    if "timer_trigger" in calls:
        schedule = _keyword(calls["timer_trigger"], "schedule")
        return Function(name, file, "timer", schedule=str(ast.literal_eval(schedule)).strip("%") if schedule else "")
    if "service_bus_queue_trigger" in calls:
        call = calls["service_bus_queue_trigger"]
        said = re.search(r"Queue\.(\w+)", ast.unparse(_keyword(call, "queue_name") or ast.Constant("")))
        sessions, connection = _keyword(call, "is_sessions_enabled"), _keyword(call, "connection")
        return Function(
            name, file, "queue",
            queue=queues.get(said[1], said[1]) if said else "",
            sessions=sessions is not None and bool(ast.literal_eval(sessions)),
            connection=str(ast.literal_eval(connection)) if connection else "",
        )  # fmt: skip
    if "route" in calls:
        route, methods = calls["route"].args[0], _keyword(calls["route"], "methods")
        given = tuple(ast.literal_eval(methods)) if methods else ()
        return Function(name, file, "http", route=str(ast.literal_eval(route)), methods=given)
    return Function(name, file, "unknown")


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def routes(root: Path) -> frozenset[tuple[str, str]]:
    """Methods and addresses that functions answer at, but for the one that answers whatever is at none."""
    return frozenset(
        (method, each.route)
        for each in functions(root)
        if each.trigger == "http" and not each.route.startswith("{*")
        for method in each.methods
        if method in _METHODS
    )


def settings(root: Path) -> tuple[Setting, ...]:
    """Every setting that the app reads by its own models."""
    return tuple(each for file in _SETTINGS for each in _read((root / file).read_text(encoding="utf-8")))


@lru_cache(maxsize=16)
def _read(text: str) -> tuple[Setting, ...]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.value, ast.Call):
            continue
        alias = _keyword(node.value, "alias")
        if isinstance(alias, ast.Constant):
            found.append(Setting(str(alias.value), "Secret" in ast.unparse(node.annotation)))
    return tuple(found)


def minutes(root: Path, file: str, name: str) -> timedelta:
    """A constant `timedelta(minutes=…)` or `timedelta(seconds=…)` of a module. Raises KeyError when it is not there."""
    for node in ast.walk(parsed(root, file)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            call = node.value
            if isinstance(call, ast.Call):
                given = {each.arg or "": ast.literal_eval(each.value) for each in call.keywords}
                return timedelta(**given)
    raise KeyError(name)


def default(root: Path, setting: str) -> Any:
    """What the code takes a setting to be where it is not set. Raises KeyError when there is no such setting."""
    return {name: each for file in _SETTINGS for name, each in _defaults((root / file).read_text("utf-8")).items()}[
        setting
    ]


@lru_cache(maxsize=16)
def _defaults(text: str) -> Mapping[str, Any]:
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            alias = _keyword(node, "alias")
            if isinstance(alias, ast.Constant):
                found[str(alias.value)] = node.args[0].value
    return MappingProxyType(found)


def horizon(root: Path) -> timedelta:
    """How long a message is tried at the most: the longest of the schedules, and one more wait."""
    schedules = load(root, "shared/delivery/data/retry_schedule.json")
    return max(
        timedelta(seconds=schedules[each]["untilSeconds"] + schedules[each]["thenEverySeconds"]) for each in Urgency
    )


def containers(root: Path) -> frozenset[str]:
    """Every container that the code names."""
    found: set[str] = set()
    for path in sorted((root / "shared").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r'(?:LazyContainer\([^)"]*|\.proxy\()"(\w+)"\)', text))
    return frozenset(found)


def outboxes(root: Path) -> frozenset[str]:
    """Every container that the audit log is written from."""
    for node in ast.walk(parsed(root, _TRAIL)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "OUTBOXES":
            given = node.value
            if isinstance(given, ast.Dict):
                return frozenset(str(each.value) for each in given.keys if isinstance(each, ast.Constant))
    return frozenset()


_PATH: Final = re.compile(r"\bc((?:\.[A-Za-z_]\w*)+)")
_SELECTS: Final = re.compile(r"[\"'\n]SELECT ")
"""A text that is a query, however its lines are broken."""
_WHOLE: Final = re.compile(r"\bFROM c\b")


def query(root: Path, file: str, *, fragments: bool) -> Query:
    """What a module searches by: in its `SELECT` texts, and with `fragments` in every text with a path of `c`."""
    filtered: set[str] = set()
    ordered: set[str] = set()
    for text in _texts((root / file).read_text(encoding="utf-8")):
        if "SELECT" not in text and (not fragments or text.lstrip().startswith("FROM c")):
            continue
        behind = _WHOLE.split(text)[-1]
        if "SELECT" in behind:
            continue
        where, _, order = behind.partition("ORDER BY")
        filtered.update(_paths(where))
        ordered.update(_paths(order))
    return Query(file, frozenset(filtered), frozenset(ordered))


def querying(root: Path) -> frozenset[str]:
    """Every module of `shared` with a query of its own."""
    return frozenset(
        path.relative_to(root).as_posix()
        for path in (root / "shared").rglob("*.py")
        if _SELECTS.search(path.read_text(encoding="utf-8"))
    )


def _paths(text: str) -> Iterator[str]:
    for found in _PATH.findall(text):
        yield found.replace(".", "/")


@lru_cache(maxsize=128)
def _texts(source: str) -> tuple[str, ...]:
    """Every text of a module, formatted ones as one with blanks; docstrings left out."""
    return tuple(_texts_of(ast.parse(source)))


def _texts_of(module: ast.Module) -> Iterator[str]:
    within = {id(part) for node in ast.walk(module) if isinstance(node, ast.JoinedStr) for part in node.values}
    documented = {
        id(node.body[0].value)
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else " " for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within | documented:
            yield node.value
