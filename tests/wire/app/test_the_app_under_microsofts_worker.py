"""The function app as Azure's platform would see it: Microsoft's worker indexes it, and all it names is declared."""

import json
import re

import pytest

from sandbox import topology
from sandbox.hub_parts import app_settings
from shared.api import openapi, routes
from shared.azure import settings
from shared.messages.signals import Queue
from tests.wire.host.worker_check import ROOT, IndexedFunction, Refused, duplicate_routes, indexed

SETTINGS = {
    "ServiceBus": "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=aw==;UseDevelopmentEmulator=true;",
    "Cosmos": "AccountEndpoint=http://127.0.0.1:1/;AccountKey=aw==;",
    "HelseId__issuer": "http://127.0.0.1:1",
    "HelseId__audience": "nhn:vkp",
    "Pseudonym__key": "A" * 43 + "=",
    "OrphanCheckSchedule": "*/30 * * * * *",
}


@pytest.fixture(scope="module")
def functions() -> dict[str, IndexedFunction]:
    """What the worker finds."""
    return indexed(ROOT, SETTINGS)


def test_the_worker_finds_exactly_these_functions(functions: dict[str, IndexedFunction]) -> None:
    assert set(functions) == {
        "ingest", "process_message", "status", "fan_out", "fan_out_prompt", "deliver", "deliver_prompt", "orphan_check",
        "waking", "health", "metadata", "openapi", "nothing_here",
        "trail_search", "trail_entry", "trail_sequencer", "trail_checkpoint", "trail_reconcile",
        "registry_municipalities", "registry_municipality", "registry_receivers", "registry_receiver",
        "registry_grants", "registry_grant", "registry_partner_profile", "registry_traffic", "registry_people",
        "registry_person", "registry_proposals", "registry_history", "registry_systems", "registry_system",
        "registry_system_history", "registry_revoked_keys", "registry_hub_history",
        "operations_summary", "watch", "notices", "numbers",
        "set_aside_groups", "set_aside_messages", "set_aside_words", "replay_order", "replay_state", "replaying",
        "replay_stop", "message_withdraw", "message_restore", "expiry",
    }  # fmt: skip


def test_no_address_belongs_to_two_functions(functions: dict[str, IndexedFunction]) -> None:
    assert duplicate_routes(functions) == []


def test_every_function_is_a_coroutine(functions: dict[str, IndexedFunction]) -> None:
    assert [name for name, function in functions.items() if not function.coroutine] == []


def test_every_queue_in_a_trigger_is_declared_with_the_sessions_it_needs(
    functions: dict[str, IndexedFunction],
) -> None:
    declared = {queue.name: queue for queue in topology.load().queues}
    triggers = [each for each in functions.values() if each.trigger["type"] == "serviceBusTrigger"]
    assert {each.queue(SETTINGS) for each in triggers} == set(declared) == {queue.value for queue in Queue}
    for each in triggers:
        name = each.queue(SETTINGS)
        assert name is not None
        assert bool(each.trigger.get("isSessionsEnabled")) == declared[name].requires_session


def test_every_service_bus_trigger_is_binary(functions: dict[str, IndexedFunction]) -> None:
    triggers = [each for each in functions.values() if each.trigger["type"] == "serviceBusTrigger"]
    assert triggers
    assert all(each.binary for each in triggers)


def test_every_setting_a_trigger_names_is_given_to_the_app(functions: dict[str, IndexedFunction]) -> None:
    named = {name for function in functions.values() for name in function.settings}
    facts = {
        "servicebus": {"connectionString": ""}, "cosmos": {"connectionString": "", "appConnectionString": ""},
        "helseid": {"issuer": "", "audience": ""}, "epj": {"url": ""},
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sandbox.hub_parts.secret", lambda *_: "")
        given = app_settings(ROOT, 1, facts, {}, {})
    assert named <= set(given)


def test_every_container_the_app_uses_is_declared() -> None:
    declared = {each.name: each.partition_key for each in topology.load().containers}
    source = (ROOT / "shared" / "road" / "hub.py").read_text(encoding="utf-8")
    used = re.findall(r'LazyContainer\(self\._cosmos, "([a-z]+)"\)', source)
    assert set(used) == set(declared) == {"messages", "operations", "proofs", "registry", "refusals"}
    assert source.count("LazyContainer(") == len(used)


def test_the_session_lock_outlives_the_longest_work_on_a_lane() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    bus = host["extensions"]["serviceBus"]
    assert host["extensions"]["http"]["routePrefix"] == ""
    assert host["telemetryMode"] == "OpenTelemetry"
    # A session's lock is renewed as a whole for at most this long; a lane's worker must have let go by then.
    assert bus["maxAutoLockRenewalDuration"] >= host["functionTimeout"]
    assert bus["maxConcurrentCallsPerSession"] == 1
    assert bus["autoCompleteMessages"] is True


def test_the_routes_are_those_the_api_describes(functions: dict[str, IndexedFunction]) -> None:
    served = {route for name, each in functions.items() if name != "nothing_here" for route in each.routes}
    assert served == {(method, route.lower()) for method, route in routes.ROUTES}
    described = {
        (method.upper(), path.strip("/").lower())
        for path, methods in openapi.document(None)["paths"].items()
        for method in methods
        if method != "parameters"
    }
    assert described == served


@pytest.mark.parametrize("name", ["HelseId__issuer", "Pseudonym__key"])
def test_a_missing_setting_is_named_in_one_line(name: str) -> None:
    without = {key: value for key, value in SETTINGS.items() if key != name}
    with pytest.raises(Refused) as refused:
        indexed(ROOT, {**without, name: ""})
    assert any(line.endswith(f"setting {name}: Field required") for line in str(refused.value).splitlines())
    with pytest.raises(settings.SettingsError, match=name):
        settings.load(without)
