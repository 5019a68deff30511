"""A message becomes a note, or waits for a person. Pure: the same message and context give the same note."""

import re
from typing import Final

from shared.fhir.expressions import expression
from shared.fhir.values import JsonObject, Path
from shared.journal import alerts, common, corrections, forms, leftovers, observations, sections
from shared.journal.alerts import Alert
from shared.journal.corrections import Standing
from shared.journal.deviations import deviation_note
from shared.journal.dispenses import dispense_note, tell_dispense
from shared.journal.holding import held_for
from shared.journal.home import home_note
from shared.journal.ledger import Ledger
from shared.journal.location import location_note
from shared.journal.model import Block, Earlier, Held, LeftOut, Note, NoteChoices, NoteContext, Omission, Statement
from shared.journal.notes import form_note, free_note, other_note
from shared.journal.parts import sort
from shared.journal.sendertext import Cleaner
from shared.journal.supervision import supervision_note
from shared.journal.terms import terms
from shared.journal.work import Draft, Work

HEADING: Final = 80
"""Characters of the longest heading: what journals show in a list of notes."""
_INDEX: Final = re.compile(r"\[[0-9]+\]")
_DEFAULTS: Final = NoteChoices()


def render(message: JsonObject, context: NoteContext, choices: NoteChoices = _DEFAULTS) -> Note | Held:
    """Write the note of a repaired message (shared/fhir/repairing/), with decimals as they were sent.

    Takes any message that the checker accepts, and copes with any other JSON object.
    """
    cleaner = Cleaner(choices)
    work = Work(sort(message, Ledger(cleaner)), terms(choices.language), choices, context)
    if (reason := held_for(work)) is not None:
        return Held(reason)
    standing = corrections.standing(work)
    draft = corrections.withdrawn_note(work) if standing is Standing.WITHDRAWAL else _written(work, standing)
    heading = _heading(draft)
    footer = _footer(draft)
    return Note(
        heading,
        draft.finish(),
        footer,
        work.language,
        draft.template,
        draft.when.moment if draft.when is not None else None,
        _left_out(message, work.parts.ledger),
        tuple(sorted(cleaner.remarks)),
    )


def _left_out(message: JsonObject, ledger: Ledger) -> tuple[LeftOut, ...]:
    """What was left out, once for all items of a list: `Bundle.entry.resource.event.code.coding.system`."""
    found: dict[tuple[Path, Omission], Path] = {}
    for path, why in ledger.left_out.items():
        whole = path[-1:] == ("resource",)
        found.setdefault((tuple(step for step in path if whole or isinstance(step, str)), why), path)
    shown = [LeftOut(_place(message, path), why) for (_, why), path in found.items()]
    return tuple(dict.fromkeys(shown))


def _place(message: JsonObject, path: Path) -> str:
    place = expression(message, path)
    return place if path[-1:] == ("resource",) else _INDEX.sub("", place)


def _written(work: Work, standing: Standing) -> Draft:
    draft = template(work)
    if standing is Standing.PRELIMINARY:
        draft.marks.append(work.terms.word("preliminary"))
    _tell_unread(draft)
    sections.tell_titles(draft)
    leftovers.sweep(draft)
    common.doubt_times(draft)
    if standing is Standing.CORRECTION:
        draft.type = work.terms.heading("correction", heading=draft.type)
        corrections.tell_correction(draft, _before(work, work.context.corrects))
    return draft


def template(work: Work) -> Draft:
    """Which kind of note a message gets, written."""
    parts = work.parts
    alert = alerts.read_alert(work)
    code = alert.code or ""
    if parts.all("Encounter"):
        return supervision_note(work, alert)
    if alert.issue is not None or code:
        return _of_alert(work, alert, code)
    if parts.all("MedicationDispense"):
        return dispense_note(work)
    if parts.all("QuestionnaireResponse"):
        return form_note(work)
    if parts.all("Observation"):
        return observations.measurement_note(work)
    if parts.all("Location"):
        return location_note(work, alert)
    composition = parts.first("Composition")
    return free_note(work, composition) if composition is not None else other_note(work, alert)


def _of_alert(work: Work, alert: Alert, code: str) -> Draft:
    family = code.partition(".")[0]
    if family == "1" and alert.ours is not None:
        return deviation_note(work, alert)
    if family == "2" or (not code and work.parts.all("Location")):
        return location_note(work, alert)
    if family == "5" and alert.ours is not None:
        return home_note(work, alert)
    if not code and work.parts.all("MedicationDispense"):
        return dispense_note(work)
    return alerts.alert_note(work, alert)


def _tell_unread(draft: Draft) -> None:
    """Measurements, forms and dispenses that came with something else."""
    parts, ledger = draft.work.parts, draft.work.parts.ledger
    opened = ledger.opened()
    found = [node for node in parts.all("Observation") if node.path not in opened]
    if found:
        observations.tell(draft, [observations.read(draft, node) for node in found])
    for node in parts.all("MedicationDispense"):
        if node.path not in opened:
            tell_dispense(draft, node)
    for node in parts.all("QuestionnaireResponse"):
        if node.path not in opened:
            forms.tell_form(draft, forms.read_form(draft, node), titled=False)


def _before(work: Work, earlier: Earlier | None) -> tuple[Block, ...] | None:
    if earlier is None or earlier.message is None:
        return None
    context = NoteContext(work.context.sender_system, work.context.received_at, earlier.reference, work.context.hub)
    was = render(earlier.message, context, work.choices)
    return was.blocks if isinstance(was, Note) else None


def _heading(draft: Draft) -> str:
    work = draft.work
    time = ""
    if not draft.untimed:
        if draft.dated_only:
            days = list(dict.fromkeys(filter(None, (work.date(draft.when), work.date(draft.until)))))
            time = "–".join(days)
        elif draft.spanned:
            time = work.span(draft.when, draft.until, None)
        else:
            time = work.stamp(draft.when)
    rest = "".join(f" {part}" for part in filter(None, [time, *draft.marks]))
    rest += f" – {draft.state}" if draft.state else ""
    if len(draft.type) + len(rest) <= HEADING:
        return draft.type + rest
    label = draft.label("event")
    draft.blocks.insert(0, Statement(f"{label}: {draft.type}.", ()))
    return shortened(draft.type, HEADING - len(rest)) + rest


def shortened(text: str, length: int) -> str:
    """Cut at a word, with an ellipsis."""
    cut = text[: max(length - 1, 1)]
    whole = cut.rpartition(" ")[0] if " " in cut[1:] and not text[len(cut) : len(cut) + 1].isspace() else cut
    return f"{whole.rstrip(' ,;:–-')}…"


def _footer(draft: Draft) -> str:
    work, say = draft.work, draft.work.terms.say
    line = work.parts.ledger.cleaner.line
    received = common.of_moment(work.context.received_at)
    values = {
        "sender": line(work.context.sender_system) or work.terms.word("sender-unnamed"),
        "hub": line(work.context.hub),
        "date": work.date(received),
        "time": work.clock(received),
        "reference": line(work.context.reference),
    }
    if draft.footer_author:
        return say("written-footer", author=draft.footer_author, **values)
    return say("automatic-footer", **values)
