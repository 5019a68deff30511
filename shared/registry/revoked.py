"""The kill switch for keys: ids of issuers' signing keys that must not count any longer, at every instance in seconds.

One entry for the whole hub, kept where the vendors' systems are: an issuer takes a key of its own away too, but the hub
remembers keys for up to a day, and who holds a stolen one does not wait.
"""

from dataclasses import dataclass
from typing import Final

from shared.messages.documents import Document
from shared.registry.model import SYSTEMS
from shared.registry.shapes import Texts, as_json, closed, kept

REVOKED_DOCUMENT: Final = "revoked-keys"


@closed
@dataclass(frozen=True, slots=True)
class RevokedKeys:
    """Keys that let nobody in any longer, whichever issuer published them."""

    kids: Texts = frozenset()
    """Their ids (`kid`), in any letter case."""

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": REVOKED_DOCUMENT, "orgnr": SYSTEMS, "type": "revokedKeys", **as_json(RevokedKeys, self)}


def revoked_from(document: Document) -> RevokedKeys:
    """The entry behind its document. Raises ValueError for a document that is none."""
    return kept(RevokedKeys, document)
