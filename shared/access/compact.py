"""The compact form of a signed token (RFC 7515), taken apart without trusting any of it.

Strict on purpose: one reading only. Canonical base64url, UTF-8 JSON objects without duplicate names or NaN, bounded in
size and nesting. The signature is not looked at here.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from shared.errors import TokenMalformed

MAX_BYTES: Final = 16 * 1024
"""HelseID's tokens are one to four kB; the size of a whole request header is the natural limit."""
MAX_BRACKETS: Final = 512
"""More opening brackets than any real token has, far fewer than any JSON parser's limit on nesting."""

_PART = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Compact:
    """A token taken apart. Never shown: a token is a secret while it lives."""

    header: dict[str, Any] = field(repr=False)
    claims: dict[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    """What the signature is over."""
    signature: bytes = field(repr=False)


def take_apart(token: str, max_bytes: int = MAX_BYTES) -> Compact:
    """Header and claims of a compact JWS, unverified. Raises TokenMalformed."""
    if len(token) > max_bytes:
        raise TokenMalformed
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenMalformed
    header, claims = (_json_object(_decoded(part)) for part in parts[:2])
    signature = _decoded(parts[2])
    return Compact(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


def _decoded(part: str) -> bytes:
    if not _PART.fullmatch(part):
        raise TokenMalformed
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise TokenMalformed from None
    # Bits that the decoder throws away would give one token several spellings.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != part:
        raise TokenMalformed
    return raw


def _json_object(raw: bytes) -> dict[str, Any]:
    if raw.count(b"{") + raw.count(b"[") > MAX_BRACKETS:
        raise TokenMalformed
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except ValueError:
        raise TokenMalformed from None
    if not isinstance(value, dict):
        raise TokenMalformed
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TokenMalformed
    return members


def _not_a_number(_: str) -> NoReturn:
    raise TokenMalformed


# Made once: making one takes longer than reading a token with it.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_a_number)
