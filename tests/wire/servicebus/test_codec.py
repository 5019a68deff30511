"""The AMQP codec: what is written is read back, and no bytes make it do anything but answer or refuse."""

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from azure.servicebus._pyamqp import _decode as sdk_decode
from hypothesis import given
from hypothesis import strategies as st

from sandbox.amqp import codec
from sandbox.amqp.codec import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Long,
    Malformed,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    Unencodable,
    UShort,
)

LIST_OF_ONE = b"\xd0\x00\x00\xff\xff\x00\x00\x00\x01"
ARRAY_OF_ONE_ARRAY = b"\xf0\x00\x00\xff\xff\x00\x00\x00\x01\xf0"
MANY = b"\xff\xff\xff\xff"


def bits(kind: type, low: int, high: int) -> st.SearchStrategy[Any]:
    return st.integers(low, high).map(kind)


def made(kind: Callable[..., Any], *args: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> Any:
    """As hypothesis' builds, but nothing that is left out is made up."""
    return st.builds(lambda a, f: kind(*a, **f), st.tuples(*args), st.fixed_dictionaries(fields))


ascii_text = st.text(st.characters(max_codepoint=127), max_size=300)
atoms: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    bits(Byte, -128, 127),
    bits(Short, -(2**15), 2**15 - 1),
    bits(Long, -(2**63), 2**63 - 1),
    bits(UByte, 0, 255),
    bits(UShort, 0, 2**16 - 1),
    bits(UInt, 0, 2**32 - 1),
    bits(ULong, 0, 2**64 - 1),
    bits(Timestamp, -(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.floats(width=32, allow_nan=False).map(Float),
    st.characters(exclude_categories=()).map(Char),
    st.text(max_size=300),
    ascii_text.map(Symbol),
    st.binary(max_size=300),
    st.uuids(),
    st.sampled_from([4, 8, 16]).flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(Decimal),
)
keys = st.one_of(st.text(max_size=20), st.integers(-(2**31), 2**31 - 1).filter(lambda n: n not in (0, 1)))
arrays = st.one_of(
    st.lists(bits(Long, -(2**63), 2**63 - 1), max_size=300).map(lambda v: Array(0x81, tuple(v))),
    st.lists(ascii_text.map(Symbol), max_size=10).map(lambda v: Array(0xB3, tuple(v))),
    st.lists(st.uuids(), max_size=10).map(lambda v: Array(0x98, tuple(v))),
    st.lists(st.binary(max_size=20), max_size=10).map(lambda v: Array(0xB0, tuple(v), Symbol("x:y"))),
)
values: st.SearchStrategy[Any] = st.recursive(
    atoms | arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=8),
        st.dictionaries(keys, inner, max_size=8),
        made(Described, bits(ULong, 0, 2**64 - 1) | ascii_text.map(Symbol), inner),
    ),
    max_leaves=20,
)


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, Described):
        return same(left.descriptor, right.descriptor) and same(left.value, right.value)
    if isinstance(left, Array):
        return left.code == right.code and same(list(left), list(right)) and same(left.descriptor, right.descriptor)
    return bool(left == right)


@given(values)
def test_every_value_is_read_back_as_the_type_it_was(value: Any) -> None:
    raw = codec.encode(value)
    read, end = codec.decode(raw)
    assert end == len(raw)
    assert same(read, value)


@given(values)
def test_skipping_a_value_ends_where_reading_it_ends(value: Any) -> None:
    raw = codec.section(0x77, value)
    assert [part.end for part in codec.sections(raw)] == [len(raw)]


