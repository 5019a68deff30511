"""The AMQP 1.0 types that Python has no type of its own for (specification part 1, section 1.6).

Plain Python values stand for the common types: None, bool, int (AMQP int, or long when it does not fit), float
(double), str (string), bytes (binary), uuid.UUID, list and dict (map). Everything else is wrapped, so that a value
that was read is written back as the type it had.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class Malformed(ValueError):
    """Bytes from the other side that are not AMQP 1.0, or that go beyond the bounds set here."""


class Unencodable(ValueError):
    """A value that cannot be written as the AMQP type it was given as."""


class Symbol(str):
    """Symbolic value from a constrained domain: ASCII text."""

    __slots__ = ()


class Char(str):
    """One Unicode character."""

    __slots__ = ()


class Byte(int):
    """Signed, 8 bits."""

    __slots__ = ()


class Short(int):
    """Signed, 16 bits."""

    __slots__ = ()


class Long(int):
    """Signed, 64 bits."""

    __slots__ = ()


class UByte(int):
    """Unsigned, 8 bits."""

    __slots__ = ()


class UShort(int):
    """Unsigned, 16 bits."""

    __slots__ = ()


class UInt(int):
    """Unsigned, 32 bits."""

    __slots__ = ()


class ULong(int):
    """Unsigned, 64 bits."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since 1970-01-01T00:00:00Z, signed, 64 bits."""

    __slots__ = ()


class Float(float):
    """IEEE 754 binary32."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Decimal:
    """An IEEE 754 decimal number of 32, 64 or 128 bits, kept as the bytes it came as."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor (a ULong or a Symbol) that tells what it means."""

    descriptor: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    """Values of one type. `code` is the widest constructor of that type, for instance 0xB3 for symbols."""

    code: int
    items: tuple[Any, ...] = ()
    descriptor: Any = None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def symbols(*values: str) -> Array:
    """An array of symbols."""
    return Array(0xB3, tuple(Symbol(value) for value in values))


def strings(values: list[str]) -> Array:
    """An array of strings."""
    return Array(0xB1, tuple(values))


def longs(values: list[int]) -> Array:
    """An array of longs."""
    return Array(0x81, tuple(Long(value) for value in values))


def timestamps(values: list[int]) -> Array:
    """An array of timestamps: milliseconds since 1970, UTC."""
    return Array(0x83, tuple(Timestamp(value) for value in values))
