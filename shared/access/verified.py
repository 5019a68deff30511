"""Tokens that have been found good, remembered so that the next call with the same one is quick.

A vendor calls many times with one token. What is remembered is what the token says, never the token: the place it is
kept at is a hash. Only good tokens come in here, so nobody without one can push others out.
"""

import hashlib
from collections import OrderedDict
from typing import Final

from shared.access.tokens import Verified

MOST: Final = 4096
"""Tokens remembered: all systems in the country, several times over."""


class VerifiedTokens:
    """The tokens found good last. Whoever asks must still check that their time and their key are not over."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._found: OrderedDict[bytes, Verified] = OrderedDict()

    @staticmethod
    def place(token: str) -> bytes:
        """Where a token is kept."""
        return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

    def find(self, place: bytes) -> Verified | None:
        """What was found at this place, or None."""
        found = self._found.get(place)
        if found is not None:
            self._found.move_to_end(place)
        return found

    def keep(self, place: bytes, verified: Verified) -> None:
        """Remember a token that has just been found good."""
        self._found[place] = verified
        self._found.move_to_end(place)
        if len(self._found) > self._most:
            self._found.popitem(last=False)

    def __len__(self) -> int:
        return len(self._found)
