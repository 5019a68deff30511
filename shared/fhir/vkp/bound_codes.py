"""Checks of codes against the code lists a profile binds: whether they are in the list, how they are written, and
whether the words beside them say something else.

What a sender wrote is only read. An unknown code is a finding where the profile *requires* the list, never where the
list is extensible.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from shared.fhir.codes import Code, CodeList, Spelling, code_list, code_lists, contradicts, lookup, member, spelling
from shared.fhir.values import JsonObject, JsonValue, Path
from shared.fhir.vkp.table import Row
from shared.fhir.vkp.walk import Plain, ValueCheck, Walk

_SPELLINGS: Final = {Spelling.VALUE_SET: "profile-code-spelling", Spelling.OLDER: "profile-code-older-list"}


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """The check of an element that is bound to a list."""

    plain: Plain
    check: ValueCheck


class _Bound:
    """One element bound to one list, as one profile has it."""

    def __init__(self, row: Row, home: CodeList, profile: str, element: str) -> None:
        self.home = home
        self.codes = frozenset(code for code, each in home.codes.items() if each.current is not None)
        self.required = row.strength == "required"
        self.rule = row.rule_for("codes", "profile-code")
        self.contradicted = row.rules.get("words", "profile-text-contradicts-code")
        self.alone = row.rules.get("ambiguous")
        self.reads_text = not row.text_is_content
        # Codes that need no second look when they stand without words or with their own.
        self.displays: dict[str, str | None] = {
            code: each.current.display
            for code, each in home.codes.items()
            if each.current is not None and (self.alone is None or not each.ambiguous)
        }
        self.words = {"profile": profile, "element": element, "list": home.name}

    def concept(self, value: JsonValue, path: Path, walk: Walk) -> None:
        if not isinstance(value, dict):
            return
        codings = value.get("coding")
        text = value.get("text") if self.reads_text else None
        found = False
        for index, coding in enumerate(codings if isinstance(codings, list) else ()):
            if isinstance(coding, dict):
                found |= self.one(coding, (*path, "coding", index), walk, text, path)
        if self.required and not found:
            walk.note(self.rule, path, **self.words)

    def coding(self, value: JsonValue, path: Path, walk: Walk) -> None:
        if isinstance(value, dict) and not self.one(value, path, walk, None, path) and self.required:
            walk.note(self.rule, path, **self.words)

    def primitive(self, value: JsonValue, path: Path, walk: Walk) -> None:
        if self.required and (not isinstance(value, str) or value not in self.codes):
            walk.note(self.rule, path, **self.words)

    def plain_concept(self, value: JsonValue) -> bool:
        """The usual case: a code of the list, and no coding with other words than its own."""
        codings = value.get("coding") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(codings, list):
            return False
        text = value.get("text") if self.reads_text else None
        found = not self.required
        for coding in codings:
            if not isinstance(coding, dict) or not self.plain_coding(coding, text):
                return False
            found = found or self.of_list(coding)
        return found

    def plain_coding(self, coding: JsonValue, text: JsonValue = None) -> bool:
        if not isinstance(coding, dict):
            return False
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return False
        displays = self.displays if system == self.home.system else _all_displays().get(system)
        if displays is None or code not in displays:
            return False
        words = displays[code]
        display = coding.get("display")
        return (display is None or display == words) and (text is None or text == words)

    def plain_only_coding(self, value: JsonValue) -> bool:
        return self.plain_coding(value) and (not self.required or self.of_list(value))

    def of_list(self, coding: JsonValue) -> bool:
        return isinstance(coding, dict) and coding.get("system") == self.home.system

    def plain_primitive(self, value: JsonValue) -> bool:
        return isinstance(value, str) and value in self.codes

    def one(self, coding: JsonObject, path: Path, walk: Walk, text: JsonValue, concept: Path) -> bool:
        """Check one Coding; whether it is in the list."""
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return False
        known = lookup(system, code)
        found = member(self.home.name, system, code)
        if known is not None or found is not None:
            self.written(system, path, walk)
        display = coding.get("display")
        for wording, where in ((display, (*path, "display")), (text, (*concept, "text"))):
            # What an older list's code means is what it means in its own list.
            if isinstance(wording, str) and (found or known) is not None:
                self.compare(found or known, wording, where, walk)
        if found is not None and found.ambiguous and self.alone is not None and display is None and text is None:
            walk.note(self.alone, (*path, "code"))
        return found is not None

    def written(self, system: str, path: Path, walk: Walk) -> None:
        how = spelling(system)
        rule = _SPELLINGS.get(how) if how is not None else None
        if rule is not None:
            walk.note(rule, (*path, "system"), list=self.home.name, due=self.home.system)

    def compare(self, code: Code | None, wording: str, where: Path, walk: Walk) -> None:
        contradiction = contradicts(code, wording) if code is not None else None
        if contradiction is None or contradiction.code.current is None:
            return
        meant = contradiction.meant
        said = (meant.display or meant.gloss) if meant is not None else None
        walk.note(
            self.contradicted,
            where,
            current=contradiction.code.current.display or "",
            meant=said or "that it is not so",
        )


@cache
def _all_displays() -> dict[str, dict[str, str | None]]:
    """The codes in use of every system in its canonical spelling, with their displays."""
    found: dict[str, dict[str, str | None]] = {}
    for each in code_lists().values():
        if not each.withdrawn:
            displays = {code: of.current.display for code, of in each.codes.items() if of.current is not None}
            found.setdefault(each.system, {}).update(displays)
    return found


def compile_codes(row: Row, type_name: str, profile: str, element: str) -> CodeCheck | None:
    """The check of an element of this type; None when the row binds no list. Raises KeyError for an unknown list."""
    if row.codes is None:
        return None
    bound = _Bound(row, code_list(row.codes), profile, element)
    if type_name == "CodeableConcept":
        return CodeCheck(bound.plain_concept, bound.concept)
    if type_name == "Coding":
        return CodeCheck(bound.plain_only_coding, bound.coding)
    return CodeCheck(bound.plain_primitive, bound.primitive)
