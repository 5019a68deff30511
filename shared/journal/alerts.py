"""Notes of alerts: safety alarms, sensors, fire and water, locks, nurse call, supervision without an Encounter.

A sensor's alarm is not a fact about the patient: a fall alarm is "fallalarm utløst", and a fire alarm is an alarm.
"""

from dataclasses import dataclass
from typing import Final

from shared.journal import common, log, sections
from shared.journal.ledger import Node
from shared.journal.model import Fact, Language, Omission
from shared.journal.naming import Wording, same, wording
from shared.journal.plain import quoted
from shared.journal.terms import capital, terms
from shared.journal.work import Draft, Work

_RAISED: Final = frozenset({"3", "4.13", "4.14", "7"})
_SENSORS: Final = frozenset({"4.1", "4.2", "4.3", "4.4", "4.20", "7.1", "4.10", "4.17", "4.24"})
_FIRE: Final = "4.11"
_FALL: Final = "4.1"
_CALL: Final = "4.22"
"""A call that failed: who called whom is not told, and no sensor is known to have."""
_LOCK: Final = "6"
_SUPERVISION: Final = frozenset({"4", "4.25", "4.26"})
_WITH_OUTCOME: Final = _RAISED | {_FIRE}


@dataclass(frozen=True, slots=True)
class Alert:
    """The alert that a message is about."""

    issue: Node | None
    said: Wording
    """What the DetectedIssue (or Flag) says."""
    titled: Wording
    """What the Composition says."""

    @property
    def code(self) -> str | None:
        """The code of the alert, of the alert or of the note."""
        return self.said.code or self.titled.code

    @property
    def of(self) -> str:
        """The list of the code."""
        return self.said.of if self.said.code else self.titled.of

    @property
    def ours(self) -> str | None:
        """Our term for it."""
        return self.said.ours or self.titled.ours

    @property
    def theirs(self) -> tuple[str, ...]:
        """The sender's words that are no names of the code, each once."""
        found: list[str] = []
        for text in (*self.said.theirs, *self.titled.theirs):
            if text not in found:
                found.append(text)
        return tuple(found)

    @property
    def contradicted_by(self) -> str | None:
        """Words that say something else than the code."""
        return self.said.contradicted_by or self.titled.contradicted_by

    def drop(self, text: str, why: Omission) -> None:
        """Say why some of the sender's words are not shown."""
        self.said.drop(text, why)
        self.titled.drop(text, why)


def main_issue(work: Work) -> Node | None:
    """The alert that the note is about: the one that a section names first, else the first."""
    issues = work.parts.all("DetectedIssue", "Flag")
    for composition in work.parts.all("Composition"):
        for section in composition.each("section"):
            for entry in section.each("entry"):
                target = work.parts.target(entry)
                if target is not None and target.kind in ("DetectedIssue", "Flag"):
                    return target
    return next(iter(issues), None)


def read_alert(work: Work) -> Alert:
    """The alert of a message, in its own words and its note's."""
    issue = main_issue(work)
    composition = work.parts.first("Composition")
    return Alert(
        issue,
        wording(issue.one("code") if issue is not None else None, work.language, "alert", "flag"),
        wording(composition.one("type") if composition is not None else None, work.language, "alert", "flag"),
    )


def begin(work: Work, alert: Alert, template: str, heading: str) -> Draft:
    """A draft with its heading, its time and the doubts about its code."""
    draft = Draft(work, template, heading)
    draft.when, draft.until = common.event_time(draft, alert.issue)
    both = [terms(language) for language in Language]
    lists = ("alert", "alert-heading", "alert-meaning")
    named = [term for each in both for of in lists if (term := each.code(of, alert.code)) is not None]
    draft.names = (*named, *(each.heading("note") for each in both))
    doubt_code(draft, alert)
    return draft


def doubt_code(draft: Draft, alert: Alert) -> None:
    """Doubts about what the alert is."""
    for said in (alert.said, alert.titled):
        if said.contradicted_by is not None and said.code is not None:
            meaning = draft.work.terms.code("alert-meaning", said.code) or said.ours or ""
            draft.doubt("text-against-code", text=said.contradicted_by, code=said.code, meaning=meaning)
        for further in said.others:
            draft.doubt("two-codes", one=said.code, other=further)
        if said.old and said.code is not None:
            draft.doubt("old-list")
    one, other = alert.said.code, alert.titled.code
    if one and other and alert.said.of == alert.titled.of and one != other and not _kin(one, other):
        draft.doubt("two-codes", one=one, other=other)


def _kin(one: str, other: str) -> bool:
    return one.startswith(f"{other}.") or other.startswith(f"{one}.")


def heading_of(work: Work, alert: Alert) -> str:
    """The first words of the heading."""
    words, code = work.terms, alert.code
    if alert.contradicted_by is not None:
        return capital(alert.contradicted_by)
    if alert.ours is None:
        said = alert.said.theirs or (() if code else alert.titled.theirs)
        if said:
            return capital(said[0])
        return words.heading("unknown-alert", code=code) if code else words.heading("unknown-event")
    if (own := words.code("alert-heading", code)) is not None:
        return own
    if code == _LOCK:
        return words.heading("lock-what", what=alert.theirs[0]) if alert.theirs else words.heading("lock")
    if code in _WITH_OUTCOME | _SENSORS | _SUPERVISION:
        return capital(alert.ours)
    return words.heading("alert", type=alert.ours)


