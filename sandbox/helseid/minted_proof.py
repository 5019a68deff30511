"""The DPoP proof that the mint makes beside a token, right or wrong as ordered (RFC 9449 section 4.2)."""

import base64
import secrets
from datetime import datetime
from typing import Any, Final

from yarl import URL

from sandbox.helseid import jwk
from sandbox.helseid.dpop import access_token_hash, target
from sandbox.helseid.jose import PrivateKey, assemble, with_broken_signature
from sandbox.helseid.orders import ProofOrder

_SYMMETRIC_KEY: Final = b"a symmetric key that proves nothing"


def make_proof(order: ProofOrder, bound_to: jwk.KeyPair, token: str, now: datetime) -> str:
    """The proof for this token at the time `now` (UTC), with the key that the token is bound to unless ordered else."""
    if order.access_token_as_proof:
        return token
    pair = jwk.make(order.alg, bits=2048) if order.wrong_key else bound_to
    alg: str = pair.alg
    key: PrivateKey | bytes = pair.private
    shown = pair.private_jwk() if order.private_key_in_jwk else pair.proof_jwk()
    if order.symmetric:
        alg, key = "HS256", _SYMMETRIC_KEY
        shown = {"kty": "oct", "k": base64.urlsafe_b64encode(_SYMMETRIC_KEY).decode()}
    if order.unsigned:
        alg = "none"
    header: dict[str, Any] = {"typ": order.typ, "alg": alg, "jwk": shown, **order.header}
    left_out = {name for name, out in (("alg", order.without_alg), ("jwk", order.without_jwk)) if out}
    header = {name: value for name, value in header.items() if name not in left_out}
    proof = assemble(header, _claims(order, token, now), key, alg)
    return with_broken_signature(proof) if order.broken_signature else proof


def _claims(order: ProofOrder, token: str, now: datetime) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "jti": order.jti or secrets.token_urlsafe(24),
        "htm": order.method,
        "htu": _htu(order),
        "iat": int(now.timestamp() - order.issued_ago_seconds),
        "ath": access_token_hash(f"another {token}" if order.wrong_ath else token),
    }
    if order.nonce is not None:
        usual |= {"nonce": order.nonce}
    claims = usual | order.claims
    left_out = {*order.without, *(("ath",) if order.without_ath else ())}
    return {name: value for name, value in claims.items() if name not in left_out}


def _htu(order: ProofOrder) -> str:
    if order.htu is not None:
        return order.htu
    url = URL(order.url)
    if order.htu_other_port:
        url = url.with_port((url.port or 0) + 1)
    text = target(url)
    if order.htu_with_query:
        text = f"{text}?a=b"
    if order.htu_upper_case_host and url.raw_host is not None:
        start = f"{url.scheme}://{url.raw_host}"
        text = start.upper() + text.removeprefix(start)
    return text
