"""A DPoP proof as a client makes it (RFC 9449 section 4.2)."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from yarl import URL

from sandbox.helseid import jwk
from sandbox.helseid.jose import assemble, encoded
from sandbox.helseid.names import PROOF_TYP


def proof(
    pair: jwk.KeyPair, method: str, url: str, now: datetime, *, token: str | None = None, nonce: str | None = None
) -> str:
    """A proof for one HTTP call at the time `now` (UTC); every attempt needs its own. `token`: the one sent with it."""
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(24),
        "htm": method,
        "htu": target(URL(url)),
        "iat": int(now.timestamp()),
    }
    if token is not None:
        claims["ath"] = access_token_hash(token)
    if nonce is not None:
        claims["nonce"] = nonce
    return assemble({"typ": PROOF_TYP, "alg": pair.alg, "jwk": pair.proof_jwk()}, claims, pair.private, pair.alg)


def access_token_hash(token: str) -> str:
    """The `ath` claim for a token."""
    return encoded(hashlib.sha256(token.encode("ascii")).digest())


def target(url: URL) -> str:
    """The `htu` claim for a call: its address without query and fragment."""
    return str(url.with_query(None).with_fragment(None))
