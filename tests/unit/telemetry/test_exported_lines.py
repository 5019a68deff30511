"""What becomes of log lines: the hub's own with all they tell, a library's without its words, and none by chance."""

import logging
from collections.abc import Iterator

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from shared.azure.exported_lines import WITHOUT_WORDS, Lines
from shared.log import LogEvent, log

QUOTED = "what-somebody-sent"


@pytest.fixture
def exported(caplog: pytest.LogCaptureFixture) -> Iterator[InMemoryLogRecordExporter]:
    caplog.set_level(logging.DEBUG)
    found = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # OpenTelemetry left its type out
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(found))
    handler = Lines(provider)
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)
    provider.shutdown()


@pytest.fixture
def within() -> Iterator[None]:
    """Inside a trace that is not kept."""
    span = NonRecordingSpan(SpanContext(1, 2, False, TraceFlags(TraceFlags.DEFAULT)))
    token = context.attach(trace.set_span_in_context(span))
    yield
    context.detach(token)


def test_a_coded_line_is_exported_with_its_code_and_its_fields(exported: InMemoryLogRecordExporter) -> None:
    log(LogEvent.QUARANTINED, delivery_id="d1", status=422, code="REC_HTTP_422")
    (found,) = exported.get_finished_logs()
    assert found.log_record.attributes == {
        "code_": "HUB-3003", "delivery_id": "d1", "status": 422, "code": "REC_HTTP_422",
    }  # fmt: skip
    assert found.log_record.severity_text == "ERROR"
    assert str(found.log_record.body).startswith("HUB-3003 Quarantined")


def test_a_librarys_warning_is_told_of_without_its_words(exported: InMemoryLogRecordExporter) -> None:
    library = logging.getLogger("somebodys.library")
    try:
        raise ValueError(f"cannot read {QUOTED}")
    except ValueError:
        library.exception("no way to read %s", QUOTED)
    library.info("read %s", QUOTED)
    (found,) = exported.get_finished_logs()
    told = dict(found.log_record.attributes or {})
    assert found.log_record.body == WITHOUT_WORDS
    assert str(told.pop("line", "")).startswith("test_exported_lines:")
    assert told == {"category": "somebodys.library", "error_type": "ValueError"}
    assert QUOTED not in repr(found)


def test_what_exporting_says_is_not_exported(exported: InMemoryLogRecordExporter) -> None:
    for name in (
        "opentelemetry.sdk._shared_internal",
        "azure.monitor.opentelemetry.exporter",
        "urllib3.connectionpool",
    ):
        logging.getLogger(name).error("could not export")
    assert not exported.get_finished_logs()


@pytest.mark.usefixtures("within")
def test_of_a_trace_that_is_not_kept_only_warnings_are(exported: InMemoryLogRecordExporter) -> None:
    log(LogEvent.ACCEPTED, event_id="e1")
    log(LogEvent.WAITING, delivery_id="d1")
    assert [(each.log_record.attributes or {})["code_"] for each in exported.get_finished_logs()] == ["HUB-3002"]
