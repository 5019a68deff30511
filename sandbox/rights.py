"""What each component of the hub may do, as `infra/components.json` gives it to their identities in Azure.

The sandbox holds the app's processes to the same: what Azure would refuse, it refuses.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DEFAULT_PATH = Path(__file__).resolve().parent.parent / "infra" / "components.json"

PROCESSES: Final[Mapping[str, tuple[str, ...]]] = {"app": ("api", "upkeep"), "queues": ("road",)}
"""Which components share a process on one machine: the timers run beside HTTP (sandbox.host.groups)."""

type Allowed = Mapping[str, frozenset[str]]
"""Container to data actions there, as `containers/items/create`."""


@dataclass(frozen=True, slots=True)
class Component:
    """One of the function apps that run the hub in Azure."""

    name: str
    functions: frozenset[str]
    sends: frozenset[str]
    receives: frozenset[str]
    allowed: Allowed


def load(path: Path = DEFAULT_PATH) -> dict[str, Component]:
    """By name. Raises OSError, KeyError or ValueError when the file is missing or malformed."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    roles = {name: frozenset(actions) for name, actions in raw["cosmosRoles"].items()}
    return {
        each["name"]: Component(
            each["name"],
            frozenset(each["functions"]),
            frozenset(each["sends"]),
            frozenset(each["receives"]),
            {container: roles[role] for container, role in each["containers"].items()},
        )
        for each in raw["components"]
    }


def of_processes(path: Path = DEFAULT_PATH) -> dict[str, Allowed]:
    """What each of the app's processes may do: all that its components may. Raises as `load`."""
    components = load(path)
    return {process: together(components[name].allowed for name in names) for process, names in PROCESSES.items()}


def together(several: Iterable[Allowed]) -> Allowed:
    """What holders of several rights may do."""
    found: dict[str, frozenset[str]] = {}
    for each in several:
        for container, actions in each.items():
            found[container] = found.get(container, frozenset()) | actions
    return found
