"""Which ports the parts get."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import hub_folder, hub_parts, ports
from sandbox.hub_parts import ALL, APP, PortTaken, choose_ports


@contextmanager
def occupied(port: int = 0) -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        yield other.getsockname()[1]


async def test_every_part_gets_a_port_of_its_own_that_is_free(tmp_path: Path) -> None:
    chosen = await choose_ports(tmp_path, {})
    assert set(chosen) == set(ALL)
    assert len(set(chosen.values())) == len(ALL)
    assert all(ports.is_free(port) for port in chosen.values())


async def test_ports_of_the_last_run_are_used_again(tmp_path: Path) -> None:
    before = await choose_ports(tmp_path, {})
    hub_folder.remember_ports(tmp_path, before)
    assert await choose_ports(tmp_path, {}) == before


async def test_a_port_of_the_last_run_that_is_taken_now_is_replaced(tmp_path: Path) -> None:
    with occupied() as taken:
        hub_folder.remember_ports(tmp_path, {"cosmos": taken})
        assert (await choose_ports(tmp_path, {}))["cosmos"] != taken


async def test_a_port_asked_for_goes_before_the_one_another_part_had(tmp_path: Path) -> None:
    before = await choose_ports(tmp_path, {})
    hub_folder.remember_ports(tmp_path, before)
    chosen = await choose_ports(tmp_path, {APP: before["servicebus"]})
    assert chosen[APP] == before["servicebus"]
    assert len(set(chosen.values())) == len(ALL)


async def test_a_port_asked_for_that_is_taken_is_refused_with_the_option_to_change(tmp_path: Path) -> None:
    with occupied() as taken:
        with pytest.raises(PortTaken, match=f"port {taken} is taken .* --port"):
            await choose_ports(tmp_path, {APP: taken})
        for part in ("epj", "queues"):
            with pytest.raises(PortTaken, match=f"--{part}-port"):
                await choose_ports(tmp_path, {part: taken})


def test_only_tuning_settings_are_taken_from_the_callers_environment(tmp_path: Path) -> None:
    facts = {
        "servicebus": {"connectionString": "Endpoint=sb://127.0.0.1:1"},
        "cosmos": {
            "connectionString": "AccountEndpoint=http://127.0.0.1:2",
            "appConnectionString": "AccountEndpoint=http://127.0.0.1:2;AccountKey=app",
        },
        "helseid": {"issuer": "http://127.0.0.1:3", "audience": "nhn:vkp"},
    }
    caller = {
        "Delivery__schedule": "0.1",
        "Cosmos__patience": "9",
        "ServiceBus": "Endpoint=sb://real.servicebus.windows.net",
        "ServiceBus__fullyQualifiedNamespace": "real.servicebus.windows.net",
        "Cosmos__accountEndpoint": "https://real.documents.azure.com",
        "Trail__accountEndpoint": "https://real.documents.azure.com",
        "Checkpoints": "AccountEndpoint=https://real.documents.azure.com",
        "Checkpoints__accountEndpoint": "https://real.documents.azure.com",
        "HelseId__issuer": "https://helseid.example",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=real",
    }
    settings = hub_parts.app_settings(tmp_path, 7071, facts, caller, {"OrphanCheckSchedule": "*/2 * * * * *"})
    assert settings["Delivery__schedule"] == "0.1"
    assert settings["Cosmos__patience"] == "9"
    assert settings["OrphanCheckSchedule"] == "*/2 * * * * *"
    assert settings["Hub__publicUrl"] == "http://127.0.0.1:7071"
    assert "real" not in " ".join(settings.values())
    assert settings["HelseId__issuer"] == "http://127.0.0.1:3"


def test_the_app_is_two_processes_with_the_same_settings_and_folders_and_ports_of_their_own(tmp_path: Path) -> None:
    app, queues = hub_parts.app_parts(tmp_path, {"app": 7071, "queues": 7072}, {"Hub__publicUrl": "http://the-hub"})
    assert (app.name, app.port, app.arguments[-2:]) == ("app", 7071, ("--group", "http"))
    assert (queues.name, queues.port, queues.arguments[-2:]) == ("queues", 7072, ("--group", "queues"))
    assert app.environment == queues.environment
    assert app.environment["Hub__publicUrl"] == "http://the-hub"
    assert (app.folder, queues.folder) == (tmp_path / "app", tmp_path / "queues")


def test_both_processes_of_the_app_end_before_what_they_stand_on() -> None:
    assert [set(group) for group in hub_parts.ENDING] == [{"app", "queues"}, set(hub_parts.BACKING)]
    assert set(hub_parts.ENDING_PATIENCE_S) == {"app", "queues"}
