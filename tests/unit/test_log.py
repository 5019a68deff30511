"""A log line is a code, a fixed sentence and ids: there is no way to put anything else into it (P6)."""

import ast
import logging
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.log import FIELDS, WITHHELD, LogEvent, log

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")])
EVERYTHING = logging.DEBUG
PRINTING = {"print", "pprint", "breakpoint"}
WITH_LOGGERS = {ROOT / "shared" / each for each in ("log.py", "azure/telemetry.py", "azure/exported_lines.py")}
"""What writes lines, and what hands them on."""


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(EVERYTHING, logger="knutepunkt")


def calls_of_log() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "log"
    ]


def test_codes_are_unique_and_well_formed() -> None:
    codes = [each.code for each in LogEvent]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"HUB-[1-9][0-9]{3}", code) for code in codes)


def test_no_sentence_has_a_place_to_fill_in() -> None:
    assert all("{" not in each.sentence and "%" not in each.sentence for each in LogEvent)
    assert len({each.sentence for each in LogEvent}) == len(LogEvent)


@pytest.mark.parametrize("name", ["message", "text", "body", "patient", "name", "token", "url", "exc_info", "msg"])
def test_a_field_that_is_not_on_the_list_raises(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        log(LogEvent.ACCEPTED, **{name: "x"})


def test_an_unknown_field_raises_even_where_the_line_would_not_be_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="knutepunkt")
    with pytest.raises(ValueError, match="body"):
        log(LogEvent.ACCEPTED, body="x")


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_on_the_list_can_be_written(name: str, caplog: pytest.LogCaptureFixture) -> None:
    log(LogEvent.ACCEPTED, **{name: "value-1"})
    assert caplog.records[-1].getMessage().endswith(f" {name}=value-1")
    assert getattr(caplog.records[-1], name) == "value-1"


def test_a_line_has_its_code_level_and_sentence(caplog: pytest.LogCaptureFixture) -> None:
    log(LogEvent.QUARANTINED, code="REC_HTTP_422", status=422, lane=None)
    record = caplog.records[-1]
    assert record.levelno == LogEvent.QUARANTINED.level
    assert record.getMessage() == "HUB-3003 Quarantined: a person must decide code=REC_HTTP_422 status=422"


@pytest.mark.parametrize(
    "value",
    ["Kari Nordmann", "15854010058", "patient:15854010058", "15854010058/2026", "a\nb", "a\tb", "\x1b[31m", "x" * 129,
     "eyJhbGciOiJSUzI1NiJ9." + "A" * 200, '{"resourceType": "Patient"}', "a\u2028b", "a\u00a0b"],
)  # fmt: skip
def test_free_text_a_persons_number_and_a_token_are_withheld(value: str, caplog: pytest.LogCaptureFixture) -> None:
    for name in sorted(FIELDS):
        log(LogEvent.UNEXPECTED, **{name: value})
        assert value not in caplog.text
        assert getattr(caplog.records[-1], name) == WITHHELD


@pytest.mark.parametrize(
    "value",
    ["7f3a5c1e-0000-4000-8000-123456789012", "2026-01-15T08:36:37+00:00", "999999999", "HUB_GAVE_UP", "deliveries",
     "abcdefghij234567abcd.abcdefghij234567abcdefghij.epj", "vendor-kommune"],
)  # fmt: skip
def test_ids_codes_and_times_are_written_as_they_are(value: str, caplog: pytest.LogCaptureFixture) -> None:
    log(LogEvent.ACCEPTED, correlation_id=value)
    assert caplog.records[-1].getMessage().endswith(f"correlation_id={value}")


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_is_always_one_line(caplog: pytest.LogCaptureFixture, value: str) -> None:
    log(LogEvent.ACCEPTED, correlation_id=value)
    written = caplog.records[-1].getMessage()
    assert written.isprintable()
    assert written.startswith(f"{LogEvent.ACCEPTED.code} {LogEvent.ACCEPTED.sentence} correlation_id=")


def test_every_call_of_log_names_its_event_and_its_fields() -> None:
    calls = calls_of_log()
    assert len(calls) > 10
    for where, call in calls:
        assert len(call.args) == 1, where
        assert all(keyword.arg in FIELDS for keyword in call.keywords), where


def test_no_text_is_put_together_in_a_call_of_log() -> None:
    for where, call in calls_of_log():
        for keyword in call.keywords:
            for part in ast.walk(keyword.value):
                assert not isinstance(part, ast.JoinedStr | ast.Mod), where
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    assert re.fullmatch(r"[A-Z][A-Z_]*", part.value), where


def test_nothing_else_in_the_hub_writes_lines() -> None:
    for path in SOURCES:
        if path in WITH_LOGGERS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                assert all(name.name.partition(".")[0] not in ("logging", "warnings") for name in node.names), where
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in ("logging", "warnings"), where
            if isinstance(node, ast.Name):
                assert node.id not in PRINTING, where
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("stdout", "stderr"), where
