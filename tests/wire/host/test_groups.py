"""One app as two hosts, as Azure's Flex Consumption scales it: each serves its group of functions and no other."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from tests.wire.host.running import APPS, Part, refused, running, until

APP = ["--app", str(APPS / "groups")]
TOPOLOGY = {
    "serviceBus": {"queues": [{"name": "plain", "lockDuration": "PT5S"}]},
    "cosmos": {"database": "none", "containers": []},
}


@dataclass(frozen=True)
class Groups:
    """The two hosts of one app, and what has run where."""

    http: Part
    queues: Part
    session: aiohttp.ClientSession
    seen_path: Path

    def ran_in(self, function: str) -> set[int]:
        """Process ids in which the function has run."""
        lines = self.seen_path.read_text(encoding="utf-8").splitlines() if self.seen_path.exists() else []
        return {int(line.split()[1]) for line in lines if line.split()[0] == function}

    async def fire(self, host: Part, function: str) -> tuple[int, str]:
        """Run a function by hand: status and text of the answer."""
        headers = {"x-functions-key": host.facts["masterKey"]}
        url = f"{host.url}/admin/functions/{function}"
        async with self.session.post(url, json={"input": "x"}, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture(scope="module")
async def groups(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Groups]:
    folder = tmp_path_factory.mktemp("groups")
    (folder / "topology.json").write_text(json.dumps(TOPOLOGY), encoding="utf-8")
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            running(
                "servicebus", ["--data", str(folder / "broker"), "--topology", str(folder / "topology.json")], folder
            )
        )
        settings = {"ServiceBus": broker.facts["connectionString"], "TOY_SEEN": str(folder / "seen")}
        # Before there is any host, so that both see it if both look.
        async with (
            ServiceBusClient.from_connection_string(broker.facts["connectionString"]) as client,
            client.get_queue_sender("plain") as sender,
        ):
            await sender.send_messages([ServiceBusMessage(b"x") for _ in range(20)])
        http, queues = [
            await stack.enter_async_context(
                running("host", [*APP, "--data", str(folder / group), "--group", group], folder, settings)
            )
            for group in ("http", "queues")
        ]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Groups(http, queues, session, folder / "seen")


async def test_the_ready_line_says_the_group_and_what_it_serves(groups: Groups) -> None:
    assert (groups.http.facts["group"], groups.http.facts["functions"]) == ("http", ["door", "tick"])
    assert (groups.queues.facts["group"], groups.queues.facts["functions"]) == ("queues", ["on_plain"])


async def test_messages_and_timers_run_in_the_process_of_their_group_only(groups: Groups) -> None:
    await until(lambda: groups.ran_in("on_plain") and groups.ran_in("tick"))
    assert groups.ran_in("on_plain") == {groups.queues.process.pid}
    assert groups.ran_in("tick") == {groups.http.process.pid}


async def test_http_is_answered_by_its_group_and_is_404_elsewhere(groups: Groups) -> None:
    for host, status in ((groups.http, 200), (groups.queues, 404)):
        async with groups.session.get(f"{host.url}/door") as answer:
            assert answer.status == status


async def test_both_groups_have_counters_and_a_status(groups: Groups) -> None:
    for host in (groups.http, groups.queues):
        headers = {"x-functions-key": host.facts["masterKey"]}
        for path in ("counters", "status"):
            async with groups.session.get(f"{host.url}/admin/host/{path}", headers=headers) as answer:
                assert answer.status == 200


async def test_firing_a_function_of_another_group_is_404_and_says_whose_it_is(groups: Groups) -> None:
    assert (await groups.fire(groups.http, "tick"))[0] == 202
    assert (await groups.fire(groups.queues, "on_plain"))[0] == 202
    status, text = await groups.fire(groups.http, "on_plain")
    assert (status, text) == (404, "the function 'on_plain' is of the group 'queues'; this process serves 'http' only")
    status, text = await groups.fire(groups.queues, "TICK")
    assert (status, text) == (404, "the function 'tick' is of the group 'http'; this process serves 'queues' only")
    assert await groups.fire(groups.http, "nothing") == (404, "")


async def test_whose_function_it_is_is_told_to_key_holders_only(groups: Groups) -> None:
    async with groups.session.post(f"{groups.http.url}/admin/functions/on_plain", json={}) as answer:
        assert (answer.status, await answer.text()) == (401, "")


async def test_a_group_indexes_the_whole_app_and_refuses_what_the_whole_would_refuse(tmp_path: Path) -> None:
    # The connection is that of the other group's function.
    code, said = await refused([*APP, "--data", str(tmp_path), "--group", "http"], {})
    assert code == 1
    assert said == "host: function 'on_plain': the connection setting 'ServiceBus' is not set\n"


async def test_a_group_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    code, said = await refused([*APP, "--data", str(tmp_path), "--group", "timers"], {})
    assert code == 2
    assert all(name in said for name in ("timers", "http", "queues", "all"))
