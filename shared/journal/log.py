"""The treatment log: Composition.event (VKP's list vkp-composition-event).

Codes 0 to 5 are steps in the life of an event; 6 to 10 label what somebody said about it. *Kvittert* says that somebody
signed it off, never that it was solved, and *utrykning bekreftet* that a unit took it over.
"""

from dataclasses import dataclass, field
from typing import Final

from shared.journal.ledger import Node
from shared.journal.model import Omission, Row, Table
from shared.journal.naming import wording
from shared.journal.terms import capital
from shared.journal.when import When, when
from shared.journal.work import Draft, quoted_all
from shared.journal.writing import NBSP

REPORTED: Final = "0"
ACKNOWLEDGED: Final = "3"
TO_RESPONDERS: Final = "4"
ACCEPTED: Final = "5"
_ORDER: Final = ("0", "1", "4", "5", "3")
"""The life cycle, for logs whose times contradict it."""
_CONTENT: Final = {"6": "cause", "7": "measure", "8": "conversation", "9": "action", "10": "others"}
_ACTORS: Final = ("1", "3", "4", "5", "10")
_SENTENCE: Final = 5
_ESSENTIAL: Final = ("4", "5", "6", "7", "9")


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the log."""

    code: str | None
    what: str
    start: When | None
    end: When | None
    who: tuple[str, ...]
    words: tuple[str, ...]
    """What was said: cause, measure and the like; or the sender's own words for a step."""
    notes: tuple[str, ...]
    """Whom it was handed to, and the like."""


@dataclass(frozen=True, slots=True)
class Log:
    """All events of a message's compositions."""

    steps: tuple[Step, ...]
    said: dict[str, list[str]] = field(default_factory=dict)
    """By label (`cause`, `measure` ...) what was said."""

    def has(self, *codes: str) -> bool:
        """Whether a step of one of these codes is there."""
        return any(step.code in codes for step in self.steps)

    def first(self, code: str) -> Step | None:
        """The first step of a code."""
        return next((step for step in self.steps if step.code == code), None)


def read_log(draft: Draft) -> Log:
    """Read the events of all compositions."""
    users = _users(draft)
    steps = [
        _step(event, users, draft)
        for composition in draft.work.parts.all("Composition")
        for event in composition.each("event")
    ]
    said: dict[str, list[str]] = {}
    for step in steps:
        if step.code in _CONTENT:
            said.setdefault(_CONTENT[step.code], []).extend([*step.words, *step.who, *step.notes])
    return Log(tuple(steps), said)


def _users(draft: Draft) -> dict[str, str]:
    """Names by user name: of the compositions' authors."""
    found: dict[str, str] = {}
    for composition in draft.work.parts.all("Composition"):
        for author in composition.each("author"):
            identifier = author.one("identifier")
            value, name = identifier.raw("value") if identifier else None, author.raw("display")
            if value and name:
                found[value.strip().casefold()] = draft.work.parts.ledger.cleaner.line(name)
    return found


def _step(event: Node, users: dict[str, str], draft: Draft) -> Step:
    work = draft.work
    concepts = event.each("code")
    worded = [wording(concept, work.language, "event") for concept in concepts]
    code = next((each.code for each in worded if each.code), None)
    words = [text for each in worded for text in each.theirs]
    for said in worded:
        for text in said.theirs:
            if text.casefold() in users:
                said.drop(text, Omission.IDENTIFIER)
    who: list[str] = []
    if code not in ("6", "7", "8", "9"):
        who = [name for text in words if (name := _actor(text, users, draft, code)) is not None]
        words = [text for text in words if _actor(text, users, draft, code) is None]
    notes = [shown for detail in event.each("detail") if (shown := detail.told("display")) is not None]
    ours = next((each.ours for each in worded if each.ours), None)
    if ours is None:
        ours = work.terms.step("unknown", code=code) if (code := code or _any_code(concepts)) else None
    what = ours or work.terms.step("uncoded")
    what = work.terms.code("event-content", code) or what
    start, end = _period(event)
    return Step(code, what, start, end, tuple(who), tuple(words), tuple(notes))


def _any_code(concepts: list[Node]) -> str | None:
    codes = [coding.told("code") for concept in concepts for coding in concept.each("coding")]
    return next((code for code in codes if code), None)


def _actor(text: str, users: dict[str, str], draft: Draft, code: str | None) -> str | None:
    """Whom a text names: an author of the note by user name, a user name, or a person or unit as the sender wrote it.

    The text of a step is its actor (that of a report may also tell what reported it); whole sentences are not.
    """
    known = users.get(text.casefold())
    if known is not None:
        return known
    if " " not in text and any(mark in text for mark in "@\\_0123456789"):
        return draft.work.terms.word("from-user", name=text)
    if text.casefold() in (name.casefold() for name in users.values()):
        return text
    return text if code in _ACTORS and len(text.split()) < _SENTENCE else None


