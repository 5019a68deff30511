"""Replays that were asked for: what is to be put back into line, by whom and why, and how far it has come.

Each is one document in the container `operations`. Whoever works on it holds its lease; every change is conditional on
that, so two instances never work on the same, and what a dead one held is taken over when the lease has run out.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shared import clock
from shared.messages.documents import Change, ConditionFailed, Container, Create, Document, NotThere, Patch
from shared.messages.lanes import Lane
from shared.messages.set_aside import Filter

KEPT: Final = timedelta(days=400)
LEASE: Final = timedelta(seconds=60)
MOST_IDS: Final = 200
AT_ONCE: Final = 20
"""Replays that are worked on side by side; more of them wait."""

_PREFIX: Final = "replay."


class State(StrEnum):
    """How a replay stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """Something of it failed again, or a person has stopped it; the rest was left aside."""
    FAILED = "failed"


class Verdict(StrEnum):
    """What became of the first of a group."""

    TRYING = "trying"
    WELL = "well"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants replayed."""

    orgnr: str
    wanted: Filter
    ids: tuple[str, ...]
    """Of messages or deliveries; none: all that fit."""
    who: str
    """The person's subject."""
    why: str


@dataclass(slots=True)
class Trial:
    """The first messages of a group (one cause at one receiver), by which the rest is judged."""

    probes: list[tuple[str, Lane]] = field(default_factory=list)
    verdict: Verdict = Verdict.TRYING


@dataclass(slots=True)
class Part:
    """A replay at one receiver."""

    position: datetime | None = None
    """Everything set aside before then has been looked at."""
    passed: list[str] = field(default_factory=list)
    """What was set aside at just that moment, has been looked at and was left aside."""
    done: bool = False
    trials: dict[str, Trial] = field(default_factory=dict)
    """By cause."""


@dataclass(slots=True)
class Progress:
    """How far a replay has come."""

    parts: dict[str, Part]
    """By the receiver's key; "" for events without one."""
    replayed: int = 0
    gone: int = 0
    """Their payload has been deleted."""
    left: int = 0
    """Left aside, since the first of their group failed again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A replay as it stands."""

    id: str
    order: Order
    asked_at: datetime
    state: State
    progress: Progress
    ended_at: datetime | None
    code: str

    def failed_again(self) -> list[tuple[str, str]]:
        """Receiver's key and cause of each group that stopped."""
        return [
            (key, cause)
            for key, part in self.progress.parts.items()
            for cause, trial in part.trials.items()
            if trial.verdict is Verdict.FAILED
        ]


