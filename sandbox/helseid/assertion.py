"""A client's proof of who it is: the private_key_jwt assertion, checked as HelseID does (domain/helseid.md 3.2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sandbox.helseid.jose import NINE, Jws, Unreadable, is_signed_by, read
from sandbox.helseid.names import ASSERTION_TYP
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.registrations import Client
from sandbox.helseid.rules import Rules
from sandbox.helseid.seen import Seen

LEGACY_TYP: Final = "jwt"
MAX_LIFETIME_S: Final = 60.0
SKEW_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Proven:
    """An assertion that holds: its id and how long it must be remembered (seconds since 1970), and all its claims."""

    client_id: str
    jti: str
    expires: float
    claims: dict[str, Any]

    def burn(self, seen: Seen, now: datetime) -> None:
        """Use the assertion up. Raises OAuthError when it was used before."""
        if not seen.is_first_use("assertion", self.client_id, self.jti, self.expires + SKEW_S, now):
            raise _refused("has been used before (jti)")


def check_assertion(text: str, client: Client, rules: Rules, issuer: str, now: datetime) -> Proven:
    """Check a client's assertion at the time `now` (UTC). Raises OAuthError `invalid_client` saying what is wrong."""
    try:
        assertion = read(text)
    except Unreadable:
        raise _refused("is not a signed JWT") from None
    header, claims = assertion.header, assertion.claims
    if header.get("alg") not in NINE:
        raise _refused("must be signed with an asymmetric algorithm (alg)")
    allowed = {ASSERTION_TYP} if rules.strict_typ else {ASSERTION_TYP, LEGACY_TYP}
    typ = header.get("typ")
    if not isinstance(typ, str) or typ.lower() not in allowed:
        raise _refused(f"must have the type {ASSERTION_TYP} (typ)")
    if not _is_by(client, assertion):
        raise _refused("is not signed with a registered key of this client")
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise _refused("must have the client_id as issuer and subject (iss, sub)")
    if claims.get("aud") not in _audiences(rules, issuer):
        raise _refused("must have this issuer as its audience (aud)")
    return _proven(claims, client.client_id, now.timestamp())


def _is_by(client: Client, assertion: Jws) -> bool:
    # The published sample client sends HelseID's own key id here: the id says nothing, the registered keys decide.
    alg = assertion.header.get("alg")
    return any(is_signed_by(assertion, key) for key in client.jwks.keys if key.get("alg", alg) == alg)


def _audiences(rules: Rules, issuer: str) -> Collection[Any]:
    accepted = [issuer] if rules.strict_aud else [issuer, f"{issuer}/", f"{issuer}/connect/token"]
    return [*accepted, *([one] for one in accepted)]


def _proven(claims: dict[str, Any], client_id: str, at: float) -> Proven:
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
    return Proven(client_id, jti, expires, claims)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _refused(what: str) -> OAuthError:
    return OAuthError("invalid_client", f"The client assertion {what}.")
