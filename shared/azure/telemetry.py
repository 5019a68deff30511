"""Where traces, metrics and log lines go, set up in this one place: Application Insights, a collector, or nowhere.

Set up by the app itself and not by the worker's own option (`PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY`): that one
keeps at most five traces a second, whatever failed in the others, and traces every call of every library. The app wants
`PYTHON_ENABLE_OPENTELEMETRY` instead: then the host does not send the app's log lines a second time.

No library is instrumented: the spans are those of a message's road (`shared.tracing`), so nothing of a call's address
or headers can get into one.
"""

import importlib
import logging
import os
import uuid
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from azure.core.settings import settings as azure_core
from opentelemetry import metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from shared import release
from shared.azure import exporters
from shared.azure.exported_lines import Lines
from shared.azure.sampling import ByTraceId, WholeSteps
from shared.azure.settings import TelemetrySettings
from shared.log import NAME

_NOISY: Final = ("azure.core", "azure.cosmos", "azure.identity", "azure.monitor", "azure.servicebus", "urllib3")
"""Their lines of information tell of each single call, addresses and headers included."""


class Exporting(Protocol):
    """What a module of exporters has."""

    @staticmethod
    def spans(where: str, /) -> SpanExporter:
        """Of spans."""

    @staticmethod
    def lines(where: str, /) -> LogRecordExporter:
        """Of log lines."""

    @staticmethod
    def numbers(where: str, /) -> MetricExporter:
        """Of metrics."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Somewhere that telemetry goes."""

    module: str
    """Its exporters; imported on the thread that exports first."""
    where: str = field(repr=False)
    temporality: dict[type, AggregationTemporality]

    @property
    def exporting(self) -> Exporting:
        """Its exporters."""
        return cast(Exporting, importlib.import_module(self.module))

    def spans(self) -> SpanExporter:
        """Of spans."""
        return self.exporting.spans(self.where)

    def lines(self) -> LogRecordExporter:
        """Of log lines."""
        return self.exporting.lines(self.where)

    def numbers(self) -> MetricExporter:
        """Of metrics."""
        return self.exporting.numbers(self.where)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What was set up."""

    traces: TracerProvider
    numbers: MeterProvider
    lines: LoggerProvider

    def close(self) -> None:
        """Export what waits and end. The providers do so by themselves when the process ends in order."""
        self.traces.shutdown()
        self.numbers.shutdown()
        self.lines.shutdown()


def start(settings: TelemetrySettings) -> Telemetry | None:
    """Send this process's telemetry where the settings say. None where that is nowhere. Once in a process."""
    quieten()
    destinations = destinations_of(settings)
    if not destinations:
        return None
    telemetry = built(settings, destinations)
    trace.set_tracer_provider(telemetry.traces)
    metrics.set_meter_provider(telemetry.numbers)
    logging.getLogger().addHandler(Lines(telemetry.lines))
    own = logging.getLogger(NAME)
    if not own.isEnabledFor(logging.INFO):
        own.setLevel(logging.INFO)
    return telemetry


def built(settings: TelemetrySettings, destinations: tuple[Destination, ...]) -> Telemetry:
    """The pipelines, which nothing in the process uses yet."""
    resource = _resource()
    traces = TracerProvider(ByTraceId(settings.sampling_percent), resource)
    lines = LoggerProvider(resource)
    for each in destinations:
        onward = BatchSpanProcessor(exporters.Spans(each.spans))
        traces.add_span_processor(WholeSteps(settings.sampling_percent, onward))
        lines.add_log_record_processor(BatchLogRecordProcessor(exporters.Lines(each.lines)))
    readers = [
        PeriodicExportingMetricReader(exporters.Numbers(each.numbers, each.temporality)) for each in destinations
    ]
    return Telemetry(traces, MeterProvider(readers, resource), lines)


def quieten() -> None:
    """Let libraries tell of what went wrong and of nothing else, and trace nothing by themselves."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    azure_core.tracing_enabled = False


def destinations_of(settings: TelemetrySettings) -> tuple[Destination, ...]:
    """Each that is set."""
    found = []
    if settings.connection_string is not None:
        connection = settings.connection_string.get_secret_value()
        found.append(Destination("shared.azure.to_application_insights", connection, exporters.SINCE_LAST))
    if settings.otlp_endpoint is not None:
        found.append(Destination("shared.azure.to_collector", settings.otlp_endpoint.rstrip("/"), {}))
    return tuple(found)


def _resource() -> Resource:
    """Who tells: the app and this instance of it, by the names that Azure gives them, and which release it is."""
    name = os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("WEBSITE_SITE_NAME") or NAME
    instance = os.environ.get("WEBSITE_INSTANCE_ID") or uuid.uuid4().hex
    return Resource.create({"service.name": name, "service.instance.id": instance, "service.version": release.live()})
