"""A note in the characters that a receiver's journal can hold, without a single `?`.

An encoder's `?` looks like doubt that somebody wrote, and nobody can tell what stood there. So what a character set
lacks becomes what people would write instead (`>=`, `-`, `[emoji: tommel opp]`), a letter its base letter (č, đ, ŋ, š,
ŧ and ž among them: no public rule for Sámi names in narrow character sets was found), and the rest a counted mark. The
table is `data/characters.json`. This comes last: the note itself is Unicode.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from shared.journal.model import Charset, Language

_FILE: Final = Path(__file__).parent / "data" / "characters.json"
_CODECS: Final = {
    Charset.UTF8: "utf-8",
    Charset.CP1252: "cp1252",
    Charset.LATIN1: "iso-8859-1",
    Charset.PLAIN: "iso-8859-1",
}
_NOT_PLAIN: Final = frozenset("\u00a0\u00ad¹²³")
_UNSEEN: Final = re.compile("[\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")
"""What only changes how the sign before it looks."""
_POWERS: Final = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_POWER_DIGITS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_FIRST_FLAG, _LAST_FLAG = 0x1F1E6, 0x1F1FF
_SIGN: Final = {Language.BOKMAL: "tegn", Language.NYNORSK: "teikn"}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text that the character set can hold."""

    text: str
    replaced: int = 0
    """Characters written in another way, those in `unknown` among them."""
    unknown: int = 0
    """Characters for which only a mark stands."""


@dataclass(frozen=True, slots=True)
class _Table:
    held: re.Pattern[str]
    """A run of characters that the set has."""
    simple: dict[str, str]
    emoji: dict[str, str]


def codec(charset: Charset) -> str:
    """Its name for Python, for HTTP and for `contentType`. `plain` is sent as ISO 8859-1."""
    return _CODECS[charset]


def fit(text: str, charset: Charset, language: Language = Language.BOKMAL) -> Fitted:
    """Write a text in a character set: the result can be encoded, and has no `?` that the text did not have.

    Half surrogate pairs are none of Unicode's characters: they are unknown in every character set.
    """
    table = _table(charset, language)
    if charset is not Charset.UTF8:
        text = unicodedata.normalize("NFC", text)
    return _Fitting(text, table, _SIGN[language]).result()


@cache
def _table(charset: Charset, language: Language) -> _Table:
    written = json.loads(_FILE.read_text(encoding="utf-8"))
    simple: dict[str, str] = written["letters"] | written["signs"]
    simple |= {sign: words[language] for sign, words in written["words"].items()}
    emoji = {sign: f"[emoji: {names[language]}]" for sign, names in written["emoji"].items()}
    return _Table(_held(charset), simple, emoji)


def _held(charset: Charset) -> re.Pattern[str]:
    if charset is Charset.UTF8:
        return re.compile("[^\ud800-\udfff]+")
    held = bytes([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)]).decode(_CODECS[charset], "ignore")
    seen = {char for char in held if char in "\t\n" or unicodedata.category(char) != "Cc"}
    if charset is Charset.PLAIN:
        seen -= _NOT_PLAIN
    return re.compile(f"[{re.escape(''.join(sorted(seen)))}]+")


class _Fitting:
    """One text on its way into one character set."""

    def __init__(self, text: str, table: _Table, sign: str) -> None:
        self._table = table
        self._sign = sign
        self._out: list[str] = []
        self._replaced = 0
        self._unknown = 0
        self._run = 0
        # First, for part of a power may be there and part not: 10²⁰ must not become 10²^0.
        self._text = _POWERS.sub(self._power, text)

    def result(self) -> Fitted:
        at = 0
        while at < len(self._text):
            at = self._one(at)
        self._end_run()
        return Fitted("".join(self._out), self._replaced, self._unknown)

    def _one(self, at: int) -> int:
        if run := self._table.held.match(self._text, at):
            return self._put(run[0], len(run[0]), at, same=True)
        char = self._text[at]
        if char in self._table.emoji:
            return self._put(self._table.emoji[char], 1, at)
        if found := _UNSEEN.match(self._text, at):
            return self._put("", len(found[0]), at)
        if flag := self._flag(at):
            return self._put(f"[emoji: flagg {flag}]", 2, at)
        written = self._table.simple.get(char)
        if written is None or not self._holds(written):
            written = self._like(char)
        if written is None:
            self._run += 1
            return at + 1
        return self._put(written, 1, at)

    def _put(self, written: str, taken: int, at: int, *, same: bool = False) -> int:
        if written:
            self._end_run()
        self._out.append(written)
        self._replaced += 0 if same else taken
        return at + taken

    def _end_run(self) -> None:
        """A run of unknown characters is one mark: twenty in a row would hide the text around them."""
        if self._run:
            self._out.append(f"[{self._sign}]" if self._run == 1 else f"[{self._run} {self._sign}]")
            self._replaced += self._run
            self._unknown += self._run
            self._run = 0

    def _holds(self, text: str) -> bool:
        return self._table.held.fullmatch(text) is not None

    def _power(self, found: re.Match[str]) -> str:
        if self._holds(found[0]):
            return found[0]
        self._replaced += len(found[0])
        return f"^{found[0].translate(_POWER_DIGITS)}"

    def _flag(self, at: int) -> str | None:
        points = [ord(char) - _FIRST_FLAG for char in self._text[at : at + 2]]
        if len(points) == 2 and all(0 <= point <= _LAST_FLAG - _FIRST_FLAG for point in points):
            return "".join(chr(ord("A") + point) for point in points)
        return None

    def _like(self, char: str) -> str | None:
        """The letters that a character is made of, without their marks; None for what is more than letters."""
        category = unicodedata.category(char)
        if category == "Mn":
            return ""
        if category == "Zs":
            return " "
        if category in ("No", "Nl"):
            return None
        apart = unicodedata.normalize("NFKD", char)
        base = "".join(self._table.simple.get(each, each) for each in apart if not unicodedata.combining(each))
        return base if base and base != char and "?" not in base and self._holds(base) else None
