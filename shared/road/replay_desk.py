"""What is set aside, and replays of it, without HTTP: a verified person looks, tries out, has it done, or stops it.

Nothing here shows a payload or names a person: groups, ids, causes and times. A replay is written into the
municipality's log, with who and why, before it begins; and so, before it is stopped, is who wants that and why.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock as times
from shared.access.caller import Person
from shared.clock import Clock
from shared.errors import NotAvailable, PayloadGone, UnknownOperation
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.messages.replays import Job, Order, Replays, State, new_id
from shared.messages.returning import Returning
from shared.messages.set_aside import MOST, Filter, Group, Groups, Item, SetAside
from shared.road import orders
from shared.road.permission import Act, Allowed, Permission
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.facts import REPLAY
from shared.trail.writing import TrailWriter

STOPPED: Final = "HUB_REPLAY_STOPPED"
"""The code of a replay that a person has stopped."""

_TICK: Final = timedelta(microseconds=1)


class ReplayDesk:
    """Answers about what is set aside, and takes orders for replays. Every method may raise HubError."""

    def __init__(
        self,
        *,
        permission: Permission,
        set_aside: SetAside,
        returning: Returning,
        replays: Replays,
        trail: TrailWriter,
        clock: Clock,
    ) -> None:
        self._permission = permission
        self._set_aside = set_aside
        self._returning = returning
        self._replays = replays
        self._trail = trail
        self._clock = clock

    async def groups(self, person: Person, query: dict[str, str]) -> dict[str, Any]:
        """The groups, by receiver and cause. Without a municipality: the person's own, or all for an operator."""
        asked = orders.search(query)
        try:
            wanted = await self._own(person, asked.wanted)
            if wanted.receiver and wanted.orgnr is None:
                raise orders.refused("orgnr", "must name the municipality whose receiver it is")
            found = await self._set_aside.groups(wanted, asked.after, asked.limit)
        except Unreachable:
            raise NotAvailable from None
        return {"groups": [_group(each) for each in found.groups], "next": found.next}

    async def messages(self, person: Person, query: dict[str, str]) -> dict[str, Any]:
        """What is set aside at one receiver of a municipality (empty: for want of one), the longest ago first."""
        asked = orders.search(query)
        wanted = asked.wanted
        try:
            after = times.read(asked.after) + _TICK if asked.after else None
        except (ValueError, OverflowError):
            raise orders.refused("after", "must be as the answer before gave it in next") from None
        if wanted.orgnr is None:
            raise orders.refused("orgnr", "must name the municipality")
        if wanted.receiver is None:
            raise orders.refused("receiver", "must name one, or be empty for messages that have none")
        try:
            await self._permission.of(person, wanted.orgnr, Act.SEE)
            key = f"{wanted.orgnr}/{wanted.receiver}" if wanted.receiver else ""
            found = await self._set_aside.items(wanted, key, after, asked.limit)
        except Unreachable:
            raise NotAvailable from None
        last = times.written(found[-1].at) if len(found) == asked.limit else None
        return {"messages": [_item(each) for each in found], "next": last}

    async def order(self, person: Person, body: bytes) -> tuple[bool, dict[str, Any]]:
        """Try a replay out, or have it done. Returns whether it will be done, and what to answer."""
        asked = orders.replay(body)
        try:
            allowed = await self._permission.of(person, asked.orgnr, Act.HANDLE)
            items = await self._of_ids(asked) if asked.ids else ()
            if asked.dry_run:
                return False, await self._tried_out(asked, items)
            return True, await self._begun(allowed, asked, items)
        except Unreachable:
            raise NotAvailable from None

    async def replay(self, person: Person, id: str) -> dict[str, Any]:
        """How a replay stands."""
        try:
            _, job = await self._found(person, id, Act.SEE)
        except Unreachable:
            raise NotAvailable from None
        return _job(job)

    async def stop(self, person: Person, id: str, body: bytes) -> dict[str, Any]:
        """Stop a replay: what is back in line stays there, the rest stays set aside. One that has ended is as it is."""
        why = orders.reason(body)
        try:
            allowed, job = await self._found(person, id, Act.HANDLE)
            if job.state is State.RUNNING:
                job = await self._stopped(allowed, job, why)
        except Unreachable:
            raise NotAvailable from None
        return _job(job)

    async def _found(self, person: Person, id: str, act: Act) -> tuple[Allowed, Job]:
        job = await self._replays.find(id) if id.isascii() and id.isalnum() else None
        # Whoever may not see it learns no more than whoever made its id up.
        allowed = await self._permission.of(person, job.order.orgnr if job is not None else None, act)
        if job is None:
            raise UnknownOperation
        return allowed, job

    async def _stopped(self, allowed: Allowed, job: Job, why: str) -> Job:
        now = self._clock()
        entry = Entry(
            kind=Kind.REPLAY_STOPPED, outcome=Outcome.SUCCESS, occurred=now,
            source=f"replay/{job.id}/stop/{uuid.uuid4().hex}", orgnr=job.order.orgnr, reason=STOPPED,
            system="knutepunkt", person=allowed.agent(), why=why, details={REPLAY: job.id},
        )  # fmt: skip
        await self._trail.append([entry])
        stopped = await self._replays.stop(job.id, STOPPED, now)
        if stopped is None:
            # It came to its end, or somebody else stopped it, while this was written down.
            return await self._replays.find(job.id) or job
        log(LogEvent.REPLAY_HALTED, orgnr=job.order.orgnr, code=job.id, count=stopped.progress.replayed)
        return stopped

    async def _own(self, person: Person, wanted: Filter) -> Filter:
        if wanted.orgnr is None and person.orgnr is not None:
            try:
                await self._permission.of(person, None, Act.SEE)
            except UnknownOperation:
                wanted = Filter(person.orgnr, wanted.receiver, wanted.cause, wanted.since, wanted.until)
        await self._permission.of(person, wanted.orgnr, Act.SEE)
        return wanted

    async def _of_ids(self, asked: orders.ReplayOrder) -> tuple[Item, ...]:
        found: dict[str, Item] = {}
        for id in asked.ids:
            found |= {each.id: each for each in await self._set_aside.of_message(id) if asked.wanted.fits(each)}
        return tuple(found.values())

    async def _gone(self, items: tuple[Item, ...]) -> int:
        lanes: dict[Any, list[str]] = {}
        for each in items:
            lanes.setdefault(each.event_lane, []).append(each.event)
        there = [await self._returning.with_payload(lane, events) for lane, events in lanes.items()]
        return sum(not any(each.event in some for some in there) for each in items)

    async def _tried_out(self, asked: orders.ReplayOrder, items: tuple[Item, ...]) -> dict[str, Any]:
        if asked.ids:
            groups = _grouped(items)
            gone: int | None = await self._gone(items)
        else:
            groups = await self._set_aside.groups(asked.wanted, limit=MOST)
            gone = None
        oldest = min((each.oldest for each in groups.groups), default=None)
        return {
            "dryRun": True,
            "orgnr": asked.orgnr,
            "count": sum(each.count for each in groups.groups),
            "atLeast": groups.next is not None or any(each.at_least for each in groups.groups),
            "oldest": times.written(oldest) if oldest else None,
            "payloadGone": gone,
            "groups": [_group(each) for each in groups.groups],
        }

    async def _begun(self, allowed: Allowed, asked: orders.ReplayOrder, items: tuple[Item, ...]) -> dict[str, Any]:
        if items and await self._gone(items) == len(items):
            raise PayloadGone
        keys = tuple(dict.fromkeys(each.key for each in items))
        if not asked.ids:
            keys = await self._set_aside.keys(asked.wanted)
        id, now = new_id(), self._clock()
        await self._trail.append([_entry(id, allowed, asked, now)])
        order = Order(asked.orgnr, asked.wanted, asked.ids, allowed.person.subject, asked.why)
        return _job(await self._replays.ask(id, order, keys, now))


