"""What is exported arrives: at the sandbox's collector, and as Application Insights' ingestion takes it."""

import asyncio
import gzip
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from azure.monitor.opentelemetry.exporter.export.metrics._exporter import APPLICATION_INSIGHTS_METRIC_TEMPORALITIES
from opentelemetry import trace
from opentelemetry.sdk.metrics import Counter
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from sandbox.telemetry import kept
from sandbox.telemetry.server import serve
from sandbox.telemetry.story import Node, of_message
from shared.azure.exported_lines import Lines
from shared.azure.exporters import SINCE_LAST
from shared.azure.settings import TelemetrySettings
from shared.azure.telemetry import Destination, Telemetry, built, destinations_of
from shared.log import NAME, LogEvent, log

ROOT = Path(__file__).resolve().parents[3]
KEY = "00000000-0000-0000-0000-000000000001"


def settings(**values: Any) -> TelemetrySettings:
    return TelemetrySettings.model_validate(values)


async def ended(telemetry: Telemetry) -> None:
    """Export what waits; beside the event loop, which the other end answers from."""
    await asyncio.to_thread(telemetry.close)


def tell(telemetry: Telemetry, *, trace_id: int, event: str, fails: bool = False) -> None:
    """A step with a part and a line, and a metric."""
    tracer = telemetry.traces.get_tracer("test")
    parent = trace.set_span_in_context(NonRecordingSpan(SpanContext(trace_id, 7, True, TraceFlags(0))))
    handler = Lines(telemetry.lines)
    logger = logging.getLogger(NAME)
    logger.addHandler(handler)
    try:
        with tracer.start_as_current_span("deliver", parent, attributes={"event_id": event, "attempt": 1}):
            log(LogEvent.DELIVERED, delivery_id="d1", attempt=1)
            with tracer.start_as_current_span("epj call") as part:
                if fails:
                    part.set_status(Status(StatusCode.ERROR))
                    log(LogEvent.WAITING, delivery_id="d1", code="REC_HTTP_503")
    finally:
        logger.removeHandler(handler)
    telemetry.numbers.get_meter("test").create_counter("knutepunkt.attempts").add(1, {"outcome": "taken"})


async def test_a_collector_gets_spans_lines_and_metrics(tmp_path: Path) -> None:
    async with serve(tmp_path) as facts:
        wanted = settings(OTEL_EXPORTER_OTLP_ENDPOINT=facts["url"])
        telemetry = built(wanted, destinations_of(wanted))
        tell(telemetry, trace_id=5, event="e1")
        await ended(telemetry)
    story = of_message(tmp_path, "e1")
    assert story.traces == (f"{5:032x}",)
    (deliver,) = story.roots
    assert isinstance(deliver, Node)
    assert deliver.span["attributes"] == {"event_id": "e1", "attempt": 1}
    line, call = deliver.inside
    assert isinstance(call, Node)
    assert not isinstance(line, Node)
    assert call.span["name"] == "epj call"
    assert line["attributes"] == {"code_": "HUB-3001", "delivery_id": "d1", "attempt": 1}
    (metric,) = [each for each in kept.lines(tmp_path, ["knutepunkt.attempts"]) if each["signal"] == "metric"]
    assert metric["sum"]["dataPoints"][0]["asInt"] == "1"


async def test_of_one_per_cent_the_failures_arrive_whole_with_their_warnings(tmp_path: Path) -> None:
    async with serve(tmp_path) as facts:
        wanted = settings(OTEL_EXPORTER_OTLP_ENDPOINT=facts["url"], Telemetry__sampling="1")
        telemetry = built(wanted, destinations_of(wanted))
        for number in range(1, 41):
            # None of these is among the one per cent.
            tell(telemetry, trace_id=number, event=f"e{number}", fails=number % 4 == 0)
        await ended(telemetry)
    for number in range(1, 41):
        story = of_message(tmp_path, f"{number:032x}")
        told = [each.span["name"] for each in story.roots if isinstance(each, Node)]
        assert told == (["deliver"] if number % 4 == 0 else []), number
        if told:
            (deliver,) = story.roots
            assert isinstance(deliver, Node)
            (call,) = deliver.inside
            assert isinstance(call, Node)
            assert [each["attributes"]["code_"] for each in call.inside if not isinstance(each, Node)] == ["HUB-3002"]


async def test_a_collector_refuses_what_is_no_telemetry(tmp_path: Path) -> None:
    async with serve(tmp_path) as facts, aiohttp.ClientSession() as http:
        for body in (b"", b"{", b"[1]", b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}'):
            async with http.post(f"{facts['url']}/v1/traces", data=body) as answer:
                assert answer.status == 400, body
    assert not (tmp_path / kept.FILE).exists()


@dataclass
class Ingestion:
    """Application Insights' door, as far as the exporter knows it."""

    connection: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)


