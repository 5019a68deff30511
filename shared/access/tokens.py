"""Whether an access token lets its caller in, and who the caller is.

Plain functions over a token, the issuer's keys, this API's policy and the time. The checks and their order are those of
domain/helseid.md section 6 (HelseID's "Validating Access Tokens", RFC 9068, RFC 8725); another issuer than HelseID has
its own reading of the claims. No exception carries any part of
the token. How the token was sent, and a proof with it, is judged in `shared.access.authenticate`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.access.caller import Caller
from shared.access.claims import Sender, caller_of, seconds
from shared.access.compact import MAX_BYTES, Compact, take_apart
from shared.access.jwks import ASYMMETRIC, KeySet, SigningKey
from shared.access.refusals import TokenBound, UnknownKey
from shared.errors import TokenAudience, TokenExpired, TokenIssuer, TokenMalformed, TokenSignature

__all__ = ["TokenBound", "TokenPolicy", "UnknownKey", "Verified", "read_token", "verify", "verify_compact"]

MAX_KID: Final = 256

_TYPES: Final = frozenset({"at+jwt", "jwt"})
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")

type ReadClaims = Callable[[dict[str, Any], str], Caller]
"""Claims and token in, caller out; signature, issuer, audience and times have been checked. Raises TokenClaims."""


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What this API demands of a token."""

    issuer: str
    """The issuer, exactly as it stands in `iss`."""
    audience: str
    """This API's own name, exactly as it stands in `aud`."""
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256"})
    skew: timedelta = timedelta(seconds=5)
    """How far the two clocks may differ."""
    max_bytes: int = MAX_BYTES
    test_environment: bool = False
    """True where VKP's scope for everything (`nhn:vkp/api/*.*`) counts: never in production."""
    required: frozenset[Sender] = frozenset({"vkp_id"})
    """The claims about the sender that must be there: the vkp-id, the organisation or the person at the least."""
    single_audience: bool = True
    """False where a token for several APIs is taken. HelseID: an API should refuse it."""
    claims: ReadClaims | None = None
    """How the claims are read where the issuer is not HelseID; `required` and `test_environment` then count for
    nothing."""

    def __post_init__(self) -> None:
        if not self.algorithms or not self.algorithms <= ASYMMETRIC:
            raise ValueError("algorithms must be some of HelseID's nine asymmetric ones")
        if not self.issuer or not self.audience:
            raise ValueError("issuer and audience must be set")
        if self.required.isdisjoint({"vkp_id", "orgnr_parent", "person"}):
            raise ValueError("a token must name its vkp-id, its organisation or its person")


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that is the issuer's and for this API, before anybody asked whether the one who sent it may."""

    caller: Caller
    key: SigningKey
    """The key that signed it."""
    ends: float
    """From when on it counts no more, the skew included; seconds since 1970."""
    is_bound: bool
    """Whether it has a `cnf`, of whatever form."""
    thumbprint: str | None = field(repr=False)
    """The key it is bound to (RFC 9449, 6.1); None when it is bound to nothing, or in a way that is not known here."""


def verify(token: str, keys: KeySet, policy: TokenPolicy, now: datetime) -> Verified:
    """What this token says, at the time `now` (UTC).

    Raises TokenMalformed, UnknownKey (a TokenSignature), TokenSignature, TokenIssuer, TokenAudience, TokenExpired or
    TokenClaims.
    """
    return verify_compact(token, read_token(token, policy), keys, policy, now)


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
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
        raise TokenMalformed
    return compact


def verify_compact(token: str, compact: Compact, keys: KeySet, policy: TokenPolicy, now: datetime) -> Verified:
    """As `verify`, for a token that `read_token` has let through."""
    key = _signing_key(compact, keys)
    claims = compact.claims
    if claims.get("iss") != policy.issuer:
        raise TokenIssuer
    _check_audience(claims.get("aud"), policy)
    ends = _check_times(claims, policy.skew, now)
    caller = _caller(claims, token, policy)
    return Verified(caller, key, ends, "cnf" in claims, _thumbprint(claims.get("cnf")))


def _caller(claims: dict[str, Any], token: str, policy: TokenPolicy) -> Caller:
    if policy.claims is not None:
        return policy.claims(claims, token)
    return caller_of(claims, token, policy.required, test_environment=policy.test_environment)


def _signing_key(compact: Compact, keys: KeySet) -> SigningKey:
    key = keys.find(compact.header["kid"])
    if key is None:
        raise UnknownKey
    if not key.has_signed(compact.signed, compact.signature, compact.header["alg"]):
        raise TokenSignature
    return key


def _check_audience(audience: object, policy: TokenPolicy) -> None:
    if audience in (policy.audience, [policy.audience]):
        return
    if policy.single_audience or not isinstance(audience, list) or policy.audience not in audience:
        raise TokenAudience


def _check_times(claims: Mapping[str, Any], skew: timedelta, now: datetime) -> float:
    at, leeway = now.timestamp(), skew.total_seconds()
    expires, not_before, issued = (seconds(claims.get(name)) for name in ("exp", "nbf", "iat"))
    if at >= expires + leeway or at < not_before - leeway or at < issued - leeway:
        raise TokenExpired
    return expires + leeway


def _thumbprint(confirmation: object) -> str | None:
    # A second way of being bound, beside the key, would be one that nobody here checks.
    if not isinstance(confirmation, dict) or confirmation.keys() != {"jkt"}:
        return None
    thumbprint = confirmation["jkt"]
    return thumbprint if isinstance(thumbprint, str) and _THUMBPRINT.fullmatch(thumbprint) else None
