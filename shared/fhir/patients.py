"""Whom a message is about: exactly one patient, or none, or a mix-up.

A patient is named by the `subject` or `patient` of each resource, by identifier or by reference, and by Patient
resources. Mentions that share an identifier or a reference are of the same person. Two persons in one message are
refused: a note in the wrong journal is the worst a hub can do (domain/leniency.md 1, the GPS bundle). So are two
mentions that nothing shows to be the same person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.fhir.identifiers import NATIONAL, REFERENCE, PatientKey, identifier_of, patient_key
from shared.fhir.references import Found, Survey
from shared.fhir.values import JsonObject, Path

_MENTIONED_BY = ("subject", "patient")
# Senders also write `patient/17`, and a version may follow.
_LITERAL = re.compile(r"(?P<base>https?://\S+/)?(?P<type>[A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/\S+)?")


@dataclass(frozen=True, slots=True)
class Mention:
    """One place that names a patient, and under which keys."""

    path: Path
    keys: tuple[PatientKey, ...]
    vouches: bool
    """A Patient resource: its identifiers are all one person's, also two of one system."""


@dataclass(frozen=True, slots=True)
class Patients:
    """What a message's mentions come to."""

    key: PatientKey | None
    """The one patient, by the strongest identifier there is: a national number, else a local one, else a reference."""
    conflict: Path | None
    """The first place that names somebody else than the places before it."""


def mentions(surveyed: Survey) -> Iterator[Mention]:
    """Every place in a message that names a patient."""
    for found in surveyed.resources:
        if found.resource.get("resourceType") == "Patient":
            yield Mention(found.path, tuple(_identifier_keys(found.resource)), vouches=True)
        for name in _MENTIONED_BY:
            value = found.resource.get(name)
            if isinstance(value, dict):
                yield Mention((*found.path, name), tuple(_reference_keys(value, found, surveyed)), vouches=False)


def one_patient(found: list[Mention]) -> Patients:
    """Join the mentions into persons: a key, a conflict, or neither when nobody is named."""
    named = [mention for mention in found if mention.keys]
    if not named:
        return Patients(None, None)
    persons = _Persons()
    vouchers: dict[PatientKey, set[int]] = {}
    for number, mention in enumerate(named):
        for key in mention.keys:
            persons.same(mention.keys[0], key)
            if mention.vouches:
                vouchers.setdefault(key, set()).add(number)
    home = persons.of(named[0].keys[0])
    first_of_system: dict[str, PatientKey] = {}
    for mention in named:
        if persons.of(mention.keys[0]) != home:
            return Patients(None, mention.path)
        for key in mention.keys:
            other = first_of_system.setdefault(key.system, key)
            # One person has two numbers of one system (an old and a new one) only where one Patient resource says so.
            if other != key and key.system != REFERENCE and not vouchers.get(key, set()) & vouchers.get(other, set()):
                return Patients(None, mention.path)
    return Patients(min((key for mention in named for key in mention.keys), key=_weakness), None)


class _Persons:
    """Keys joined into persons (union-find: a hostile message may hold a hundred thousand mentions)."""

    def __init__(self) -> None:
        self._leads: dict[PatientKey, PatientKey] = {}

    def of(self, key: PatientKey) -> PatientKey:
        while (lead := self._leads.setdefault(key, key)) != key:
            self._leads[key] = self._leads[lead]
            key = lead
        return key

    def same(self, one: PatientKey, other: PatientKey) -> None:
        self._leads[self.of(other)] = self.of(one)


def _weakness(key: PatientKey) -> tuple[int, PatientKey]:
    return (0 if key.system in NATIONAL else 2 if key.system == REFERENCE else 1), key


def _identifier_keys(patient: JsonObject) -> Iterator[PatientKey]:
    identifiers = patient.get("identifier")
    for each in identifiers if isinstance(identifiers, list) else ():
        identifier = identifier_of(each)
        if identifier is not None:
            yield patient_key(identifier)


def _reference_keys(value: JsonObject, found: Found, surveyed: Survey) -> Iterator[PatientKey]:
    """The keys under which a Reference names a patient; none when it names something else, or only by its display."""
    if value.get("type", "Patient") != "Patient":
        return
    reference = value.get("reference")
    target = surveyed.target(reference, found) if isinstance(reference, str) else None
    if target is not None and target.get("resourceType") != "Patient":
        return
    literal = _LITERAL.fullmatch(reference) if isinstance(reference, str) and target is None else None
    if literal and literal["type"].lower() != "patient":
        return
    identifier = identifier_of(value.get("identifier"))
    if identifier is not None:
        yield patient_key(identifier)
    if target is not None:
        yield from _identifier_keys(target)
    if literal:
        yield PatientKey(REFERENCE, f"{literal['base'] or ''}Patient/{literal['id']}")
