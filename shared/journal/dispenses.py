"""Notes of what a medicine dispenser handed out (MedicationDispense).

*Utlevert* is never *tatt*: the machine knows that a dose left it. Code 2 was "not handed out" until November 2021 and
is "handed out ahead of a journey" now, so words that contradict a code hold the message (shared/journal/holding.py).
"""

from dataclasses import dataclass
from typing import Final

from shared.journal import alerts, common, log, sections
from shared.journal.ledger import Node
from shared.journal.model import Fact, Omission, Row, Table
from shared.journal.naming import Wording, wording
from shared.journal.plain import quoted
from shared.journal.terms import capital
from shared.journal.when import When, when
from shared.journal.work import Draft, Work, person_name, quoted_all

_PERSONS: Final = ("urn:oid:2.16.578.1.12.4.1.4.4", "urn:oid:2.16.578.1.12.4.1.4.1", "urn:oid:2.16.578.1.12.4.1.4.2")
_PERSON_KINDS: Final = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "CareTeam")
_UNKNOWN_MEDICINE: Final = "ukjent medisin"
_UNDONE: Final = ("cancelled", "stopped", "declined")
_NOW: Final = {"1": "1", "18": "1.2", "20": "2", "19": "3"}
"""Codes of edition v06 that say what a code of today says."""
_ORDINARY: Final = ("1", "1.1", "1.2", "1.3")


@dataclass(frozen=True, slots=True)
class Dispense:
    """What one MedicationDispense tells."""

    said: Wording
    code: str
    """Of today's list; nothing when an older edition says something that today's list does not."""
    at: When | None
    prepared: bool
    """The time is when it was made ready; when it was handed out was not told."""
    medicine: tuple[str, ...]
    dose: tuple[str, ...]
    persons: tuple[str, ...]
    devices: tuple[str, ...]
    status: str

    @property
    def undone(self) -> bool:
        """Whether the sender says that it did not happen."""
        return self.status in _UNDONE


def read_dispense(draft: Draft, node: Node) -> Dispense:
    """Read one MedicationDispense."""
    work = draft.work
    said = wording(node.one("category"), work.language, "dispense", "dispense-v06")
    code = said.code or ""
    if said.of == "dispense-v06":
        code = _NOW.get(code, "")
    handed, prepared = when(node.told_value("whenHandedOver")), when(node.told_value("whenPrepared"))
    persons, devices = _performers(draft, node)
    node.leave(Omission.CODE, "status")
    return Dispense(
        said,
        code,
        handed or prepared,
        handed is None and prepared is not None,
        _medicine(draft, node),
        tuple(text for each in node.each("dosageInstruction") if (text := each.told("text")) is not None),
        persons,
        devices,
        node.raw("status") or "",
    )


def _medicine(draft: Draft, node: Node) -> tuple[str, ...]:
    concept = node.one("medicationCodeableConcept")
    reference = node.one("medicationReference")
    said = wording(concept, draft.work.language)
    for text in said.theirs:
        if _unknown(text):
            said.drop(text, Omission.EMPTY)
    names = list(said.theirs)
    if reference is not None:
        names += filter(None, [reference.told("display")])
        target = draft.work.parts.target(reference)
        if target is not None:
            names += wording(target.one("code"), draft.work.language).theirs
    return tuple(dict.fromkeys(name for name in names if not _unknown(name)))


def _unknown(name: str) -> bool:
    return name.casefold().strip(" .") == _UNKNOWN_MEDICINE


