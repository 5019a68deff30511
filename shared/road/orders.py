"""What people ask for at `/operations/…`, read strictly: a filter, a page, a reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared import clock
from shared.errors import Finding, OrderInvalid, OrderNotJson
from shared.messages.replays import MOST_IDS
from shared.messages.set_aside import Filter
from shared.registry.bodies import NotReadable, json_object
from shared.registry.model import is_orgnr
from shared.trail.looking import Purpose

MAX_BODY: Final = 64 * 1024
SHORTEST_WHY: Final = 3
LONGEST_WHY: Final = 200
LONGEST_ID: Final = 128
PAGE: Final = 20
MOST: Final = 50
RECEIVER: Final = r"^[a-z0-9][a-z0-9-]{0,15}$"
CAUSE: Final = r"^[A-Z][A-Z0-9_]{0,63}$"
ID: Final = r"^[a-z2-7]{20}\.[a-z2-7]{26}(\.[a-z0-9-]{1,16})?$"
REFERENCE: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$"

_PERSON: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Search:
    """Which groups, or which messages of one."""

    wanted: Filter
    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """A replay that is asked for."""

    wanted: Filter
    orgnr: str
    ids: tuple[str, ...]
    dry_run: bool
    why: str


@dataclass(frozen=True, slots=True)
class WordsOrder:
    """A look at what a receiver said."""

    id: str
    purpose: Purpose
    reference: str


def search(query: Mapping[str, str]) -> Search:
    """Raises OrderInvalid."""
    faults = _Faults()
    faults.only(query, {"orgnr", "receiver", "cause", "since", "until", "after", "limit"})
    limit = query.get("limit", str(PAGE))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MOST):
        faults.add("limit", f"must be a number from 1 to {MOST}")
    after = query.get("after", "")
    if len(after) > LONGEST_ID or not after.isprintable():
        faults.add("after", "must be as the answer before gave it in next")
    found = Search(_filter(query, faults), after, int(limit) if limit.isascii() and limit.isdigit() else 1)
    faults.check()
    return found


def replay(body: bytes) -> ReplayOrder:
    """Raises OrderNotJson, OrderInvalid."""
    faults = _Faults()
    read = _object(body)
    faults.only(read, {"orgnr", "receiver", "cause", "since", "until", "ids", "dryRun", "why"})
    dry_run = read.get("dryRun", True)
    if not isinstance(dry_run, bool):
        faults.add("dryRun", "must be true or false")
    ids = read.get("ids", [])
    fits = isinstance(ids, list) and len(ids) <= MOST_IDS
    if not fits or not all(isinstance(each, str) and re.fullmatch(ID, each) for each in ids):
        faults.add("ids", f"must be a list of at most {MOST_IDS} ids of messages or deliveries")
    wanted = _filter(read, faults)
    if wanted.orgnr is None and not faults:
        faults.add("orgnr", "must name the municipality")
    why = _why(read, faults, needed=dry_run is False)
    faults.check()
    return ReplayOrder(wanted, wanted.orgnr or "", tuple(dict.fromkeys(ids)), dry_run, why)


def reason(body: bytes) -> str:
    """The reason in a body that has nothing else. Raises OrderNotJson, OrderInvalid."""
    faults = _Faults()
    read = _object(body)
    faults.only(read, {"why"})
    why = _why(read, faults, needed=True)
    faults.check()
    return why


def words(body: bytes) -> WordsOrder:
    """Raises OrderNotJson, OrderInvalid."""
    faults = _Faults()
    read = _object(body)
    faults.only(read, {"id", "purpose", "reference"})
    id, purpose, reference = (read.get(name) for name in ("id", "purpose", "reference"))
    if not isinstance(id, str) or not re.fullmatch(ID, id) or id.count(".") != 2:
        faults.add("id", "must be the id of a delivery")
    if purpose not in {each.value for each in Purpose}:
        faults.add("purpose", "must be a code of v3-ActReason: " + ", ".join(each.value for each in Purpose))
    if not isinstance(reference, str) or not re.fullmatch(REFERENCE, reference) or _PERSON.search(reference):
        faults.add("reference", "must be the decision or case that the look is based on, nothing about a person")
    faults.check()
    return WordsOrder(str(id), Purpose(str(purpose)), str(reference))


def refused(field: str, text: str) -> OrderInvalid:
    """The refusal for one thing that is wrong."""
    faults = _Faults()
    faults.add(field, text)
    return faults.refusal()


class _Faults:
    """What is wrong, gathered: all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, field: str, text: str) -> None:
        """`field` is one of ours, never the caller's own word."""
        self._found.append(
            Finding(
                rule="order",
                text=f"{field}: {text}." if field else f"{text}.",
                expression=field or "order",
                issue_type=OrderInvalid.issue_type,
                vkp_code=OrderInvalid.vkp_code,
            )
        )

    def only(self, given: Mapping[str, Any], names: set[str]) -> None:
        """Nothing else is taken: a filter with a misspelt name would mean more than was meant."""
        if given.keys() - names:
            self.add("", "it takes the members " + ", ".join(sorted(names)) + " and no others")

    def check(self) -> None:
        """Raises OrderInvalid when anything is wrong."""
        if self._found:
            raise self.refusal()

    def refusal(self) -> OrderInvalid:
        """With all of it."""
        return OrderInvalid(tuple(self._found))


def _object(body: bytes) -> dict[str, Any]:
    try:
        return json_object(body, MAX_BODY)
    except NotReadable:
        raise OrderNotJson from None


def _filter(given: Mapping[str, Any], faults: _Faults) -> Filter:
    orgnr, receiver, cause = (given.get(name) for name in ("orgnr", "receiver", "cause"))
    if orgnr is not None and not (isinstance(orgnr, str) and is_orgnr(orgnr)):
        faults.add("orgnr", "must be nine digits")
    if receiver is not None and not (isinstance(receiver, str) and (not receiver or re.fullmatch(RECEIVER, receiver))):
        faults.add("receiver", "must be a receiver's id, or empty for messages that have none")
    if cause is not None and not (isinstance(cause, str) and re.fullmatch(CAUSE, cause)):
        faults.add("cause", "must be a code")
    since, until = _moment(given, "since", faults), _moment(given, "until", faults)
    if faults:
        return Filter()
    return Filter(orgnr=orgnr, receiver=receiver, cause=cause, since=since, until=until)


def _moment(given: Mapping[str, Any], name: str, faults: _Faults) -> datetime | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is not None and moment.tzinfo is not None:
            return clock.read(clock.written(moment))
    except (ValueError, OverflowError):
        pass
    faults.add(name, "must be a time with its zone, like 2026-11-22T12:00:00Z")
    return None


def _why(read: Mapping[str, Any], faults: _Faults, *, needed: bool) -> str:
    why = read.get("why", None if needed else "")
    right = isinstance(why, str) and len(why) <= LONGEST_WHY and why.isprintable() and not _PERSON.search(why)
    if not right or (needed and len(why.strip()) < SHORTEST_WHY):
        faults.add("why", f"must give the reason in {SHORTEST_WHY} to {LONGEST_WHY} characters, nothing about a person")
        return ""
    return str(why)
