"""host.json, app settings, timers and messages: what can be judged without a process."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.amqp.codec import Header, Long, Message, Properties, Symbol, Timestamp
from sandbox.host import functions, hostjson, settings, timers
from sandbox.host.amqp_links import Delivery
from sandbox.host.bus import namespace
from sandbox.host.messages import metadata
from sandbox.host.protos import RpcFunctionMetadata
from sandbox.host.renewal import Renewal
from sandbox.host.settings import StartRefused

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_host_json_is_read_as_azure_reads_it() -> None:
    config = hostjson.parse(
        {
            "version": "2.0",
            "functionTimeout": "00:05:00",
            "logging": {"logLevel": {"default": "Warning", "toy": "Debug"}},
            "extensions": {
                "http": {"routePrefix": ""},
                "serviceBus": {"maxConcurrentSessions": 64, "sessionIdleTimeout": "00:00:00.25"},
            },
        }
    )
    assert config.route_prefix == ""
    assert config.function_timeout == timedelta(minutes=5)
    assert (config.log_level, config.log_levels) == (30, {"toy": 10})
    assert config.service_bus.max_concurrent_sessions == 64
    assert config.service_bus.session_idle_timeout == timedelta(milliseconds=250)
    assert config.service_bus.max_lock_renewal == timedelta(minutes=5)
    assert config.warnings == ()


def test_unknown_keys_of_host_json_are_warned_about() -> None:
    raw = {"version": "2.0", "functionTimeOut": "1", "extensions": {"serviceBus": {"maxConcurrentSession": 1}}}
    warnings = hostjson.parse(raw).warnings
    assert any("functionTimeOut" in warning for warning in warnings)
    assert any("serviceBus.maxConcurrentSession" in warning for warning in warnings)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"version": "1.0"}',
        '{"version": "2.0", "functionTimeout": "5 minutes"}',
        '{"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentSessions": 0}}}',
        '{"version": "2.0", "extensions": {"serviceBus": {"sessionIdleTimeout": 5}}}',
        '{"version": "2.0", "extensions": {"serviceBus": {"autoCompleteMessages": "yes"}}}',
    ],
)
def test_a_malformed_host_json_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text, encoding="utf-8")
    with pytest.raises(StartRefused, match=r"host\.json"):
        hostjson.load(tmp_path)


@given(st.integers(0, 9999), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_time_spans_are_read_exactly(days: int, hours: int, minutes: int, seconds: int, thousandths: int) -> None:
    text = f"{days}.{hours:02d}:{minutes:02d}:{seconds:02d}.{thousandths:03d}"
    assert hostjson.time_span(text) == timedelta(
        days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=thousandths
    )


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": {"A": "file", "B": "file"}}', encoding="utf-8")
    assert settings.read({"A": "environment"}, tmp_path) == {"A": "environment", "B": "file"}


def trigger(**binding: object) -> RpcFunctionMetadata:
    return RpcFunctionMetadata(name="f", raw_bindings=[json.dumps({"name": "x", "direction": "IN", **binding})])


@pytest.mark.parametrize(
    ("binding", "said"),
    [
        ({"type": "serviceBusTrigger", "queueName": "q", "connection": "Bus"}, "'Bus' is not set"),
        ({"type": "serviceBusTrigger", "queueName": "q", "connection": "Ident"}, "in Azure only"),
        ({"type": "serviceBusTrigger", "queueName": "%Q%", "connection": "Good"}, "'Q'"),
        ({"type": "serviceBusTrigger", "queueName": "q", "connection": "Good", "cardinality": "MANY"}, "many"),
        ({"type": "serviceBusTrigger", "topicName": "t", "connection": "Good"}, "topics"),
        ({"type": "blobTrigger", "path": "p"}, "blobTrigger"),
    ],
)
def test_what_cannot_run_here_is_refused_with_the_functions_name(binding: dict[str, object], said: str) -> None:
    with pytest.raises(StartRefused, match="function 'f'") as caught:
        functions.read([trigger(**binding)], {"Good": "x", "Ident__fullyQualifiedNamespace": "x"})
    assert said in str(caught.value)


def test_a_function_can_be_switched_off_by_a_setting() -> None:
    timer = trigger(type="timerTrigger", schedule="0 0 * * * *")
    assert functions.read([timer], {"AzureWebJobs.f.Disabled": "true"})[0].disabled
    assert not functions.read([timer], {})[0].disabled


def test_a_connection_string_without_its_parts_is_refused_without_showing_the_key() -> None:
    with pytest.raises(StartRefused) as caught:
        namespace("Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=k;SharedAccessKey=hush;")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/30 * * * * *", NOON + timedelta(seconds=30)),
        ("0 */5 * * * *", NOON + timedelta(minutes=5)),
        ("0 30 9 * * 1-5", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    ],
)
def test_schedules_have_seconds_first_and_are_in_utc(schedule: str, expected: datetime) -> None:
    assert timers.next_after(schedule, NOON) == expected


@pytest.mark.parametrize("schedule", ["* * * * *", "x * * * * *", "0 0 25 * * *", "00:05:00"])
def test_a_schedule_that_is_not_six_fields_is_refused(schedule: str) -> None:
    with pytest.raises(StartRefused, match="schedule"):
        timers.check("f", schedule)


def test_a_message_with_a_time_to_live_tells_when_it_expires() -> None:
    message = Message(
        header=Header(ttl=90_000, delivery_count=3),
        annotations={
            Symbol("x-opt-enqueued-time"): Timestamp(1_790_000_000_120),
            Symbol("x-opt-sequence-number"): Long(9),
        },
        properties=Properties(message_id=uuid.UUID(int=7), group_id="lane"),
        application_properties={"when": Timestamp(0), "raw": b"\x00\xff"},
        data=(b"x",),
    )
    token = uuid.uuid4()
    found = metadata(Delivery(1, token.bytes_le, message), True)
    assert found["EnqueuedTimeUtc"].json == '"2026-09-21T14:13:20.12"'
    assert found["ExpiresAtUtc"].json == '"2026-09-21T14:14:50.12"'
    assert found["DeliveryCount"].json == "4"
    assert found["LockToken"].string == str(token)
    assert found["MessageId"].string == str(uuid.UUID(int=7))
    assert json.loads(found["UserProperties"].json or "") == {"when": "1970-01-01T00:00:00Z", "raw": "AP8="}
    assert "Subject" not in found


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=5) | st.binary(max_size=5)),
    st.binary(max_size=50),
)
def test_no_message_is_too_odd_for_its_metadata(
    enqueued: int, ttl: int, properties: dict[str, object], body: bytes
) -> None:
    message = Message(
        header=Header(ttl=ttl),
        annotations={Symbol("x-opt-enqueued-time"): Timestamp(enqueued)},
        application_properties=properties,
        data=(body,),
    )
    found = metadata(Delivery(1, b"short", message), False)
    assert {"UserProperties", "DeliveryCount", "EnqueuedTimeUtc"} <= found.keys()


async def test_a_lock_is_renewed_before_it_ends_and_not_beyond_the_bound() -> None:
    renewed: list[datetime] = []
    began = datetime.now(UTC)
    enough = asyncio.Event()

    async def renew() -> datetime:
        renewed.append(datetime.now(UTC))
        if len(renewed) == 3:
            enough.set()
        return datetime.now(UTC) + timedelta(milliseconds=200)

    renewal = Renewal(renew, began + timedelta(milliseconds=200), timedelta(seconds=60), "a lock")
    async with asyncio.timeout(10):
        await enough.wait()
    renewal.stop()
    none_at_all = Renewal(renew, began + timedelta(seconds=60), timedelta(seconds=1), "a lock")
    assert none_at_all._timer is None
