"""What a reader of the log is handed: a page or one entry, as FHIR R4 or as plain JSON, with the same in both.

An entry that is not what was written is left out of a page, and the page says so: what somebody else put into the store
must not be shown as the log's word.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from shared.messages.documents import Document
from shared.trail.auditevent import Shown, audit_event, chain_extension, resource_id
from shared.trail.chain import intact
from shared.trail.plain import plain_entry
from shared.trail.searching import Found


class Shape(Protocol):
    """A form to hand entries out in."""

    def page(self, found: Found, shown: Shown, base: str) -> dict[str, Any]:
        """What a search found. `base` is where callers reach the hub."""

    def one(self, document: Document, shown: Shown) -> dict[str, Any]:
        """One entry. Raises NotAnEntry."""


class Fhir:
    """AuditEvents, a page of them in a Bundle of type searchset."""

    def page(self, found: Found, shown: Shown, base: str) -> dict[str, Any]:
        """See Shape."""
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        if found.cursor is not None:
            # The next page is asked for by POST as well: `page` goes into the body beside the rest.
            bundle["link"] = [{"relation": "next", "url": f"{base}/trail/_search?page={found.cursor.text()}"}]
        if found.documents:
            bundle["entry"] = [
                self._match(each, shown, base) if intact(each) else dict(_TOUCHED) for each in found.documents
            ]
        return bundle

    def one(self, document: Document, shown: Shown) -> dict[str, Any]:
        """See Shape."""
        return audit_event(document, shown)

    def _match(self, document: Document, shown: Shown, base: str) -> dict[str, Any]:
        return {
            "fullUrl": f"{base}/trail/{resource_id(document['chain'], document['seq'])}",
            "resource": audit_event(document, shown),
            "search": {"mode": "match", "extension": [chain_extension(document)]},
        }


class Plain:
    """Entries as the log itself has them."""

    def page(self, found: Found, shown: Shown, base: str) -> dict[str, Any]:
        """See Shape."""
        whole: Sequence[Document] = [each for each in found.documents if intact(each)]
        return {
            "entries": [plain_entry(each, shown) for each in whole],
            "leftOut": len(found.documents) - len(whole),
            "next": found.cursor.text() if found.cursor is not None else None,
        }

    def one(self, document: Document, shown: Shown) -> dict[str, Any]:
        """See Shape."""
        return plain_entry(document, shown)


FHIR: Final = Fhir()
PLAIN: Final = Plain()

_TOUCHED: Final[Mapping[str, Any]] = MappingProxyType({
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{
            "severity": "error", "code": "exception",
            "diagnostics": "An entry was left out: it is not what was written. Have the log verified.",
        }],
    },
    "search": {"mode": "outcome"},
})  # fmt: skip
