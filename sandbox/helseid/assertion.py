"""A client's proof of who it is: the private_key_jwt assertion, checked as HelseID does (domain/helseid.md 3.2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sandbox.helseid.clients import Client
from sandbox.helseid.refusals import OAuthError
from shared.access.compact import Compact, take_apart
from shared.access.jwks import ASYMMETRIC, read_key
from shared.errors import TokenMalformed

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYP: Final = "client-authentication+jwt"
LEGACY_TYP: Final = "jwt"
MAX_LIFETIME_S: Final = 60.0
SKEW_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class AssertionRules:
    """What the assertion must say."""

    issuer: str
    allow_legacy_typ: bool = False
    """Accept typ JWT, as HelseID's documentation had it before 2025."""
    allow_legacy_audience: bool = False
    """Accept the issuer with a trailing slash and the token endpoint's address as `aud`."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An assertion that holds: its id and how long it must be remembered (seconds since 1970), and all its claims."""

    jti: str
    expires: float
    claims: dict[str, Any]


class Replays:
    """The ids of assertions already used. Kept in memory: an assertion lives for a minute."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], float] = {}

    def burn(self, client_id: str, proven: Proven, now: datetime) -> None:
        """Remember this assertion. Raises OAuthError when it was used before."""
        at = now.timestamp()
        self._used = {key: expires for key, expires in self._used.items() if expires + SKEW_S > at}
        key = (client_id, proven.jti)
        if key in self._used:
            raise OAuthError("invalid_client", "The client assertion has been used before (jti).")
        self._used[key] = proven.expires


def check_assertion(text: str, client: Client, rules: AssertionRules, now: datetime) -> Proven:
    """Check a client's assertion at the time `now` (UTC). Raises OAuthError `invalid_client` saying what is wrong."""
    try:
        compact = take_apart(text)
    except TokenMalformed:
        raise _refused("is not a signed JWT") from None
    header, claims = compact.header, compact.claims
    alg, typ = header.get("alg"), header.get("typ")
    if alg not in ASYMMETRIC:
        raise _refused("must be signed with an asymmetric algorithm (alg)")
    allowed = {TYP, LEGACY_TYP} if rules.allow_legacy_typ else {TYP}
    if not isinstance(typ, str) or typ.lower() not in allowed:
        raise _refused(f"must have the type {TYP} (typ)")
    if "crit" in header or "b64" in header:
        raise _refused("has a critical header that is not understood (crit)")
    _check_signature(compact, str(alg), header.get("kid"), client)
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise _refused("must have the client_id as issuer and subject (iss, sub)")
    if claims.get("aud") not in _audiences(rules):
        raise _refused("must have this issuer as its audience (aud)")
    return _proven(claims, now.timestamp())


def _check_signature(compact: Compact, alg: str, kid: object, client: Client) -> None:
    keys = [key for key in map(read_key, map(_with_kid, client.jwks)) if key is not None and alg in key.algorithms]
    # The published sample client sends HelseID's own key id here: the id is a hint, the registered keys decide.
    hinted_first = sorted(keys, key=lambda key: key.kid != kid)
    if not any(key.has_signed(compact.signed, compact.signature, alg) for key in hinted_first):
        raise _refused("is not signed with a registered key of this client")


def _with_kid(entry: dict[str, Any]) -> dict[str, Any]:
    return {"kid": "unnamed", **entry}


def _audiences(rules: AssertionRules) -> list[Any]:
    accepted = [rules.issuer]
    if rules.allow_legacy_audience:
        accepted += [f"{rules.issuer}/", f"{rules.issuer}/connect/token"]
    return [*accepted, *([one] for one in accepted)]


def _proven(claims: dict[str, Any], at: float) -> Proven:
    expires = _seconds(claims.get("exp"))
    if expires is None:
        raise _refused("must say when it expires (exp)")
    if at >= expires + SKEW_S:
        raise _refused("has expired (exp)")
    if expires > at + MAX_LIFETIME_S + SKEW_S:
        raise _refused(f"may live for {MAX_LIFETIME_S:.0f} seconds at most (exp)")
    for name in ("nbf", "iat"):
        value = claims.get(name)
        # VKP's sample client may write iat as a string.
        start = _seconds(float(value) if isinstance(value, str) and value.isdecimal() else value)
        if value is not None and (start is None or at < start - SKEW_S):
            raise _refused(f"is not valid yet ({name})")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 256:
        raise _refused("must have an id of its own (jti)")
    return Proven(jti, expires, claims)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _refused(what: str) -> OAuthError:
    return OAuthError("invalid_client", f"The client assertion {what}.")
