"""The ledger: what a vendor was promised, what the EPJ holds, and what the two say together.

Nothing here asks the hub: a sender writes down what it sent and what it was answered, the EPJ lists what it stored, and
this module reconciles the two. Times are seconds since 1970 on the one clock of this machine.

attempts       posts made by the vendor; it posts a message again until it is answered 202
acknowledged   messages answered 202
delivered      acknowledged messages that the EPJ holds, byte for byte (sha256)
lost           acknowledged messages that the EPJ does not hold when everything has been quiet
duplicated     copies that nothing explains: the same bytes stored under another key, or a call made again with the same
               key although no answer can have been lost
reordered      messages stored after one of the same lane that the vendor began to send only when it had the 202 of this
               one (posts under way at the same time have no order)
recovered      messages that were in doubt and are there once: a post of it was left without an answer, or its answer
               from the EPJ was lost and it was called again with the same key
unexpected     what the EPJ holds and nobody sent; must be none
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

ANSWER_TAKES_S: Final = 5.0
"""From when the EPJ has stored a message until the hub has stored that it did, on a machine that has much to do."""


LANE_LOST_S: Final = 20.0
"""For how long a worker whose lane the broker has given to another process may still be at it, beside that one: it
learns of that when it wants to store what came of its call. Of the two answers one is lost on it."""


@dataclass(slots=True)
class Sent:
    """A message, as its sender's ledger has it."""

    lane: str
    """Receiver and patient: what is kept in order."""
    sha256: str
    begun: float | None = None
    """When it was first posted."""
    acknowledged: float | None = None
    """When its 202 had come."""
    posts: int = 0
    unanswered: int = 0
    """Posts that got no answer at all: whether the hub has the message is not known then."""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A message, as the EPJ has it. Its place in the list is the order in which messages were first stored."""

    key: str
    sha256: str
    stored: float
    calls: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that was broken, from when until when."""

    what: str
    began: float
    ended: float
    since: float
    """From when recovery is counted: a killed part is to recover by itself, anything else once it is mended."""
    answers_lost: bool
    """Whether an EPJ's answer can be lost by it: on the way, or with whoever waited for it."""
    lingers_s: float = ANSWER_TAKES_S
    """For how long after its end that can still be."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a scenario came to."""

    attempts: int = 0
    acknowledged: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    recovered: int = 0
    recovery_seconds: float | None = None
    """From the last break until the EPJ had everything sent before; None when it never had."""
    first_seconds: float | None = None
    """From the last break until the EPJ stored the first message after it; None when there was none to come."""
    unexpected: int = 0
    wrong: Sequence[str] = field(default=())
    """What was found, a line each, for people. Names messages by the first letters of their digest."""

    @property
    def kept(self) -> bool:
        """Whether the promises were kept: nothing lost, nothing out of order, nothing made up."""
        return not (self.lost or self.reordered or self.unexpected)


def reconcile(sent: Iterable[Sent], held: Sequence[Held], broken: Sequence[Broken]) -> Tally:
    """What the ledgers say together. `held` in the order of storage."""
    sent = list(sent)
    known = {each.sha256: each for each in sent}
    first: dict[str, tuple[int, Held]] = {}
    for place, each in enumerate(held):
        first.setdefault(each.sha256, (place, each))
    promised = [each for each in sent if each.acknowledged is not None]
    lost = [each for each in promised if each.sha256 not in first]
    copies, repeats, again = _calls(held, known, broken)
    late = _reordered(promised, first)
    doubted = {each.sha256 for each in sent if each.unanswered and each.sha256 in first} | again
    since = max((each.since for each in broken), default=None)
    return Tally(
        attempts=sum(each.posts for each in sent),
        acknowledged=len(promised),
        delivered=len(promised) - len(lost),
        lost=len(lost),
        duplicated=len(copies) + len(repeats),
        reordered=len(late),
        recovered=len(doubted),
        recovery_seconds=None if lost else _recovery(promised, first, since),
        first_seconds=_first_after(held, since),
        unexpected=sum(1 for each in held if each.sha256 not in known),
        wrong=(
            *(f"lost: {each.sha256[:12]}, accepted at {each.acknowledged:.3f}" for each in lost),
            *(f"stored twice, under two keys: {each.sha256[:12]}" for each in copies),
            *(f"called {each.calls} times though no answer was lost: {each.sha256[:12]}" for each in repeats),
            *(f"out of order in its lane: {each.sha256[:12]}" for each in late),
            *(f"never sent by anybody: {each.sha256[:12]}" for each in held if each.sha256 not in known),
        ),
    )


def _calls(
    held: Sequence[Held], known: Mapping[str, Sent], broken: Sequence[Broken]
) -> tuple[list[Held], list[Held], set[str]]:
    """Copies under another key, calls that nothing explains, and the digests of those called again for good reason."""
    copies: list[Held] = []
    repeats: list[Held] = []
    again: set[str] = set()
    seen: set[str] = set()
    for each in held:
        if each.sha256 not in known:
            continue
        if each.sha256 in seen:
            copies.append(each)
        seen.add(each.sha256)
        if each.calls > 1:
            if _answer_lost(each, broken):
                again.add(each.sha256)
            else:
                repeats.append(each)
    return copies, repeats, again


def _answer_lost(held: Held, broken: Sequence[Broken]) -> bool:
    return any(
        each.answers_lost and each.began <= held.stored + ANSWER_TAKES_S and held.stored <= each.ended + each.lingers_s
        for each in broken
    )


def _reordered(promised: Iterable[Sent], first: Mapping[str, tuple[int, Held]]) -> list[Sent]:
    lanes: dict[str, list[tuple[int, Sent]]] = {}
    for each in promised:
        if each.sha256 in first:
            lanes.setdefault(each.lane, []).append((first[each.sha256][0], each))
    late: list[Sent] = []
    for lane in lanes.values():
        latest_begun = float("-inf")
        for _, each in sorted(lane, key=lambda pair: pair[0]):
            if each.acknowledged is not None and each.acknowledged < latest_begun:
                late.append(each)
            latest_begun = max(latest_begun, each.begun if each.begun is not None else latest_begun)
    return late


def _recovery(promised: Iterable[Sent], first: Mapping[str, tuple[int, Held]], since: float | None) -> float:
    if since is None:
        return 0.0
    stored = (first[each.sha256][1].stored for each in promised if each.begun is not None and each.begun < since)
    return max(0.0, max(stored, default=since) - since)


def _first_after(held: Iterable[Held], since: float | None) -> float | None:
    if since is None:
        return None
    return min((each.stored - since for each in held if each.stored >= since), default=None)
