"""The trace a message belongs to, from the vendor's call to the journal's answer (W3C Trace Context).

Between its stations a message rests in the store, for milliseconds or for days, so no call carries the trace on: each
station keeps its `traceparent` in the document, and the next one goes on from there. All of a message is thereby one
trace. The signal that a station works on belongs to no message in particular; that call is linked to (OpenTelemetry,
Semantic Conventions for messaging: a consumer's span links to what its message was created by).

Spans are OpenTelemetry's; without a configured SDK they record nothing, and the caller's own traceparent travels on.
What a span tells are fields from a closed list, of the same forms as in log lines (P6).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.log import FIELDS, fit

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_TRACER: Final = trace.get_tracer("knutepunkt")

TOLD: Final = FIELDS | {"class", "outcome"}
"""What a span may tell: what a log line may, a message's class and what came of it."""

Told = Mapping[str, str | int | None]


class Stage(StrEnum):
    """The spans of a message's road, in their order."""

    ACCEPT = "accept"
    ROUTE = "route"
    DELIVER = "deliver"
    CALL = "epj call"


_KINDS: Final = {
    # The host's own span is the call that came in, and this one a part of it.
    Stage.ACCEPT: SpanKind.INTERNAL,
    Stage.ROUTE: SpanKind.CONSUMER,
    Stage.DELIVER: SpanKind.CONSUMER,
    Stage.CALL: SpanKind.CLIENT,
}


class Traced:
    """A span that is open, or was."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """What to hand on, or to keep with the message; empty where there is no trace."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(self._span, context.Context()))
        return carrier.get("traceparent", "")

    def tell(self, told: Told) -> None:
        """Add what is known. Raises ValueError for a field that is not on the list; see `shared.log.fit`."""
        unknown = told.keys() - TOLD
        if unknown:
            raise ValueError(f"not fields of a span: {', '.join(sorted(unknown))}")
        if self._span.is_recording():
            self._span.set_attributes({name: fit(value) for name, value in told.items() if value is not None})

    def failed(self, code: str) -> None:
        """It did not go well, and this is why. Failed spans are kept whatever part of all others is."""
        self.tell({"code": code})
        self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def traced(stage: Stage, after: str | None, told: Told) -> Iterator[Traced]:
    """A station of a message's road, in the message's trace. `after` is the traceparent that was kept with it.

    An exception that ends it is told by its class alone: its words might be the message's.
    """
    parent = _PROPAGATOR.extract({"traceparent": after} if after else {}, context.Context())
    with _opened(stage, parent, _links(stage, parent)) as opened:
        opened.tell(told)
        yield opened


@contextmanager
def part(stage: Stage, told: Told) -> Iterator[Traced]:
    """A part of the step that is being made."""
    with _opened(stage, context.get_current(), ()) as opened:
        opened.tell(told)
        yield opened


@contextmanager
def within(span: Traced) -> Iterator[None]:
    """What is logged meanwhile belongs to this step, though that has ended."""
    with trace.use_span(span._span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def _opened(stage: Stage, parent: context.Context, links: tuple[Link, ...]) -> Iterator[Traced]:
    with _TRACER.start_as_current_span(
        stage, context=parent, kind=_KINDS[stage], links=links, record_exception=False, set_status_on_exception=False
    ) as span:
        opened = Traced(span)
        try:
            yield opened
        except BaseException as error:
            opened.tell({"error_type": type(error).__name__})
            span.set_status(Status(StatusCode.ERROR))
            raise


def _links(stage: Stage, parent: context.Context) -> tuple[Link, ...]:
    """To the station before, and to the call that took the work up, where that is another trace's."""
    if stage is Stage.ACCEPT:
        return ()
    before = trace.get_current_span(parent).get_span_context()
    by = trace.get_current_span().get_span_context()
    told = ((before, "stored"), (by, "taken-up-by"))
    return tuple(Link(each, {"link": how}) for each, how in told if each.is_valid)
