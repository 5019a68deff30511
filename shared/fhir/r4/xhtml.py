"""The XHTML of a narrative: R4's rules txt-1 and txt-2 (http://hl7.org/fhir/R4/narrative.html).

R4 allows the formatting of HTML 4.0's chapters 7 to 11 (but 9.4) and 15, `a`, images and styles, in one `div`. The
parser is expat; a document type is refused, so that there are no entities to expand.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from xml.parsers import expat

WRONG: Final = "txt-1"
EMPTY: Final = "txt-2"
ACTIVE: Final = "fhir-active-narrative"

_NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
_XML: Final = "http://www.w3.org/XML/1998/namespace"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS: Final = _words(
    "div p br span hr h1 h2 h3 h4 h5 h6 address blockquote q cite em strong dfn code samp kbd var abbr acronym sub sup "
    "ins del pre b i big small tt bdo ul ol li dl dt dd table caption colgroup col thead tfoot tbody tr th td a img "
    "map area"
)
_EVERYWHERE: Final = _words("id class style title lang dir accesskey tabindex")
_COLUMN: Final = _words("span width align valign char charoff")
_CELL: Final = _COLUMN | _words("abbr axis headers scope rowspan colspan height nowrap bgcolor")
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "a": _words("href name charset type hreflang rel rev shape coords target"),
        "img": _words("src alt longdesc height width usemap ismap border align"),
        "map": _words("name"),
        "area": _words("shape coords href nohref alt"),
        "table": _words("summary width border frame rules cellspacing cellpadding align"),
        "pre": _words("space width"),
        "hr": _words("align width size"),
        "li": _words("type value"),
        "ol": _words("type start compact"),
        "ul": _words("type compact"),
    }
    | dict.fromkeys(("blockquote", "q", "ins", "del"), _words("cite datetime"))
    | dict.fromkeys(("col", "colgroup"), _COLUMN)
    | dict.fromkeys(("thead", "tbody", "tfoot", "tr", "th", "td"), _CELL)
    | dict.fromkeys(("caption", "div", "p", "h1", "h2", "h3", "h4", "h5", "h6"), _words("align"))
)
_RUNNING: Final = _words("script object applet embed iframe frame frameset form input button link base meta")
_ADDRESSES: Final = frozenset({"href", "src", "cite", "longdesc"})
_RUNNING_SCHEMES: Final = ("javascript:", "vbscript:")


class _Reader:
    """What expat tells of, noted as broken rules."""

    def __init__(self) -> None:
        self.broken: dict[str, None] = {}
        self.has_content = False
        self.depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self.depth += 1
        if local.lower() in _RUNNING:
            self.broken[ACTIVE] = None
        if namespace != _NAMESPACE or local not in _ELEMENTS or (self.depth == 1 and local != "div"):
            self.broken[WRONG] = None
        if local == "img":
            self.has_content = True
        for attribute, value in attributes.items():
            self.attribute(local, attribute, value)

    def attribute(self, element: str, name: str, value: str) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace == _XML:
            return
        # Browsers skip blanks and control characters before a scheme.
        scheme = "".join(each for each in value.lower() if each > " ")
        if local.lower().startswith("on") or (local.lower() in _ADDRESSES and scheme.startswith(_RUNNING_SCHEMES)):
            self.broken[ACTIVE] = None
        elif namespace or (local not in _EVERYWHERE and local not in _ATTRIBUTES.get(element, ())):
            self.broken[WRONG] = None

    def end(self, _name: str) -> None:
        self.depth -= 1

    def characters(self, text: str) -> None:
        if not text.isspace():
            self.has_content = True

    def document_type(self, *_: object) -> None:
        self.broken[WRONG] = None


def broken_rules(div: str) -> tuple[str, ...]:
    """The rules that a narrative's `div` breaks: `txt-1`, `txt-2`, `fhir-active-narrative`, or none. Never raises."""
    reader = _Reader()
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.document_type
    try:
        parser.Parse(div.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError:
        return (*(each for each in reader.broken if each == ACTIVE), WRONG)
    if not reader.has_content:
        reader.broken[EMPTY] = None
    return tuple(reader.broken)
