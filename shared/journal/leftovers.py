"""What no template told: left out with a reason, or told at the end. Nothing is lost in silence."""

import re
from dataclasses import dataclass
from typing import Final

from shared.fhir.values import JsonObject, JsonValue, Path
from shared.journal import datatypes
from shared.journal.ledger import Node
from shared.journal.model import Block, Check, Fact, HumanText, Omission, Statement, Table
from shared.journal.terms import Terms
from shared.journal.when import when
from shared.journal.work import Draft, labelled

_BY_NAME: Final = {
    **dict.fromkeys(("resourceType", "id", "fullUrl", "meta", "linkId", "status"), Omission.TECHNICAL),
    **dict.fromkeys(("intent", "mode"), Omission.TECHNICAL),
    **dict.fromkeys(("request", "response", "search", "link", "signature", "implicitRules"), Omission.TECHNICAL),
    **dict.fromkeys(("identifier", "serialNumber", "reference", "udiCarrier", "targetIdentifier"), Omission.IDENTIFIER),
    **dict.fromkeys(("url", "endpoint", "telecom", "address", "photo", "questionnaire"), Omission.ADDRESS),
    **dict.fromkeys(("system", "code", "version", "userSelected", "language", "instantiates"), Omission.CODE),
    **dict.fromkeys(("subject", "patient"), Omission.NAME),
    **dict.fromkeys(
        ("confidentiality", "orderedBy", "timestamp", "issued", "contentType", "lastUpdated"), Omission.TECHNICAL
    ),
    **dict.fromkeys(("data", "hash", "size", "relatesTo", "owner", "custodian", "type"), Omission.TECHNICAL),
}
_KEPT_OBJECTS: Final = ("code", "type", "mode")
"""Under these names an object has words; only a bare code of that name is left out."""
_WHOLE: Final = {
    "MessageHeader": Omission.TECHNICAL,
    "Patient": Omission.NAME,
    "Provenance": Omission.TECHNICAL,
    "OperationOutcome": Omission.TECHNICAL,
    "Parameters": Omission.TECHNICAL,
}
_WRITTEN: Final = ("date", "recorded", "created", "sent", "received", "time", "authoredOn")
_SHORT: Final = 6
_ADDRESSES: Final = ("http://", "https://", "urn:")
_PERIOD: Final = ("start", "end")
_NAMES: Final = {"comment": "comment", "note": "comment", "author": "author", "title": "sender-title"}


def sweep(draft: Draft) -> None:
    """Walk the message; tell or leave out whatever is neither."""
    _Sweep(draft, draft.work.parts.ledger.opened(), Heard(draft)).walk(draft.work.parts.root)


