"""OTLP/HTTP in JSON, read into plain lines (opentelemetry-proto 1.x, "JSON Protobuf Encoding"; ids are hexadecimal)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

Json = Mapping[str, Any]

_FAILED: Final = (2, "STATUS_CODE_ERROR")


def spans(body: Json) -> Iterator[dict[str, Any]]:
    """A line for each span."""
    for source, each in _inside(body, "resourceSpans", "scopeSpans", "spans"):
        yield {
            "signal": "span",
            "source": source,
            "name": each["name"],
            "traceId": each["traceId"],
            "spanId": each["spanId"],
            "parentSpanId": each.get("parentSpanId") or None,
            "start": _time(each["startTimeUnixNano"]),
            "end": _time(each["endTimeUnixNano"]),
            "ms": round((int(each["endTimeUnixNano"]) - int(each["startTimeUnixNano"])) / 1e6, 3),
            "failed": each.get("status", {}).get("code") in _FAILED,
            "attributes": _attributes(each),
            "links": [
                {"traceId": link["traceId"], "spanId": link["spanId"], **_attributes(link)}
                for link in each.get("links", ())
            ],
        }


def logs(body: Json) -> Iterator[dict[str, Any]]:
    """A line for each log line."""
    for source, each in _inside(body, "resourceLogs", "scopeLogs", "logRecords"):
        yield {
            "signal": "log",
            "source": source,
            "at": _time(each["timeUnixNano"]),
            "severity": each.get("severityText", ""),
            "text": _value(each.get("body", {})),
            "traceId": each.get("traceId") or None,
            "spanId": each.get("spanId") or None,
            "attributes": _attributes(each),
        }


def metrics(body: Json) -> Iterator[dict[str, Any]]:
    """A line for each metric, with its points as they came."""
    for source, each in _inside(body, "resourceMetrics", "scopeMetrics", "metrics"):
        yield {"signal": "metric", "source": source, **each}


def _inside(body: Json, outer: str, middle: str, inner: str) -> Iterator[tuple[str, Json]]:
    for resource in body.get(outer, ()):
        source = str(_attributes(resource.get("resource", {})).get("service.name", ""))
        for scope in resource.get(middle, ()):
            for each in scope.get(inner, ()):
                yield source, each


def _attributes(of: Json) -> dict[str, Any]:
    return {each["key"]: _value(each["value"]) for each in of.get("attributes", ())}


def _value(value: Json) -> Any:
    for kind, found in value.items():
        # Numbers of 64 bits are texts in JSON.
        return int(found) if kind == "intValue" else found
    return None


def _time(nanoseconds: str | int) -> str:
    moment = datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC)
    return moment.isoformat(timespec="microseconds")
