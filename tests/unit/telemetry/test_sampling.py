"""A fixed part of all traces is kept, each whole, and everything in which something failed."""

import random
from collections.abc import Iterator, Sequence

import pytest
from azure.monitor.opentelemetry.exporter import ApplicationInsightsSampler
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, Tracer

from shared.azure.sampling import RATE, ByTraceId, WholeSteps, score

TRACE_IDS = st.integers(1, 2**128 - 1)
PERCENT = 1.0
SAMPLED = Decision.RECORD_AND_SAMPLE
_BITS = random.Random(6)  # noqa: S311 - nothing secret
SOME = [_BITS.getrandbits(128) for _ in range(2000)]
CHOSEN = next(each for each in SOME if score(each) < PERCENT / 100)
OTHER = next(each for each in SOME if score(each) > PERCENT / 100)


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def steps(exported: InMemorySpanExporter) -> WholeSteps:
    return WholeSteps(PERCENT, SimpleSpanProcessor(exported))


@pytest.fixture
def tracer(steps: WholeSteps) -> Iterator[Tracer]:
    provider = TracerProvider(ByTraceId(PERCENT), shutdown_on_exit=False)
    provider.add_span_processor(steps)
    yield provider.get_tracer("test")
    provider.shutdown()


def after(trace_id: int, *, sampled: bool = False) -> context.Context:
    """What a caller or the store hands on."""
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return trace.set_span_in_context(NonRecordingSpan(SpanContext(trace_id, 7, True, flags)), context.Context())


def one(tracer: Tracer, trace_id: int, *, fails: bool = False, sampled: bool = False) -> None:
    """A step with a part, as `deliver` with its `epj call`."""
    with (
        tracer.start_as_current_span("deliver", after(trace_id, sampled=sampled)),
        tracer.start_as_current_span("epj call") as part,
    ):
        if fails:
            part.set_status(Status(StatusCode.ERROR))


def kept(exported: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    return exported.get_finished_spans()


def ids(spans: Sequence[ReadableSpan], name: str) -> list[int]:
    return [each.context.trace_id for each in spans if each.name == name and each.context is not None]


@given(TRACE_IDS, st.floats(0, 100))
def test_the_same_traces_are_chosen_as_by_microsofts_own_sampler(trace_id: int, percent: float) -> None:
    theirs = ApplicationInsightsSampler(percent / 100).should_sample(None, trace_id, "x")
    ours = ByTraceId(percent).should_sample(None, trace_id, "x")
    # Theirs divides and multiplies by 100 once more; on the very edge that may differ in the last bit.
    if abs(score(trace_id) * 100 - percent) > 1e-9:
        assert (ours.decision is SAMPLED) == (theirs.decision is SAMPLED)


@given(TRACE_IDS)
def test_everything_is_kept_at_a_hundred_per_cent_and_nothing_at_none(trace_id: int) -> None:
    assert ByTraceId(100).should_sample(None, trace_id, "x").decision is SAMPLED
    assert ByTraceId(0).should_sample(None, trace_id, "x").decision is Decision.RECORD_ONLY


def test_errors_are_all_kept_at_one_per_cent_and_so_is_what_they_are_part_of(
    tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    failing = set(SOME[::10])
    for each in SOME:
        one(tracer, each, fails=each in failing)
    spans = kept(exported)
    chosen = {each for each in SOME if score(each) < PERCENT / 100}
    assert 5 < len(chosen - failing) < 40
    for name in ("deliver", "epj call"):
        assert sorted(ids(spans, name)) == sorted(failing | chosen)
    assert all(each.context is not None and each.context.trace_flags.sampled for each in spans)


def test_what_is_kept_as_a_part_of_all_counts_for_the_others_and_a_failure_counts_as_one(
    tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    one(tracer, CHOSEN)
    one(tracer, CHOSEN, fails=True)
    one(tracer, OTHER, fails=True)
    rates = [(each.attributes or {}).get(RATE) for each in kept(exported)]
    assert rates == [PERCENT, PERCENT, None, None, None, None]


def test_a_caller_can_neither_have_everything_recorded_nor_nothing(
    tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    one(tracer, CHOSEN, sampled=False)
    one(tracer, OTHER, sampled=True)
    assert set(ids(kept(exported), "deliver")) == {CHOSEN}


@given(st.lists(st.integers(0, 3), max_size=30), st.sets(st.integers(0, 3)))
def test_steps_that_run_at_once_are_kept_apart_and_none_is_held_for_ever(order: list[int], failing: set[int]) -> None:
    exported = InMemorySpanExporter()
    steps = WholeSteps(0, SimpleSpanProcessor(exported))
    provider = TracerProvider(ByTraceId(0), shutdown_on_exit=False)
    provider.add_span_processor(steps)
    tracer = provider.get_tracer("test")
    open_ = {each: tracer.start_span(f"{each}", after(each + 1)) for each in range(4)}
    parts = dict.fromkeys(range(4), 0)
    for each in order:
        part = tracer.start_span(f"part of {each}", trace.set_span_in_context(open_[each], context.Context()))
        if each in failing:
            part.set_status(Status(StatusCode.ERROR))
            parts[each] += 1
        part.end()
    for span in open_.values():
        span.end()
    names = [each.name for each in kept(exported)]
    assert {each for each in names if each.isdecimal()} == {str(each) for each in failing if parts[each]}
    assert all(names.count(f"part of {each}") == parts[each] for each in failing)
    assert not any(vars(steps)[each] for each in ("_step_of", "_ended"))
