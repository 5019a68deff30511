"""The layer of Norwegian identifiers: whether each number in a message can be what its system says it is.

Every Identifier anywhere in a message is looked at, whatever element holds it. What makes a number a valid one is
decided in `shared.identity`; how grave each fault is, in `data/rules/identifiers.json`. Eleven digits that break the
rules are an error: they may be a slip that makes them somebody else's number. Fewer or more cannot be taken for
anybody, so a warning has to do (the national observation guide's own examples have such numbers).

A message has many identifiers and seldom a fault, so the first walk keeps no paths; the second is made only when the
first met something.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.fhir.envelope.references import WITHOUT_IDENTITY
from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path
from shared.identity.duf import DufFault, duf_fault
from shared.identity.organisation import OrganisationFault, organisation_number
from shared.identity.person import CheckRule, Fault, PersonKind, PersonNumber, Series, person_number
from shared.identity.registers import is_her_id, is_hpr_number, is_resh_id
from shared.identity.series import Environment, Refused, organisation_refused, person_refused
from shared.identity.systems import DNR, FNR, IdentifierKind, kind_of

_WORDS: Final = MappingProxyType({
    IdentifierKind.FNR: "national identity number",
    IdentifierKind.DNR: "D-number",
    IdentifierKind.FHN: "common help number",
    IdentifierKind.HNR: "local help number",
})  # fmt: skip
_FAULTS: Final = {Fault.DATE: "there is no such date", Fault.CHECK_DIGITS: "the check digits do not fit"}
_BY_DIGITS: Final = {
    PersonKind.FNR: IdentifierKind.FNR,
    PersonKind.DNR: IdentifierKind.DNR,
    PersonKind.FHN: IdentifierKind.FHN,
}
_INVALID: Final = {
    IdentifierKind.FNR: "identifier-fnr-invalid",
    IdentifierKind.DNR: "identifier-dnr-invalid",
    IdentifierKind.FHN: "identifier-fhn-invalid",
    IdentifierKind.HNR: "identifier-hnr-invalid",
}
_CONTACT: Final = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
"""ContactPoint.system (R4): a ContactPoint has system and value too."""
_PLAIN: Final = ("display", "reference", "id", "fullUrl")
"""Members that hold text or an address: no place for a national number."""
_LOOKED_AT: Final = frozenset({"value", *_PLAIN})
_LENGTH: Final = 11
_FIVE_DIGITS: Final = re.compile(r"[0-9]{5}")
_IN_TEXT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{6} ?[0-9]{5}(?![0-9A-Za-z])")
_CONTAINERS: Final = (dict, list)
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class _Met(NamedTuple):
    """A rule met in one Identifier: at which member, and words for its text."""

    rule: str
    member: str = "value"
    words: Mapping[str, str] = _NONE


def check_identifiers(message: JsonObject, environment: Environment, findings: Findings) -> None:
    """Note what is wrong with the numbers in a message of whatever shape."""
    judge = _Judge(environment)
    if _any_fault(message, judge):
        _note(message, (), judge, findings)


def _any_fault(value: JsonObject, judge: "_Judge") -> bool:
    # Exact types: the parser makes no others, and this is asked of every value of every message. It nests no deeper
    # than the parser lets it, and an array right in an array is refused as no FHIR.
    for name, each in value.items():
        if type(each) is str:
            if name in _LOOKED_AT:
                if name == "value":
                    if judge.identifier(value, each):
                        return True
                elif len(each) >= _LENGTH and _holds_number(each):
                    return True
        elif name in WITHOUT_IDENTITY:
            continue
        elif type(each) is dict:
            if _any_fault(each, judge):
                return True
        elif type(each) is list:
            for item in each:
                if type(item) is dict and _any_fault(item, judge):
                    return True
    return False


def _note(value: JsonValue, path: Path, judge: "_Judge", findings: Findings) -> None:
    if isinstance(value, dict):
        for rule, member, words in judge.faults(value):
            findings.add(rule, (*path, member), **words)
        for name, each in value.items():
            if isinstance(each, _CONTAINERS) and name not in WITHOUT_IDENTITY:
                _note(each, (*path, name), judge, findings)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, _CONTAINERS):
                _note(each, (*path, index), judge, findings)


class _Judge:
    """Judges the objects of one message; the same number stands in many places, and is judged once."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._kinds: dict[str, IdentifierKind | None] = {}
        self._known: dict[tuple[str, str], tuple[_Met, ...]] = {}

    def faults(self, value: JsonObject) -> tuple[_Met, ...]:
        """What is wrong with the numbers this object itself holds, whether it is an Identifier or not."""
        met: tuple[_Met, ...] = ()
        number = value.get("value")
        if isinstance(number, str):
            met = self.identifier(value, number)
        for member in _PLAIN:
            text = value.get(member)
            if isinstance(text, str) and len(text) >= _LENGTH and _holds_number(text):
                met = (*met, _Met("identifier-person-out-of-place", member, {"element": member}))
        return met

    def identifier(self, identifier: JsonObject, number: str) -> tuple[_Met, ...]:
        """What is wrong with an object's `value`, if the object is an Identifier."""
        written = identifier.get("system")
        system = written if isinstance(written, str) else ""
        kind = self._kind(system)
        if kind is None and len(number) != _LENGTH:
            # Most identifiers are a vendor's own.
            return ()
        met = self._known.get((system, number))
        if met is None:
            met = self._known[system, number] = tuple(self._number(kind, system, number))
        if kind is IdentifierKind.HNR and not isinstance(identifier.get("assigner"), dict):
            return (*met, _Met("identifier-hnr-assigner", "assigner"))
        return met

    def _kind(self, system: str) -> IdentifierKind | None:
        if system not in self._kinds:
            self._kinds[system] = kind_of(system)
        return self._kinds[system]

    def _number(self, kind: IdentifierKind | None, system: str, number: str) -> Iterator[_Met]:
        if kind is not None and kind in _WORDS:
            yield from self._person(kind, number)
        elif len(number) == _LENGTH and system not in _CONTACT and (proper := _national(person_number(number))):
            yield _Met("identifier-person-system", "system", {"system": proper})
        elif kind is IdentifierKind.ORGNR:
            yield from self._organisation(number)
        elif kind is IdentifierKind.DUF:
            fault = duf_fault(number)
            if fault is not None:
                yield _Met("identifier-duf-shape" if fault is DufFault.SHAPE else "identifier-duf-check-digits")
        elif kind in _SHAPES:
            rule, fits = _SHAPES[kind]
            if not fits(number):
                yield _Met(rule)

    def _person(self, kind: IdentifierKind, text: str) -> Iterator[_Met]:
        number = person_number(text)
        if number.reason is Fault.SHAPE:
            number = person_number("".join(text.split()))
            if number.reason is Fault.SHAPE:
                yield _Met("identifier-person-shape", words={"kind": _WORDS[kind]})
                return
            yield _Met("identifier-person-blanks")
        if number.reason is not None:
            yield _Met(_INVALID[kind], words={"fault": _FAULTS[number.reason]})
            return
        actual = _actual(number, kind)
        if actual is not None and actual is not kind:
            yield _Met("identifier-person-kind", "system", {"kind": _WORDS[actual], "system": actual.value})
        refused = person_refused(number, self._environment, local_help=kind is IdentifierKind.HNR)
        if refused is Refused.REAL:
            yield _Met("identifier-person-real")
        elif refused is Refused.SYNTHETIC and number.series is not None:
            yield _Met("identifier-person-synthetic", words={"series": number.series.value})

    def _organisation(self, text: str) -> Iterator[_Met]:
        number = organisation_number(text)
        if number.reason is not None:
            shape = number.reason is OrganisationFault.SHAPE
            fault = "it has nine digits and nothing else" if shape else "the check digit does not fit"
            yield _Met("identifier-orgnr-invalid", words={"fault": fault})
        elif organisation_refused(number, self._environment) is not None:
            yield _Met("identifier-orgnr-synthetic")


