"""The stand-in's own signing keys: the one that signs, and those still published for tokens signed before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from sandbox.helseid import jwk
from sandbox.helseid.files import read_json, write_json


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys, newest first: the first one signs, all of them are published."""

    pairs: tuple[jwk.KeyPair, ...]

    @property
    def current(self) -> jwk.KeyPair:
        """The key that signs."""
        return self.pairs[0]

    def published(self) -> dict[str, Any]:
        """The JWKS document."""
        return {"keys": [{**pair.public_jwk(), "x5t": jwk.x5t(pair.kid)} for pair in self.pairs]}

    def sign(self, claims: dict[str, Any], typ: str = "at+jwt") -> str:
        """An access token with these claims, header as HelseID's."""
        return sign(self.current, claims, typ)


def sign(pair: jwk.KeyPair, claims: dict[str, Any], typ: str) -> str:
    """A token with these claims under this key."""
    headers = {"typ": typ, "kid": pair.kid, "x5t": jwk.x5t(pair.kid)}
    return jwt.encode(claims, pair.private, algorithm=pair.alg, headers=headers)


def load(path: Path) -> SigningKeys:
    """The keys kept in this file; made and kept at the first start."""
    try:
        kept = read_json(path)
    except FileNotFoundError:
        keys = SigningKeys((jwk.make("RS256"),))
        save(path, keys)
        return keys
    return SigningKeys(tuple(jwk.from_private_jwk(entry) for entry in kept["keys"]))


def save(path: Path, keys: SigningKeys) -> None:
    """Keep the keys, durably."""
    write_json(path, {"keys": [pair.private_jwk() for pair in keys.pairs]})


def rotated(keys: SigningKeys, new: jwk.KeyPair, *, keep_old: bool) -> SigningKeys:
    """The keys with a new one that signs; the one before stays published for the tokens it signed, if `keep_old`."""
    return SigningKeys((new, *keys.pairs[:1]) if keep_old else (new,))
