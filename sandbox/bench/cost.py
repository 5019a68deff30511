"""What an event costs: CPU of each part, Cosmos DB's request units, Service Bus operations as Azure bills them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.bench.driving import Counters, Driver
from sandbox.bench.process import Used
from sandbox.bench.rows import Row

_LOG: Final = ("knutepunkt-trail", "knutepunkt-checkpoints")
"""Databases of the audit log (infra/topology.json, `apart`)."""
_FEED: Final = "changes"
"""The kind of request that nobody but the audit log makes: it reads what has happened off the change feeds."""

_REACH_UNITS: Final = 50
_REACH_OPERATIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Spent:
    """Everything used and counted until a moment."""

    used: Mapping[str, Used]
    counters: Counters


async def spent(driver: Driver) -> Spent:
    """As of now."""
    return Spent(driver.used(), await driver.counters())


def rows(before: Spent, after: Spent, events: int, json_us: float) -> list[Row]:
    """Per event. `json_us`: what `json.loads` of such a message takes here, µs, to compare machines by."""
    cpu = {part: now.cpu_s - before.used[part].cpu_s for part, now in after.used.items()}
    total = sum(cpu.values()) / events * 1000
    return [
        *(Row(f"CPU per event, {part}", seconds / events * 1000, "ms") for part, seconds in cpu.items()),
        Row("CPU per event, all parts", total, "ms", "without the sender"),
        Row("the same, in readings of the message", total * 1000 / json_us, "×", "of what json.loads of it takes"),
        *_servicebus(before.counters.servicebus, after.counters.servicebus, events),
        *_cosmos(before.counters.cosmos["charges"], after.counters.cosmos["charges"], events),
    ]


def _servicebus(before: Mapping[str, Any], after: Mapping[str, Any], events: int) -> Iterator[Row]:
    kinds = _by_kind(after["billed"], before["billed"])
    note = ", ".join(f"{kind} {count / events:.2f}" for kind, count in sorted(kinds.items()) if count)
    yield Row(
        "Service Bus operations per event", sum(kinds.values()) / events, "",
        f"reach {_REACH_OPERATIONS}: as billed; {note}",
    )  # fmt: skip
    taken = _by_kind(after["operations"], before["operations"]).get("sessionsAccepted", 0)
    yield Row("sessions taken per event", taken / events, "", "not on Azure's price list")


def _by_kind(after: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for queue, counted in after.items():
        for kind, count in counted.items():
            kinds[kind] = kinds.get(kind, 0) + count - before.get(queue, {}).get(kind, 0)
    return kinds


def _cosmos(before: Mapping[str, Any], after: Mapping[str, Any], events: int) -> Iterator[Row]:
    road, log, requests = 0.0, 0.0, 0
    shares: dict[str, float] = {}
    for container, kinds in after.items():
        for kind, booked in kinds.items():
            known = before.get(container, {}).get(kind, {"requests": 0, "units": 0.0})
            units = booked["units"] - known["units"]
            requests += booked["requests"] - known["requests"]
            if kind == _FEED or container.partition("/")[0] in _LOG:
                log += units
            else:
                road += units
                name = container.rpartition("/")[2] or "the account"
                shares[name] = shares.get(name, 0.0) + units
    note = ", ".join(f"{name} {units / events:.1f}" for name, units in sorted(shares.items()) if units / events >= 0.1)
    yield Row("Cosmos requests per event", requests / events, "")
    yield Row("Cosmos request units per event, the road", road / events, "RU", f"reach {_REACH_UNITS}: {note}")
    yield Row("Cosmos request units per event, the audit log", log / events, "RU")
