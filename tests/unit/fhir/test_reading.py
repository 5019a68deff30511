"""The facts about a message, told without showing it."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import BrokenEnvelope, EmptyBody, NotFhir, NotJson, TooLarge, UnknownAddress
from shared.fhir.json_text import MAX_BYTES
from shared.fhir.reading import read_message
from shared.fhir.times import utc
from tests.unit.fhir.messages import KARI, Json, body, observation
from tests.unit.fhir.messages import alarm as bare_alarm
from tests.unit.fhir.messages import composition as bare_composition
from tests.unit.fhir.messages import document as bare_document

VKP = "http://ehelse.no/fhir/CodeSystem/vkp-"


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": VKP + system, "code": code}]}


def composition(**changes: Any) -> Json:
    """A note with all that VKP asks of one."""
    return bare_composition(**{"category": [coded("composition-category-v090", "1")]} | changes)


def alarm(**changes: Any) -> Json:
    """A safety alarm with all that VKP asks of one."""
    return bare_alarm(**{"code": coded("alert-code-v090", "3")} | changes)


def document(*resources: Json, **changes: Any) -> Json:
    return bare_document(*(resources or (composition(), alarm())), **changes)


def occurred(message: Any) -> str | None:
    moment = read_message(body(message), message["resourceType"]).event.occurred_at
    assert moment is None or moment.tzinfo is UTC
    return moment.isoformat() if moment is not None else None


def test_a_reading_tells_what_the_hub_routes_by() -> None:
    sent = body(document())
    reading = read_message(sent, "bundle")
    assert (reading.resource_type, reading.bundle_type) == ("Bundle", "document")
    assert reading.patient.value == KARI
    assert reading.event.business_identifier == ("urn:ietf:rfc:3986", "urn:uuid:00000000-0000-4000-8000-000000000999")
    assert reading.event.occurred_at == datetime(2026, 1, 15, 7, 12, 3, tzinfo=UTC)
    assert reading.warnings == ()
    assert reading.sha256 == hashlib.sha256(sent).hexdigest()


def test_the_hash_is_of_the_bytes_as_sent_not_of_what_they_mean() -> None:
    sent = body(observation())
    assert read_message(sent, "observation").sha256 != read_message(sent + b"\n", "observation").sha256


@pytest.mark.parametrize(
    "spelled", ["0000000A-0000-4000-8000-000000000999", "urn:uuid:0000000a-0000-4000-8000-000000000999 "]
)
def test_a_uuid_identifies_a_message_in_every_spelling(spelled: str) -> None:
    reading = read_message(body(document(identifier={"system": "s", "value": spelled})), "bundle")
    assert reading.event.business_identifier == ("s", "urn:uuid:0000000a-0000-4000-8000-000000000999")


def test_a_single_resource_is_identified_by_its_first_identifier_that_has_a_value() -> None:
    message = observation(identifier=[{"system": "a", "value": ""}, {"system": "b", "value": "2"}, {"value": "3"}])
    assert read_message(body(message), "observation").event.business_identifier == ("b", "2")
    assert read_message(body(observation()), "observation").event.business_identifier is None


def test_warnings_of_every_layer_are_told() -> None:
    sent = b"\xef\xbb\xbf" + body(observation(status=" final", performer=[{"reference": "urn:uuid:gone"}]))
    assert [each.rule for each in read_message(sent, "observation").warnings] == [
        "json-byte-order-mark",
        "repair-trimmed",
        "envelope-reference-dangling",
    ]


def test_what_happened_counts_before_when_it_was_written() -> None:
    assert occurred(document()) == "2026-01-15T07:12:03+00:00"
    untimed = alarm(identifiedDateTime=None)
    assert occurred(document(composition(), untimed)) == "2026-01-15T07:30:00+00:00"
    assert occurred(document(composition(date="2026-01-15"), untimed)) == "2026-01-15T07:31:00+00:00"
    assert occurred(document(composition(), alarm(), alarm(identifiedDateTime="2025-01-01T00:00:00Z"))) == (
        "2025-01-01T00:00:00+00:00"
    )
    assert occurred(observation(effectivePeriod={"start": "2026-01-15T08:00:00Z"})) == "2026-01-15T08:00:00+00:00"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-07-03T08:36:37.1678092+00:00", "2024-07-03T08:36:37.167809+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
        ("2026-01-15T08:00:00+01:00", "2026-01-15T07:00:00+00:00"),
        ("2026-01-15", None),
        ("2026", None),
        ("2026-01-15T08:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        (5, None),
        (None, None),
    ],
)
def test_times_are_utc_or_none(written: Any, moment: str | None) -> None:
    found = utc(written)
    assert (found.isoformat() if found is not None else None) == moment


def test_a_repr_shows_neither_patient_nor_identifier() -> None:
    reading = read_message(body(document(identifier={"system": "SECRET", "value": "SECRET"})), "bundle")
    shown = repr(reading) + str(reading) + repr(reading.patient)
    assert KARI not in shown
    assert "SECRET" not in shown
    assert "urn:oid" not in shown


@pytest.mark.parametrize(
    ("sent", "resource", "refusal"),
    [
        (b"{}", "patient", UnknownAddress),
        (b"", "bundle", EmptyBody),
        (b" " * (MAX_BYTES + 1), "bundle", TooLarge),
        (b" ", "bundle", NotJson),
        (b"{}", "bundle", NotFhir),
        (body(observation(subject=None)), "observation", BrokenEnvelope),
    ],
)
def test_each_layer_refuses_in_its_own_name(sent: bytes, resource: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        read_message(sent, resource)
