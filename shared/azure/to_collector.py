"""Exporters to any OpenTelemetry collector: OTLP over HTTP, in JSON. Imported when there is first something to send."""

from typing import Final

from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.json.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter

_TIMEOUT_S: Final = 2.0
"""A collector is near. One that is away must not keep the app from ending: three exporters try once more each."""


def spans(endpoint: str) -> OTLPSpanExporter:
    """Of spans. `endpoint` is the collector's address without a path."""
    return OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_TIMEOUT_S)


def lines(endpoint: str) -> OTLPLogExporter:
    """Of log lines."""
    return OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", timeout=_TIMEOUT_S)


def numbers(endpoint: str) -> OTLPMetricExporter:
    """Of metrics."""
    return OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", timeout=_TIMEOUT_S)