def _performers(draft: Draft, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Persons and devices. The device stands first; who helped comes after it (VkpMedicationDispense)."""
    persons: list[str] = []
    devices: list[str] = []
    for number, performer in enumerate(node.each("performer")):
        actor = performer.one("actor")
        if actor is None or (name := person_name(actor, draft.work)) is None:
            continue
        identifier = actor.one("identifier")
        system = identifier.raw("system") if identifier is not None else None
        target = draft.work.parts.target(actor)
        kind = actor.raw("type") or (target.kind if target is not None else "")
        person = system in _PERSONS or kind in _PERSON_KINDS or (number > 0 and kind != "Device")
        (persons if person else devices).append(name)
    return tuple(dict.fromkeys(persons)), tuple(dict.fromkeys(devices))


def heading_of(work: Work, dispense: Dispense) -> tuple[str, str]:
    """The heading's first words, and the mark after its time."""
    terms, code = work.terms, dispense.code
    if dispense.undone:
        return terms.heading("dispense-not-done"), ""
    if not code:
        return terms.heading("dispenser", type=dispense.said.text or ""), ""
    key = {"1.3": "dispensed-as-needed", "3": "message-read"}.get(code, "dispensed")
    if code.startswith("2"):
        key = "dispensed-travel"
    mark = {"1.1": "unassisted", "2.1": "unassisted", "1.2": "assisted", "2.2": "assisted"}.get(code)
    return terms.heading(key), terms.word(mark) if mark else ""


def dispense_note(work: Work) -> Draft:
    """A note of one MedicationDispense, or of several in one message."""
    nodes = work.parts.all("MedicationDispense")
    draft = Draft(work, "dispense/1", "")
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    if len(nodes) > 1:
        devices += _tell_several(draft, [read_dispense(draft, node) for node in nodes])
    else:
        devices += _tell_one(draft, read_dispense(draft, nodes[0]))
    alerts.tell_titled(draft)
    log.tell_said(draft, treatment)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_equipment(draft, list(dict.fromkeys(devices)))
    return draft


def _tell_one(draft: Draft, dispense: Dispense) -> list[str]:
    draft.type, mark = heading_of(draft.work, dispense)
    draft.when = dispense.at
    marks = [text.strip("()") for text in (mark, *_status_marks(draft, dispense)) if text]
    if marks:
        draft.marks.append(f"({', '.join(marks)})")
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    _tell_facts(draft, dispense)
    return list(dispense.devices)


def _status_marks(draft: Draft, dispense: Dispense) -> list[str]:
    terms = draft.work.terms
    marks = [terms.word("prepared")] if dispense.prepared else []
    if dispense.status == "in-progress":
        marks.append(terms.word("in-progress"))
    elif dispense.status not in ("", "completed", *_UNDONE):
        word = terms.code("dispense-status", dispense.status) or terms.word("not-stated")
        marks.append(terms.word("status", status=word))
    return marks


def _tell_facts(draft: Draft, dispense: Dispense) -> None:
    work, terms = draft.work, draft.work.terms
    first = len(draft.blocks)
    if dispense.undone:
        word = terms.code("dispense-status", dispense.status) or terms.word("not-stated")
        draft.say(terms.say("dispense-status", status=word), Fact(draft.label("status"), word))
    elif dispense.code == "3":
        time = work.at(dispense.at, dispense.at)
        key = "message-read" if time else "message-read-untimed"
        draft.say(terms.say(key, patient=work.patient, time=time))
    draft.fact("sender-text", quoted_all(list(dispense.said.theirs)))
    if dispense.said.of == "dispense-v06":
        draft.doubt("old-list")
    draft.fact("medicine", ", ".join(dispense.medicine))
    _tell_dose(draft, dispense)
    label = "assisted-by" if dispense.code in ("1.2", "2.2") else "performer"
    draft.fact(label, ", ".join(dispense.persons))
    if not dispense.undone and dispense.code and dispense.code != "3":
        draft.say(terms.say("dispensed-not-taken"))
    draft.join(first)


def _tell_dose(draft: Draft, dispense: Dispense) -> None:
    if dispense.code == "3":
        for text in dispense.dose:
            draft.quote(draft.label("message"), draft.label("message"), text)
    else:
        key = "travel-for" if dispense.code.startswith("2") else "dose"
        draft.fact(key, quoted_all(list(dispense.dose)))


def tell_dispense(draft: Draft, node: Node) -> None:
    """A dispense beside an alert: a fact of its own, never "solved"."""
    dispense = read_dispense(draft, node)
    type_, mark = heading_of(draft.work, dispense)
    stamp = draft.work.at(dispense.at, draft.when)
    said = " ".join(filter(None, [type_, stamp, mark, *_status_marks(draft, dispense)]))
    draft.fact("dispensed", ", ".join([said, *_details(dispense), *dispense.devices]))
    if dispense.said.of == "dispense-v06":
        draft.doubt("old-list")


def _tell_several(draft: Draft, dispenses: list[Dispense]) -> list[str]:
    work, terms = draft.work, draft.work.terms
    draft.type = terms.heading("dispensed-list")
    times = [each.at for each in dispenses if each.at is not None]
    draft.when = times[0] if times else None
    draft.dated_only = True
    alerts.tell_event(draft)
    ordinary = all(each.code in _ORDINARY and not each.undone and not each.prepared for each in dispenses)
    same_day = len({each.day for each in times}) == 1 and len(times) == len(dispenses)
    if work.choices.daily_dispense_list and ordinary and same_day:
        shown = [_listed(draft, each) for each in sorted(dispenses, key=lambda each: work.stamp(each.at))]
        key = "dispensed-count" if len(shown) > 1 else "dispensed-count-one"
        draft.say(terms.say(key, date=work.date(draft.when), times=", ".join(shown), count=len(shown)))
    else:
        header = (terms.label("time"), terms.label("event"), terms.label("dose"))
        rows = tuple(_row(draft, each) for each in dispenses)
        draft.blocks.append(Table(terms.label("dispensed"), header, rows, run_on=False))
    if any(each.code and each.code != "3" and not each.undone for each in dispenses):
        draft.say(terms.say("dispensed-not-taken"))
    if any(each.said.of == "dispense-v06" for each in dispenses):
        draft.doubt("old-list")
    return [name for each in dispenses for name in each.devices]


def _details(dispense: Dispense) -> list[str]:
    return [*dispense.medicine, *map(quoted, dispense.dose), *map(quoted, dispense.said.theirs), *dispense.persons]


def _listed(draft: Draft, dispense: Dispense) -> str:
    time = draft.work.clock(dispense.at) or draft.work.terms.word("time-not-stated")
    kind = {"1.2": draft.work.terms.word("assisted").strip("()")}.get(dispense.code)
    if dispense.code == "1.3":
        kind = dispense.said.ours
    inside = ", ".join(filter(None, [kind, *_details(dispense)]))
    return f"{time} ({inside})" if inside else time


def _row(draft: Draft, dispense: Dispense) -> Row:
    terms = draft.work.terms
    type_, mark = heading_of(draft.work, dispense)
    what = " ".join(filter(None, [type_, mark, *_status_marks(draft, dispense)]))
    time = draft.work.stamp(dispense.at) or terms.word("time-not-stated")
    details = ", ".join(_details(dispense)) or terms.word("not-stated")
    prose = f"{what} {time}" + (f": {details}" if _details(dispense) else "")
    return Row(prose, capital(what), f"{time}, {details}" if _details(dispense) else time, (time, what, details))
