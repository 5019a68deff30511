"""Events and deliveries for tests: any that the types allow."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from shared.messages.lanes import Lane
from shared.messages.lifecycle import State
from shared.messages.model import Delivery, Event, Station

MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(max_size=30)

EVENTS = st.builds(
    Event,
    id=TEXTS,
    lane=TEXTS.map(Lane),
    patient=TEXTS,
    orgnr=TEXTS,
    resource=TEXTS,
    resource_type=TEXTS,
    sender=TEXTS,
    sha256=TEXTS,
    size=st.integers(0, 2**20),
    content_type=TEXTS,
    correlation_id=TEXTS,
    traceparent=TEXTS,
    received_at=MOMENTS,
    occurred_at=st.none() | MOMENTS,
    kind=TEXTS,
    severity=TEXTS,
    names=st.lists(TEXTS, max_size=2).map(tuple),
)
DELIVERIES = st.builds(
    Delivery,
    id=TEXTS,
    lane=TEXTS.map(Lane),
    receiver=TEXTS,
    attempts=st.integers(0, 1000),
    routed_at=MOMENTS,
    event=EVENTS,
)
STATIONS = st.builds(Station, at=MOMENTS, state=st.sampled_from(State), detail=TEXTS)

EVENT = Event(
    id="event", lane=Lane("lane"), patient="pseudonym", orgnr="999999999", resource="bundle", resource_type="Bundle",
    sender="vendor", sha256="0" * 64, size=1, content_type="application/fhir+json", correlation_id="correlation",
    traceparent="", received_at=datetime(2026, 1, 15, 8, tzinfo=UTC),
)  # fmt: skip
