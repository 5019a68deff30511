"""What no template told: left out with a reason, or told at the end. Nothing is lost in silence."""

import re
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
    **dict.fromkeys(("confidentiality", "orderedBy", "timestamp", "issued", "contentType"), Omission.TECHNICAL),
    **dict.fromkeys(("data", "hash", "size", "relatesTo", "owner", "custodian", "type"), Omission.TECHNICAL),
}
_KEPT_OBJECTS: Final = ("code", "type", "mode", "orderedBy")
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
_EXTENSIONS_OF_HOSTS: Final = ("lastUpdated",)


def sweep(draft: Draft) -> None:
    """Walk the message; tell or leave out whatever is neither."""
    _walk(draft, draft.work.parts.root)


def _walk(draft: Draft, node: Node) -> None:
    ledger = draft.work.parts.ledger
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
            _narrative(draft, Node(value, path, ledger))
        elif isinstance(value, dict):
            _object(draft, Node(value, path, ledger), _label(draft, node, name))
        elif isinstance(value, list):
            _each(draft, node, name, value, path)
        else:
            _primitive(draft, node, name, value, path)


def _omission(node: Node, name: str, value: JsonValue) -> Omission | None:
    if name == "reference" and node.kind:
        return Omission.ADDRESS
    if isinstance(value, dict | list) and name in _KEPT_OBJECTS:
        return None
    if name.startswith("_") or name in _EXTENSIONS_OF_HOSTS:
        return None if isinstance(value, dict) and "extension" in value else Omission.TECHNICAL
    if name == "focus" and node.kind == "Composition":
        return None
    return _BY_NAME.get(name)


def _each(draft: Draft, node: Node, name: str, values: list[JsonValue], path: Path) -> None:
    ledger = draft.work.parts.ledger
    for number, value in enumerate(values):
        place = (*path, number)
        if ledger.settled(place):
            continue
        if isinstance(value, dict):
            _object(draft, Node(value, place, ledger), _label(draft, node, name, value))
        elif not isinstance(value, list):
            _primitive(draft, node, name, value, place)


def _object(draft: Draft, node: Node, label: str) -> None:
    if node.kind or draft.work.parts.ledger.settled(node.path):
        _walk(draft, node)
        return
    before = len(draft.blocks)
    text = datatypes.spoken(draft.work, node)
    if text is not None:
        _tell(draft, label, text, node.path)
        node.mark()
        return
    del draft.blocks[before:]
    if value := datatypes.choice(draft.work, node, "value"):
        _tell(draft, label, value, node.path)
    _walk(draft, node)


def _primitive(draft: Draft, node: Node, name: str, value: JsonValue, path: Path) -> None:
    ledger = draft.work.parts.ledger
    text = datatypes.primitive(draft.work, value, name)
    if name in _WRITTEN and (at := when(value)) is not None and draft.work.stamp(at):
        ledger.left_out[path] = Omission.TECHNICAL
    elif text is None or not text.strip("«» –-."):
        ledger.left_out[path] = Omission.EMPTY
    else:
        _tell(draft, _label(draft, node, name), text, path)


def _narrative(draft: Draft, narrative: Node) -> None:
    """A resource's own narrative. A `generated` one says nothing that its data does not (R4 narrative-status)."""
    if narrative.raw("status") == "generated":
        narrative.leave(Omission.REPEATED)
        return
    div = narrative.raw("div")
    text = draft.work.parts.ledger.cleaner.block(div) if div is not None else ""
    narrative.mark()
    if text and not _said(draft, text):
        lead = draft.work.terms.lead("other")
        draft.quote(lead, lead, text)


def _tell(draft: Draft, label: str, text: str, path: Path) -> None:
    ledger = draft.work.parts.ledger
    if _said(draft, text):
        ledger.left_out.setdefault(path, Omission.REPEATED)
        return
    ledger.told.add(path)
    draft.blocks.append(Statement(labelled(label, text), (Fact(label, text),)))


def _said(draft: Draft, text: str) -> bool:
    """Whether the note has these words already. Short ones must stand alone: `ja` is not said by `kjenner jo ja`."""
    wanted = _folded(text)
    said = [_folded(each) for each in [draft.type, *words(tuple(draft.blocks))]]
    if not wanted or len(wanted) < _SHORT or not any(map(str.isalpha, wanted)):
        return wanted in said
    whole = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    return any(whole.search(each) for each in said)


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


def _label(draft: Draft, node: Node, name: str, value: JsonObject | None = None) -> str:
    """What to call something that no template knows."""
    terms: Terms = draft.work.terms
    url = node.raw("url") if name.startswith("value") else (value or {}).get("url")
    if isinstance(url, str) and (named := extension_label(terms, url)) is not None:
        return named
    return terms.labels.get(_NAMES.get(name, ""), terms.label("other"))


_NAMES: Final = {"comment": "comment", "note": "comment", "author": "author", "title": "sender-title"}


def extension_label(terms: Terms, url: str) -> str | None:
    """What an extension is about, when its url tells."""
    tail = url.rpartition("/")[2].casefold()
    return next((label for part, label in terms.extensions.items() if part in tail), None)
