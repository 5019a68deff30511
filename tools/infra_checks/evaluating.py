"""What Bicep evaluates to: every resource of an environment, with the values it gets.

The evaluator lies beside the repository (`../shared/tools/bicep`); a value that only Azure knows stands as `<…>`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tools.infra_checks.kinds import WORKSPACE

REPOSITORY: Final = Path(__file__).resolve().parents[2]
EVALUATOR: Final = REPOSITORY.parent / "shared" / "tools" / "bicep"
ENVIRONMENTS: Final = ("dev", "test", "prod")
_LIMIT_S: Final = 300
_SUBSCRIPTION: Final = "/subscriptions/00000000-0000-0000-0000-0000000000aa"


GROUPS: Final[Mapping[str, str]] = {
    "KNUTEPUNKT_OPERATORS_GROUP": "00000000-0000-0000-0000-00000000000a",
    "KNUTEPUNKT_TRAIL_KEEPERS_GROUP": "00000000-0000-0000-0000-00000000000b",
    "KNUTEPUNKT_SECRET_KEEPERS_GROUP": "00000000-0000-0000-0000-00000000000c",
}
"""Groups of people by the variables that name them: made up, so that what people would be given is seen too."""


class NoEvaluator(Exception):
    """The evaluator is not beside the repository, or does not run."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as it would be deployed."""

    type: str
    name: str
    """With its parents' names before it, as `account/database/container`."""
    api_version: str
    module: str
    scope: str
    """Id of what it is about, where that is not its resource group; of an extension resource."""
    id: str
    body: Mapping[str, Any]
    """All else: properties, tags, sku, …"""
    kind: str = ""
    """Its type in small letters."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", self.type.lower())

    @property
    def last(self) -> str:
        """Its own name, without its parents'."""
        return self.name.rpartition("/")[2]

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties."""
        found: Mapping[str, Any] = self.body.get("properties") or {}
        return found

    def at(self, *path: str) -> Any:
        """The value at this path below its properties; None where there is none."""
        value: Any = self.properties
        for each in path:
            value = value.get(each) if isinstance(value, Mapping) else None
        return value

    def __str__(self) -> str:
        return f"{self.type.partition('/')[2]} {self.name}"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One environment."""

    environment: str
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    """Why it could not be evaluated; empty where it could."""

    def of(self, type: str) -> tuple[Resource, ...]:
        """All of a type, however it is written."""
        wanted = type.lower()
        return tuple(each for each in self.resources if each.kind == wanted)

    def suffix(self) -> str:
        """What ends the names of this environment's resources."""
        return next((each.last.removeprefix("log-knutepunkt-") for each in self.of(WORKSPACE)), "")


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in a file, and what is to stand there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be evaluated, after which edits."""

    edits: tuple[Edit, ...] = ()
    environments: tuple[str, ...] = ENVIRONMENTS
    types: bool = False
    """Whether types and symbols are checked too."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job."""

    evaluated: Mapping[str, Evaluated]
    types: tuple[str, ...]
    """Findings of the types' check, a line each."""
    not_applied: tuple[str, ...]
    """Files in which the text to be replaced was not found."""


def run(root: Path, jobs: Sequence[Job]) -> list[Result]:
    """Evaluate the tree at `root`. Raises NoEvaluator."""
    if not (EVALUATOR / "snapshot.py").exists():
        raise NoEvaluator("the evaluator of Bicep is not at ../shared/tools/bicep beside the repository")
    asked = {
        "root": str(root),
        "jobs": [
            {
                "edits": [{"file": e.file, "old": e.old, "new": e.new} for e in each.edits],
                "environments": each.environments,
                "types": each.types,
            }
            for each in jobs
        ],
    }
    # No variables of the caller's but these: parameters read some of them.
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", "tools.infra_checks.worker", str(EVALUATOR)],
        cwd=REPOSITORY, env={**environment, **GROUPS, "PYTHONPATH": str(REPOSITORY)}, input=json.dumps(asked).encode(),
        capture_output=True, timeout=_LIMIT_S, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise NoEvaluator(f"the evaluator of Bicep failed: {done.stderr.decode()[-400:]}")
    told = json.loads(done.stdout)
    known = {
        name: {one["id"]: _resource(one) for one in each.get("resources", ())}
        for name, each in (told[0]["evaluated"] if told else {}).items()
    }
    return [_result(each, known) for each in told]


def evaluated(root: Path = REPOSITORY, environments: Iterable[str] = ENVIRONMENTS) -> dict[str, Evaluated]:
    """The environments of the tree at `root`. Raises NoEvaluator."""
    return dict(run(root, [Job(environments=tuple(environments))])[0].evaluated)


_Known = Mapping[str, Mapping[str, Resource]]
"""Resources of the first job by environment and id."""


def _result(given: Mapping[str, Any], known: _Known) -> Result:
    found = {name: _environment(name, each, known) for name, each in given["evaluated"].items()}
    return Result(found, tuple(given["types"]), tuple(given["not_applied"]))


def _environment(name: str, given: Mapping[str, Any], known: _Known) -> Evaluated:
    if "error" in given:
        return Evaluated(name, (), error=given["error"])
    resources = (known[name][each] if isinstance(each, str) else _resource(each) for each in given["resources"])
    return Evaluated(name, tuple(resources), given["outputs"])


_OWN: Final = frozenset(
    {"type", "name", "apiVersion", "id", "scope", "condition", "_file", "_line", "_module"}
)  # fmt: skip


def _resource(given: Mapping[str, Any]) -> Resource:
    return Resource(
        given["type"],
        given["name"],
        given["apiVersion"],
        given["_module"].strip("/"),
        _short(given["scope"] or ""),
        _short(given["id"]),
        {key: _short_all(value) for key, value in given.items() if key not in _OWN},
    )


def _short(text: str) -> str:
    return text.replace(_SUBSCRIPTION, "/subscriptions/~")


def _short_all(value: Any) -> Any:
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, dict):
        return {_short(key): _short_all(each) for key, each in value.items()}
    return [_short_all(each) for each in value] if isinstance(value, list) else value
