"""Notes that people wrote (Composition without an event), and messages that fit no other template."""

from typing import Final

from shared.journal import alerts, common, forms, log, observations, sections
from shared.journal.alerts import Alert
from shared.journal.ledger import Node
from shared.journal.model import Fact, Omission
from shared.journal.naming import same, wording
from shared.journal.plain import quoted
from shared.journal.terms import capital
from shared.journal.when import when
from shared.journal.work import Draft, Work

_STANDARD: Final = ("http://loinc.org", "http://snomed.info/")


def free_note(work: Work, composition: Node) -> Draft:
    """A note of what somebody wrote, unchanged. Here the Composition's date is the right time: when it was written."""
    draft = Draft(work, "note/1", "")
    draft.when = when(composition.told_value("date"))
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    type_ = composition.one("type")
    for coding in type_.each("coding") if type_ is not None else []:
        # A document code of LOINC or SNOMED CT has an English display, which is no heading in a Norwegian journal.
        if (coding.raw("system") or "").startswith(_STANDARD) and composition.raw("title"):
            coding.leave(Omission.CODE)
    said = wording(type_, work.language, "alert", "flag")
    title = sections.title_of(draft, composition)
    draft.type = capital(title or said.text or work.terms.heading("note"))
    time = work.stamp(draft.when) or work.terms.word("time-not-stated")
    draft.say("", Fact(draft.label("note"), draft.type), Fact(draft.label("written"), time))
    for text in said.theirs:
        if same(text, draft.type) or same(text, work.terms.heading("note")):
            said.drop(text, Omission.REPEATED)
        else:
            draft.fact("sender-text", quoted(text))
    if said.ours is not None and not same(said.ours, draft.type):
        draft.fact("event", capital(said.ours))
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    log.tell_said(draft, treatment)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_equipment(draft, devices)
    if texts.human and not texts.machine:
        draft.footer_author = sections.names(composition.each("author"), draft)
    return draft


def form_note(work: Work) -> Draft:
    """A note of an answered questionnaire without an alert."""
    draft = Draft(work, "form/1", "")
    nodes = work.parts.all("QuestionnaireResponse")
    form = forms.read_form(draft, nodes[0])
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    draft.type, draft.when = forms.form_heading(work, form), form.at
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    found = [observations.read(draft, node) for node in work.parts.all("Observation")]
    observations.tell(draft, found)
    forms.tell_form(draft, form, titled=True)
    for node in nodes[1:]:
        forms.tell_form(draft, forms.read_form(draft, node), titled=False)
    log.tell_said(draft, treatment)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    return draft


def other_note(work: Work, alert: Alert) -> Draft:
    """A message that no template knows: what it says, with nothing added."""
    draft = Draft(work, "other/1", "")
    sender = work.parts.ledger.cleaner.line(work.context.sender_system) or work.terms.word("sender-unnamed")
    draft.type = work.terms.heading("other", sender=sender)
    draft.when, draft.until = common.event_time(draft, alert.issue)
    for communication in work.parts.all("Communication"):
        draft.when = when(communication.told_value("sent")) or when(communication.told_value("received"))
        for payload in communication.each("payload"):
            text = payload.raw("contentString")
            shown = work.parts.ledger.cleaner.block(text) if text is not None else ""
            if shown:
                payload.mark("contentString")
                sender_node = communication.one("sender")
                author = sections.names([sender_node], draft) if sender_node is not None else ""
                lead = work.terms.lead("note-from", author=author) if author else work.terms.lead("note")
                draft.quote(lead, lead, shown)
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    return draft
