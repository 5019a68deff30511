"""Checks of codes against the code lists a profile binds: whether they are in the list, how they are written, and
whether the words beside them say something else.

What a sender wrote is only read. An unknown code is a finding where the profile *requires* the list, never where the
list is extensible.
"""

from collections.abc import Callable
from typing import Final

from shared.fhir.codes import Code, CodeList, Spelling, code_list, contradicts, lookup, member, spelling
from shared.fhir.profile_table import Row
from shared.fhir.values import JsonObject, JsonValue, Path

type Note = Callable[..., None]
"""`Findings.add`."""
type CodeCheck = Callable[[JsonValue, Path, Note], None]

_SPELLINGS: Final = {Spelling.VALUE_SET: "profile-code-spelling", Spelling.OLDER: "profile-code-older-list"}


class _Bound:
    """One element bound to one list, as one profile has it."""

    def __init__(self, row: Row, home: CodeList, profile: str, element: str) -> None:
        self.home = home
        self.displays = {code: each.current.display for code, each in home.codes.items() if each.current is not None}
        self.required = row.strength == "required"
        self.rule = row.rule_for("codes", "profile-code")
        self.contradicted = row.rules.get("words", "profile-text-contradicts-code")
        self.alone = row.rules.get("ambiguous")
        self.reads_text = not row.text_is_content
        self.words = {"profile": profile, "element": element, "list": home.name}

    def concept(self, value: JsonValue, path: Path, note: Note) -> None:
        if not isinstance(value, dict):
            return
        codings = value.get("coding")
        text = value.get("text") if self.reads_text else None
        if not isinstance(codings, list):
            if self.required:
                note(self.rule, path, **self.words)
            return
        if len(codings) == 1 and self.plain(codings[0], text):
            return
        found = False
        for index, coding in enumerate(codings):
            if isinstance(coding, dict):
                found |= self.one(coding, (*path, "coding", index), note, text, path)
        if self.required and not found:
            note(self.rule, path, **self.words)

    def coding(self, value: JsonValue, path: Path, note: Note) -> None:
        if isinstance(value, dict) and not self.one(value, path, note, None, path) and self.required:
            note(self.rule, path, **self.words)

    def primitive(self, value: JsonValue, path: Path, note: Note) -> None:
        if self.required and (not isinstance(value, str) or value not in self.displays):
            note(self.rule, path, **self.words)

    def plain(self, coding: JsonValue, text: JsonValue) -> bool:
        """The usual case, at once: the list's own system, a code in use, no other words than its own."""
        if not isinstance(coding, dict) or coding.get("system") != self.home.system:
            return False
        code = coding.get("code")
        if not isinstance(code, str) or code not in self.displays:
            return False
        display = self.displays[code]
        return coding.get("display") in (None, display) and text in (None, display) and self.alone is None

    def one(self, coding: JsonObject, path: Path, note: Note, text: JsonValue, concept: Path) -> bool:
        """Check one Coding; whether it is in the list."""
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return False
        known = lookup(system, code)
        found = member(self.home.name, system, code)
        if known is not None or found is not None:
            self.written(system, path, note)
        display = coding.get("display")
        for wording, where in ((display, (*path, "display")), (text, (*concept, "text"))):
            # What an older list's code means is what it means in its own list.
            if isinstance(wording, str) and (found or known) is not None:
                self.compare(found or known, wording, where, note)
        if found is not None and found.ambiguous and self.alone is not None and display is None and text is None:
            note(self.alone, (*path, "code"))
        return found is not None

    def written(self, system: str, path: Path, note: Note) -> None:
        how = spelling(system)
        rule = _SPELLINGS.get(how) if how is not None else None
        if rule is not None:
            note(rule, (*path, "system"), list=self.home.name, due=self.home.system)

    def compare(self, code: Code | None, wording: str, where: Path, note: Note) -> None:
        contradiction = contradicts(code, wording) if code is not None else None
        if contradiction is None or contradiction.code.current is None:
            return
        meant = contradiction.meant
        said = (meant.display or meant.gloss) if meant is not None else None
        note(
            self.contradicted,
            where,
            current=contradiction.code.current.display or "",
            meant=said or "that it is not so",
        )


def compile_codes(row: Row, type_name: str, profile: str, element: str) -> CodeCheck | None:
    """The check of an element of this type; None when the row binds no list. Raises KeyError for an unknown list."""
    if row.codes is None:
        return None
    bound = _Bound(row, code_list(row.codes), profile, element)
    if type_name == "CodeableConcept":
        return bound.concept
    return bound.coding if type_name == "Coding" else bound.primitive
