"""What several templates tell: equipment, place, how grave, when the times cannot be right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.journal import writing
from shared.journal.ledger import Node, extension
from shared.journal.model import Fact, Omission
from shared.journal.naming import wording
from shared.journal.plain import quoted
from shared.journal.when import When, when
from shared.journal.work import Draft

_LATE: Final = timedelta(hours=24)
_AHEAD: Final = timedelta(minutes=5)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_CONCEPTS: Final = ("valueCodeableConcept", "valueCoding")


def equipment(draft: Draft) -> list[str]:
    """Every device of the message, by model and kind: never by number."""
    found: list[str] = []
    for node in draft.work.parts.all("Device"):
        model = [name for each in node.each("deviceName") if (name := each.told("name")) is not None]
        concept = node.one("type")
        kind = [text for text in wording(concept, draft.work.language).theirs if text not in model]
        found.append(_named(model or kind, kind if model else []))
        node.leave(Omission.IDENTIFIER, "identifier", "serialNumber", "udiCarrier", "lotNumber", "distinctIdentifier")
        node.leave(Omission.TECHNICAL, "owner", "status", "version", "manufactureDate", "url", "patient")
        for each in node.each("deviceName"):
            each.leave(Omission.TECHNICAL, "type")
    for holder in draft.work.parts.all("Encounter", "MedicationDispense"):
        for device in extension(holder, "vkp-encounterdevice", "vkpmedicationdispensedevice"):
            found.append(_extension_device(device))
    return [name for name in dict.fromkeys(found) if name]


def _named(names: list[str], kind: list[str]) -> str:
    text = ", ".join(dict.fromkeys(names))
    return f"{text} ({', '.join(kind)})" if kind and text else text


def _extension_device(node: Node) -> str:
    names: list[str] = []
    kinds: list[str] = []
    for each in node.each("extension"):
        name = each.raw("url")
        if name == "identifier":
            each.leave(Omission.IDENTIFIER)
        elif name == "displayName":
            names += filter(None, [each.told("valueString")])
        elif name in ("type", "typeName"):
            kinds += filter(None, [each.told("valueString"), each.told("valueCode")])
    return _named(names or kinds, [kind for kind in kinds if kind not in names] if names else [])


def tell_equipment(draft: Draft, devices: list[str]) -> None:
    """The devices as a fact."""
    draft.fact("equipment", "; ".join(devices))


def tell_place(draft: Draft) -> None:
    """Where, as far as it was told in words."""
    draft.fact("place", "; ".join(places(draft)))


def places(draft: Draft) -> list[str]:
    """The places of Encounters and of devices used in them."""
    found: list[str] = []
    for encounter in draft.work.parts.all("Encounter"):
        for each in encounter.each("location"):
            reference = each.one("location")
            if reference is not None and (name := reference.told("display")) is not None:
                found.append(name)
        for device in extension(encounter, "vkp-encounterdevice"):
            for part in device.each("extension"):
                if part.raw("url") == "location" and (name := part.told("valueString")) is not None:
                    found.append(name)
    for location in draft.work.parts.all("Location"):
        for member in ("name", "description"):
            if (name := location.told(member)) is not None:
                found.append(name)
    kept: list[str] = []
    for name in found:
        if not any(name in other for other in found if other != name) and name not in kept:
            kept.append(name)
    return kept


def tell_severity(draft: Draft, issue: Node | None) -> None:
    """How grave the sender says that the alert is, in the sender's scale; of the note too."""
    for node in (*([issue] if issue is not None else []), *draft.work.parts.all("Composition", "Encounter")):
        for word in dict.fromkeys(severities(draft, node)):
            draft.fact("severity", word)


def severity_in_list(draft: Draft, issue: Node) -> list[str]:
    """The same for one of several alerts, as part of its line."""
    return [draft.work.terms.word("severity-in-list", word=word) for word in severities(draft, issue)]


def severities(draft: Draft, node: Node) -> list[str]:
    """What one resource says of how grave it is. Scales are not mapped onto each other."""
    found: list[str] = []
    severity = node.raw("severity")
    if severity is not None and (word := draft.work.terms.code("issue-severity", severity)) is not None:
        node.leave(Omission.CODE, "severity")
        found.append(word)
    for each in extension(node, "vkp-severity", "vkp-emergency-level", "vkp-emergencylevel", "vkp-triage"):
        for concept in (held for name in _CONCEPTS for held in each.each(name)):
            if (level := _level(draft, concept)) is not None:
                found.append(level)
    return found