def _entry(id: str, allowed: Allowed, asked: orders.ReplayOrder, now: datetime) -> Entry:
    wanted = asked.wanted
    return Entry(
        kind=Kind.REPLAYED,
        outcome=Outcome.SUCCESS,
        occurred=now,
        source=f"replay/{id}",
        orgnr=asked.orgnr,
        system="knutepunkt",
        person=allowed.agent(),
        why=asked.why,
        details={
            REPLAY: id,
            "receiver": wanted.receiver or "",
            "cause": wanted.cause or "",
            "since": times.written(wanted.since) if wanted.since else "",
            "until": times.written(wanted.until) if wanted.until else "",
            "count": str(len(asked.ids)) if asked.ids else "",
        },
    )


def _grouped(items: tuple[Item, ...]) -> Groups:
    groups: dict[tuple[str, str, str], list[datetime]] = {}
    for each in items:
        groups.setdefault((each.orgnr, each.receiver, each.cause), []).append(each.at)
    return Groups(tuple(Group(*name, len(at), False, min(at), max(at)) for name, at in sorted(groups.items())), None)


def _group(group: Group) -> dict[str, Any]:
    return {
        "orgnr": group.orgnr,
        "receiver": group.receiver or None,
        "cause": group.cause,
        "count": group.count,
        "atLeast": group.at_least,
        "oldest": times.written(group.oldest),
        "newest": times.written(group.newest),
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "message": item.event,
        "receiver": item.receiver or None,
        "cause": item.cause,
        "status": item.status or None,
        "at": times.written(item.at),
        "accepted": times.written(item.received_at),
    }


def _job(job: Job) -> dict[str, Any]:
    wanted = job.order.wanted
    return {
        "id": job.id,
        "state": job.state.value,
        "code": job.code or None,
        "orgnr": job.order.orgnr,
        "receiver": wanted.receiver,
        "cause": wanted.cause,
        "since": times.written(wanted.since) if wanted.since else None,
        "until": times.written(wanted.until) if wanted.until else None,
        "ids": list(job.order.ids),
        "who": job.order.who,
        "why": job.order.why,
        "asked": times.written(job.asked_at),
        "ended": times.written(job.ended_at) if job.ended_at else None,
        "replayed": job.progress.replayed,
        "payloadGone": job.progress.gone,
        "leftAside": job.progress.left,
        "groups": [
            {
                "receiver": key.partition("/")[2] or None,
                "cause": cause,
                "first": len(trial.probes),
                "verdict": trial.verdict.value,
            }
            for key, part in job.progress.parts.items()
            for cause, trial in part.trials.items()
        ],
    }
