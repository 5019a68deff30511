"""Notes of digital home follow-up (alert codes 5.x): measurements, forms, what did not come, summaries.

*Ikke mottatt* says that nothing came, not that nothing was done; *inaktiv pasient* is about the solution, not the body.
"""

from collections.abc import Callable
from typing import Final

from shared.journal import alerts, common, forms, log, observations, sections
from shared.journal.alerts import Alert
from shared.journal.model import Fact
from shared.journal.naming import wording
from shared.journal.plain import quoted
from shared.journal.terms import capital
from shared.journal.work import Draft, Work, labelled

_MISSING: Final = {"5.3.1": "form-missing", "5.3.2": "measurement-missing"}
_ACTIONS: Final = ("5.2", "5.2.3")


def home_note(work: Work, alert: Alert) -> Draft:
    """A note of an alert from home follow-up."""
    draft = alerts.begin(work, alert, "home/1", "")
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    tell_body = _headed(draft, alert)
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    tell_body()
    alerts.tell_theirs(draft, alert)
    _tell_detail(draft, alert)
    said = log.tell_said(draft, treatment)
    if alert.code in (*_MISSING, "5.3") and not said and not texts.human:
        fact = Fact(draft.label("follow-up"), work.terms.word("not-stated"))
        draft.say(work.terms.say("follow-up-not-stated"), fact)
    if alert.code != "5.1":
        alerts.tell_other_alerts(draft, alert)
    common.tell_severity(draft, alert.issue)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_equipment(draft, devices)
    return draft


def _headed(draft: Draft, alert: Alert) -> Callable[[], None]:
    """Set the heading; give back what tells the body."""
    work, terms, code = draft.work, draft.work.terms, alert.code
    measured = work.parts.all("Observation")
    answered = work.parts.all("QuestionnaireResponse")
    if code == "5.2.1" and measured:
        found = [observations.read(draft, node) for node in measured]
        raised, ended = draft.when, draft.until
        observations.head(draft, found)
        draft.when, draft.until = draft.when or raised, draft.until or (ended if draft.when is None else None)
        return lambda: observations.tell(draft, found)
    if code == "5.2.2" and answered:
        form = forms.read_form(draft, answered[0])
        draft.type = forms.form_heading(work, form)
        draft.when = form.at or draft.when
        return lambda: _tell_forms(draft, form)
    if code in _MISSING:
        return _missing(draft, alert)
    if code == "5.1":
        draft.type, draft.dated_only = terms.heading("summary"), True
        return lambda: _tell_summary(draft, alert)
    if code == "5.3":
        draft.type, draft.dated_only = terms.heading("inactive"), True
        if draft.until is not None:
            span = work.span(draft.when, draft.until, None)
            return lambda: draft.fact("period", span)
    elif code in _ACTIONS and alert.theirs:
        draft.type = terms.heading("action-what", what=alert.theirs[0])
    elif code in _ACTIONS:
        draft.type = terms.heading("action")
    elif code == "5":
        draft.type = terms.heading("home")
    else:
        draft.type = capital(alert.ours or terms.heading("home"))
    return lambda: None


def _missing(draft: Draft, alert: Alert) -> Callable[[], None]:
    """What did not come, and when it should have."""
    terms, work = draft.work.terms, draft.work
    key = _MISSING[alert.code or ""]
    issue = alert.issue
    detail = work.parts.ledger.cleaner.line(issue.raw("detail") or "") if issue is not None else ""
    what = detail or next(iter(alert.theirs), "")
    if issue is not None and detail:
        issue.mark("detail")
    draft.type = terms.heading(f"{key}-what", what=what) if what else terms.heading(key)
    start, deadline = draft.when, draft.until
    draft.dated_only = True
    if deadline is None:
        return lambda: None
    draft.when, draft.until = deadline, None

    def tell() -> None:
        draft.fact("deadline", work.stamp(deadline))
        draft.fact("period", work.span(start, deadline, None))

    return tell


def _tell_detail(draft: Draft, alert: Alert) -> None:
    issue = alert.issue
    if issue is None or alert.code in _MISSING:
        return
    alerts.tell_detail(draft, issue)


def _tell_forms(draft: Draft, form: forms.Form) -> None:
    work = draft.work
    for node in work.parts.all("Observation"):
        one = observations.read(draft, node)
        value = one.value.text or work.terms.word("not-stated")
        fact = Fact(capital(one.name), value)
        draft.say(labelled(fact.label, fact.value), fact)
        for fact in one.facts:
            draft.say(f"{fact.label}: {fact.value}.", fact)
        for lead, text in one.comments:
            draft.quote(lead, lead, text)
    forms.tell_form(draft, form, titled=True)
    for node in work.parts.all("QuestionnaireResponse")[1:]:
        forms.tell_form(draft, forms.read_form(draft, node), titled=False)


def _tell_summary(draft: Draft, alert: Alert) -> None:
    """The alerts that the summary is of, each with its time."""
    work = draft.work
    shown: list[str] = []
    for issue in work.parts.all("DetectedIssue", "Flag"):
        if alert.issue is not None and issue.path == alert.issue.path:
            continue
        said = wording(issue.one("code"), work.language, "alert", "flag")
        at, until = common.event_time(draft, issue)
        words = capital(said.ours or next(iter(said.theirs), "") or said.code or "")
        more = [text for text in said.theirs if text != words]
        if more:
            words = f"{words} – {', '.join(map(quoted, more))}"
        detail = issue.told("detail")
        if detail is not None and detail not in words:
            words = f"{words}, {quoted(detail)}"
        inside = [*filter(None, [work.span(at, until, draft.when)]), *common.severity_in_list(draft, issue)]
        shown.append(f"{words} ({', '.join(inside)})" if inside else words)
    if shown:
        draft.fact("alerts", "; ".join(shown))
    found = [observations.read(draft, node) for node in work.parts.all("Observation")]
    observations.tell(draft, found)
    for node in work.parts.all("QuestionnaireResponse"):
        forms.tell_form(draft, forms.read_form(draft, node), titled=False)
