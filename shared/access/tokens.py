"""Whether a HelseID access token, sent as Bearer, lets its caller in, and who the caller is.

Plain functions over a token, the issuer's keys, this API's policy and the time. The checks and their order are those of
domain/helseid.md section 6 (HelseID's "Validating Access Tokens", RFC 9068, RFC 8725). No exception carries any part of
the token.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.access.caller import Caller
from shared.access.compact import MAX_BYTES, Compact, take_apart
from shared.access.jwks import ASYMMETRIC, KeySet
from shared.access.scopes import counting, read_scopes
from shared.errors import (
    TokenAudience,
    TokenClaims,
    TokenExpired,
    TokenIssuer,
    TokenMalformed,
    TokenSignature,
)

VKP_ID_CLAIM: Final = "nhn:vkp/client/claims/vkp-id"
ORGNR_PARENT_CLAIM: Final = "helseid://claims/client/claims/orgnr_parent"
ORGNR_CHILD_CLAIM: Final = "helseid://claims/client/claims/orgnr_child"
CLIENT_AMR: Final = "private_key_jwt"

_TYPES: Final = frozenset({"at+jwt", "jwt"})
_MAX_NAME: Final = 128
_ORGNR = re.compile(r"[0-9]{9}")


class UnknownKey(TokenSignature):
    """The bearer token is signed with a key that HelseID does not publish.

    Fetch a new token from the HelseID environment that belongs to this hub.
    """


class TokenBound(TokenMalformed):
    """The bearer token is bound to a key (DPoP) and may not be sent as Bearer.

    Ask HelseID for a token without DPoP for this API.
    """


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What this API demands of a token."""

    issuer: str
    """HelseID's issuer, exactly as it stands in `iss`."""
    audience: str
    """This API's own name, exactly as it stands in `aud`."""
    algorithms: frozenset[str] = frozenset({"RS256"})
    skew: timedelta = timedelta(seconds=5)
    """How far the two clocks may differ."""
    max_bytes: int = MAX_BYTES
    test_environment: bool = False
    """True where VKP's scope for everything (`nhn:vkp/api/*.*`) counts: never in production."""

    def __post_init__(self) -> None:
        if not self.algorithms or not self.algorithms <= ASYMMETRIC:
            raise ValueError("algorithms must be some of HelseID's nine asymmetric ones")
        if not self.issuer or not self.audience:
            raise ValueError("issuer and audience must be set")


def verify(token: str, keys: KeySet, policy: TokenPolicy, now: datetime) -> Caller:
    """The caller that this token speaks for, at the time `now` (UTC).

    Raises TokenMalformed, UnknownKey (a TokenSignature), TokenSignature, TokenIssuer, TokenAudience, TokenExpired,
    TokenBound or TokenClaims.
    """
    return verify_compact(read_token(token, policy), keys, policy, now)


def read_token(token: str, policy: TokenPolicy) -> Compact:
    """The token taken apart, refused early where no key is needed to see that it is not ours. Raises TokenMalformed."""
    compact = take_apart(token, policy.max_bytes)
    header = compact.header
    algorithm, kind, kid = header.get("alg"), header.get("typ"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in policy.algorithms:
        raise TokenMalformed
    # This API understands no critical extension; b64 would change what the signature covers.
    if "crit" in header or "b64" in header:
        raise TokenMalformed
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise TokenMalformed
    if not isinstance(kid, str) or not kid:
        raise TokenMalformed
    return compact


def verify_compact(compact: Compact, keys: KeySet, policy: TokenPolicy, now: datetime) -> Caller:
    """As `verify`, for a token that `read_token` has let through."""
    _check_signature(compact, keys)
    claims = compact.claims
    if claims.get("iss") != policy.issuer:
        raise TokenIssuer
    audience = claims.get("aud")
    if audience not in (policy.audience, [policy.audience]):
        raise TokenAudience
    _check_times(claims, policy.skew, now)
    # RFC 9449 7.2: a stolen bound token must not become usable by leaving out its proof.
    if "cnf" in claims:
        raise TokenBound
    return _caller(claims, policy)


def _check_signature(compact: Compact, keys: KeySet) -> None:
    key = keys.find(compact.header["kid"])
    if key is None:
        raise UnknownKey
    if not key.has_signed(compact.signed, compact.signature, compact.header["alg"]):
        raise TokenSignature


def _check_times(claims: dict[str, Any], skew: timedelta, now: datetime) -> None:
    at, leeway = now.timestamp(), skew.total_seconds()
    expires, not_before, issued = (_seconds(claims.get(name)) for name in ("exp", "nbf", "iat"))
    if at >= expires + leeway or at < not_before - leeway or at < issued - leeway:
        raise TokenExpired


def _seconds(value: object) -> float:
    """A NumericDate. A bool is an int to Python, but not a time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenClaims
    try:
        seconds = float(value)
    except OverflowError:
        raise TokenClaims from None
    if not math.isfinite(seconds):
        raise TokenClaims
    return seconds


def _caller(claims: dict[str, Any], policy: TokenPolicy) -> Caller:
    client_id = _name(claims.get("client_id"))
    if claims.get("client_amr") != CLIENT_AMR:
        raise TokenClaims
    return Caller(
        vkp_id=_name(claims.get(VKP_ID_CLAIM)),
        client_id=client_id,
        scopes=counting(read_scopes(claims.get("scope")), test_environment=policy.test_environment),
        orgnr_parent=_orgnr(claims.get(ORGNR_PARENT_CLAIM)),
        orgnr_child=_orgnr(claims.get(ORGNR_CHILD_CLAIM)),
    )


def _name(value: object) -> str:
    """An opaque name that ends up in keys and logs: bounded, printable, nothing to trim."""
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
