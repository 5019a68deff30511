"""Partition keys: which one a document has, and its effective partition key (the place on the hash ring).

The hash is Cosmos DB's version 2: MurmurHash3 x64/128 over each component's type byte and value, first two bits
cleared (read in azure-cosmos 4.17.1, `partition_key.py` and `_cosmos_murmurhash3.py`; the tests compare with it). The
store keeps the effective key as each document's partition, so that a key, a prefix of a hierarchical key and a feed
range are all one range of text.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sandbox.cosmos.errors import bad_request
from sandbox.cosmos.values import UNDEFINED, Json, NotJson, Undefined, Value, member, parse

MAX_KEY_BYTES: Final = 2048
_MASK: Final = 0xFFFFFFFFFFFFFFFF
_C1: Final = 0x87C37B91114253D5
_C2: Final = 0x4CF5AD432745937F

type Component = bool | int | float | str | Undefined | None


@dataclass(frozen=True, slots=True)
class Range:
    """Effective partition keys from `low` up to but not including `high`."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """A container's partition key: one path, or up to three of a hierarchical key."""

    paths: tuple[tuple[str, ...], ...]
    hierarchical: bool

    @classmethod
    def of(cls, definition: Json) -> "PartitionKey":
        """Read a container's `partitionKey`. Raises CosmosError (400)."""
        if not isinstance(definition, dict):
            raise bad_request("The partitionKey of a container must be an object.")
        paths, kind = definition.get("paths"), definition.get("kind", "Hash")
        if not isinstance(paths, list) or not paths or kind not in ("Hash", "MultiHash"):
            raise bad_request("The partitionKey must name its paths, with kind Hash or MultiHash.")
        if len(paths) > (3 if kind == "MultiHash" else 1):
            raise bad_request("Too many partition key paths for this kind of key.")
        return cls(tuple(read_path(path) for path in paths), kind == "MultiHash")

    def read(self, document: dict[str, Json]) -> tuple[Component, ...]:
        """The components of a document's key. Raises CosmosError (400) for an array or object."""
        return tuple(_component(member(document, path)) for path in self.paths)

    def effective(self, components: tuple[Component, ...]) -> str:
        """The effective partition key of all components. Raises CosmosError (400) when it is too long."""
        return _effective(tuple((type(part), part) for part in components), self.hierarchical)

    def header(self, text: str) -> str | Range:
        """The place named in the header x-ms-documentdb-partitionkey: a key, or the range under a prefix.

        Raises CosmosError (400).
        """
        components = _header(text)
        if not components:
            components = (UNDEFINED,) * len(self.paths)
        if len(components) == len(self.paths):
            return self.effective(components)
        if len(components) > len(self.paths):
            raise bad_request("Partition key provided has more components than the container's definition.")
        low = self.effective(components)
        return Range(low, low + "FF")


def read_path(path: Json) -> tuple[str, ...]:
    """The names in a path such as `/a/b`. Raises CosmosError (400)."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) < 2:
        raise bad_request("A partition key path must start with '/'.")
    names = tuple(name[1:-1] if name[:1] == '"' == name[-1:] else name for name in path[1:].rstrip("/").split("/"))
    if not all(names):
        raise bad_request("A partition key path must not have empty parts.")
    return names


def _component(value: Value) -> Component:
    if isinstance(value, list | dict):
        raise bad_request("Partition key values must be strings, numbers, booleans or null.")
    return value


@lru_cache(maxsize=16384)
def _header(text: str) -> tuple[Component, ...]:
    try:
        values = parse(text)
    except NotJson:
        raise bad_request("The header x-ms-documentdb-partitionkey is not JSON.") from None
    if not isinstance(values, list):
        raise bad_request("The header x-ms-documentdb-partitionkey must be a JSON array.")
    return tuple(UNDEFINED if value == {} else _component(value) for value in values)


@lru_cache(maxsize=65536)
def _effective(typed: tuple[tuple[type, Component], ...], hierarchical: bool) -> str:
    # The types are part of the cache's key: True, 1 and 1.0 are one key to Python.
    encoded = [_encoded(part) for _, part in typed]
    if sum(map(len, encoded)) > MAX_KEY_BYTES + 16:
        raise bad_request("The partition key is longer than 2048 bytes.")
    return "".join(map(_hashed, encoded if hierarchical else [b"".join(encoded)]))


def _encoded(part: Component) -> bytes:
    if isinstance(part, Undefined):
        return b"\x00"
    if part is None:
        return b"\x01"
    if isinstance(part, bool):
        return b"\x03" if part else b"\x02"
    if isinstance(part, str):
        return b"\x08" + part.encode("utf-8", "surrogatepass") + b"\xff"
    return b"\x05" + struct.pack("<d", part)


def _hashed(data: bytes) -> str:
    digest = bytearray(murmur3_128(data).to_bytes(16, "big"))
    digest[0] &= 0x3F
    return digest.hex().upper()


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _mixed(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33


def murmur3_128(data: bytes) -> int:
    """MurmurHash3 x64/128 with seed 0, as one integer (second half in the high bits)."""
    h1 = h2 = 0
    size = len(data)
    for at in range(0, size - 15, 16):
        k1 = int.from_bytes(data[at : at + 8], "little")
        k2 = int.from_bytes(data[at + 8 : at + 16], "little")
        h1 ^= _rotated(k1 * _C1 & _MASK, 31) * _C2 & _MASK
        h1 = ((_rotated(h1, 27) + h2 & _MASK) * 5 + 0x52DCE729) & _MASK
        h2 ^= _rotated(k2 * _C2 & _MASK, 33) * _C1 & _MASK
        h2 = ((_rotated(h2, 31) + h1 & _MASK) * 5 + 0x38495AB5) & _MASK
    tail = data[size - size % 16 :]
    if len(tail) > 8:
        h2 ^= _rotated(int.from_bytes(tail[8:], "little") * _C2 & _MASK, 33) * _C1 & _MASK
    if tail:
        h1 ^= _rotated(int.from_bytes(tail[:8], "little") * _C1 & _MASK, 31) * _C2 & _MASK
    h1, h2 = h1 ^ size, h2 ^ size
    h1 = h1 + h2 & _MASK
    h2 = h2 + h1 & _MASK
    h1, h2 = _mixed(h1), _mixed(h2)
    h1 = h1 + h2 & _MASK
    h2 = h2 + h1 & _MASK
    return h2 << 64 | h1
