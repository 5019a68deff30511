"""A narrative's tree of elements as plain text: what its markup says is kept in words, signs and lines.

Blocks become lines, lists get `- ` and `1. `, tables ` | ` between cells. What is struck out or hidden is marked, for a
deleted dose must not read as a valid one. Pictures and bare addresses are named, not shown. Our own rules; R4's
narrative allows HTML 4 chapters 7 to 11 and 15, `a` and `img`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from shared.journal import grid
from shared.journal.cleaning import loosen
from shared.journal.markup import Element
from shared.journal.model import Language

# fmt: off
BLOCKS: Final = frozenset([
    "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "caption",
    "blockquote", "pre", "hr", "address", "article", "aside", "center", "details", "fieldset", "figcaption", "figure",
    "footer", "form", "header", "hgroup", "legend", "main", "nav", "option", "section", "summary", "body",
])
# fmt: on
_STRUCK: Final = frozenset(["del", "s", "strike"])
_WHITE: Final = frozenset(["white", "#fff", "#ffffff", "rgb(255,255,255)", "#ffffffff", "rgba(255,255,255,1)"])
_POWERS: Final = {"2": "²", "3": "³"}
_ADDRESS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|javascript:|data:|vbscript:)\S*", re.IGNORECASE)
_WEB: Final = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
_RUNS: Final = re.compile(r"[ \n]+")
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_ZERO: Final = re.compile(r"0+(?:\.0*)?(?:px|pt|em|rem|%)?")


class Seen(StrEnum):
    """What a narrative held that plain text cannot hold as it was."""

    STRUCK = "struck-out-marked"
    HIDDEN = "hidden-text-marked"
    LINK = "link-left-out"
    IMAGE = "image-left-out"
    TABLE = "table-as-lines"


_MARKS: Final = {
    Seen.STRUCK: ("strøket", "stroke"),
    Seen.HIDDEN: ("skjult tekst i original", "skjult tekst i original"),
    Seen.LINK: ("lenke utelatt", "lenkje utelaten"),
    Seen.IMAGE: ("bilde", "bilete"),
}
_IMAGE_WITHOUT_TEXT: Final = ("bilde utelatt", "bilete utelate")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is so around the text being written."""

    language: Language
    links: bool
    seen: set[Seen]
    pre: bool = False
    hidden: bool = False
    coloured: bool = False
    """Whether something around sets a background."""

    def mark(self, seen: Seen) -> str:
        """The word of a mark, which is noted as used."""
        self.seen.add(seen)
        return _MARKS[seen][self.language is Language.NYNORSK]


@dataclass(slots=True)
class _Page:
    """Lines as they are written."""

    lines: list[str] = field(default_factory=list)
    indent: int = 0
    marker: str = ""
    _parts: list[str] = field(default_factory=list)
    _last: str = ""
    _after_mark: bool = False

    def text(self, text: str, *, pre: bool) -> None:
        if pre:
            first, *others = text.split("\n")
            self._put(first)
            for other in others:
                self.end_line()
                self._put(other)
            return
        run = _RUNS.sub(" ", loosen(text))
        self._put(run[1:] if run[:1] == " " and self._last in ("", " ") else run)

    def mark(self, text: str) -> None:
        """A mark in brackets, parted by a space from the words before and after it."""
        if self._last.isalnum():
            self._put(" ")
        lines = text.split("\n")
        for line in lines[:-1]:
            self._put(line)
            self.end_line()
        self._put(lines[-1])
        self._after_mark = True

    def end_block(self) -> None:
        if self._parts:
            self.end_line()

    def end_line(self) -> None:
        text = "".join(self._parts).rstrip(" ")
        # A marker takes the last two places of the indentation.
        lead = " " * (self.indent - len(self.marker)) + self.marker if text else ""
        self.lines.append(lead + text)
        self._parts, self._last, self._after_mark = [], "", False
        if text:
            self.marker = ""

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._after_mark and text[0].isalnum():
            text = " " + text
        self._parts.append(text)
        self._last, self._after_mark = text[-1], False


def flatten(element: Element, setting: Setting) -> str:
    """The text of everything in an element, with line feeds."""
    page = _Page()
    _children(element, setting, page)
    page.end_block()
    return "\n".join(page.lines).strip("\n")


def _children(element: Element, setting: Setting, page: _Page) -> None:
    for child in element.children:
        if isinstance(child, str):
            page.text(child, pre=setting.pre)
        else:
            _element(child, setting, page)


