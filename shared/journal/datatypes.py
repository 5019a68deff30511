"""Any FHIR data type in words: quantities, concepts, periods, references, names.

http://hl7.org/fhir/R4/datatypes.html. What is said is marked as told; identifiers, codes and addresses are left out.
"""

from decimal import Decimal
from typing import Final

from shared.fhir.values import JsonValue
from shared.journal import quantities
from shared.journal.ledger import Node
from shared.journal.model import Omission
from shared.journal.naming import wording
from shared.journal.plain import quoted
from shared.journal.when import when
from shared.journal.work import Work, person_name

_QUANTITY: Final = frozenset({"value", "comparator", "unit", "system", "code"})
_CODING: Final = frozenset({"system", "version", "code", "display", "userSelected"})
_REFERENCE: Final = frozenset({"reference", "type", "identifier", "display"})
_META: Final = frozenset({"id", "extension"})


def number_of(value: JsonValue) -> Decimal | int | None:
    """A JSON number; a boolean is none."""
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def quantity(work: Work, node: Node, *, score: bool = False) -> str | None:
    """`37,2 °C`, `under 35,0 °C`, `37,2 (enhet ikke oppgitt)`; as sent when there is no number."""
    value = number_of(node.told_value("value"))
    unit, code = node.told("unit"), node.raw("code")
    node.leave(Omission.CODE, "code", "system")
    if value is None:
        node.mark("unit", "comparator")
        return None
    shown = quantities.unit_text(unit, work.parts.ledger.cleaner.line(code) if code else None)
    text = quantities.quantity(value, shown)
    if shown is None and not score:
        text = f"{text} ({work.terms.word('unit-not-stated')})"
    comparator = node.told("comparator")
    return quantities.compared(comparator, text, work.language) if comparator else text


def concept(work: Work, node: Node) -> str | None:
    """A CodeableConcept or Coding in the sender's words; a code without words says that it has none."""
    said = wording(node, work.language)
    if said.theirs:
        return ", ".join(said.theirs)
    code = next((each.raw("code") for each in (*node.each("coding"), node) if each.raw("code")), None)
    return work.terms.word("code-without-words", code=work.parts.ledger.cleaner.line(code)) if code else None


def period(work: Work, node: Node) -> str | None:
    """From when to when."""
    return work.span(when(node.told_value("start")), when(node.told_value("end")), None) or None


def primitive(work: Work, value: JsonValue, name: str = "") -> str | None:
    """A string in quotation marks, a number with a comma, yes or no, a time as we write times."""
    if isinstance(value, bool):
        return work.terms.word("yes" if value else "no")
    if (number := number_of(value)) is not None:
        return quantities.number(number)
    if not isinstance(value, str):
        return None
    at = when(value)
    if name.endswith(("Date", "DateTime", "Instant")) and at is not None and (stamp := work.stamp(at)):
        return stamp
    line = work.parts.ledger.cleaner.line(value)
    return quoted(line) if line else None


def spoken(work: Work, node: Node) -> str | None:
    """An object of a data type, in words; None for what is no data type, or says nothing."""
    names = node.value.keys() - _META
    if not names:
        return None
    if "div" in names:
        return None
    if names <= _QUANTITY and "value" in names:
        return quantity(work, node)
    if names <= _CODING or names <= {"coding", "text"}:
        text = concept(work, node)
        return quoted(text) if text is not None else None
    if names <= {"start", "end"}:
        return period(work, node)
    if names <= _REFERENCE:
        name = person_name(node, work)
        return quoted(name) if name is not None else None
    if names <= {"low", "high"}:
        return joined(work, node, "low", "high", "–")
    if names <= {"numerator", "denominator"}:
        return joined(work, node, "numerator", "denominator", "/")
    return None


def joined(work: Work, node: Node, first: str, last: str, between: str) -> str | None:
    """Two quantities with something between them: a range, a ratio."""
    ends = [node.one(first), node.one(last)]
    texts = [quantity(work, each, score=True) or "" if each is not None else "" for each in ends]
    return between.join(texts) if any(texts) else None


def choice(work: Work, node: Node, stem: str) -> str | None:
    """The value of a choice, `value[x]` for instance, in words; strings in quotation marks."""
    for name in [each for each in node.value if each.startswith(stem) and each[len(stem) : len(stem) + 1].isupper()]:
        inner = node.one(name)
        if inner is not None:
            text = spoken(work, inner)
            if text is not None:
                return text
        else:
            text = primitive(work, node.peek(name), name)
            if text is not None:
                node.mark(name)
                return text
    return None
