"""The kinds of hub that scenarios run on, and the settings they have in common."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sandbox import topology
from sandbox.hub_parts import GROUPS
from sandbox.process import Part

LOCK_S: Final = 5.0
"""For how long a lane belongs to a worker that says nothing, on a hub whose processes are frozen: the least that
Service Bus allows."""

KNOWN_AFTER_S: Final = 1.5
"""When every process knows what has been changed in the register."""

SETTINGS: Final[Mapping[str, str]] = {
    # The same waits as ever, only shorter: what is shown is that they end, not how long they are.
    "Delivery__schedule": "0.3 0.5 1",
    "Delivery__timeout": "5",
    "Upkeep__grace": "2",
    "OrphanCheckSchedule": "*/2 * * * * *",
    "ReplaySchedule": "*/1 * * * * *",
    "Registry__cache": "1",
    "HelseId__testEnvironment": "true",
    "Limits__perSecond": "1000",
    "Limits__burst": "10000",
}


class Family(StrEnum):
    """Scenarios of one family share a hub."""

    PLAIN = "plain"
    """As `hub up` runs it, but for the waits."""
    TURNED = "turned"
    """With locks of five seconds and with clocks that can be moved."""


def started_as(family: Family, folder: Path) -> Callable[[Part], Part]:
    """How a hub of this family starts its parts."""
    if family is Family.PLAIN:
        return lambda part: part
    declared = folder / "topology.json"
    declared.write_text(json.dumps(_short_locks()), encoding="utf-8")

    def turned(part: Part) -> Part:
        if part.name == "servicebus":
            return replace(part, arguments=(*part.arguments, "--topology", str(declared)))
        if part.name in GROUPS:
            clock = str(folder / f"{part.name}.clock")
            return replace(part, module="sandbox.faults.host", arguments=(*part.arguments, "--clock", clock))
        return part

    return turned


def _short_locks() -> dict[str, Any]:
    declared: dict[str, Any] = json.loads(topology.DEFAULT_PATH.read_text(encoding="utf-8"))
    for queue in declared["serviceBus"]["queues"]:
        queue["lockDuration"] = f"PT{LOCK_S:g}S"
    return declared
