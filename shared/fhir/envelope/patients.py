"""Whom a message is about: exactly one patient, or none, or a mix-up.

A patient is named by the `subject` or `patient` of each resource, by Patient resources, and by every other Reference
that says it is to a Patient, such as who answered a form. Mentions that share an identifier or a reference are of the
same person. Two persons in one message are refused: a note in the wrong journal is the worst a hub can do (a published
GPS example names one person in its Patient and another in its Flag). So are two mentions that nothing shows to be the
same person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shared.fhir.envelope.references import Found, Link, Survey, Way
from shared.fhir.identifiers import FNR, NATIONAL, REFERENCE, PatientKey, identifier_of, patient_key
from shared.fhir.values import JsonObject, JsonValue, Path
from shared.identity.person import person_number

_MENTIONED_BY = ("subject", "patient")
_INSIDE = "in this message"
"""Stands as system for a Patient resource in the message: it joins those who refer to it, and tells nobody else who."""
# Senders also write `patient/17`, and a version may follow.
_LITERAL = re.compile(r"(?P<base>https?://\S+/)?(?P<type>[A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/\S+)?")
_SHOWN_NUMBER = re.compile(r"[0-9]{6} ?[0-9]{5}")


class Mention(NamedTuple):
    """One place that names a patient, and under which keys."""

    path: Path
    keys: tuple[PatientKey, ...]
    vouches: bool = False
    """A Patient resource: its identifiers are all one person's, also two of one system."""
    shown: PatientKey | None = None
    """The national number that stands where a name belongs. It tells nobody who is meant, but must not be another."""


@dataclass(frozen=True, slots=True)
class Patients:
    """What a message's mentions come to."""

    key: PatientKey | None
    """The one patient, by the strongest identifier there is: a national number, else a local one, else a reference."""
    conflict: Path | None
    """The first place that names somebody else than the places before it."""


def mentions(surveyed: Survey) -> Iterator[Mention]:
    """Every place in a message that names a patient."""
    keys = _Keys(surveyed)
    for found in surveyed.resources:
        if found.kind == "Patient":
            yield Mention(found.path, tuple(keys.of_patient(found.resource)), vouches=True)
        for path, value in _named(found):
            yield Mention(path, tuple(keys.of_reference(value, found)), shown=_shown(value))
    for link in surveyed.links:
        if (link.target or link.way is Way.OUTSIDE or "type" in link.value) and not _is_link_of_records(link):
            yield Mention(link.path, tuple(keys.of_reference(link.value, link.home, explicit=True)))


def names_nobody(found: Found, surveyed: Survey) -> bool:
    """Whether a resource says about nobody that it is about them."""
    keys = _Keys(surveyed)
    return not any(any(keys.of_reference(value, found)) for _, value in _named(found))


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
            one_person = other == key or key.system in (REFERENCE, _INSIDE)
            if not one_person and not vouchers.get(key, set()) & vouchers.get(other, set()):
                return Patients(None, mention.path)
    known = {key for mention in named for key in mention.keys if key.system != _INSIDE}
    national = {key for key in known if key.system in NATIONAL}
    for mention in found:
        if mention.shown is not None and national and mention.shown not in national:
            return Patients(None, mention.path)
    return Patients(min(known, key=_weakness, default=None), None)


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


def _named(found: Found) -> Iterator[tuple[Path, JsonObject]]:
    for name in _MENTIONED_BY:
        value = found.resource.get(name)
        if isinstance(value, dict):
            yield (*found.path, name), value
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, dict):
                    yield (*found.path, name, index), each


def _is_link_of_records(link: Link) -> bool:
    """Patient.link leads to another record of the same person, or to one that is not the patient's at all."""
    return link.home.kind == "Patient" and link.path[len(link.home.path)] == "link"


def _shown(value: JsonObject) -> PatientKey | None:
    display = value.get("display")
    if not isinstance(display, str) or not _SHOWN_NUMBER.fullmatch(display.strip()):
        return None
    number = display.replace(" ", "")
    return patient_key((FNR, number)) if person_number(number).valid else None


def _is_patient(claimed: JsonValue) -> bool:
    return isinstance(claimed, str) and claimed.strip().rpartition("/")[2] == "Patient"


class _Keys:
    """The keys under which the places of one message name patients. Most places name the same one in the same words."""

    def __init__(self, surveyed: Survey) -> None:
        self._surveyed = surveyed
        self._known: dict[tuple[str, str], PatientKey] = {}

    def of_patient(self, patient: JsonObject) -> Iterator[PatientKey]:
        """The keys of a Patient resource: its identifiers, and the resource itself."""
        identifiers = patient.get("identifier")
        for each in identifiers if isinstance(identifiers, list) else ():
            if (key := self.of_identifier(each)) is not None:
                yield key
        yield PatientKey(_INSIDE, str(id(patient)))

    def of_reference(self, value: JsonObject, found: Found, *, explicit: bool = False) -> Iterator[PatientKey]:
        """None when a Reference names something else than a patient, or one only by its display.

        `explicit`: the place may hold others than patients, so the Reference itself must say that it is to one.
        """
        claimed = value.get("type")
        if claimed is not None and not _is_patient(claimed):
            return
        reference = value.get("reference")
        target, literal = None, None
        if isinstance(reference, str):
            target = self._surveyed.target(reference, found)
            if target is not None and target.get("resourceType") != "Patient":
                return
            literal = _LITERAL.fullmatch(reference.strip()) if target is None else None
            if literal and literal["type"].lower() != "patient":
                return
        if explicit and claimed is None and target is None and literal is None:
            return
        if (key := self.of_identifier(value.get("identifier"))) is not None:
            yield key
        if target is not None:
            yield from self.of_patient(target)
        if literal:
            yield PatientKey(REFERENCE, f"{literal['base'] or ''}Patient/{literal['id']}")

    def of_identifier(self, value: JsonValue) -> PatientKey | None:
        if not isinstance(value, dict):
            return None
        system, number = value.get("system"), value.get("value")
        if not isinstance(system, str) or not isinstance(number, str) or "assigner" in value:
            identifier = identifier_of(value)
            return patient_key(identifier) if identifier is not None else None
        key = self._known.get((system, number))
        if key is None and (identifier := identifier_of(value)) is not None:
            key = self._known[system, number] = patient_key(identifier)
        return key
