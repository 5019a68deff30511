"""Characters of a sender's text, before it stands in a note: what cannot be seen, or lies about what is seen, goes.

Text stays in Unicode, composed (NFC), with its own letters. Removed are control characters, zero-width characters,
soft hyphens, direction marks and overrides, tags and half surrogate pairs (Unicode categories Cc, Cf and Cs): they
hide words, turn them round, or break a receiver. White space becomes plain spaces and line feeds.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from shared.identity.person import person_number
from shared.journal.model import Language

_NBSP: Final = "\u00a0"
_VISIBLE_FORMATS: Final = frozenset([*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD])
"""Category Cf, but seen: signs of Arabic, Syriac and Kaithi script."""
_INVISIBLE_LETTERS: Final = frozenset([0x34F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x17B4, 0x17B5])
_LINE_ENDS: Final = frozenset([0x0A, 0x0B, 0x0C, 0x85, 0x2028, 0x2029])
_NARROW_SPACES: Final = frozenset([0xA0, 0x2007, 0x202F])
_BLANK_PATTERN: Final = 0x2800

_REFERENCE: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_SPACES: Final = re.compile(r" {2,}")
_LOOSE_NBSP: Final = re.compile(rf"(?<![0-9]){_NBSP}|{_NBSP}(?![^\W_]|[%°])")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_ELEVEN_DIGITS: Final = re.compile(rf"(?<![0-9])([0-9]{{6}})[ {_NBSP}-]?([0-9]{{5}})(?![0-9])")
_MASKS: Final = {Language.BOKMAL: "[fødselsnummer fjernet]", Language.NYNORSK: "[fødselsnummer fjerna]"}


class _Translation(dict[int, str | None]):
    """For str.translate. Does not remember what it has seen: hostile text would fill it."""

    def __missing__(self, point: int) -> str | None:
        char = chr(point)
        if point in _LINE_ENDS:
            return "\n"
        if point in _NARROW_SPACES:
            return _NBSP
        if point in _INVISIBLE_LETTERS or (point & 0xFFFE) == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
            return None
        category = unicodedata.category(char)
        if category == "Zs" or point == _BLANK_PATTERN or char.isspace():
            return " "
        hidden = category in ("Cc", "Cs") or (category == "Cf" and point not in _VISIBLE_FORMATS)
        return None if hidden else char


_TRANSLATION: Final = _Translation({point: chr(point) for point in (0x0A, *range(0x20, 0x7F))} | {0x09: " "})


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without national numbers, and how many there were."""

    text: str
    count: int


def clean(text: str) -> str:
    """The text with only characters that are seen, spaces, no-break spaces and line feeds; composed."""
    if text.isascii() and text.isprintable():
        return text
    kept = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TRANSLATION)
    return unicodedata.normalize("NFC", kept)


def tidy(text: str) -> str:
    """White space: single spaces, no spaces at the ends of lines, at most one blank line, none at the ends."""
    single = _SPACES.sub(" ", loosen(text))
    return tidy_lines("\n".join(line.strip(" ") for line in single.split("\n")))


def tidy_lines(text: str) -> str:
    """As `tidy`, but with the indentation of lines and the spaces inside them as they are."""
    lines = "\n".join(line.rstrip(" ") for line in loosen(text).split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")


def loosen(text: str) -> str:
    """No-break spaces stay between a number and its unit or its next digits, and are plain spaces anywhere else."""
    return _LOOSE_NBSP.sub(" ", text) if _NBSP in text else text


def decode_references(text: str) -> str:
    """Character references (`&amp;`, `&#248;`) once. Only whole ones: `Kari&notat` is not a sign."""
    return _REFERENCE.sub(lambda found: html.unescape(found.group()), text) if "&" in text else text


def mask_numbers(text: str, language: Language) -> Masked:
    """Put a mark in the place of every national number: eleven digits, perhaps parted after six, that pass the check.

    A number that only looks like one stays: telephone numbers, account numbers and doses must not vanish.
    """
    count = 0

    def mask(found: re.Match[str]) -> str:
        nonlocal count
        if not person_number(found[1] + found[2]).valid:
            return found[0]
        count += 1
        return _MASKS[language]

    return Masked(_ELEVEN_DIGITS.sub(mask, text), count)
