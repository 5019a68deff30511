"""Notes of a medicine dispenser's alerts (alert codes 1 and 1.x).

*Ikke utlevert* says nothing of what was taken later, and a technical fault says nothing of the dose. Whether somebody
followed up is told in every note: undocumented follow-up is what Helsetilsynet's supervision of 2024–25 found most.
"""

from typing import Final

from shared.journal import alerts, common, log, sections
from shared.journal.alerts import Alert
from shared.journal.dispenses import tell_dispense
from shared.journal.model import Fact
from shared.journal.terms import capital
from shared.journal.work import Draft, Work

_DOSE_UNCLEAR: Final = frozenset({"1.5", "1.6", "1.7", "1.8", "1.9", "1.18", "1.20"})
_GENERIC: Final = "1"


def deviation_note(work: Work, alert: Alert) -> Draft:
    """A note of a dispenser's alert."""
    ours = alert.ours or ""
    heading = capital(ours) if alert.code == _GENERIC else work.terms.heading("dispenser", type=ours)
    draft = alerts.begin(work, alert, "dispenser-alert/1", heading)
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    alerts.tell_theirs(draft, alert)
    said = log.tell_said(draft, treatment)
    alerts.tell_detail(draft, alert.issue)
    if alert.code in _DOSE_UNCLEAR:
        draft.say(work.terms.say("dose-unclear"))
    if not said and not texts.human:
        fact = Fact(draft.label("follow-up"), work.terms.word("not-stated"))
        draft.say(work.terms.say("follow-up-not-stated"), fact)
    for dispense in work.parts.all("MedicationDispense"):
        tell_dispense(draft, dispense)
    alerts.tell_other_alerts(draft, alert)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    alerts.tell_period(draft)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_place(draft)
    common.tell_severity(draft, alert.issue)
    common.tell_equipment(draft, devices)
    return draft
