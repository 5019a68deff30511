"""A DPoP proof at the token endpoint (RFC 9449 sections 4.3, 5 and 8), with the nonce that HelseID demands there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from yarl import URL

from sandbox.helseid import jwk
from sandbox.helseid.jose import NINE, Jws, Unreadable, is_signed_by, read
from sandbox.helseid.names import PROOF_TYP
from sandbox.helseid.nonces import Nonces
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.seen import Seen

PAST_S: Final = 60.0
FUTURE_S: Final = 5.0
"""HelseID publishes no window for `iat`; the minute is IdentityServer's default, which HelseID has the shape of."""
MAX_JTI: Final = 256


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that holds: the thumbprint of its key, its id, and until when the id matters (seconds since 1970)."""

    jkt: str
    jti: str
    until: float

    def burn(self, seen: Seen, now: datetime) -> None:
        """Use the proof up. Raises OAuthError when it was used before."""
        if not seen.is_first_use("proof", self.jkt, self.jti, self.until, now):
            raise _refused("has been used before (jti)")


def check_proof(values: Sequence[str], token_endpoint: str, nonces: Nonces, now: datetime) -> Proven:
    """Check the DPoP header's value or values at the time `now` (UTC).

    Raises OAuthError: invalid_dpop_proof, or use_dpop_nonce with a nonce for a proof that lacks only that.
    """
    if len(values) != 1:
        raise _refused("must be sent in exactly one DPoP header")
    try:
        proof = read(values[0])
    except Unreadable:
        raise _refused("is not a signed JWT") from None
    jkt = _check_key(proof)
    claims = proof.claims
    if claims.get("htm") != "POST":
        raise _refused("is for another method (htm)")
    if not _is_same_target(claims.get("htu"), token_endpoint):
        raise _refused("is for another address (htu)")
    issued = _issued(claims.get("iat"), now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise _refused("must have an id of its own (jti)")
    _check_nonce(claims, nonces, now)
    return Proven(jkt, jti, issued + PAST_S + FUTURE_S)


def _check_key(proof: Jws) -> str:
    header = proof.header
    typ, alg, key = header.get("typ"), header.get("alg"), header.get("jwk")
    if not isinstance(typ, str) or typ.lower() != PROOF_TYP:
        raise _refused(f"must have the type {PROOF_TYP} (typ)")
    if alg not in NINE:
        raise _refused("must be signed with one of HelseID's nine algorithms (alg)")
    if not isinstance(key, dict) or jwk.PRIVATE_MEMBERS & key.keys():
        raise _refused("must carry the public key, and only that (jwk)")
    if not is_signed_by(proof, key):
        raise _refused("is not signed with the key that it carries")
    return jwk.thumbprint(key)


def _issued(value: object, now: datetime) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("must say when it was made (iat)")
    try:
        issued = float(value)
    except OverflowError:
        issued = math.inf
    if not -FUTURE_S <= now.timestamp() - issued <= PAST_S:
        raise _refused("is too old or from the future (iat)")
    return issued


def _check_nonce(claims: dict[str, Any], nonces: Nonces, now: datetime) -> None:
    nonce = claims.get("nonce")
    # The portal's example proofs carry an empty nonce: as good as none.
    if not isinstance(nonce, str) or not nonces.holds(nonce, now):
        fresh = nonces.new(now)
        raise OAuthError("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.", fresh)


def _is_same_target(stated: object, own: str) -> bool:
    if not isinstance(stated, str):
        return False
    try:
        return _normalised(stated) == _normalised(own)
    except ValueError:
        return False


def _normalised(address: str) -> tuple[str, str | None, int | None, str, str | None]:
    # RFC 9449 4.3: compared after RFC 3986 normalisation (which yarl does), query and fragment left aside.
    url = URL(address)
    return url.scheme, url.host, url.port, url.raw_path, url.user


def _refused(what: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", f"The DPoP proof {what}.")
