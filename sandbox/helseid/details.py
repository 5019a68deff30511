"""Organisation numbers in a client assertion (domain/helseid.md 3.3), refused with HelseID's own numbers.

HID-1001 the parent has delegated nothing to this client      HID-1005 this client may not name a parent
HID-1002 the child is not one the client may name             HID-1006 this client may not name a child
HID-1003 the parent has, but not for this child               HID-1007 the structure violates the specification
HID-1004 not nine digits                                      HID-1010 not how this client is registered

Which of the last four the real HelseID gives to a client of the wrong tenancy is not published: a guess.
"""

import re
from typing import Any, Final

from sandbox.helseid.claims import Organisations
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.registrations import JOURNAL_ID, Client

_SINGLE_TENANT_SYSTEMS: Final = frozenset({"urn:oid:2.16.578.1.12.4.1.4.101", "urn:oid:2.16.578.1.12.4.1.2.101"})
"""NHN's libraries and samples disagree about which; both are taken."""
_MULTI_TENANT_SYSTEM: Final = "urn:oid:1.0.6523"
_MULTI_TENANT = re.compile(r"NO:ORGNR:([^:]*)(?::([^:]*))?")
"""Parent, then perhaps a child: without one, NHN's .NET library leaves a colon at the end and its Java library none."""
_ORGNR = re.compile(r"[0-9]{9}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def organisations(claims: dict[str, Any], client: Client) -> Organisations:
    """Whom the assertion speaks for. Raises OAuthError."""
    if "assertion_details" in claims and "authorization_details" in claims:
        raise _refused(1007, "assertion_details and authorization_details may not both be sent")
    details = claims.get("assertion_details", claims.get("authorization_details"))
    entries = [] if details is None else details if isinstance(details, list) else [details]
    named: Organisations | None = None
    journal_id: str | None = None
    for entry in entries:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == JOURNAL_ID and journal_id is None:
            journal_id = _journal_id(entry)
        elif kind == "helseid_authorization" and named is None:
            named = _named(entry, client)
        else:
            raise _violates()
    found = named or Organisations.of(client)
    return Organisations(found.parent, found.child, found.supplier, journal_id, found.rejected_scopes)


def _named(entry: dict[str, Any], client: Client) -> Organisations:
    identifier: object = entry
    for name in ("practitioner_role", "organization", "identifier"):
        identifier = identifier.get(name) if isinstance(identifier, dict) else None
    if not isinstance(identifier, dict) or identifier.get("type") != "ENH":
        raise _violates()
    system, value = identifier.get("system"), identifier.get("value")
    if not isinstance(value, str):
        raise _violates()
    if system == _MULTI_TENANT_SYSTEM:
        return _delegated(value, client)
    if system in _SINGLE_TENANT_SYSTEMS:
        return _child(value, client)
    raise _violates()


def _delegated(value: str, client: Client) -> Organisations:
    match = _MULTI_TENANT.fullmatch(value)
    if match is None:
        raise _violates()
    parent, child = _nine_digits(match[1]), _nine_digits(match[2]) if match[2] else None
    if client.tenancy == "none":
        raise _refused(1005, "this client may not name a parent organisation")
    if client.tenancy != "multi":
        raise _refused(1010, "this client is registered as single-tenant")
    delegation = client.delegation_of(parent)
    if delegation is None:
        raise _refused(1001, "the parent organisation has delegated nothing to this client")
    if child is not None and delegation.children is not None and child not in delegation.children:
        raise _refused(1003, "the parent organisation has not delegated this child organisation")
    return Organisations(parent, child, client.orgnr_parent, None, delegation.rejected_scopes)


def _child(value: str, client: Client) -> Organisations:
    child = _nine_digits(value)
    if client.tenancy == "none":
        raise _refused(1006, "this client may not name a child organisation")
    if client.tenancy != "single":
        raise _refused(1010, "this client is registered as multi-tenant")
    if client.orgnr_children is not None and child not in client.orgnr_children:
        raise _refused(1002, "the child organisation is not one of this client's")
    return Organisations(client.orgnr_parent, child)


def _journal_id(entry: dict[str, Any]) -> str:
    value = entry.get("value")
    journal_id = value.get("journal_id") if isinstance(value, dict) else None
    if not isinstance(journal_id, str) or _UUID.fullmatch(journal_id) is None:
        raise _violates()
    return journal_id


def _nine_digits(value: str) -> str:
    if _ORGNR.fullmatch(value) is None:
        raise _refused(1004, "an organisation number has nine digits")
    return value


def _violates() -> OAuthError:
    return _refused(1007, "the structure violates the specification")


def _refused(number: int, what: str) -> OAuthError:
    return OAuthError("invalid_request", f"HID-{number}: {what}.")
