"""The declared entities of the hub: Service Bus queues and Cosmos containers.

One file (`infra/topology.json`) states them; the sandbox creates them from it and the deployment provisions the same.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

DEFAULT_PATH = Path(__file__).resolve().parent.parent / "infra" / "topology.json"

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


@dataclass(frozen=True, slots=True)
class Queue:
    """A Service Bus queue and those of its properties that change what a client sees."""

    name: str
    requires_session: bool = False
    lock_duration: timedelta = timedelta(minutes=1)
    max_delivery_count: int = 10
    default_time_to_live: timedelta | None = None
    dead_letter_on_expiration: bool = False
    duplicate_detection_window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A Cosmos container: its partition key path(s) and default time to live in seconds (-1: on, none by default)."""

    name: str
    partition_key: str
    default_ttl: int | None = None
    indexed_paths: tuple[str, ...] | None = None
    """The only paths that are indexed, None for all: in Azure every write is paid for by what is indexed of it. The
    sandbox's own indexes do not depend on it."""
    unique_keys: tuple[str, ...] = ()
    """Paths of which no two documents of a partition may have the same value."""
    append_only: bool = False
    """Whether the app's identity may create and read in it, and nothing else."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database beside the hub's own, in an account of its own where that is wanted."""

    name: str
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything declared."""

    queues: tuple[Queue, ...]
    database: str
    containers: tuple[Container, ...]
    apart: tuple[Database, ...] = ()
    """What is kept apart from the hub's own documents, under other rights: the trail and its checkpoints."""


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of days to seconds, as Azure Resource Manager writes them. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None or text in ("P", "PT"):
        raise ValueError(f"not an ISO 8601 duration: {text!r}")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def load(path: Path = DEFAULT_PATH) -> Topology:
    """Read the declared entities. Raises OSError, KeyError or ValueError when the file is missing or malformed."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Topology(
        queues=tuple(queue_of(entry) for entry in raw["serviceBus"]["queues"]),
        database=raw["cosmos"]["database"],
        containers=_containers(raw["cosmos"]),
        apart=tuple(Database(each["database"], _containers(each)) for each in raw["cosmos"].get("apart", ())),
    )


def _containers(raw: dict[str, Any]) -> tuple[Container, ...]:
    return tuple(
        Container(
            entry["name"],
            entry["partitionKey"],
            entry.get("defaultTtl"),
            _paths(entry),
            tuple(entry.get("uniqueKeys", ())),
            entry.get("appendOnly", False),
        )
        for entry in raw["containers"]
    )


def _paths(entry: dict[str, Any]) -> tuple[str, ...] | None:
    paths = entry.get("indexedPaths")
    return None if paths is None else tuple(paths)


def queue_of(entry: Mapping[str, Any]) -> Queue:
    """A queue by its properties, as Azure Resource Manager names them. Raises KeyError or ValueError."""
    ttl = entry.get("defaultMessageTimeToLive")
    window = entry.get("duplicateDetectionHistoryTimeWindow", "PT10M")
    return Queue(
        name=entry["name"],
        requires_session=entry.get("requiresSession", False),
        lock_duration=duration(entry.get("lockDuration", "PT1M")),
        max_delivery_count=entry.get("maxDeliveryCount", 10),
        default_time_to_live=duration(ttl) if ttl else None,
        dead_letter_on_expiration=entry.get("deadLetteringOnMessageExpiration", False),
        duplicate_detection_window=duration(window) if entry.get("requiresDuplicateDetection") else None,
    )
