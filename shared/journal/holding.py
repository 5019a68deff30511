"""When no note is written and a person must see the message first.

Two patients in one message, and medication events whose code and words contradict each other, are never written up: a
note in the wrong journal, or a dose that reads as handed out and was not, is worse than a note that waits.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from shared.fhir import codes
from shared.fhir.codes import Code, Spelling
from shared.fhir.envelope.patients import mentions, one_patient
from shared.fhir.envelope.references import survey
from shared.fhir.values import JsonObject
from shared.journal.ledger import Node, extension
from shared.journal.model import HeldReason
from shared.journal.parts import CLINICAL
from shared.journal.when import when
from shared.journal.work import Work

_DISPENSE: Final = ("medicationdispense-events", "medicationdispense-events-v06")
_TEST: Final = ("medicationdispense-events-v06", "0")
_ALERT: Final = "alert-code"
_EXPECTANT: Final = "BL"
_DAY: Final = timedelta(days=1)


def held_for(work: Work) -> HeldReason | None:
    """Why a person must see the message; None when a note can be written."""
    parts = work.parts
    persons = one_patient(list(mentions(parts.surveyed)))
    if persons.conflict is not None:
        return HeldReason.TWO_PATIENTS
    if not parts.all(*CLINICAL):
        return HeldReason.NOTHING_TO_TELL
    if persons.key is None:
        return HeldReason.NO_PATIENT
    corrects = work.context.corrects
    if corrects is not None and corrects.message is not None and not _same_patient(parts.message, corrects.message):
        return HeldReason.WRONG_PATIENT
    if any(_expectant(node) for node in parts.all("DetectedIssue", "Flag", "Composition", "Encounter")):
        return HeldReason.TRIAGE_EXPECTANT
    for dispense in parts.all("MedicationDispense"):
        if (reason := _dispense(work, dispense)) is not None:
            return reason
    concepts = [(node, node.one("code")) for node in parts.all("DetectedIssue", "Flag")]
    concepts += [(node, node.one("type")) for node in parts.all("Composition")]
    for node, concept in concepts:
        if concept is not None and (reason := _alert(work, node, concept)) is not None:
            return reason
    return None


def _same_patient(message: JsonObject, earlier: JsonObject) -> bool:
    together = [*mentions(survey(message)), *mentions(survey(earlier))]
    return one_patient(together).conflict is None


def _expectant(node: Node) -> bool:
    for each in extension(node, "vkp-triage"):
        for name in ("valueCodeableConcept", "valueCoding"):
            for concept in each.each(name):
                if any(coding.raw("code") == _EXPECTANT for coding in (*concept.each("coding"), concept)):
                    return True
    return False


def _codings(concept: Node) -> Iterator[tuple[Node, str, str]]:
    for coding in concept.each("coding"):
        yield coding, (coding.raw("system") or "").strip(), (coding.raw("code") or "").strip()


def _dispense(work: Work, node: Node) -> HeldReason | None:
    concept = node.one("category")
    if concept is None:
        return HeldReason.MEDICATION_UNKNOWN
    known = False
    for coding, system, code in _codings(concept):
        found = codes.lookup(system or codes.code_list(_DISPENSE[0]).system, code)
        if found is None or found.list_name not in _DISPENSE:
            continue
        known = True
        if (found.list_name, code) == _TEST:
            return HeldReason.TEST_MESSAGE
        # Of the lists before today's only v06 is known by its own meanings.
        older = codes.spelling(system) is Spelling.OLDER and not system.rstrip("/").endswith("-v06")
        if older or found.current is None or _contradicted(found, concept, coding):
            return HeldReason.MEDICATION_CONTRADICTS
    if not known:
        return HeldReason.MEDICATION_UNKNOWN
    return _future(work, node, "whenHandedOver", "whenPrepared")


def _alert(work: Work, node: Node, concept: Node) -> HeldReason | None:
    for coding, system, code in _codings(concept):
        found = codes.lookup(system, code)
        if found is None or found.list_name != _ALERT or code.partition(".")[0] != "1":
            continue
        if found.current is None or codes.spelling(system) is Spelling.OLDER or _contradicted(found, concept, coding):
            return HeldReason.MEDICATION_CONTRADICTS
        if (reason := _future(work, node, "identifiedDateTime")) is not None:
            return reason
    return None


def _contradicted(found: Code, concept: Node, coding: Node) -> bool:
    words = [coding.raw("display"), concept.raw("text")]
    return any(word is not None and codes.contradicts(found, word) is not None for word in words)


def _future(work: Work, node: Node, *names: str) -> HeldReason | None:
    for name in names:
        at = when(node.peek(name))
        if at is not None and at.moment is not None and at.moment - work.context.received_at > _DAY:
            return HeldReason.MEDICATION_FUTURE
    return None
