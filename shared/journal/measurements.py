"""What measurements say (Observation): name, value, who, how, and whether the value can be right.

Nothing is judged: `normal` or `høy` is printed only as the sender's own interpretation. Values that cannot be right are
printed as sent with a `Kontroller:` line; the decimal point is not moved.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from shared.fhir.identifiers import identifier_of
from shared.journal import common, datatypes, quantities
from shared.journal.ledger import Node
from shared.journal.model import Fact, Omission
from shared.journal.naming import plainly, wording
from shared.journal.plain import quoted
from shared.journal.terms import capital
from shared.journal.when import When, when
from shared.journal.work import Draft, person_name

_ORGANISATION: Final = ("urn:oid:2.16.578.1.12.4.1.4.101", "urn:oid:2.16.578.1.12.4.1.4.102")
_TIMES: Final = ("effectiveDateTime", "effectiveInstant")
_SEMANTIC_TAG: Final = " ("


@dataclass(frozen=True, slots=True)
class Kind:
    """A measurement that this hub has a word for."""

    key: str
    order: int
    called: frozenset[str]
    possible: Mapping[str, tuple[Decimal, Decimal]]
    """By unit as written in notes."""
    score: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A value in words."""

    text: str
    number: Decimal | int | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One Observation."""

    kind: Kind | None
    name: str
    """Beginning with a small letter."""
    value: Value
    at: When | None
    until: When | None
    facts: tuple[Fact, ...]
    """Who, how, and what the sender says of it."""
    comments: tuple[tuple[str, str], ...]
    """Lead and text."""
    status: str

    @property
    def what(self) -> str:
        """`blodtrykk 128/81 mmHg`."""
        if not self.value.text:
            return self.name
        measured = self.value.number is not None or self.value.unit is not None
        plain = not measured and not self.value.text.startswith("«")
        return f"{self.name}, {self.value.text}" if plain else f"{self.name} {self.value.text}"

    @property
    def score(self) -> bool:
        """Whether it is a score and not a measure."""
        return self.kind is not None and self.kind.score


@cache
def _data() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((files("shared.journal") / "data" / "measurements.json").read_text("utf-8"))
    return read


@cache
def kinds() -> Mapping[str, Kind]:
    """Kinds by LOINC, SNOMED CT or NPU code."""
    found: dict[str, Kind] = {}
    for order, (key, row) in enumerate(_data()["measurements"].items()):
        possible = {unit: (Decimal(str(low)), Decimal(str(high))) for unit, (low, high) in row["possible"].items()}
        kind = Kind(key, order, frozenset(map(plainly, row["called"])), possible, row.get("score", False))
        found.update(dict.fromkeys(row["codes"], kind))
    return found


NEWS2_PARTS: Final = 7
"""As many sub-scores make a total (Royal College of Physicians, NEWS2)."""


def news2_part(code: str) -> str | None:
    """Which sub-score of NEWS2 a SNOMED CT code is."""
    part: str | None = _data()["news2"].get(code.strip())
    return part


def kind_of(concept: Node | None) -> Kind | None:
    """The kind that a code says; its codings are of one thing, so the first known one tells."""
    if concept is None:
        return None
    codes = [each.raw("code") or "" for each in concept.each("coding")]
    return next((kinds()[code.strip()] for code in codes if code.strip() in kinds()), None)


def name_of(draft: Draft, concept: Node | None, kind: Kind | None) -> tuple[str, list[str]]:
    """Our term, else the sender's; and the sender's further words that say more than the term."""
    if concept is None:
        return draft.label("measurement").casefold(), []
    said = wording(concept, draft.work.language)
    if kind is None:
        text = datatypes.concept(draft.work, concept) if not said.theirs else said.theirs[0]
        return (text or "").rstrip(" .:") or draft.label("measurement").casefold(), list(said.theirs[1:])
    ours = draft.work.terms.codes["observation"][kind.key]
    known = kind.called | {plainly(ours)}
    more: list[str] = []
    for text in said.theirs:
        if {plainly(text), plainly(text.partition(_SEMANTIC_TAG)[0])} & known:
            said.drop(text, Omission.CODE)
        else:
            more.append(text)
    return ours, more


def value_of(draft: Draft, node: Node, kind: Kind | None, name: str, *, score: bool = False) -> Value:
    """The value of an Observation or a component, with doubts about it."""
    work = draft.work
    amount = node.one("valueQuantity")
    score = score or (kind is not None and kind.score)
    if amount is not None and (number := datatypes.number_of(amount.peek("value"))) is not None:
        return _quantity(draft, amount, number, kind, name, score=score)
    if (held := node.one("valueCodeableConcept")) is not None and (text := datatypes.concept(work, held)) is not None:
        return Value(quoted(text))
    if (whole := datatypes.number_of(node.peek("valueInteger"))) is not None:
        node.mark("valueInteger")
        return Value(quantities.number(whole), whole)
    if (text := datatypes.choice(work, node, "value")) is not None:
        return Value(text)
    absent = node.one("dataAbsentReason")
    if absent is not None:
        code = next((each.raw("code") for each in absent.each("coding") if each.raw("code")), None)
        said = wording(absent, work.language)
        why = work.terms.code("absent", code) or next(iter(said.theirs), "")
        shown = absent.raw("text")
        if shown is not None and why not in said.theirs:
            why = f"{why} ({quoted(work.parts.ledger.cleaner.line(shown))})"
        return Value(work.terms.word("value-missing", why=why) if why else work.terms.word("value-missing-plain"))
    return Value("")


def _quantity(draft: Draft, node: Node, number: Decimal | int, kind: Kind | None, name: str, *, score: bool) -> Value:
    work, line = draft.work, draft.work.parts.ledger.cleaner.line
    written, code = node.raw("unit"), node.raw("code")
    unit = quantities.unit_text(line(written) if written else None, line(code) if code else None)
    text = datatypes.quantity(work, node, score=score) or ""
    if kind is not None and kind.key == "weight" and unit == "g" and node.raw("comparator") is None:
        text = quantities.grams(number)
    if unit is None and not score:
        draft.doubt("unit-missing", what=name)
    if written and code and not quantities.units_agree(written, code):
        one = quantities.unit_text(line(written), None)
        draft.doubt("two-units", one=one, other=quantities.unit_text(None, line(code)))
    if kind is not None and (limits := kind.possible.get(unit or "")) is not None:
        low, high = limits
        if not low <= number <= high or (kind.score and number != int(number)):
            draft.doubt("impossible", value=text)
    return Value(text, number, unit)


def read_time(node: Node) -> tuple[When | None, When | None]:
    """When it was measured."""
    for name in _TIMES:
        if (at := when(node.told_value(name))) is not None:
            return at, None
    period = node.one("effectivePeriod")
    if period is None:
        return None, None
    start, end = when(period.told_value("start")), when(period.told_value("end"))
    return start or end, end if start is not None else None


def read_facts(draft: Draft, node: Node, *, by: str = "measured-by") -> list[Fact]:
    """Who measured, where on the body, how, what the sender thinks of it."""
    facts = _performers(draft, node, by)
    for name, label, known in (("bodySite", "site", "site"), ("method", "method", "method")):
        if (held := node.one(name)) is not None and (text := _term(draft, held, known)) is not None:
            facts.append(Fact(draft.label(label), text))
    read = [text for each in node.each("interpretation") if (text := _term(draft, each, "interpretation"))]
    if read:
        facts.append(Fact(draft.label("interpretation"), ", ".join(dict.fromkeys(read))))
    for each in node.each("referenceRange"):
        if (text := each.told("text")) is not None:
            facts.append(Fact(draft.label("reference-range"), quoted(text)))
            each.leave(Omission.REPEATED, "low", "high")
        elif (limits := datatypes.joined(draft.work, each, "low", "high", "–")) is not None:
            facts.append(Fact(draft.label("reference-range"), limits))
    device = node.one("device")
    if device is not None and draft.work.parts.target(device) is None and (model := device.told("display")) is not None:
        facts.append(Fact(draft.label("equipment"), model))
    return facts


def _term(draft: Draft, held: Node, known: str) -> str | None:
    """Our term for a code, with the sender's text when that was written by hand."""
    codes = [each.raw("code") for each in held.each("coding")]
    ours = next((term for code in codes if (term := draft.work.terms.code(known, code)) is not None), None)
    if ours is None:
        said = datatypes.concept(draft.work, held)
        return quoted(said) if said is not None else None
    # A display beside a code that we have a word for is a name of that code, mostly an English one.
    held.leave(Omission.CODE, "coding")
    text = held.told("text")
    if text is None:
        return ours
    if plainly(text) == plainly(ours):
        held.drop(Omission.CODE, "text")
        return ours
    return f"{ours} ({quoted(text)})"


