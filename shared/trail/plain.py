"""An entry of the log as plain JSON: the fields by the names that the log itself has, for those who read no FHIR."""

from typing import Any, Final

from shared import clock
from shared.messages.documents import Document
from shared.trail.auditevent import Shown, resource_id
from shared.trail.chain import read_body, read_header
from shared.trail.entry import WITHHELD, Outcome

OUTCOMES: Final = {
    Outcome.SUCCESS: "success",
    Outcome.MINOR_FAILURE: "minor-failure",
    Outcome.SERIOUS_FAILURE: "serious-failure",
}
TEXTS: Final = (
    "reason", "system", "message", "original", "sender", "receiver", "trace", "correlation", "purpose", "why",
)  # fmt: skip
"""Fields of an entry that are shown as they are, and to everybody who sees the entry at all."""


def plain_entry(document: Document, shown: Shown) -> dict[str, Any]:
    """The JSON of a stored entry. Raises NotAnEntry. Of a purged one only what the header says is left."""
    header = read_header(document["header"])
    body = read_body(document)
    found: dict[str, Any] = {
        "id": resource_id(header.chain, header.seq),
        "chain": header.chain,
        "seq": header.seq,
        "hash": document["hash"],
        "kind": header.kind.value,
        "family": header.kind.family.value,
        "outcome": OUTCOMES[header.outcome],
        "occurred": clock.written(header.occurred),
        "recorded": clock.written(header.recorded),
        "observer": header.observer,
        "purged": body is None,
    }
    if body is None:
        return found
    found |= {name: body[name] for name in ("ended", *TEXTS, "details") if name in body}
    if "patient" in body:
        found["patient"] = body["patient"] if shown.patients else WITHHELD
    if "person" in body:
        found["person"] = _person(body["person"], shown)
    if "changes" in body:
        names = ("field", "before", "after")
        found["changes"] = [dict(zip(names, change, strict=True)) for change in body["changes"]]
    return found


def _person(person: dict[str, str], shown: Shown) -> dict[str, str]:
    told = {name: person[name] for name in ("role", "orgnr") if person.get(name)}
    if not shown.people:
        return {"subject": WITHHELD, **told}
    return {"subject": person["subject"], **({"name": person["name"]} if person.get("name") else {}), **told}
