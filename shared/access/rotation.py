"""Pseudonyms under several keys: how the key is changed without losing a lane's order, a repetition or a search.

A pseudonym is made with one key, and lanes and ids follow from it. So a new key gives a patient a new lane, and three
promises are at stake until the old one is empty: messages about one patient go out in order (P4), a message posted
again is the same message (P3), and whoever looks for a patient finds all of it. The scheme:

1. The new key is first made known to all instances (`Pseudonym__earlierKeys`), then made the current one
   (`Pseudonym__key`), with the old one in its place. So every instance knows both before any uses the new one.
2. A message goes where it is stored already, if it is. If not, it goes to the lane that still has work under any key
   (`chosen`). If there is none it goes to the current key's. A lane under an old key gets no new work once it has run
   empty, which takes seconds unless a receiver is out of reach; so each patient moves over by itself.
3. A search asks for the pseudonyms under all keys (`Pseudonyms.every`).
4. An old key is taken away when what was stored under it has been removed at the end of its retention. Each pseudonym
   says which key made it (`Pseudonym.key`), so that what is left can be counted.

With one key nothing is looked up and nothing costs more. With several, a message costs for each of them a point read of
its id, one of its inbound lane, and one of each receiver's outbound lane.

What is not promised: two messages about one patient that are accepted at the same moment by two instances, of which one
uses the new key as current already and the other does not yet, may start a lane each. They have no order between them,
but one that comes after both is in order only behind one of them until the lanes are empty.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.access.pseudonym import KEY_BYTES, pseudonym


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A patient under one key."""

    text: str
    key: str
    """The key's name: made from it, so the same everywhere; tells nothing of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is found under one of a patient's pseudonyms."""

    pseudonym: Pseudonym
    has_message: bool
    """Whether this very message is stored there."""
    has_work: bool
    """Whether its inbound lane or an outbound one of the municipality's receivers has something left to do."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Patients' pseudonyms under the current key and the others that are known.

    Raises ValueError, showing none, for a key that is not 32 bytes, and for two whose names are the same.
    """

    current: bytes = field(repr=False)
    others: tuple[bytes, ...] = field(default=(), repr=False)
    """Earlier ones, and the next one while it is made known."""

    def __post_init__(self) -> None:
        if any(len(key) != KEY_BYTES for key in (self.current, *self.others)):
            raise ValueError(f"a pseudonym key must be {KEY_BYTES} bytes")
        names = {key_name(key) for key in (self.current, *self.others)}
        if len(names) != 1 + len(self.others):
            raise ValueError("two pseudonym keys are the same, or have the same name by chance")

    def of(self, system: str, value: str) -> Pseudonym:
        """The patient's pseudonym under the current key. Raises ValueError for an empty value."""
        return _made(self.current, system, value)

    def every(self, system: str, value: str) -> tuple[Pseudonym, ...]:
        """The patient's pseudonyms under all keys, the current one first. Raises ValueError for an empty value."""
        return tuple(_made(key, system, value) for key in (self.current, *self.others))


def chosen(places: Sequence[Place]) -> Pseudonym:
    """The pseudonym that a message is stored under; `places` are those of `Pseudonyms.every`, in its order."""
    for place in places:
        if place.has_message:
            return place.pseudonym
    # By name, not by which key is current: instances that do not agree on that yet must still agree here.
    working = sorted((place.pseudonym for place in places if place.has_work), key=lambda each: each.key)
    return working[0] if working else places[0].pseudonym


def key_name(key: bytes) -> str:
    """Four letters that tell this key from the few others there are."""
    digest = hmac.new(key, b"knutepunkt/pseudonym-key/1", hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:4]


def _made(key: bytes, system: str, value: str) -> Pseudonym:
    return Pseudonym(pseudonym(key, system, value), key_name(key))