_SHAPES: Final[Mapping[IdentifierKind | None, tuple[str, Callable[[str], bool]]]] = MappingProxyType({
    IdentifierKind.HPR: ("identifier-hpr-shape", is_hpr_number),
    IdentifierKind.HER: ("identifier-her-shape", is_her_id),
    IdentifierKind.RESH: ("identifier-resh-shape", is_resh_id),
})  # fmt: skip


def _actual(number: PersonNumber, announced: IdentifierKind) -> IdentifierKind | None:
    """What kind a valid number is; None when its digits leave that open."""
    if announced is IdentifierKind.HNR and number.series is Series.PLUS_40:
        return IdentifierKind.HNR
    return _BY_DIGITS[number.kind] if number.kind is not None else None


def _national(number: PersonNumber) -> str | None:
    """The system of a number that can hardly be anything else than a person's; None for all others.

    Numbers of other kinds have eleven digits too. One in 400 of them passes for a person's by the check digits of 1964,
    three times as many by those of 2032, so the latter are not asked; nor are common help numbers, that have no date,
    and local ones, that may well stand under a system of their own.
    """
    if number.check_rule is not CheckRule.OF_1964 or number.series in (Series.UNKNOWN, Series.PLUS_40):
        return None
    return DNR if number.kind is PersonKind.DNR else FNR


def _holds_number(text: str) -> bool:
    # What is no number shall cost little: most addresses are UUIDs, and most texts have no five digits in a row.
    if text.startswith("urn:uuid:") or _FIVE_DIGITS.search(text) is None:
        return False
    return any(_national(person_number(found.group().replace(" ", ""))) for found in _IN_TEXT.finditer(text))