def alert_note(work: Work, alert: Alert) -> Draft:
    """A note of an alert that needs no template of its own."""
    draft = begin(work, alert, "alert/1", heading_of(work, alert))
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    raised = alert.code in _WITH_OUTCOME or alert.contradicted_by is not None
    draft.spanned = True
    if raised:
        draft.state = log.outcome(treatment, draft)
    tell_event(draft)
    first = len(draft.blocks)
    common.tell_untimed(draft)
    named = _tell_what(draft, alert, devices)
    tell_theirs(draft, alert)
    said = log.tell_said(draft, treatment)
    if not said and not texts.human and raised:
        tell_nothing_stated(draft)
    draft.join(first)
    log.tell_log(draft, treatment)
    after = len(draft.blocks)
    tell_other_alerts(draft, alert)
    log.tell_others(draft, treatment)
    common.tell_place(draft)
    common.tell_severity(draft, alert.issue)
    if not named:
        common.tell_equipment(draft, devices)
    draft.join(after)
    tell_detail(draft, alert.issue)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    return draft


def tell_event(draft: Draft) -> None:
    """What the heading says, for lists."""
    facts = [Fact(draft.label("event"), draft.type)]
    until = draft.until if draft.spanned else None
    if stamp := draft.work.span(draft.when, until, None):
        facts.append(Fact(draft.label("time"), stamp))
    if draft.state:
        facts.append(Fact(draft.label("status"), capital(draft.state)))
    draft.say("", *facts)


def _tell_what(draft: Draft, alert: Alert, devices: list[str]) -> bool:
    """The first sentence. Whether it named the equipment."""
    work, say = draft.work, draft.work.terms.say
    code, type_ = alert.code, alert.ours or draft.type
    time = "" if draft.until is not None else work.at(draft.when, draft.when, seconds=True)
    untimed = "" if time else "-untimed"
    if code in _RAISED or alert.contradicted_by is not None:
        if time:
            draft.say(say("alarm-raised", time=time), Fact(draft.label("raised"), time))
        return False
    if code == _FIRE:
        draft.say(say("smoke-alarm" + untimed, time=time))
        tell_period(draft)
        return False
    if code == _LOCK or code in _SUPERVISION or alert.ours is None:
        return False
    if code == _CALL:
        draft.say(say("alert-raised" + untimed, time=time, type=type_))
        return False
    device = capital("; ".join(devices)) if devices else capital(work.terms.word("sensor"))
    key = "fall-alarm" if code == _FALL else "sensor-alarm"
    facts = [Fact(draft.label("equipment"), "; ".join(devices))] if devices else []
    draft.say(say(key + untimed, device=device, time=time, type=type_), *facts)
    tell_period(draft)
    return bool(devices)


def tell_theirs(draft: Draft, alert: Alert) -> None:
    """The sender's own words for the event, unless the heading or a doubt has them."""
    for text in alert.theirs:
        if text == alert.contradicted_by or text in draft.type:
            continue
        if any(same(text, each) for each in (draft.type, *draft.names)):
            alert.drop(text, Omission.REPEATED)
        else:
            name = draft.label("sender-text")
            draft.say(draft.work.terms.say("sender-calls", text=quoted(text)[1:-1]), Fact(name, quoted(text)))


def tell_nothing_stated(draft: Draft) -> None:
    """That neither cause nor measure was told."""
    words = draft.work.terms
    missing = words.word("not-stated")
    draft.say(words.say("nothing-stated"), Fact(draft.label("cause"), missing), Fact(draft.label("measure"), missing))


def tell_period(draft: Draft) -> None:
    """From when to when, and how long, when both ends were told."""
    if draft.until is not None:
        length = common.span_length(draft.when, draft.until)
        draft.fact("period", draft.work.span(draft.when, draft.until, None) + (f" ({length})" if length else ""))


def tell_other_alerts(draft: Draft, alert: Alert) -> None:
    """Further alerts in the same message, each with its time."""
    others = [
        each
        for each in draft.work.parts.all("DetectedIssue", "Flag")
        if alert.issue is None or each.path != alert.issue.path
    ]
    for issue in others:
        said = wording(issue.one("code"), draft.work.language, "alert", "flag")
        at, until = common.event_time(draft, issue)
        words = capital(said.ours or next(iter(said.theirs), "") or said.code or "")
        theirs = [text for text in said.theirs if text != words]
        if theirs:
            words = draft.work.terms.word("sender-calls-it", ours=words, theirs=quoted(", ".join(theirs))[1:-1])
        stamp = draft.work.span(at, until, draft.when)
        graded = common.severity_in_list(draft, issue)
        draft.fact("alert", f"{words} {stamp}".strip() + "".join(f", {each}" for each in graded))
        if said.contradicted_by is not None:
            meaning = said.ours or ""
            draft.doubt("text-against-code", text=said.contradicted_by, code=said.code, meaning=meaning)


def tell_detail(draft: Draft, issue: Node | None) -> None:
    """DetectedIssue.detail, in the sender's words."""
    if issue is not None and (text := issue.told("detail")) is not None:
        lead = draft.work.terms.lead("detail")
        draft.quote(lead, lead, text)


def tell_titled(draft: Draft) -> None:
    """The note's own type, where it is no code of ours and says more than the heading."""
    for composition in draft.work.parts.all("Composition"):
        said = wording(composition.one("type"), draft.work.language, "alert", "flag", "dispense")
        for text in said.theirs:
            if any(same(text, each) for each in (draft.type, *draft.names)):
                said.drop(text, Omission.REPEATED)
            elif text not in draft.type:
                draft.fact("sender-text", quoted(text))
