"""The trace a message belongs to, carried from the vendor's call to the EPJ (W3C traceparent).

Spans are OpenTelemetry's; without a configured SDK they record nothing, and the caller's own traceparent travels on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_TRACER: Final = trace.get_tracer("knutepunkt")


@contextmanager
def span(name: str, traceparent: str | None) -> Iterator[str]:
    """A step of a message's road as a span of the message's trace. Gives the traceparent to hand on ("" if none)."""
    parent = _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {})
    with _TRACER.start_as_current_span(name, context=parent, record_exception=False, set_status_on_exception=False):
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        yield carrier.get("traceparent", "")
