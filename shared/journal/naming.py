"""What a coded event is called: our term, the sender's own words when they differ, and when they contradict the code.

VKP's lists are edited in place under one url and version, so a code without words says less than it seems
(shared/fhir/codes.py). The sender's display and text are never replaced by ours.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from shared.fhir import codes
from shared.fhir.codes import Spelling
from shared.journal.ledger import Node
from shared.journal.model import Language, Omission
from shared.journal.terms import terms

LISTS: Final = {
    "alert-code": "alert",
    "flag-code": "flag",
    "medicationdispense-events": "dispense",
    "medicationdispense-events-v06": "dispense-v06",
    "composition-event": "event",
    "composition-section": "section",
    "composition-category": "category",
    "composition-class": "category",
    "encounter-mode": "mode",
    "encounter-class": "mode",
    "encounter-type": "mode",
    "encounter-reason": "reason",
    "severity-level": "severity",
    "emergency-level": "emergency-level",
    "triage": "triage",
}
"""What shared/journal calls each code list."""

_FLAGS: Final = {
    "0": "5.1",
    "1": "5.2",
    "1.1": "5.2.1",
    "1.2": "5.2.2",
    "1.3": "5.2.3",
    "2": "5.3",
    "2.1": "5.3.1",
    "2.2": "5.3.2",
    "4": "",
}
"""Codes of the removed list of flags that the list of alerts has under other numbers, or (`4`) not at all."""


_NUMBERED: Final = re.compile(r"^\s*[0-9]{1,6} ?[-–:.] ?(?=[^\W\d])")
_RAISED: Final = (" utlost", " utloyst")
"""As `fold` leaves them: `Trygghetsalarm utløst` is the name of the alarm."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a CodeableConcept says."""

    of: str
    """The list of the code, as shared/journal calls it; nothing for other code systems."""
    code: str | None
    ours: str | None
    """Our term, beginning with a small letter where it is no name."""
    theirs: tuple[str, ...]
    """The sender's words that are no name of the code, cleaned, each once. The caller shows or drops them."""
    contradicted_by: str | None = None
    """The one of `theirs` that says something else than the code means today."""
    others: tuple[str, ...] = ()
    """Further codes of the same list that are no narrower or wider than the first."""
    old: bool = False
    """The sender names an older edition whose codes may mean something else."""
    places: tuple[tuple[Node, str], ...] = ()
    """Where each of `theirs` stands."""

    def drop(self, text: str, why: Omission) -> None:
        """Say why one of `theirs` is not shown."""
        for each, (node, name) in zip(self.theirs, self.places, strict=True):
            if each == text:
                node.drop(why, name)

    @property
    def text(self) -> str | None:
        """The best words there are."""
        return self.ours or next(iter(self.theirs), None)


@dataclass(frozen=True, slots=True)
class _Coded:
    coding: Node
    of: str
    code: str
    found: codes.Code | None
    old: bool


def same(one: str, other: str) -> bool:
    """Whether two texts are the same words, apart from case, spaces and punctuation at the ends."""
    return plainly(one) == plainly(other)


def plainly(text: str) -> str:
    """For comparing: small letters, one space, underscores as spaces. Digits count: room 24 is not room 25."""
    return " ".join(text.replace("_", " ").casefold().split()).strip(" .:;,-–")


def unnumbered(text: str) -> str:
    """Without the sender's own number before the words: `300 - Trygghetsalarm`."""
    return _NUMBERED.sub("", text)


def wording(concept: Node | None, language: Language, *expected: str) -> Wording:
    """Read a CodeableConcept or a Coding whose code should be of one of the expected lists.

    All its words are told: either they are names of the code, or they are in `theirs` for the caller to show.
    """
    if concept is None:
        return Wording("", None, None, ())
    found = [_coded(each, expected) for each in _codings(concept)]
    chosen = next((each for each in found if each.of in expected and each.code), None)
    theirs = _differing(concept, found, chosen)
    if chosen is None:
        return Wording("", None, None, tuple(theirs), places=tuple(place for _, place in theirs.values()))
    others = {each.code for each in found if each.of == chosen.of and each.code and not _kin(each.code, chosen.code)}
    of, code = chosen.of, chosen.code
    if of == "flag":
        of, code = "alert", _FLAGS.get(code, code)
    return Wording(
        of,
        code or None,
        terms(language).code(of, code),
        tuple(theirs),
        next(
            (each for each, (raw, _) in theirs.items() if chosen.found and codes.contradicts(chosen.found, raw)), None
        ),
        tuple(sorted(others)),
        chosen.old and chosen.of != "flag",
        tuple(place for _, place in theirs.values()),
    )


def _codings(concept: Node) -> list[Node]:
    if concept.raw("code") or concept.raw("display"):
        return [concept]
    return [each for each in concept.each("coding") if not concept.ledger.settled(each.path)]


def _coded(coding: Node, expected: tuple[str, ...]) -> _Coded:
    system, code = (coding.raw("system") or "").strip(), (coding.raw("code") or "").strip()
    if not system:
        # Senders leave the system out; the list that is expected here is then meant, if it has the code.
        for name, of in LISTS.items():
            known = codes.code_list(name).codes.get(code) if of in expected else None
            if known is not None:
                return _Coded(coding, of, code, known, old=False)
        return _Coded(coding, "", code, None, old=False)
    found = codes.lookup(system, code)
    of = LISTS.get(found.list_name if found is not None else _list_of(system), "")
    return _Coded(coding, of, code, found, old=codes.spelling(system) is Spelling.OLDER)


@cache
def _list_of(system: str) -> str:
    """The name of the list at a system, for codes that no edition has."""
    canonical = codes.canonical(system)
    return next((each.name for each in codes.code_lists().values() if each.system == canonical), "")


def _differing(concept: Node, coded: list[_Coded], chosen: _Coded | None) -> dict[str, tuple[str, tuple[Node, str]]]:
    """The words that are no names of the code, cleaned, with what was sent and where."""
    theirs: dict[str, tuple[str, tuple[Node, str]]] = {}
    told = [(concept, "text")] if concept.raw("text") else []
    told += [(each.coding, "display") for each in coded if each.coding.raw("display")]
    for node, name in told:
        raw = node.raw(name) or ""
        if chosen is not None and names_code(chosen.of, chosen.code, chosen.found, raw):
            node.leave(Omission.CODE, name)
        elif (said := node.told(name)) is not None:
            words = unnumbered(said) if chosen is not None else said
            if any(same(words, each) for each in theirs):
                node.drop(Omission.REPEATED, name)
                continue
            if words != said:
                node.drop(Omission.CODE, name)
            theirs[words] = (raw, (node, name))
    for each in coded:
        each.coding.leave(Omission.CODE, "system", "code", "version", "userSelected")
    return theirs


def names_code(of: str, code: str, found: codes.Code | None, raw: str) -> bool:
    """Whether a text is a name of this code: as published now, an earlier wording of the same, or ours."""
    if any(map(str.isdigit, unnumbered(raw))):
        return False
    folded = codes.fold(raw)
    for ending in _RAISED:
        folded = folded.removesuffix(ending)
    if not folded:
        return False
    if found is not None and found.current is not None:
        agreeing = [found.current, *(each for each in found.earlier if each.agrees)]
        if any(folded in each.wordings for each in agreeing):
            return True
    return folded in _ours(of, code)


@cache
def _ours(of: str, code: str) -> frozenset[str]:
    known = [terms(language).codes for language in Language]
    lists = (of, f"{of}-heading", f"{of}-meaning")
    return frozenset(codes.fold(each[name][code]) for each in known for name in lists if code in each.get(name, {}))


def _kin(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