def _period(event: Node) -> tuple[When | None, When | None]:
    period = event.one("period")
    if period is None:
        return None, None
    return when(period.told_value("start")), when(period.told_value("end"))


def tell_said(draft: Draft, log: Log) -> bool:
    """Cause, measure, conversation and hand-over, each as a fact. Whether anything was said."""
    for label in ("cause", "measure", "conversation", "action"):
        if texts := log.said.get(label):
            draft.fact(label, quoted_all(texts))
    return any(log.said.get(label) for label in ("cause", "measure", "conversation", "action"))


def tell_others(draft: Draft, log: Log) -> None:
    """Operators who took part beside the one who closed the event."""
    if texts := log.said.get("others"):
        draft.fact("others", ", ".join(dict.fromkeys(texts)))


def tell_log(draft: Draft, log: Log) -> None:
    """The log itself, and what is wrong with its order."""
    if not log.steps:
        return
    steps = _ordered(log.steps, draft)
    terms = draft.work.terms
    header = (terms.label("log-time"), terms.label("log-what"), terms.label("log-who"))
    rows = tuple(_row(step, draft) for step in steps)
    draft.blocks.append(Table(terms.label("log"), header, rows, run_on=True, gap=terms.sentences["log-gap"]))


def _ordered(steps: tuple[Step, ...], draft: Draft) -> list[Step]:
    """In the order of time; when the times contradict the life cycle, in its order, with a doubt."""
    if any(step.start is None or step.start.moment is None for step in steps):
        return list(steps)
    reported = next((step for step in steps if step.code == REPORTED), None)
    if reported is None:
        return sorted(steps, key=_moment)
    early = [step for step in steps if step.code in _ORDER and _moment(step) < _moment(reported)]
    for step in early:
        _doubt_order(draft, step, reported)
    if early:
        return sorted(steps, key=lambda step: _ORDER.index(step.code) if step.code in _ORDER else len(_ORDER))
    return sorted(steps, key=_moment)


def _doubt_order(draft: Draft, step: Step, reported: Step) -> None:
    one, other = (draft.work.at(each.start, draft.when) for each in (step, reported))
    if one == other:
        one, other = (draft.work.at(each.start, draft.when, seconds=True) for each in (step, reported))
    if step.code == ACKNOWLEDGED:
        draft.doubt("acknowledged-early", one=one, other=other)
    else:
        draft.doubt("step-early", what=capital(step.what), one=one, before=capital(reported.what), other=other)


def _moment(step: Step) -> float:
    moment = step.start.moment if step.start is not None else None
    return moment.timestamp() if moment is not None else 0.0


def _row(step: Step, draft: Draft) -> Row:
    work = draft.work
    untold = work.terms.word("time-not-stated")
    time = work.at(step.start, draft.when, seconds=True)
    if step.end is not None and step.start is not None and step.end != step.start:
        time = work.span(step.start, step.end, draft.when, seconds=True)
        if step.end.moment and step.start.moment and step.end.moment < step.start.moment:
            draft.doubt("period-backwards", start=work.at(step.start, draft.when), end=work.at(step.end, draft.when))
    shown = time or f"({untold})"
    told = step.code in _CONTENT
    noted = "" if told else ", ".join(filter(None, [quoted_all(list(step.words)), *step.notes]))
    who = "" if told else ", ".join(dict.fromkeys(step.who))
    key = "step" + ("-noted" if noted else "") + ("-by" if who else "")
    prose = work.terms.step(key, what=step.what, time=shown, who=who, note=noted)
    value = shown if key == "step" else work.terms.step(key.replace("step", "value"), time=shown, who=who, note=noted)
    what = capital(step.what) + (f" ({noted})" if noted else "")
    actors = ", ".join(dict.fromkeys(step.who)) or work.terms.word("not-stated")
    cells = (time.removeprefix(f"kl.{NBSP}") or untold, what, actors)
    return Row(prose, capital(step.what), value, cells, essential=step.code in _ESSENTIAL)


def outcome(log: Log, draft: Draft) -> str:
    """What the heading says of how far it came: responders before acknowledgement, never more than was sent."""
    terms = draft.work.terms
    if log.has(TO_RESPONDERS, ACCEPTED):
        return terms.word("to-responders")
    if log.has(ACKNOWLEDGED):
        return ""
    return terms.word("unacknowledged" if log.steps else "acknowledgement-unknown")
