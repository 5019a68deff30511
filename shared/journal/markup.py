"""A sender's narrative, from characters to a tree of elements. Nothing is fetched, run or expanded.

R4 says that a narrative is well-formed XHTML; in practice it may be HTML, broken, or no markup at all. So: first as XML
(expat, without document types and so without entities); if that fails, by a tolerant reader that never loses text: a
`<` that opens nothing we know is a character that somebody wrote ("SpO2 <90").

The tolerant reader is our own: Python's `html.parser` takes seconds for 20 kB of `<a <a <a`, gives up on `<![`, and
drops what follows a tag that is never closed. This one looks at every character a fixed number of times.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from shared.journal.cleaning import clean, decode_references

MAX_CHARACTERS: Final = 1_000_000
MAX_DEPTH: Final = 64
MAX_NODES: Final = 10_000

DROPPED: Final = frozenset(
    ["script", "style", "head", "template", "noscript", "object", "iframe", "svg", "math", "applet", "audio", "video"]
)
"""Elements that go with their content: none of it is text for a reader."""

_VOID: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
# fmt: off
_KNOWN: Final = DROPPED | _VOID | frozenset([
    "a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "body", "button",
    "canvas", "caption", "center", "cite", "code", "colgroup", "data", "datalist", "dd", "del", "details", "dfn",
    "dialog", "dir", "div", "dl", "dt", "em", "fieldset", "figcaption", "figure", "font", "footer", "form", "frame",
    "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "html", "i", "ins", "kbd", "label", "legend",
    "li", "main", "map", "mark", "menu", "meter", "nav", "ol", "optgroup", "option", "output", "p", "picture", "pre",
    "progress", "q", "rp", "rt", "ruby", "s", "samp", "section", "select", "small", "span", "strike", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "tt",
    "u", "ul", "var",
])
# fmt: on
_KEPT_ATTRIBUTES: Final = frozenset(["style", "hidden", "alt", "start", "value", "colspan", "rowspan"]) | {
    "color",
    "bgcolor",
}
_BARE_ATTRIBUTES: Final = frozenset(
    ["hidden", "border", "nowrap", "noshade", "compact", "reversed", "open", "checked", "disabled"]
)
_IMPLIED_ENDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "li": (frozenset(["li"]), frozenset(["ul", "ol", "menu", "table"])),
    "tr": (frozenset(["tr", "td", "th"]), frozenset(["table"])),
    "td": (frozenset(["td", "th"]), frozenset(["table", "tr"])),
    "th": (frozenset(["td", "th"]), frozenset(["table", "tr"])),
    "dt": (frozenset(["dt", "dd"]), frozenset(["dl", "table"])),
    "dd": (frozenset(["dt", "dd"]), frozenset(["dl", "table"])),
    "p": (frozenset(["p"]), frozenset(["td", "th", "li", "div", "table", "blockquote"])),
}
"""What the start of an element closes when the sender did not, and what it never reaches beyond."""

_MARKUP: Final = re.compile(r"<(?:/?[a-zA-Z]|!--|!\[CDATA\[|![dD][oO][cC]|\?[a-zA-Z])")
# None of these reaches beyond the next `<`, so that all of a text is looked at once however its brackets lie.
_TAG: Final = re.compile(r"""<(/?)([a-zA-Z][^\s/<>]*+)((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>""")
_ODD_TAG: Final = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>")
_INSTRUCTION: Final = re.compile(r"<(?:![dD][oO][cC][tT][yY][pP][eE][^<>]*+|\?[a-zA-Z][^<>]*+|!\[(?:end)?if[^<>]*+)>")
_ATTRIBUTE: Final = re.compile(r"""([^\s=/"'<>]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'<>]++))?""")
_END: Final = re.compile(r"</([a-zA-Z][^\s/<>]*+)")


@dataclass(slots=True)
class Element:
    """An element: its name in lower case without prefix, the attributes that matter here, text and elements inside."""

    name: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """What was read."""

    root: Element
    dropped: bool
    """Whether elements of DROPPED were there."""
    broken: bool
    """Whether it was not well-formed XHTML."""


class TooMuch(Exception):
    """The narrative is larger, deeper or more divided than this reads."""


class _Doctype(Exception):
    """Only a document type can declare entities: text that has one is not read as XML."""


def has_markup(text: str) -> bool:
    """Whether anything in the text looks like markup at all."""
    return _MARKUP.search(text) is not None


def read_tree(source: str) -> Tree:
    """Read a narrative. Raises TooMuch over the limits, and nothing else."""
    if len(source) > MAX_CHARACTERS:
        raise TooMuch
    whole = source.encode("utf-8", "ignore")
    builder = _Builder()
    try:
        _read_xml(whole, builder)
        return Tree(builder.root, builder.dropped, broken=False)
    except (expat.ExpatError, _Doctype):
        builder = _Builder()
        _read_tolerantly(whole.decode("utf-8"), builder)
        return Tree(builder.root, builder.dropped, broken=True)


class _Builder:
    def __init__(self) -> None:
        self.root = Element("", {})
        self.dropped = False
        self._open = [self.root]
        self._nodes = 0
        self._inside_dropped = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._inside_dropped or name in DROPPED:
            self.dropped = True
            self._inside_dropped += 1
            return
        element = Element(name, {each: attributes[each] for each in attributes if each in _KEPT_ATTRIBUTES})
        self._add(element)
        self._open.append(element)
        if len(self._open) > MAX_DEPTH:
            raise TooMuch

    def end(self, name: str) -> None:
        if self._inside_dropped:
            self._inside_dropped -= 1
            return
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].name == name:
                del self._open[depth:]
                return

    def end_implied(self, name: str) -> None:
        ended, barriers = _IMPLIED_ENDS[name]
        cut = None
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].name in barriers and self._open[depth].name not in ended:
                break
            if self._open[depth].name in ended:
                cut = depth
        if cut is not None:
            del self._open[cut:]

    def text(self, text: str) -> None:
        if not self._inside_dropped and (seen := clean(text)):
            self._add(seen)

    def _add(self, node: "Element | str") -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise TooMuch
        self._open[-1].children.append(node)


def _read_xml(source: bytes, builder: _Builder) -> None:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def doctype(*_: object) -> None:
        raise _Doctype

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda name, attributes: builder.start(_local(name), attributes)
    parser.EndElementHandler = lambda name: builder.end(_local(name))
    parser.CharacterDataHandler = builder.text
    parser.Parse(source, True)


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _read_tolerantly(source: str, builder: _Builder) -> None:
    reader = _Tolerant(source, builder)
    at, text_from = source.find("<"), 0
    while at != -1:
        end = reader.markup(at, text_from)
        if end is not None:
            text_from = end
        at = source.find("<", at + 1 if end is None else end)
    reader.text(text_from, len(source))


class _Tolerant:
    """Knows where elements end in the text, so that nothing waits for an end that never comes."""

    def __init__(self, source: str, builder: _Builder) -> None:
        self._source = source
        self._builder = builder
        self._ends: dict[str, list[int]] = {}
        for found in _END.finditer(source):
            self._ends.setdefault(_local(found[1]), []).append(found.start())
        self._last_comment_end = source.rfind("-->")
        self._last_section_end = source.rfind("]]>")

    def text(self, start: int, end: int) -> None:
        if start < end:
            self._builder.text(decode_references(self._source[start:end]))

    def markup(self, at: int, text_from: int) -> int | None:
        """Take the markup that begins here, after the text before it. Returns where it ends; None: it is text."""
        source = self._source
        if source.startswith("<!--", at) and self._last_comment_end >= at + 4:
            self.text(text_from, at)
            return source.index("-->", at + 4) + 3
        if source.startswith("<![CDATA[", at) and self._last_section_end >= at + 9:
            self.text(text_from, at)
            end = source.index("]]>", at + 9)
            self._builder.text(source[at + 9 : end])
            return end + 3
        if found := _INSTRUCTION.match(source, at):
            self.text(text_from, at)
            return found.end()
        found = _TAG.match(source, at) or _ODD_TAG.match(source, at)
        if found is None or not self._is_element(found):
            return None
        self.text(text_from, at)
        return self._tag(found)

    def _is_element(self, found: re.Match[str]) -> bool:
        name, written = _local(found[2]), found[3]
        if name in _KNOWN:
            # "Avtalt <i dag>" is what somebody wrote.
            bare = (each[1].lower() for each in _ATTRIBUTE.finditer(written) if each[2] is None)
            return _BARE_ATTRIBUTES.issuperset(bare)
        return ":" in found[2] or written.endswith("/") or name in self._ends

    def _tag(self, found: re.Match[str]) -> int:
        name = _local(found[2])
        if found[1]:
            self._builder.end(name)
            return found.end()
        if name in DROPPED:
            ends = self._ends.get(name, [])
            later = bisect_left(ends, found.end())
            if later == len(ends):
                # Never closed, it would take the rest of the text with it: then only the tag goes.
                return found.end()
            self._builder.dropped = True
            return ends[later]
        if name in _IMPLIED_ENDS:
            self._builder.end_implied(name)
        self._builder.start(name, _attributes(found[3]))
        if name in _VOID or found[3].endswith("/"):
            self._builder.end(name)
        return found.end()


def _attributes(written: str) -> dict[str, str]:
    return {
        found[1].lower(): decode_references((found[2] or "").strip("\"'")) for found in _ATTRIBUTE.finditer(written)
    }
