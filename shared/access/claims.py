"""A verified token's claims, read into who is calling (HelseID's claims: domain/helseid.md section 4)."""

import base64
import hashlib
import math
import re
from datetime import UTC, datetime
from typing import Any, Final, Literal

from shared.access.caller import HELSEID, Caller, Person
from shared.access.scopes import counting, read_scopes
from shared.errors import TokenClaims

VKP_ID_CLAIM: Final = "nhn:vkp/client/claims/vkp-id"
ORGNR_PARENT_CLAIM: Final = "helseid://claims/client/claims/orgnr_parent"
ORGNR_CHILD_CLAIM: Final = "helseid://claims/client/claims/orgnr_child"
ORGNR_SUPPLIER_CLAIM: Final = "helseid://claims/client/claims/orgnr_supplier"
TENANCY_CLAIMS: Final = ("helseid://claims/client/client_tenancy", "helseid://claims/client/claims/client_tenancy")
"""HelseID's metadata has the first, its test-token service the second."""
SECURITY_LEVEL_CLAIM: Final = "helseid://claims/identity/security_level"
CLIENT_AMR: Final = "private_key_jwt"

Sender = Literal["vkp_id", "orgnr_parent", "orgnr_child", "person"]
"""Claims that say which system, organisation or person is calling. Which of them a token has is decided by how the API
is registered at HelseID, so which of them must be there is a setting."""

ID_TOKEN_ONLY: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
"""OpenID Connect Core 2 and 3.3.2.11: an access token has none of these."""
_MAX_NAME: Final = 128
_ORGNR: Final = re.compile(r"[0-9]{9}")
_NATIONAL: Final = re.compile(r"[0-9]{11}")


def caller_of(claims: dict[str, Any], token: str, required: frozenset[Sender], *, test_environment: bool) -> Caller:
    """Who this token speaks for; its `exp` has been checked before.

    Raises TokenClaims when a claim that must be there is not, or one is not what it should be.
    """
    if claims.get("client_amr") != CLIENT_AMR or "scope" not in claims or not ID_TOKEN_ONLY.isdisjoint(claims):
        raise TokenClaims
    caller = Caller(
        vkp_id=optional_name_in(claims.get(VKP_ID_CLAIM)) or "",
        client_id=name_in(claims.get("client_id")),
        scopes=counting(read_scopes(claims["scope"]), test_environment=test_environment),
        orgnr_parent=_orgnr(claims.get(ORGNR_PARENT_CLAIM)),
        orgnr_child=_orgnr(claims.get(ORGNR_CHILD_CLAIM)),
        orgnr_supplier=_orgnr(claims.get(ORGNR_SUPPLIER_CLAIM)),
        tenancy=_tenancy(claims),
        expires_at=_moment(claims["exp"]),
        token_id=token_id(claims.get("jti"), token),
        is_bound="cnf" in claims,
        person=_person(claims),
    )
    if not all(getattr(caller, name) for name in required):
        raise TokenClaims
    return caller


def seconds(value: object) -> float:
    """A NumericDate (RFC 7519 section 2). A bool is an int to Python, but not a time. Raises TokenClaims."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenClaims
    try:
        number = float(value)
    except OverflowError:
        raise TokenClaims from None
    if not math.isfinite(number):
        raise TokenClaims
    return number


def _moment(value: object) -> datetime:
    try:
        return datetime.fromtimestamp(seconds(value), UTC)
    except (ValueError, OverflowError, OSError):
        raise TokenClaims from None


def token_id(jti: object, token: str) -> str:
    """A name for a token by its id (`jti`), which may be anything a token can hold; the hash is fit for a log.

    Raises TokenClaims for an id that is no text.
    """
    if jti is not None and not isinstance(jti, str):
        raise TokenClaims
    kind, text = ("jti", jti) if jti else ("token", token)
    digest = hashlib.sha256(f"knutepunkt/{kind}/1\0{text}".encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:26]


def _person(claims: dict[str, Any]) -> Person | None:
    # A system's own token may have a `sub` too; only a login has a level.
    level = claims.get(SECURITY_LEVEL_CLAIM)
    if level is None:
        return None
    subject = name_in(claims.get("sub"))
    if _NATIONAL.fullmatch(subject):
        raise TokenClaims
    orgnr = _orgnr(claims.get(ORGNR_PARENT_CLAIM))
    return Person(f"{HELSEID}{subject}", optional_name_in(claims.get("name")) or "", orgnr, name_in(level))


def _tenancy(claims: dict[str, Any]) -> str | None:
    said = {name_in(claims[name]) for name in TENANCY_CLAIMS if claims.get(name) is not None}
    if len(said) > 1:
        raise TokenClaims
    return said.pop() if said else None


def optional_name_in(value: object) -> str | None:
    """As `name_in`; None for None."""
    return None if value is None else name_in(value)


def name_in(value: object) -> str:
    """An opaque name that ends up in keys and logs: bounded, printable, nothing to trim. Raises TokenClaims."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME:
        raise TokenClaims
    if not value.isprintable() or value != value.strip():
        raise TokenClaims
    return value


def _orgnr(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _ORGNR.fullmatch(value):
        raise TokenClaims
    return value
