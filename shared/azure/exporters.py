"""Exporters that are made when there is first something to export, on the exporting thread.

Importing Azure Monitor's takes longer than the rest of telemetry together, and a cold start is waited for by a caller.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

SINCE_LAST: Final[dict[type, AggregationTemporality]] = dict.fromkeys(
    (Counter, Histogram, ObservableCounter), AggregationTemporality.DELTA
)
"""Application Insights adds up what it gets; sums since the start would be added up too."""


class _Later[T]:
    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None

    def get(self) -> T:
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def made(self) -> T | None:
        return self._made


class Spans(SpanExporter):
    """Of spans."""

    def __init__(self, make: Callable[[], SpanExporter]) -> None:
        self._later = _Later(make)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter."""
        return self._later.get().export(spans)

    def shutdown(self) -> None:
        """See SpanExporter."""
        if self._later.made is not None:
            self._later.made.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """See SpanExporter."""
        return self._later.made is None or self._later.made.force_flush(timeout_millis)


class Lines(LogRecordExporter):
    """Of log lines."""

    def __init__(self, make: Callable[[], LogRecordExporter]) -> None:
        self._later = _Later(make)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """See LogRecordExporter."""
        return self._later.get().export(batch)

    def shutdown(self) -> None:
        """See LogRecordExporter."""
        made = self._later.made
        if made is not None:
            made.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry left its type out

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """See LogRecordExporter."""
        return self._later.made is None or self._later.made.force_flush(timeout_millis)


class Numbers(MetricExporter):
    """Of metrics."""

    def __init__(self, make: Callable[[], MetricExporter], temporality: dict[type, AggregationTemporality]) -> None:
        super().__init__(temporality)
        self._later = _Later(make)

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """See MetricExporter."""
        return self._later.get().export(metrics_data, timeout_millis, **kwargs)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """See MetricExporter."""
        if self._later.made is not None:
            self._later.made.shutdown(timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """See MetricExporter."""
        return self._later.made is None or self._later.made.force_flush(timeout_millis)