@dataclass(frozen=True, slots=True)
class _Sweep:
    draft: Draft
    opened: frozenset[Path]
    """Objects of which a template has read something: only their rest is left."""
    heard: "Heard"

    def walk(self, node: Node) -> None:
        ledger = node.ledger
        if ledger.settled(node.path):
            return
        if (whole := _WHOLE.get(node.kind)) is not None:
            node.leave(whole)
            return
        for name, value in node.value.items():
            path = (*node.path, name)
            if ledger.settled(path):
                continue
            if (why := _omission(node, name, value)) is not None:
                ledger.left_out[path] = why
            elif name == "text" and isinstance(value, dict) and node.kind:
                self._narrative(Node(value, path, ledger))
            elif isinstance(value, list):
                for number, each in enumerate(value):
                    self._member(node, name, each, (*path, number))
            else:
                self._member(node, name, value, path)

    def _member(self, node: Node, name: str, value: JsonValue, path: Path) -> None:
        ledger = node.ledger
        if ledger.settled(path):
            return
        if isinstance(value, dict):
            self._object(Node(value, path, ledger), self._label(node, name, value))
        elif isinstance(value, list):
            ledger.left_out[path] = Omission.TECHNICAL
        else:
            self._primitive(node, name, value, path)

    def _object(self, node: Node, label: str) -> None:
        if node.kind or node.path in self.opened:
            self.walk(node)
            return
        text = datatypes.spoken(self.draft.work, node)
        if text is not None:
            self._tell(label, text, node.path)
            return
        told = [value for name, value in node.value.items() if name.startswith("value")]
        address = any(isinstance(value, str) and value.lower().startswith(_ADDRESSES) for value in told)
        if not address and (value := datatypes.choice(self.draft.work, node, "value")) is not None:
            self._tell(label, value, node.path, whole=False)
        self.walk(node)

    def _primitive(self, node: Node, name: str, value: JsonValue, path: Path) -> None:
        at = when(value)
        stamp = self.draft.work.stamp(at)
        text = stamp if name in _PERIOD and stamp else datatypes.primitive(self.draft.work, value, name)
        if isinstance(value, str) and value.strip().lower().startswith(_ADDRESSES):
            node.ledger.left_out[path] = Omission.ADDRESS
        elif name in _WRITTEN and stamp:
            node.ledger.left_out[path] = Omission.TECHNICAL
        elif text is None or not text.strip("«» –-."):
            node.ledger.left_out[path] = Omission.EMPTY
        else:
            self._tell(self._label(node, name), text, path)

    def _narrative(self, narrative: Node) -> None:
        """A resource's own narrative. A `generated` one says nothing that its data does not (R4 narrative-status)."""
        if narrative.raw("status") == "generated":
            narrative.leave(Omission.REPEATED)
            return
        div = narrative.raw("div")
        text = narrative.ledger.cleaner.block(div) if div is not None else ""
        narrative.mark()
        if text and not self.heard.said(text):
            lead = self.draft.work.terms.lead("other")
            self.draft.quote(lead, lead, text)

    def _tell(self, label: str, text: str, path: Path, *, whole: bool = True) -> None:
        ledger = self.draft.work.parts.ledger
        if self.heard.said(text, label):
            if whole:
                ledger.left_out.setdefault(path, Omission.REPEATED)
            return
        if whole:
            ledger.told.add(path)
        self.draft.blocks.append(Statement(labelled(label, text), (Fact(label, text),)))

    def _label(self, node: Node, name: str, value: JsonObject | None = None) -> str:
        """What to call something that no template knows."""
        terms = self.draft.work.terms
        url = node.raw("url") if name.startswith("value") else (value or {}).get("url")
        if isinstance(url, str) and (named := extension_label(terms, url)) is not None:
            return named
        return terms.labels[_NAMES.get(name, "other")]


def _omission(node: Node, name: str, value: JsonValue) -> Omission | None:
    if name == "reference" and node.kind:
        return Omission.ADDRESS
    if isinstance(value, dict | list) and name in _KEPT_OBJECTS:
        return None
    if name.startswith("_"):
        return None if isinstance(value, dict) and "extension" in value else Omission.TECHNICAL
    return _BY_NAME.get(name)


class Heard:
    """The words of a note so far, for asking many times while it grows."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._read = 0
        self._words = [_folded(draft.type)]
        self._facts: set[tuple[str, str]] = set()

    def said(self, text: str, label: str = "") -> bool:
        """Short texts and numbers must stand alone, under the same label: `ja` is not said by `kjenner jo ja`."""
        for block in self._draft.blocks[self._read :]:
            self._words.append("\n".join(map(_folded, words((block,)))))
            if isinstance(block, Statement):
                self._facts.update((fact.label, _folded(fact.value)) for fact in block.facts)
        self._read = len(self._draft.blocks)
        wanted = _folded(text)
        if len(wanted) < _SHORT or not any(map(str.isalpha, wanted)):
            return (label, wanted) in self._facts
        return any(wanted in each and _stands_in(wanted, each) for each in self._words)


def _stands_in(wanted: str, text: str) -> bool:
    """Whether words stand in a text as whole words."""
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" «».")


def words(blocks: tuple[Block, ...]) -> list[str]:
    """All texts of blocks, as prose."""
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Statement):
            found += [block.prose, *(fact.value for fact in block.facts)]
        elif isinstance(block, HumanText):
            found += [block.lead, block.text]
        elif isinstance(block, Table):
            found += [block.caption, *(row.prose for row in block.rows), *(c for row in block.rows for c in row.cells)]
        elif isinstance(block, Check):
            found.append(block.text)
    return found


def extension_label(terms: Terms, url: str) -> str | None:
    """What an extension is about, when its url tells."""
    tail = url.rpartition("/")[2].casefold()
    return next((label for part, label in terms.extensions.items() if part in tail), None)