def _level(draft: Draft, concept: Node) -> str | None:
    raw = next((each.raw("code") for each in (*concept.each("coding"), concept) if each.raw("code")), None)
    said = wording(concept, draft.work.language, "severity", "emergency-level", "triage")
    if said.ours == "" and not said.theirs:
        return None
    theirs = ", ".join(quoted(text) for text in said.theirs)
    if said.of == "severity" and said.ours is None:
        draft.doubt("old-severity", text=next(iter(said.theirs), raw))
    if said.of == "triage" and not theirs:
        return draft.work.parts.ledger.cleaner.line(raw or "")
    if said.ours and theirs:
        return f"{said.ours} ({theirs})"
    if said.ours or theirs:
        return said.ours or theirs
    return draft.work.terms.word("code-without-words", code=raw) if raw is not None else None


def event_time(draft: Draft, issue: Node | None) -> tuple[When | None, When | None]:
    """When it happened, and until when: of the alert, else when it was reported. Never when it was sent."""
    if issue is not None:
        if (at := when(issue.told_value("identifiedDateTime"))) is not None:
            return at, None
        period = issue.one("identifiedPeriod") or issue.one("period")
        if period is not None:
            start, end = when(period.told_value("start")), when(period.told_value("end"))
            if start is not None or end is not None:
                return start or end, end if start is not None else None
    for composition in draft.work.parts.all("Composition"):
        for event in composition.each("event"):
            reported = any(coding.raw("code") == "0" for code in event.each("code") for coding in code.each("coding"))
            period = event.one("period")
            if reported and period is not None and (at := when(period.peek("start"))) is not None:
                return at, None
    return None, None


def tell_untimed(draft: Draft) -> None:
    """That no time was told, and when the message was sent instead."""
    if draft.when is not None and draft.work.stamp(draft.when):
        return
    sent = sent_at(draft)
    say, terms = draft.work.terms.say, draft.work.terms
    label, missing = draft.label("time"), terms.word("not-stated")
    if sent is None:
        draft.say(say("time-not-stated-plain"), Fact(label, missing))
    else:
        stamp = draft.work.stamp(sent)
        draft.say(say("time-not-stated", sent=stamp), Fact(label, missing), Fact(draft.label("sent"), stamp))


def sent_at(draft: Draft) -> When | None:
    """When the message was written or sent."""
    parts = draft.work.parts
    written: Iterator[When | None] = (when(each.peek("date")) for each in parts.all("Composition"))
    return next((each for each in written if each is not None), None) or when(parts.message.get("timestamp"))


def doubt_times(draft: Draft) -> None:
    """Doubts about when it happened: late, ahead of its receipt, impossible, without zone."""
    at, work = draft.when, draft.work
    if at is None:
        return
    doubt_written(draft, at)
    if draft.until is not None:
        doubt_written(draft, draft.until)
        if (length := _length(at, draft.until)) is not None and length < timedelta(0):
            draft.doubt("period-backwards", start=work.stamp(at), end=work.stamp(draft.until))
    if at.moment is None:
        return
    # The message has ended when its last moment has: a night's supervision is not late in the morning.
    ended = draft.until.moment if draft.until is not None and draft.until.moment is not None else at.moment
    late = work.context.received_at - max(ended, at.moment)
    if at.moment < _FIRST:
        draft.untimed = True
        draft.doubt("ancient", time=work.stamp(at))
    elif late < -_AHEAD:
        draft.untimed = True
        draft.doubt("future", time=work.stamp(at))
    elif late > _LATE:
        days = f"{late.days}{writing.NBSP}døgn" if late.days > 1 else writing.duration(late)
        draft.doubt("late", late=days)


def doubt_written(draft: Draft, at: When) -> None:
    """Doubts about how one time is written."""
    if at.doubt == "unreadable-time":
        draft.doubt(at.doubt, time=draft.work.parts.ledger.cleaner.line(at.sent))
    elif at.doubt == "odd-zone":
        draft.doubt(at.doubt)
    elif at.doubt:
        draft.doubt(at.doubt, time=at.clock)


def _length(start: When, end: When) -> timedelta | None:
    return end.moment - start.moment if end.moment is not None and start.moment is not None else None


def of_moment(moment: datetime) -> When:
    """A moment that the hub knows, as a time."""
    return When(moment.isoformat(), moment.replace(microsecond=0), writing.local(moment).date())


def span_length(start: When | None, end: When | None) -> str:
    """How long it lasted; nothing when it was not told or runs backwards."""
    length = _length(start, end) if start is not None and end is not None else None
    return writing.duration(length) if length is not None and length > timedelta(0) else ""