def _performers(draft: Draft, node: Node, by: str) -> list[Fact]:
    subject = node.one("subject")
    own = identifier_of(subject.value.get("identifier")) if subject is not None else None
    persons: list[str] = []
    organisations: list[str] = []
    for performer in node.each("performer"):
        held = performer.one("identifier")
        system = held.raw("system") if held is not None else None
        if own is not None and identifier_of(performer.value.get("identifier")) == own:
            persons.append(draft.work.terms.word("patient-self", patient=draft.work.patient))
            performer.leave(Omission.NAME, "display")
        elif (name := person_name(performer, draft.work)) is not None:
            unit = performer.raw("type") == "Organization" or system in _ORGANISATION
            (organisations if unit else persons).append(name)
        performer.leave(Omission.TECHNICAL, "type")
    facts = [Fact(draft.label(by), ", ".join(dict.fromkeys(persons)))] if persons else []
    if organisations:
        facts.append(Fact(draft.label("organisation"), ", ".join(dict.fromkeys(organisations))))
    return facts


def read_comments(draft: Draft, node: Node) -> list[tuple[str, str]]:
    """Annotations, under who wrote them and when."""
    found: list[tuple[str, str]] = []
    for note in node.each("note"):
        raw = note.raw("text")
        text = draft.work.parts.ledger.cleaner.block(raw) if raw is not None else ""
        if not text:
            continue
        note.mark("text")
        author = note.told("authorString")
        reference = note.one("authorReference")
        if author is None and reference is not None:
            author = person_name(reference, draft.work)
        lead = draft.work.terms.lead("comment-from", author=author) if author else draft.work.terms.lead("comment")
        at = when(note.told_value("time"))
        if at is not None:
            common.doubt_written(draft, at)
        stamp = draft.work.stamp(at)
        found.append((f"{lead} {stamp}" if stamp else lead, text))
    return found


def labelled_value(name: str, value: Value) -> Fact:
    """A component as a fact."""
    return Fact(capital(name), value.text)