@given(st.binary(max_size=400))
def test_any_bytes_are_either_read_or_refused_as_malformed(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        codec.decode(raw)
    with contextlib.suppress(Malformed):
        codec.parse(raw)
    with contextlib.suppress(Malformed):
        codec.read(b"\x00\x53\x12" + raw)
    with contextlib.suppress(Malformed):
        list(codec.Frames().feed(raw))


@given(values, st.data())
def test_a_value_with_one_byte_changed_or_cut_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    raw = bytearray(codec.encode([value]))
    where = data.draw(st.integers(0, len(raw) - 1))
    raw[where] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        codec.decode(bytes(raw))
    with pytest.raises(Malformed):
        codec.decode(codec.encode([value])[:where])


def test_nesting_beyond_the_bound_is_refused_and_does_not_exhaust_the_stack() -> None:
    for opening in (
        b"\xd0\x00\x00\xff\xff\x00\x00\x00\x01",
        b"\x00",
        b"\x00\x53\x01",
        b"\xf0\x00\x00\xff\xff\x00\x00\x00\x01\xf0",
    ):
        with pytest.raises(Malformed):
            codec.decode(opening * 20_000)
        with pytest.raises(Malformed):
            list(codec.sections(b"\x00\x53\x77" + opening * 20_000))


def test_a_few_bytes_cannot_name_billions_of_values() -> None:
    for raw in (
        b"\xd0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40",
        b"\xb0\xff\xff\xff\xff",
    ):
        with pytest.raises(Malformed):
            codec.decode(raw)


@pytest.mark.parametrize(
    "value",
    [UByte(256), UInt(-1), UInt(2**32), ULong(-1), Long(2**63), 2**63, Symbol("æ"), object(), Char("ab"), Float(1e300)],
)
def test_a_value_out_of_its_range_is_not_written(value: object) -> None:
    with pytest.raises(Unencodable):
        codec.encode(value)


maybe_uint = st.none() | st.integers(0, 2**32 - 1)
transfers = made(
    codec.Transfer,
    st.integers(0, 2**32 - 1),
    maybe_uint,
    st.none() | st.binary(max_size=32),
    maybe_uint,
    st.none() | st.booleans(),
    st.just(None),
    st.none(),
    st.none() | st.just(codec.Accepted()) | st.just(codec.Modified(True, False)),
)
performatives: st.SearchStrategy[codec.Performative] = st.one_of(
    made(codec.Open, st.text(max_size=10), max_frame_size=maybe_uint, properties=st.none() | st.just({Symbol("a"): 1})),
    made(codec.Begin, st.none() | st.integers(0, 65535), *[st.integers(0, 2**32 - 1)] * 3),
    made(
        codec.Attach,
        st.text(max_size=10),
        st.integers(0, 2**32 - 1),
        st.booleans(),
        source=st.none() | made(codec.Source, st.text(), filter=st.none() | st.just({Symbol("f"): "v"})),
        target=st.none() | made(codec.Target, st.text()),
    ),
    made(codec.Flow, maybe_uint, *[st.integers(0, 2**32 - 1)] * 3, maybe_uint, maybe_uint, maybe_uint),
    transfers,
    made(
        codec.Disposition,
        st.booleans(),
        st.integers(0, 2**32 - 1),
        maybe_uint,
        st.none() | st.booleans(),
        st.sampled_from([None, codec.Rejected(codec.Error("x:y", "why", {"k": "v"})), codec.Released()]),
    ),
    made(codec.Detach, st.integers(0, 2**32 - 1), st.none() | st.booleans(), st.none() | st.just(codec.Error("a:b"))),
    st.just(codec.End()),
    st.just(codec.Close(codec.Error("a:b", "c"))),
)


@given(st.lists(st.tuples(st.integers(0, 65535), performatives, st.binary(max_size=50))), st.integers(1, 40))
def test_frames_are_read_back_whatever_pieces_they_come_in(
    sent: list[tuple[int, codec.Performative, bytes]], piece: int
) -> None:
    stream = codec.AMQP_HEADER + b"".join(codec.frame(*one) + codec.EMPTY_FRAME for one in sent)
    reader = codec.Frames()
    got: list[object] = []
    for start in range(0, len(stream), piece):
        got.extend(reader.feed(stream[start : start + piece]))
    assert got[0] == codec.ProtocolHeader(codec.AMQP_HEADER)
    assert [one for one in got[1:] if one != codec.Frame(0, None)] == [codec.Frame(*one) for one in sent]


@given(st.binary(max_size=5000), st.integers(512, 1000), transfers)
def test_a_message_split_into_frames_is_put_together_again(payload: bytes, size: int, head: codec.Transfer) -> None:
    head = head._replace(delivery_id=7, state=None, delivery_tag=b"t" * 16)
    frames = codec.transfer_frames(3, head, payload, size)
    assert all(len(one) <= size for one in frames)
    assembly, reader = codec.Assembly(1 << 20), codec.Frames()
    whole = []
    for one in reader.feed(b"".join(frames)):
        assert isinstance(one, codec.Frame)
        assert isinstance(one.performative, codec.Transfer)
        whole.append(assembly.add(one.performative, one.payload))
    assert all(part is None for part in whole[:-1])
    assert whole[-1] is not None
    assert whole[-1][1] == payload


def test_a_message_that_grows_beyond_its_bound_is_refused() -> None:
    assembly = codec.Assembly(10)
    assembly.add(codec.Transfer(0, 1, more=True), b"x" * 8)
    with pytest.raises(codec.TooLarge):
        assembly.add(codec.Transfer(0, 1, more=True), b"x" * 8)


def test_a_frame_larger_than_agreed_is_refused_before_it_is_kept() -> None:
    with pytest.raises(Malformed):
        list(codec.Frames(1024).feed(b"\x00\x00\x10\x00\x02\x00\x00\x00"))


messages = made(
    codec.Message,
    header=st.none() | made(codec.Header, delivery_count=st.integers(0, 100)),
    annotations=st.dictionaries(ascii_text.map(Symbol), atoms, max_size=3),
    properties=made(
        codec.Properties,
        message_id=st.none() | st.text(max_size=20) | st.uuids(),
        subject=st.none() | st.text(max_size=9),
        group_id=st.none() | st.text(max_size=9),
        creation_time=st.none() | bits(Timestamp, 0, 2**50),
    ),
    application_properties=st.dictionaries(st.text(max_size=9), atoms, max_size=3),
    data=st.lists(st.binary(max_size=300), min_size=1, max_size=3).map(tuple),
)


def everything_in(message: codec.Message) -> list[Any]:
    return [*message.annotations.values(), *message.application_properties.values()]


@given(messages)
def test_messages_are_read_back_as_they_were_built(message: codec.Message) -> None:
    assert codec.parse(codec.build(message)) == message


@given(messages.filter(lambda message: not any(isinstance(value, Decimal | Char) for value in everything_in(message))))
def test_microsofts_own_reader_agrees_on_messages(message: codec.Message) -> None:
    raw = memoryview(codec.build(message))
    theirs: Any = sdk_decode.decode_payload(raw)
    assert b"".join(theirs.data) == message.body
    if message.header is not None:
        assert theirs.header.delivery_count == message.header.delivery_count
    if isinstance(message.properties.message_id, uuid.UUID):
        assert theirs.properties.message_id == message.properties.message_id
    if message.properties.group_id is not None:
        assert theirs.properties.group_id == message.properties.group_id.encode()


def test_an_error_is_always_written_with_its_three_fields() -> None:
    raw = codec.write(codec.Rejected(codec.Error("a:b", "c")))
    outer, _ = codec.decode(raw)
    assert len(outer.value[0].value) == 3


def test_performatives_of_another_type_than_specified_are_refused() -> None:
    for fields in ([None, UInt(1), True], ["name", 1, True], ["name", UInt(1)], ["name", UInt(1), True] + [None] * 12):
        with pytest.raises(Malformed):
            codec.read(codec.encode(Described(ULong(0x12), fields)))
