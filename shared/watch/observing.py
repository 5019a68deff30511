"""What is wrong right now, one look a kind.

A look either is whole, and then what it does not show is well; or it is not (the database is out of reach, there was
too much to look through), and then nothing may be concluded from what it does not show.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared import clock
from shared.messages.documents import Document
from shared.registry.entries import entry_of
from shared.registry.model import Grant, Municipality
from shared.registry.register import Register
from shared.watch.alert_rules import Rules
from shared.watch.alerts import Kind, Seen
from shared.watch.heard import Heard, Pair
from shared.watch.looking import Look
from shared.watch.numbers import Aside, Line, earliest
from shared.watch.ports import Kept, Looking

MOST_DOWN: Final = 200
"""Receivers that are down at once, each of which is asked for by itself."""
MOST_GRANTS: Final = 20_000
CHECK: Final = "check.orphans"
"""The document in `operations` in which the orphan check says what it found last."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look saw."""

    seen: tuple[Seen, ...]
    whole: bool = True
    """Whether what it does not show is well."""


class Observing:
    """Looks. Every method may raise Unreachable."""

    def __init__(
        self, *, look: Look, operations: Kept, registry: Looking, register: Register, heard: Heard, rules: Rules
    ) -> None:
        self._look = look
        self._operations = operations
        self._registry = registry
        self._register = register
        self._heard = heard
        self._rules = rules

    async def at(self, kind: Kind, now: datetime) -> Looked:
        """One look at one kind."""
        match kind:
            case Kind.RECEIVER_DOWN:
                return await self._receivers_down()
            case Kind.ALARM_LATE:
                return Looked(late(await self._look.urgent(now - self._rules.alarm)))
            case Kind.SENDER_SILENT:
                return await self._silent(now)
            case Kind.SET_ASIDE:
                aside, more = await self._look.aside()
                return Looked(set_aside(aside, at_least=more), whole=not more)
            case Kind.ORPHAN:
                return await self._orphans(now)

    async def _orphans(self, now: datetime) -> Looked:
        since = now - self._rules.orphan
        overdue = await self._look.overdue(since)
        seen = [Seen(Kind.ORPHAN, since, code=f"OVERDUE_{name.upper()}", waiting=n) for name, n in overdue.items()]
        # What the orphan check says of lanes that it signals in vain; one that stopped looking leaves them overdue.
        check = await self._operations.read(CHECK, CHECK)
        if check is not None and check.get("stuck"):
            at = clock.read(check["at"])
            seen.append(Seen(Kind.ORPHAN, at, code="STUCK", waiting=int(check["stuck"])))
        return Looked(tuple(seen))

    async def _receivers_down(self) -> Looked:
        found = await self._operations.query(
            "SELECT * FROM c WHERE c.type = 'receiver' AND c.state = 'open'", {}, MOST_DOWN
        )  # fmt: skip
        return Looked(tuple([await self._down(each) for each in found]), whole=len(found) < MOST_DOWN)

    async def _down(self, standing: Document) -> Seen:
        orgnr, _, receiver = str(standing["key"]).partition("/")
        waiting = await self._look.of_receiver(orgnr, receiver)
        return Seen(
            Kind.RECEIVER_DOWN,
            clock.read(standing["since"]),
            orgnr=orgnr,
            receiver=receiver,
            code=str(standing.get("lastCode") or ""),
            waiting=waiting.all.messages,
            at_least=waiting.at_least,
            oldest=waiting.all.oldest,
        )

    async def _silent(self, now: datetime) -> Looked:
        found = await self._registry.query(
            "SELECT * FROM c WHERE c.type = 'grant' AND c.silentAfterHours > 0", {}, MOST_GRANTS
        )  # fmt: skip
        if not found:
            return Looked(())
        heard = await self._heard.all()
        seen = []
        for document in found:
            grant = entry_of(document)
            if not isinstance(grant, Grant):
                continue
            said = silent(grant, heard.get(Pair(grant.vkp_id, grant.orgnr)), _changed(document), now)
            if said is not None and await self._is_expected(grant, now):
                seen.append(said)
        return Looked(tuple(seen), whole=len(found) < MOST_GRANTS)

    async def _is_expected(self, grant: Grant, now: datetime) -> bool:
        """Whether anything can come at all: silence that the register asked for is none."""
        municipality: Municipality | None = await self._register.municipality(grant.orgnr)
        stop = municipality.traffic.writes if municipality is not None else None
        stopped = stop is not None and stop.holds(now)
        return municipality is not None and not stopped and not (await self._register.system(grant.vkp_id)).blocked


def silent(grant: Grant, heard: datetime | None, changed: datetime | None, now: datetime) -> Seen | None:
    """The silence of one sender, if it has lasted too long. Before anything came, it counts from when the grant began
    to hold or was last changed."""
    if grant.silent_after_hours is None or not grant.may_send or not grant.holds(now):
        return None
    began = heard or max((each for each in (grant.valid_from, changed) if each is not None), default=None)
    if began is None or now - began < timedelta(hours=grant.silent_after_hours):
        return None
    return Seen(Kind.SENDER_SILENT, began, orgnr=grant.orgnr, sender=grant.vkp_id)


def late(lines: Iterable[Line]) -> tuple[Seen, ...]:
    """Urgent messages that are not delivered: one for each receiver, however many they are."""
    found: dict[tuple[str, str], Seen] = {}
    for line in lines:
        known = found.get((line.orgnr, line.receiver))
        oldest = earliest(line.prompt.oldest, known.oldest if known else None)
        if oldest is None:
            continue
        found[line.orgnr, line.receiver] = Seen(
            Kind.ALARM_LATE,
            oldest,
            orgnr=line.orgnr,
            receiver=line.receiver,
            waiting=line.prompt.messages + (known.waiting if known else 0),
            oldest=oldest,
        )
    return tuple(found.values())


def set_aside(groups: Iterable[Aside], *, at_least: bool) -> tuple[Seen, ...]:
    """One for each receiver and cause."""
    return tuple(
        Seen(
            Kind.SET_ASIDE,
            each.oldest,
            orgnr=each.orgnr,
            receiver=each.receiver,
            code=each.cause,
            waiting=each.messages,
            at_least=at_least,
        )
        for each in groups
    )


def _changed(document: Document) -> datetime | None:
    # When Cosmos DB last wrote it, in seconds since 1970: the grant itself does not say.
    stamp = document.get("_ts")
    return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int) else None
