"""A message's spans are of one trace, are linked to what took them up, and tell nothing personal."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from shared import tracing
from shared.log import WITHHELD
from shared.tracing import Stage, part, traced, within
from tests.unit.identity.numbers import issued

PERSON = issued(9, 84, 52)
CALLER = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    found = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(found))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    yield found
    provider.shutdown()


@pytest.fixture
def invocation() -> Iterator[SpanContext]:
    """The host's, of a signal that belongs to no message."""
    found = SpanContext(0xC0FFEE, 0xBEEF, True, TraceFlags(TraceFlags.SAMPLED))
    token = context.attach(trace.set_span_in_context(NonRecordingSpan(found)))
    yield found
    context.detach(token)


def road(*, put_back: bool) -> None:
    """What the stations do, with what is kept in the store between them; `put_back`: what had no receiver at first."""
    with traced(Stage.ACCEPT, CALLER, {"correlation_id": "c1"}) as accept:
        kept = accept.traceparent
    if put_back:
        with traced(Stage.ROUTE, kept, {"event_id": "e1"}) as route:
            kept = route.traceparent
    with (
        traced(Stage.DELIVER, kept, {"event_id": "e1", "class": "prompt"}),
        part(Stage.CALL, {"delivery_id": "d1"}) as call,
    ):
        assert call.traceparent.split("-")[1] == "a" * 32


def context_of(span: ReadableSpan) -> SpanContext:
    return span.get_span_context() or INVALID_SPAN_CONTEXT


@pytest.mark.usefixtures("invocation")
@pytest.mark.parametrize("put_back", [False, True])
def test_all_of_a_message_is_one_trace_each_station_after_the_one_before(
    exported: InMemorySpanExporter, put_back: bool
) -> None:
    road(put_back=put_back)
    spans = {each.name: each for each in exported.get_finished_spans()}
    stations = ["accept", *(["route"] if put_back else []), "deliver"]
    assert list(spans) == [*stations[:-1], "epj call", "deliver"]
    assert {context_of(each).trace_id for each in spans.values()} == {int("a" * 32, 16)}
    above = {name: each.parent.span_id if each.parent else None for name, each in spans.items()}
    assert above == {
        "accept": int("b" * 16, 16),
        **{name: context_of(spans[before]).span_id for before, name in pairwise([*stations, "epj call"])},
    }


@pytest.mark.parametrize("put_back", [False, True])
def test_a_station_is_linked_to_what_was_stored_and_to_the_call_that_took_it_up(
    exported: InMemorySpanExporter, invocation: SpanContext, put_back: bool
) -> None:
    road(put_back=put_back)
    spans = {each.name: each for each in exported.get_finished_spans()}
    for before, name in pairwise(["accept", *(["route"] if put_back else []), "deliver"]):
        links = {(each.attributes or {})["link"]: each.context.span_id for each in spans[name].links}
        assert links == {"stored": context_of(spans[before]).span_id, "taken-up-by": invocation.span_id}
    assert not spans["accept"].links


def test_an_exception_is_told_by_its_class_alone(exported: InMemorySpanExporter) -> None:
    def fails() -> None:
        with traced(Stage.ROUTE, CALLER, {"event_id": "e1"}):
            raise ValueError(f"{PERSON} is not known")

    with pytest.raises(ValueError, match="is not known"):
        fails()
    (span,) = exported.get_finished_spans()
    assert span.attributes == {"event_id": "e1", "error_type": "ValueError"}
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert not span.events


def test_a_span_tells_fields_of_the_list_and_ids_only(exported: InMemorySpanExporter) -> None:
    with traced(Stage.DELIVER, "", {"event_id": PERSON, "receiver": "two words"}) as span:
        span.failed("REC_HTTP_422")
        with pytest.raises(ValueError, match="patient"):
            span.tell({"patient": "p"})
    (found,) = exported.get_finished_spans()
    assert found.attributes == {"event_id": WITHHELD, "receiver": WITHHELD, "code": "REC_HTTP_422"}


def test_what_is_logged_after_a_step_belongs_to_it(exported: InMemorySpanExporter) -> None:
    with traced(Stage.DELIVER, CALLER, {}) as span:
        pass
    with within(span):
        assert trace.get_current_span().get_span_context() == context_of(exported.get_finished_spans()[0])


def test_without_an_sdk_the_callers_trace_travels_on() -> None:
    with traced(Stage.ACCEPT, CALLER, {"event_id": "e1"}) as span:
        assert span.traceparent == CALLER
    with traced(Stage.ACCEPT, "", {"event_id": "e1"}) as span:
        assert span.traceparent == ""
