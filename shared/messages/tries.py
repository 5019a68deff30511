"""A try to hand a message over: how it begins, what it may come to, and what that changes about its documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.messages import lifecycle, model
from shared.messages.documents import Change, Create, Document, Operation, Patch
from shared.messages.lanes import event_of
from shared.messages.lifecycle import State, Step
from shared.messages.model import Delivery, Station
from shared.messages.signals import hint
from shared.messages.urgency import Urgency


@dataclass(frozen=True, slots=True)
class Try:
    """A try that has begun."""

    delivery: Delivery
    urgency: Urgency
    """Of the whole line: a message is as urgent as the most urgent that it holds up."""
    waits: int
    """How often the head has waited since the line has been so urgent: its place in the retry schedule."""
    next: Mapping[str, Any] | None
    """The work behind it in line."""
    by: Urgency
    """The queue whose worker makes it."""
    told: bool = True
    """Whether the line tells of it; else its worker's queue owns the line."""
    payload: Document | None = None
    """The document of its bytes, if that was fetched together with the line."""
    looked: bool = False
    """Whether the line had to be signalled for being overdue."""

    @property
    def following(self) -> str:
        """A hint whose turn it is next (see Signal)."""
        return hint(event_of(self.next["id"]), self.next["size"]) if self.next else ""

    @property
    def more(self) -> bool:
        """Whether others stand behind it."""
        return self.next is not None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The head is being tried by a worker of the other queue, until then at the latest."""

    until: datetime
    unsure: bool = field(default=False, compare=False)
    """Whether it is only that somebody may be at it who has not said so: their time runs from when they heard of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try came to, as its delivery's document tells it."""

    now: datetime
    detail: str = ""
    """A code."""
    facts: Mapping[str, str] | None = None
    """What is known of the try beside: where, how long. No personal data."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a delivery is set aside, and what that means for its lane."""

    status: int = 0
    """The receiver's HTTP status."""
    blocks: bool = False
    """Whether its lane waits until a person has decided."""
    words: str = ""
    """The receiver's own, for whoever decides. They may tell of the patient, so they are kept as a payload is."""
    kept_for: timedelta | None = None
    """How long the words are kept."""


class Gone(Exception):
    """The delivery was ended by another way (withdrawn, expired) while it was being tried; its lane can go on."""


def mine(begun: Try) -> str:
    # A worker that was given up for dead must not settle its successor's try.
    delivery = begun.delivery
    tries = delivery.attempts - delivery.tried - (not begun.told)
    return f"c.pending[0].id = '{delivery.id}' AND c.pending[0].tried = {delivery.tried} AND c.tries = {tries}"


def let_go(begun: Try) -> tuple[Change, ...]:
    """The try is over, and the line says that it was made."""
    if begun.told:
        return (Change("set", "/trying", None),)
    return (
        Change("incr", "/tries", 1), Change("set", "/owner", None), Change("set", "/taken", None),
        Change("set", "/looked", 0),
    )  # fmt: skip


def onward(begun: Try, blocked: str | None) -> tuple[Change, ...]:
    """What becomes of the line."""
    if blocked:
        return (Change("set", "/blocked", blocked),)
    # Its receiver takes messages (again): whoever works the line off need not say so of each.
    return (Change("set", "/owner", begun.by.value),) if begun.told else ()


def forgotten(begun: Try) -> tuple[Change, ...]:
    """What the next head does not inherit of this one."""
    if not begun.told:
        # Nearly always there is nothing to forget, and each change is paid for.
        return (Change("set", "/looked", 0),) if begun.looked else ()
    return (
        Change("set", "/waitUntil", None), Change("set", "/tries", 0), Change("set", "/waits", 0),
        Change("set", "/trying", None),
    )  # fmt: skip


def moved(begun: Try, step: Step, outcome: Outcome, due: str | None, refusal: Refusal | None = None) -> Operation:
    delivery = begun.delivery
    state = lifecycle.after(State.DELIVERING, step)
    station = Station(outcome.now, state, outcome.detail, outcome.facts or {})
    changes: dict[str, Any] = {"state": state.value, "attempts": delivery.attempts, "due": due}
    if refusal is not None:
        changes["aside"] = model.aside_document(
            outcome.now, outcome.detail, delivery.key, delivery.event.orgnr, refusal.status
        )
    if not delivery.kept:
        return Create({**delivery.document(station), **changes})
    allowed = ", ".join(f"'{each}'" for each in lifecycle.states_before(Step.ATTEMPT))
    return Patch(
        delivery.id,
        (
            *(Change("set", f"/{name}", value) for name, value in changes.items()),
            Change("add", "/stations/-", station.document()),
        ),
        condition=f"FROM c WHERE c.state IN ({allowed})",
    )


def words_id(delivery: str, attempt: int) -> str:
    return f"{delivery}.words.{attempt}"


def words(delivery: Delivery, refusal: Refusal) -> Document:
    document: Document = {
        "id": words_id(delivery.id, delivery.attempts), "lane": delivery.lane, "type": "words",
        "delivery": delivery.id, "words": refusal.words,
    }  # fmt: skip
    return document if refusal.kept_for is None else {**document, "ttl": max(1, int(refusal.kept_for.total_seconds()))}
