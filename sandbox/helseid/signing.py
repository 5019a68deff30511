"""The stand-in's own signing keys, and what may happen to one.

A key is published first (`next`), signs later (`current`), stays published for the tokens it signed (`old`), and is
then retired to the set at `expired_jwks_uri` (`expired`). A revoked key is in neither set and signs nothing.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, cast

from sandbox.helseid import jwk
from sandbox.helseid.files import read_json, write_json
from sandbox.helseid.jose import assemble

State = Literal["next", "current", "old", "expired", "revoked"]
_PUBLISHED: Final = ("next", "current", "old")


class NotPossible(ValueError):
    """The keys cannot be changed like that; says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """One signing key and where it is in its life."""

    pair: jwk.KeyPair
    state: State


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """All keys there ever were, newest first. Exactly one is `current`."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> jwk.KeyPair:
        """The key that signs."""
        return next(key.pair for key in self.keys if key.state == "current")

    def find(self, kid: str) -> Key | None:
        """The newest key with this id, or None."""
        return next((key for key in self.keys if key.pair.kid == kid), None)

    def newest(self, state: State) -> jwk.KeyPair | None:
        """The newest key in this state, or None."""
        return next((key.pair for key in self.keys if key.state == state), None)

    def published(self) -> dict[str, Any]:
        """The JWKS document."""
        return {"keys": [_entry(key.pair) for key in self.keys if key.state in _PUBLISHED]}

    def expired(self) -> dict[str, Any]:
        """The document at `expired_jwks_uri`: for checking old tokens in archives, never for letting anyone in."""
        return {"keys": [_entry(key.pair) for key in self.keys if key.state == "expired"]}

    def sign(self, claims: dict[str, Any], typ: str = "at+jwt") -> str:
        """An access token with these claims, header as HelseID's."""
        return assemble(header(self.current, typ), claims, self.current.private, self.current.alg)


def header(pair: jwk.KeyPair, typ: str) -> dict[str, Any]:
    """The header of a token signed with this key."""
    return {"alg": pair.alg, "typ": typ, "kid": pair.kid, **_x5t(pair)}


def load(path: Path, bits: int = jwk.RSA_BITS) -> SigningKeys:
    """The keys kept in this file; made and kept at the first start, of so many bits."""
    try:
        kept = read_json(path)
    except FileNotFoundError:
        keys = SigningKeys((Key(jwk.make("RS256", bits=bits), "current"),))
        save(path, keys)
        return keys
    return SigningKeys(tuple(_read(entry, first=not place) for place, entry in enumerate(kept["keys"])))


def save(path: Path, keys: SigningKeys) -> None:
    """Keep the keys, durably."""
    write_json(path, {"keys": [{"state": key.state, "jwk": key.pair.private_jwk()} for key in keys.keys]})


def with_published(keys: SigningKeys, new: jwk.KeyPair) -> SigningKeys:
    """A new key beside the others: published, signing nothing yet."""
    return SigningKeys((Key(new, "next"), *keys.keys))


def with_signing(keys: SigningKeys, kid: str) -> SigningKeys:
    """Sign with this published key from now on; the one before stays published. Raises NotPossible."""
    chosen = _published(keys, kid)
    return SigningKeys(
        tuple(
            replace(key, state="current")
            if key is chosen
            else replace(key, state="old")
            if key.state == "current"
            else key
            for key in keys.keys
        )
    )


def with_retired(keys: SigningKeys, kid: str) -> SigningKeys:
    """Take this key out of the JWKS into the expired set. Raises NotPossible, also for the key that signs."""
    return _moved(keys, kid, "expired")


def with_revoked(keys: SigningKeys, kid: str) -> SigningKeys:
    """Take this key out of both sets, as one that somebody else may have. Raises NotPossible for the key that signs."""
    if (key := keys.find(kid)) is not None and key.state == "expired":
        return SigningKeys(tuple(replace(each, state="revoked") if each is key else each for each in keys.keys))
    return _moved(keys, kid, "revoked")


def rotated(keys: SigningKeys, new: jwk.KeyPair, *, keep_old: bool) -> SigningKeys:
    """All at once: a new key signs; the one before stays published if `keep_old`, the others are retired."""
    kept = [
        replace(key, state="old" if keep_old and key.state == "current" else "expired")
        if key.state in _PUBLISHED
        else key
        for key in keys.keys
    ]
    return SigningKeys((Key(new, "current"), *kept))


def _moved(keys: SigningKeys, kid: str, state: State) -> SigningKeys:
    chosen = _published(keys, kid)
    if chosen.state == "current":
        raise NotPossible("this key signs: let another one sign first")
    return SigningKeys(tuple(replace(key, state=state) if key is chosen else key for key in keys.keys))


def _published(keys: SigningKeys, kid: str) -> Key:
    found = next((key for key in keys.keys if key.pair.kid == kid and key.state in _PUBLISHED), None)
    if found is None:
        raise NotPossible("no published key has this id")
    return found


def _entry(pair: jwk.KeyPair) -> dict[str, Any]:
    return {**pair.public_jwk(), **_x5t(pair)}


def _x5t(pair: jwk.KeyPair) -> dict[str, str]:
    try:
        return {"x5t": jwk.x5t(pair.kid)}
    except ValueError:
        return {}


def _read(entry: dict[str, Any], *, first: bool) -> Key:
    if "jwk" in entry:
        return Key(jwk.from_private_jwk(entry["jwk"]), cast(State, entry["state"]))
    # As kept before keys had a state: the first signs.
    return Key(jwk.from_private_jwk(entry), "current" if first else "old")
