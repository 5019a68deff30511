"""Organisation numbers in a client assertion (domain/helseid.md 3.3).

The stand-in's clients are single-tenant: the parent organisation comes from the registry, the client may name a child.
"""

import re
from typing import Any, Final

from sandbox.helseid.refusals import OAuthError

_CHILD_SYSTEMS: Final = frozenset({"urn:oid:2.16.578.1.12.4.1.4.101", "urn:oid:2.16.578.1.12.4.1.2.101"})
"""NHN's libraries and samples disagree about which; both are taken."""
_MULTI_TENANT_SYSTEM: Final = "urn:oid:1.0.6523"
_ORGNR = re.compile(r"[0-9]{9}")


def orgnr_child(claims: dict[str, Any]) -> str | None:
    """The child organisation that the assertion names, or None. Raises OAuthError with HelseID's own number for it."""
    if "assertion_details" in claims and "authorization_details" in claims:
        raise _refused("HID-1007", "assertion_details and authorization_details may not both be sent")
    details = claims.get("assertion_details", claims.get("authorization_details"))
    if details is None:
        return None
    entries = details if isinstance(details, list) else [details]
    children = [_child(entry) for entry in entries if not _is_other(entry)]
    if len(children) > 1:
        raise _refused("HID-1007", "more than one organisation is named")
    return children[0] if children else None


def _is_other(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("type") == "nhn:sfm:journal-id"


def _child(entry: object) -> str:
    if not isinstance(entry, dict) or entry.get("type") != "helseid_authorization":
        raise _refused("HID-1007", "the structure violates the specification")
    identifier: object = entry
    for name in ("practitioner_role", "organization", "identifier"):
        identifier = identifier.get(name) if isinstance(identifier, dict) else None
    if not isinstance(identifier, dict) or identifier.get("type") != "ENH":
        raise _refused("HID-1007", "the structure violates the specification")
    if identifier.get("system") == _MULTI_TENANT_SYSTEM:
        raise _refused("HID-1010", "this client is registered as single-tenant")
    value = identifier.get("value")
    if identifier.get("system") not in _CHILD_SYSTEMS or not isinstance(value, str):
        raise _refused("HID-1007", "the structure violates the specification")
    if _ORGNR.fullmatch(value) is None:
        raise _refused("HID-1004", "an organisation number has nine digits")
    return value


def _refused(number: str, what: str) -> OAuthError:
    return OAuthError("invalid_request", f"{number}: {what}.")