class Replays:
    """The replays in the container `operations`. Every method may raise Unreachable."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def ask(self, id: str, order: Order, keys: tuple[str, ...], now: datetime) -> Job:
        """Keep a new one, to be worked on."""
        document: Document = {
            "id": _PREFIX + id,
            "type": "replay",
            "state": State.RUNNING.value,
            "orgnr": order.orgnr,
            "filter": _filter(order),
            "who": order.who,
            "why": order.why,
            "askedAt": clock.written(now),
            "endedAt": None,
            "code": "",
            "progress": _progress(Progress({key: Part() for key in keys})),
            "leaseBy": "",
            "leaseUntil": clock.written(now),
            "ttl": int(KEPT.total_seconds()),
        }
        await self._container.batch((Create(document),), document["id"])
        return _job(document)

    async def find(self, id: str) -> Job | None:
        """One by its id."""
        document = await self._container.read(_PREFIX + id, _PREFIX + id)
        return None if document is None else _job(document)

    async def running(self) -> tuple[str, ...]:
        """The ids of those that are not at their end, the longest running first."""
        found = await self._container.query(
            "SELECT c.id FROM c WHERE c.type = 'replay' AND c.state = 'running' ORDER BY c.askedAt", {}, AT_ONCE
        )
        return tuple(each["id"].removeprefix(_PREFIX) for each in found)

    async def take(self, id: str, by: str, now: datetime) -> Job | None:
        """Take it to work on; None when somebody else has it, or it has ended."""
        changes = (Change("set", "/leaseBy", by), Change("set", "/leaseUntil", clock.written(now + LEASE)))
        return await self._change(id, changes, f"c.state = 'running' AND c.leaseUntil <= '{clock.written(now)}'")

    async def keep(self, job: Job, by: str, now: datetime) -> bool:
        """Keep how far it has come, and the lease. False when it is somebody else's now, or a person has stopped it."""
        changes = (
            Change("set", "/progress", _progress(job.progress)),
            Change("set", "/leaseUntil", clock.written(now + LEASE)),
        )
        # Of one that has been stopped, too: what was put back until its worker learned of it is counted.
        kept = await self._change(job.id, changes, f"c.state IN ('running', 'stopped') AND c.leaseBy = '{by}'")
        return kept is not None and kept.state is State.RUNNING

    async def leave(self, job: Job, by: str, now: datetime) -> None:
        """Give the lease back."""
        changes = (Change("set", "/leaseBy", ""), Change("set", "/leaseUntil", clock.written(now)))
        await self._change(job.id, changes, f"c.leaseBy = '{by}'")

    async def end(self, job: Job, by: str, state: State, code: str, now: datetime) -> bool:
        """It has come to its end."""
        changes = (
            Change("set", "/state", state.value),
            Change("set", "/code", code),
            Change("set", "/endedAt", clock.written(now)),
            Change("set", "/progress", _progress(job.progress)),
        )
        return await self._change(job.id, changes, f"c.state = 'running' AND c.leaseBy = '{by}'") is not None

    async def stop(self, id: str, code: str, now: datetime) -> Job | None:
        """End it, whoever works on it. None when it has ended."""
        changes = (
            Change("set", "/state", State.STOPPED.value),
            Change("set", "/code", code),
            Change("set", "/endedAt", clock.written(now)),
        )
        return await self._change(id, changes, "c.state = 'running'")

    async def _change(self, id: str, changes: tuple[Change, ...], condition: str) -> Job | None:
        try:
            patch = Patch(_PREFIX + id, changes, f"FROM c WHERE {condition}")
            return _job(await self._container.patch(patch, _PREFIX + id))
        except (ConditionFailed, NotThere):
            return None


def new_id() -> str:
    """A name that no other replay has."""
    return uuid.uuid4().hex


def _filter(order: Order) -> Document:
    wanted = order.wanted
    return {
        "receiver": wanted.receiver,
        "cause": wanted.cause,
        "since": clock.written(wanted.since) if wanted.since else None,
        "until": clock.written(wanted.until) if wanted.until else None,
        "ids": list(order.ids),
    }


def _progress(progress: Progress) -> Document:
    return {
        "parts": [
            {
                "key": key,
                "position": clock.written(part.position) if part.position else None,
                "passed": part.passed,
                "done": part.done,
                "trials": [
                    {"cause": cause, "probes": [list(each) for each in trial.probes], "verdict": trial.verdict.value}
                    for cause, trial in part.trials.items()
                ],
            }
            for key, part in progress.parts.items()
        ],
        "replayed": progress.replayed,
        "gone": progress.gone,
        "left": progress.left,
    }


def _job(document: Mapping[str, Any]) -> Job:
    kept = document["filter"]
    wanted = Filter(
        orgnr=document["orgnr"],
        receiver=kept["receiver"],
        cause=kept["cause"],
        since=_moment(kept["since"]),
        until=_moment(kept["until"]),
    )
    progress = document["progress"]
    return Job(
        id=document["id"].removeprefix(_PREFIX),
        order=Order(document["orgnr"], wanted, tuple(kept["ids"]), document["who"], document["why"]),
        asked_at=clock.read(document["askedAt"]),
        state=State(document["state"]),
        progress=Progress(
            {each["key"]: _part(each) for each in progress["parts"]},
            progress["replayed"],
            progress["gone"],
            progress["left"],
        ),
        ended_at=_moment(document["endedAt"]),
        code=document["code"],
    )


def _part(kept: Mapping[str, Any]) -> Part:
    trials = {
        each["cause"]: Trial([(id, Lane(lane)) for id, lane in each["probes"]], Verdict(each["verdict"]))
        for each in kept["trials"]
    }
    return Part(_moment(kept["position"]), list(kept["passed"]), kept["done"], trials)


def _moment(text: str | None) -> datetime | None:
    return clock.read(text) if text else None