@asynccontextmanager
async def ingestion() -> AsyncIterator[Ingestion]:
    taken = Ingestion()

    async def take(request: web.Request) -> web.Response:
        raw = await request.read()
        found = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        taken.paths.add(request.path)
        taken.items += found
        return web.json_response({"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []})

    app = web.Application()
    app.router.add_post("/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.connection = f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield taken
    finally:
        await runner.cleanup()


def insights(connection: str) -> tuple[Destination, ...]:
    return (Destination("shared.azure.to_application_insights", connection, SINCE_LAST),)


async def test_application_insights_gets_the_same_and_how_many_each_counts_for() -> None:
    async with ingestion() as taken:
        telemetry = built(settings(Telemetry__sampling="99.9"), insights(taken.connection))
        tell(telemetry, trace_id=5, event="e1")
        tell(telemetry, trace_id=6, event="e2", fails=True)
        await ended(telemetry)
    assert taken.paths == {"/v2.1/track"}
    spans = [each for each in taken.items if each["data"]["baseType"] in ("RequestData", "RemoteDependencyData")]
    told = {(each["tags"]["ai.operation.id"], each["data"]["baseData"]["name"]): each for each in spans}
    first, failed = f"{5:032x}", f"{6:032x}"
    assert set(told) == {(trace_id, name) for trace_id in (first, failed) for name in ("deliver", "epj call")}
    assert told[first, "deliver"]["data"]["baseData"]["properties"]["event_id"] == "e1"
    assert told[first, "deliver"]["sampleRate"] == 99.9
    assert told[failed, "epj call"]["data"]["baseData"]["success"] is False
    assert {told[failed, name].get("sampleRate", 100.0) for name in ("deliver", "epj call")} == {100.0}
    lines = [each["data"]["baseData"] for each in taken.items if each["data"]["baseType"] == "MessageData"]
    assert [each["properties"]["code_"] for each in lines] == ["HUB-3001", "HUB-3001", "HUB-3002"]
    metrics = [each["data"]["baseData"] for each in taken.items if each["data"]["baseType"] == "MetricData"]
    assert {each["name"] for told_ in metrics for each in told_["metrics"]} == {"knutepunkt.attempts"}
    assert {each["iKey"] for each in taken.items} == {KEY}
    # Which release of which app: `AppVersion` in every table.
    assert {each["tags"]["ai.application.ver"] for each in taken.items} == {"unpackaged"}


def test_counts_are_since_the_last_time_where_they_are_added_up() -> None:
    theirs = APPLICATION_INSIGHTS_METRIC_TEMPORALITIES
    assert {kind: how for kind, how in theirs.items() if kind in SINCE_LAST} == SINCE_LAST
    assert SINCE_LAST[Counter].name == "DELTA"


@pytest.mark.parametrize(
    "text",
    [
        "InstrumentationKey=k",
        "IngestionEndpoint=https://x/",
        "nothing",
        "InstrumentationKey=k;IngestionEndpoint=http://x",
    ],
)
def test_a_connection_string_that_would_send_elsewhere_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="must have an InstrumentationKey") as refused:
        settings(APPLICATIONINSIGHTS_CONNECTION_STRING=text)
    assert text not in str(refused.value)


def test_nothing_goes_anywhere_unless_it_is_set() -> None:
    assert destinations_of(settings()) == ()


def test_exporters_are_imported_when_there_is_something_to_export() -> None:
    code = (
        "import sys\n"
        "from shared.azure.settings import TelemetrySettings\n"
        "from shared.azure import telemetry\n"
        "telemetry.start(TelemetrySettings.model_validate({'APPLICATIONINSIGHTS_CONNECTION_STRING':"
        " 'InstrumentationKey=k;IngestionEndpoint=https://127.0.0.1:1', 'OTEL_EXPORTER_OTLP_ENDPOINT':"
        " 'http://127.0.0.1:1'}))\n"
        "assert not [each for each in sys.modules if each.startswith(('azure.monitor', 'opentelemetry.exporter'))]\n"
        "assert 'opentelemetry.sdk.trace' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)  # noqa: S603 - our own


def test_libraries_trace_nothing_by_themselves_and_tell_of_trouble_only() -> None:
    code = (
        "import logging\n"
        "from azure.core.settings import settings\n"
        "from shared.azure import telemetry\n"
        "telemetry.quieten()\n"
        "assert settings.tracing_enabled() is False\n"
        "logging.getLogger().setLevel(logging.DEBUG)\n"
        "for name in ('azure.core.pipeline.policies.http_logging_policy', 'azure.servicebus', 'azure.cosmos'):\n"
        "    assert not logging.getLogger(name).isEnabledFor(logging.INFO)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)  # noqa: S603 - our own
