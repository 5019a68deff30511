"""OpenTelemetry's SDK, set up to write what it is told into a file: a line a span, a line a collection of metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

_EVERY_MS: Final = 2000


@contextmanager
def to(file: Path) -> Iterator[None]:
    """Record into this file, for the whole process, until the context ends."""
    with file.open("a", encoding="utf-8") as out:
        spans = ConsoleSpanExporter(out=out, formatter=lambda span: f"{span.to_json(indent=None)}\n")
        numbers = ConsoleMetricExporter(out=out, formatter=lambda data: f"{data.to_json(indent=None)}\n")
        tracing = TracerProvider()
        tracing.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=_EVERY_MS))
        measuring = MeterProvider([PeriodicExportingMetricReader(numbers, export_interval_millis=_EVERY_MS)])
        trace.set_tracer_provider(tracing)
        metrics.set_meter_provider(measuring)
        try:
            yield
        finally:
            tracing.shutdown()
            measuring.shutdown()
