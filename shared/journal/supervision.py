"""Notes of digital supervision (Encounter): planned or set off by an event, how it was done, what was seen."""

from dataclasses import dataclass
from typing import Final

from shared.journal import alerts, common, log, sections
from shared.journal.alerts import Alert
from shared.journal.ledger import Node
from shared.journal.model import Fact, Language, Omission
from shared.journal.naming import wording
from shared.journal.plain import quoted
from shared.journal.terms import terms
from shared.journal.when import When, when
from shared.journal.work import Draft, Work, person_name, quoted_all

_BY_REASON: Final = {"1": "supervision-planned", "2": "supervision-event"}
_BY_ALERT: Final = {"4.26": "supervision-planned", "4.25": "supervision-event"}


@dataclass(frozen=True, slots=True)
class Supervision:
    """What one Encounter tells."""

    start: When | None
    end: When | None
    reason: str | None
    reason_words: tuple[str, ...]
    forms: tuple[str, ...]
    persons: tuple[str, ...]
    devices: tuple[str, ...]
    status: str
    old_list: bool
    class_code: str | None
    """Of v3-ActCode; `VR` is a digital contact."""


def read_supervision(draft: Draft, encounter: Node) -> Supervision:
    """Read one Encounter."""
    work = draft.work
    period = encounter.one("period")
    start = when(period.told_value("start")) if period is not None else None
    end = when(period.told_value("end")) if period is not None else None
    reason = wording(encounter.one("reasonCode"), work.language, "reason", "alert")
    kind = encounter.one("class")
    class_code = kind.raw("code") if kind is not None else None
    known = class_code is not None and work.terms.code("class", class_code) is not None
    if kind is not None and known:
        kind.leave(Omission.CODE)
    held = wording(kind, work.language, "mode") if kind is not None and not known else None
    encounter.leave(Omission.CODE, "status")
    persons: list[str] = []
    devices: list[str] = []
    forms: list[str] = [held.text] if held is not None and held.text else []
    old = held is not None and held.old
    for participant in encounter.each("participant"):
        for concept in participant.each("type"):
            said = wording(concept, work.language, "mode")
            old = old or (said.old and bool(said.code))
            forms += _form(draft, participant, start, said.ours, said.theirs)
        individual = participant.one("individual")
        if individual is not None and (name := person_name(individual, work)) is not None:
            target = work.parts.target(individual)
            device = individual.raw("type") == "Device" or (target is not None and target.kind == "Device")
            (devices if device else persons).append(name)
    return Supervision(
        start,
        end,
        reason.code if reason.of == "reason" else None,
        (*((reason.ours,) if reason.of == "alert" and reason.ours else ()), *reason.theirs),
        tuple(dict.fromkeys(forms)),
        tuple(dict.fromkeys(persons)),
        tuple(dict.fromkeys(devices)),
        encounter.raw("status") or "",
        old,
        class_code if known else None,
    )


def _form(draft: Draft, participant: Node, beside: When | None, ours: str | None, theirs: tuple[str, ...]) -> list[str]:
    words = ours or ""
    if theirs:
        shown = ", ".join(quoted(text) for text in theirs)
        words = f"{words} ({shown})" if words else shown
    period = participant.one("period")
    if period is None or not words:
        return [words] if words else []
    start, end = when(period.told_value("start")), when(period.told_value("end"))
    if start is not None and end is not None and start.moment and end.moment and end.moment < start.moment:
        draft.doubt("period-backwards", start=draft.work.stamp(start), end=draft.work.stamp(end))
    return [f"{words} {draft.work.span(start, end, beside)}".strip()]


def supervision_note(work: Work, alert: Alert) -> Draft:
    """A note of one or several Encounters."""
    draft = Draft(work, "supervision/1", "")
    read = [read_supervision(draft, encounter) for encounter in work.parts.all("Encounter")]
    main = read[0]
    key = _BY_REASON.get(main.reason or "") or _BY_ALERT.get(alert.code or "") or "supervision"
    draft.type = work.terms.heading(key)
    if main.class_code not in (None, "VR") and key == "supervision" and not main.forms:
        draft.type = work.terms.heading("contact", what=work.terms.code("class", main.class_code))
    draft.when, draft.until, draft.spanned = main.start, main.end, True
    both = [terms(language) for language in Language]
    draft.names = (
        *(each.heading(key) for each in both),
        *(term for each in both if (term := each.code("reason", main.reason)) is not None),
    )
    alerts.doubt_code(draft, alert)
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    if main.status == "cancelled":
        draft.marks.append(work.terms.word("cancelled"))
    elif main.status not in ("", "finished"):
        word = work.terms.code("encounter-status", main.status) or work.terms.word("not-stated")
        draft.marks.append(work.terms.word("status", status=word))
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    for each in read:
        _tell(draft, each, first=each is main)
        devices += [name for name in each.devices if not any(name in known for known in devices)]
    common.tell_place(draft)
    _tell_alerts(draft, alert)
    log.tell_said(draft, treatment)
    sections.tell(draft, texts.human)
    if not texts:
        fact = Fact(draft.label("observation"), work.terms.word("not-stated"))
        draft.say(work.terms.say("observation-not-stated"), fact)
    sections.tell(draft, texts.machine)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_severity(draft, None)
    common.tell_equipment(draft, devices)
    return draft


def _tell(draft: Draft, each: Supervision, *, first: bool) -> None:
    if not first:
        words = draft.work.terms.heading(_BY_REASON.get(each.reason or "", "supervision"))
        draft.fact("event", f"{words} {draft.work.span(each.start, each.end, None)}".strip())
    draft.fact("mode", ", ".join(each.forms))
    draft.fact("performed-by", ", ".join(each.persons))
    draft.fact("reason", quoted_all(list(each.reason_words)))
    if each.old_list:
        draft.doubt("old-list")


def _tell_alerts(draft: Draft, alert: Alert) -> None:
    """The alert that set it off, with its own time: another fact than the supervision."""
    issues = draft.work.parts.all("DetectedIssue", "Flag")
    if issues:
        alerts.tell_other_alerts(draft, Alert(None, alert.said, alert.titled))
    for issue in issues:
        alerts.tell_detail(draft, issue)
    alerts.tell_titled(draft)
