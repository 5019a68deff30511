"""Queues: the code's, those of `infra/topology.json` (the sandbox's) and those in Azure agree, and fit the work."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from sandbox import topology
from tools.infra_checks import code
from tools.infra_checks.evaluating import Evaluated, Resource

_QUEUE: Final = "Microsoft.ServiceBus/namespaces/queues"
_CONNECTION: Final = "ServiceBus"
"""The settings `ServiceBus__…` are set by main.bicep."""
_MARGIN: Final = timedelta(days=1)
"""What a signal must outlive the last try by: somebody has to notice and mend."""


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    """What does not agree, a line each."""
    declared = {each.name: each for each in topology.load(root / "infra/topology.json").queues}
    named = frozenset(code.queues(root).values())
    yield from (f"queue {each}: the code uses it, topology.json has none" for each in sorted(named - declared.keys()))
    yield from (f"queue {each}: in topology.json, the code does not use it" for each in sorted(declared.keys() - named))
    yield from _functions(root, declared)
    yield from _work(root, declared)
    for environment in evaluated.values():
        made = {each.last: each for each in environment.of(_QUEUE)}
        for name in sorted(declared.keys() - made.keys()):
            yield f"{environment.environment}: queue {name}: not made in Azure"
        for name in sorted(made.keys() - declared.keys()):
            yield f"{environment.environment}: queue {name}: made in Azure, not in topology.json"
        for name in sorted(made.keys() & declared.keys()):
            yield from _alike(environment.environment, made[name], declared[name])


def _functions(root: Path, declared: Mapping[str, topology.Queue]) -> Iterator[str]:
    triggered = [each for each in code.functions(root) if each.trigger == "queue"]
    for each in triggered:
        queue = declared.get(each.queue)
        if queue is None:
            yield f"function {each.name}: its queue {each.queue} is not in topology.json"
        elif queue.requires_session != each.sessions:
            yield (
                f"queue {each.queue}: requiresSession is {queue.requires_session}, function {each.name} has "
                f"is_sessions_enabled={each.sessions}: it would receive nothing"
            )
        if each.connection != _CONNECTION:
            yield f"function {each.name}: its connection {each.connection} has no settings"
    served = {each.queue for each in triggered}
    yield from (f"queue {name}: no function receives from it" for name in sorted(declared.keys() - served))


def _work(root: Path, declared: Mapping[str, topology.Queue]) -> Iterator[str]:
    horizon = code.horizon(root)
    for queue in declared.values():
        if not queue.requires_session:
            yield f"queue {queue.name}: requiresSession is off: order within a lane depends on sessions"
        life = queue.default_time_to_live
        if life is not None and life < horizon + _MARGIN:
            yield (
                f"queue {queue.name}: defaultMessageTimeToLive {life} is not longer than a message is tried "
                f"({horizon}, retry_schedule.json) and a day"
            )
        if not queue.dead_letter_on_expiration:
            yield f"queue {queue.name}: deadLetteringOnMessageExpiration is off: what expires is dropped unseen"
        if not timedelta(seconds=30) <= queue.lock_duration <= timedelta(minutes=5):
            yield f"queue {queue.name}: lockDuration {queue.lock_duration} is not 30 s to 5 min"
        if queue.max_delivery_count < 3:
            yield f"queue {queue.name}: maxDeliveryCount {queue.max_delivery_count}: a few restarts set signals aside"
        if queue.duplicate_detection_window is not None:
            yield f"queue {queue.name}: duplicate detection would swallow a signal that is sent again for the same lane"


def _alike(environment: str, made: Resource, declared: topology.Queue) -> Iterator[str]:
    # As the sandbox would read what Azure gets: what then differs, differs between the two.
    given = topology.queue_of({"name": made.last, **made.properties})
    for field in ("requires_session", "lock_duration", "max_delivery_count", "default_time_to_live",
                  "dead_letter_on_expiration", "duplicate_detection_window"):  # fmt: skip
        here, there = getattr(declared, field), getattr(given, field)
        if here != there:
            yield f"{environment}: queue {made.last}: {field} is {there} in Azure, {here} in the sandbox"
    if made.at("enablePartitioning") is True:
        yield f"{environment}: queue {made.last}: enablePartitioning: Premium has none, order would depend on it"
    if made.at("status") not in (None, "Active"):
        yield f"{environment}: queue {made.last}: status is {made.at('status')}"
    if str(made.at("autoDeleteOnIdle") or "P10675199D").partition("D")[0] != "P10675199":
        yield f"{environment}: queue {made.last}: autoDeleteOnIdle {made.at('autoDeleteOnIdle')}: an idle queue goes"
