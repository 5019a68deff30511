"""What is written as a document is read back as it was, and the payload to the last byte (P5)."""

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.messages.documents import Document
from shared.messages.lifecycle import State
from shared.messages.model import (
    Delivery,
    Event,
    Station,
    delivery_from,
    delivery_of,
    event_from,
    payload_document,
    payload_from,
    payload_id,
    stations_from,
)
from tests.unit.messages.examples import DELIVERIES, EVENT, EVENTS, STATIONS


def kept(document: Document) -> dict[str, Any]:
    """The document after a stay in a database: JSON out, JSON in."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    return found


@given(EVENTS)
def test_an_event_is_read_back_as_it_was(event: Event) -> None:
    assert event_from(kept(event.facts())) == event
    assert event_from(kept(event.document([Station(event.received_at, State.RECEIVED)]))) == event


@given(EVENTS, st.lists(STATIONS, min_size=1))
def test_an_event_is_where_it_was_last(event: Event, stations: list[Station]) -> None:
    document = kept(event.document(stations))
    assert document["state"] == stations[-1].state
    assert document["receivers"] == []
    assert stations_from(document) == tuple(stations)


@given(DELIVERIES)
def test_a_delivery_is_read_back_as_it_was(delivery: Delivery) -> None:
    work, event = kept(delivery.work()), event_from(kept(delivery.event.facts()))
    found = delivery_from(work, {"lane": delivery.lane, "receiver": delivery.receiver}, event, delivery.attempts, 7)
    assert found == replace(delivery, place=7, routed_at=delivery.event.received_at)


@given(DELIVERIES)
def test_a_delivery_that_goes_back_into_its_line_is_read_from_its_document(delivery: Delivery) -> None:
    document = kept(delivery.document())
    again = replace(delivery, tried=delivery.attempts, kept=True)
    assert delivery_of(document) == again
    assert delivery_of(document, delivery.routed_at) == replace(again, returned_at=delivery.routed_at)


@given(DELIVERIES, st.lists(STATIONS))
def test_a_delivery_begins_as_routed_and_is_where_it_was_last(delivery: Delivery, after: list[Station]) -> None:
    document = kept(delivery.document(*after))
    first = Station(delivery.routed_at, State.ROUTED)
    assert document["state"] == (after or [first])[-1].state
    assert document["attempts"] == delivery.attempts
    assert stations_from(document) == (first, *after)


@given(DELIVERIES, st.integers(1, 1000))
def test_a_delivery_stands_in_line_with_what_orders_it_and_no_more(delivery: Delivery, place: int) -> None:
    assert "place" not in delivery.work()
    assert replace(delivery, place=place).placed() == {**delivery.work(), "place": place}
    assert not {"patient", "sender", "names", "traceparent"} & delivery.work().keys()


@given(DELIVERIES)
def test_a_delivery_keeps_its_own_id_and_lane_apart_from_the_events(delivery: Delivery) -> None:
    document = delivery.document()
    assert (document["id"], document["lane"]) == (delivery.id, delivery.lane)
    assert (document["event"], document["eventLane"]) == (delivery.event.id, delivery.event.lane)


@given(st.lists(STATIONS))
def test_stations_are_read_back_in_their_order(stations: list[Station]) -> None:
    assert stations_from(kept({"stations": [each.document() for each in stations]})) == tuple(stations)


@given(st.binary(max_size=5000))
@example(b"")
@example(b"\xef\xbb\xbf{}\r\n")
@example(bytes(range(256)))
@example(b'{"value": 1.50, "at": "2026-01-15T08:36:37.1678092+00:00"}')
def test_a_payload_comes_back_to_the_last_byte(body: bytes) -> None:
    assert payload_from(kept(payload_document(EVENT, body))) == body


def test_a_payload_of_the_largest_size_fits_a_document() -> None:
    # Bytes that cannot be made smaller; Cosmos takes 2 MB with all its parts.
    body = b"".join(zlib.crc32(n.to_bytes(4, "big")).to_bytes(4, "big") for n in range(2**18))
    assert len(body) == 1_048_576
    assert len(json.dumps(payload_document(EVENT, body))) < 1_500_000


def test_a_payload_lies_in_its_events_partition_under_its_own_id() -> None:
    document = payload_document(EVENT, b"{}")
    assert document["lane"] == EVENT.lane
    assert document["id"] == payload_id(EVENT.id) != EVENT.id


@pytest.mark.parametrize(
    "damage",
    [{"encoding": "none"}, {"data": "***"}, {"data": "AAAA"}, {"data": ""}, {"data": "ÆØÅ"}],
)
def test_a_damaged_payload_raises_and_is_never_half_a_message(damage: Document) -> None:
    document = {**payload_document(EVENT, b'{"resourceType": "Bundle"}'), **damage}
    with pytest.raises((ValueError, zlib.error)):
        payload_from(document)


@given(st.data())
def test_a_payload_with_a_part_missing_raises(data: st.DataObject) -> None:
    document = payload_document(EVENT, b'{"resourceType": "Bundle"}')
    length = data.draw(st.integers(0, len(document["data"]) - 1))
    with pytest.raises((ValueError, zlib.error)):
        payload_from({**document, "data": document["data"][:length]})


@pytest.mark.parametrize("name", ["event", "eventLane", "receivedAt", "occurredAt", "sha256"])
def test_a_document_that_is_no_event_raises_key_error(name: str) -> None:
    facts = EVENT.facts()
    del facts[name]
    with pytest.raises(KeyError):
        event_from(facts)


@pytest.mark.parametrize("change", [{"receivedAt": "yesterday"}, {"occurredAt": "2026-01-15"}])
def test_a_document_with_a_time_that_is_none_raises_value_error(change: Document) -> None:
    with pytest.raises(ValueError, match="time"):
        event_from({**EVENT.facts(), **change})