def _element(element: Element, setting: Setting, page: _Page) -> None:
    style = _style(element)
    if not setting.hidden and _is_hidden(element, style, setting):
        _marked(element, replace(setting, hidden=True), page, Seen.HIDDEN)
        return
    if "background" in style or "background-color" in style or "bgcolor" in element.attributes:
        setting = replace(setting, coloured=True)
    if element.name == "pre" or style.get("white-space", "").startswith("pre"):
        setting = replace(setting, pre=True)
    if element.name in _STRUCK or "line-through" in style.get("text-decoration", ""):
        _marked(element, setting, page, Seen.STRUCK)
    elif element.name == "sup" or style.get("vertical-align") == "super":
        page.text(_power(flatten(element, setting)), pre=setting.pre)
    elif element.name in BLOCKS:
        page.end_block()
        _block(element, setting, page)
        page.end_block()
    else:
        _inline(element, setting, page)


def _inline(element: Element, setting: Setting, page: _Page) -> None:
    match element.name:
        case "br":
            page.end_line()
        case "img":
            alt = element.attributes.get("alt", "").strip()
            word = setting.mark(Seen.IMAGE)
            nameless = _IMAGE_WITHOUT_TEXT[setting.language is Language.NYNORSK]
            page.mark(f"[{word}: {_RUNS.sub(' ', alt)}]" if alt else f"[{nameless}]")
        case "a" if _ADDRESS.fullmatch(text := flatten(element, setting)):
            if setting.links and _WEB.fullmatch(text):
                page.text(text, pre=setting.pre)
            else:
                page.mark(f"[{setting.mark(Seen.LINK)}]")
        case _:
            _children(element, setting, page)


def _block(element: Element, setting: Setting, page: _Page) -> None:
    match element.name:
        case "ul" | "ol":
            _list(element, setting, page)
        case "table":
            _table(element, setting, page)
        case _:
            _children(element, setting, page)


def _list(element: Element, setting: Setting, page: _Page) -> None:
    number = _integer(element.attributes.get("start"), 1)
    for child in element.children:
        if isinstance(child, str):
            page.text(child, pre=setting.pre)
        elif child.name != "li":
            _element(child, setting, page)
        else:
            number = _integer(child.attributes.get("value"), number)
            _item(child, setting, page, "- " if element.name == "ul" else f"{number}. ")
            number += 1


def _item(item: Element, setting: Setting, page: _Page, marker: str) -> None:
    page.end_block()
    page.marker, before = marker, page.indent
    page.indent += len(marker)
    _element(item, setting, page)
    page.end_block()
    page.indent, page.marker = before, ""


def _table(element: Element, setting: Setting, page: _Page) -> None:
    setting.seen.add(Seen.TABLE)
    lines = grid.lines(element, lambda cell: flatten(cell, setting))
    for line in lines:
        page.text(line, pre=True)
        page.end_line()


def _marked(element: Element, setting: Setting, page: _Page, seen: Seen) -> None:
    if element.name in BLOCKS:
        page.end_block()
    inside = flatten(Element("", {}, [replaced(element)]), replace(setting, coloured=True))
    if inside.strip():
        page.mark(f"[{setting.mark(seen)}: {inside}]")
    if element.name in BLOCKS:
        page.end_block()


def replaced(element: Element) -> Element:
    """The element without what has been marked already, so that it is not marked again."""
    plain = {name: value for name, value in element.attributes.items() if name not in ("style", "hidden")}
    return Element("span" if element.name in _STRUCK else element.name, plain, element.children)


def _style(element: Element) -> dict[str, str]:
    written = _COMMENT.sub("", element.attributes.get("style", "")).lower()
    found = dict(_declarations(written))
    if colour := element.attributes.get("color"):
        found.setdefault("color", colour.strip().lower())
    return found


def _declarations(written: str) -> Iterator[tuple[str, str]]:
    for declaration in written.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            yield name.strip(), value.replace("!important", "").strip()


def _is_hidden(element: Element, style: dict[str, str], setting: Setting) -> bool:
    return (
        "hidden" in element.attributes
        or style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or _ZERO.fullmatch(style.get("font-size", "1")) is not None
        or _ZERO.fullmatch(style.get("opacity", "1")) is not None
        or (style.get("color", "").replace(" ", "") in _WHITE and not _has_colour(style, setting))
    )


def _has_colour(style: dict[str, str], setting: Setting) -> bool:
    own = style.get("background-color") or style.get("background")
    return setting.coloured if own is None else own.replace(" ", "") not in _WHITE


def _power(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    whole = text.removeprefix("-").removeprefix("+").isalnum()
    return _POWERS.get(text) or (f"^{text}" if whole else f"^({text})")


def _integer(written: str | None, otherwise: int) -> int:
    digits = (written or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else otherwise
