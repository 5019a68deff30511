"""The shapes of what may stand in payloads and nowhere else, whoever's it is: a person's number, and a token."""

import re
from collections.abc import Iterator
from typing import Final

from shared.identity.person import person_number

ELEVEN: Final = re.compile(rb"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])")
_TOKEN: Final = re.compile(rb"eyJ[A-Za-z0-9_-]{12,}\.(?:eyJ)?[A-Za-z0-9_-]{12,}")
"""A JWS in its compact form: its header begins so, since it begins as a JSON object."""


def numbers(text: bytes) -> Iterator[re.Match[bytes]]:
    """Eleven digits by themselves that are some person's number."""
    return (found for found in ELEVEN.finditer(text) if person_number(found[0].decode()).valid)


def tokens(text: bytes) -> Iterator[re.Match[bytes]]:
    """What is shaped as a signed token."""
    return _TOKEN.finditer(text)


def shapes(text: bytes) -> Iterator[tuple[re.Match[bytes], str]]:
    """Both, each with what it is."""
    yield from ((found, "a token") for found in tokens(text))
    yield from ((found, "a person's number") for found in numbers(text))
