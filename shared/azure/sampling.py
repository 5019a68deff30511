"""Which traces are kept: a fixed part of them, each whole or not at all, and every one in which something failed.

The part is chosen by the trace's id alone, with the score that Application Insights' own SDKs use, so that every
process and the Functions host choose the same traces, and a message's trace is kept at all its stations or at none.
What a caller says in its traceparent about sampling is not believed: it could have everything recorded, or nothing.

Azure Monitor multiplies what is kept by `_MS.sampleRate`, so its counts are of all that happened. What is kept because
something failed is kept always and counts as one.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import Attributes

RATE: Final = "_MS.sampleRate"
"""What Application Insights' ingestion reads: the per cent of their kind that are kept."""
_SEED: Final = 5381
_MOST: Final = 2**31 - 1


def score(trace_id: int) -> float:
    """A number from 0 to 1 for a trace: the DJB2 hash of its id's hexadecimal form, in 32 bits.

    As in Application Insights' SDKs; a test compares it with Microsoft's.
    """
    hashed = _SEED
    for letter in f"{trace_id:032x}":
        hashed = (hashed * 33 + ord(letter) + 2**31) % 2**32 - 2**31
    return min(abs(hashed), _MOST) / _MOST


class ByTraceId(Sampler):
    """Keeps a part of all traces. The others are recorded too, for as long as it is not known that nothing fails."""

    def __init__(self, percent: float) -> None:
        self._percent = percent

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See Sampler."""
        kept = score(trace_id) * 100 < self._percent or self._percent >= 100
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else Decision.RECORD_ONLY, attributes)

    def get_description(self) -> str:
        """See Sampler."""
        return f"ByTraceId{{{self._percent}}}"


class WholeSteps(SpanProcessor):
    """Hands on what is kept when a step of a message's road has ended: the step with its parts, or none of it."""

    def __init__(self, percent: float, onward: SpanProcessor) -> None:
        self._percent = percent
        self._onward = onward
        self._step_of: dict[int, int] = {}
        """Open spans and the step each is a part of, by span id."""
        self._ended: dict[int, list[ReadableSpan]] = {}
        """Parts that have ended, by their step."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """See SpanProcessor."""
        own = _id(span)
        above = None if span.parent is None or span.parent.is_remote else self._step_of.get(span.parent.span_id)
        self._step_of[own] = own if above is None else above

    def on_end(self, span: ReadableSpan) -> None:
        """See SpanProcessor."""
        own = _id(span)
        step = self._step_of.pop(own, own)
        if step != own and step in self._step_of:
            self._ended.setdefault(step, []).append(span)
            return
        self._hand_on([*self._ended.pop(own, ()), span])

    def _hand_on(self, spans: Iterable[ReadableSpan]) -> None:
        spans = tuple(spans)
        failed = any(each.status.status_code is StatusCode.ERROR for each in spans)
        if failed or _context(spans[-1]).trace_flags.sampled:
            for each in spans:
                self._onward.on_end(_kept(each, 100.0 if failed else self._percent))

    def shutdown(self) -> None:
        """See SpanProcessor."""
        self._onward.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """See SpanProcessor."""
        return self._onward.force_flush(timeout_millis)


def _context(span: ReadableSpan) -> SpanContext:
    return span.get_span_context() or INVALID_SPAN_CONTEXT


def _id(span: ReadableSpan) -> int:
    return _context(span).span_id


def _kept(span: ReadableSpan, percent: float) -> ReadableSpan:
    """The span as one that is kept, and as how many it counts."""
    context = _context(span)
    if context.trace_flags.sampled and percent >= 100:
        return span
    marked = SpanContext(context.trace_id, context.span_id, False, TraceFlags(TraceFlags.SAMPLED), context.trace_state)
    return ReadableSpan(
        name=span.name,
        context=marked,
        parent=span.parent,
        resource=span.resource,
        attributes={**(span.attributes or {}), **({RATE: percent} if percent < 100 else {})},
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
