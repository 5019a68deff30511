"""The HTTP door of the local host, over a real socket, with Microsoft's worker behind it."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.wire.host.running import APPS, Part, refused, running, until, until_true

SETTINGS = {"YEARLY": "0 0 0 1 1 *"}
APP = ["--app", str(APPS / "web")]


@pytest.fixture(scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Part]:
    folder = tmp_path_factory.mktemp("web")
    async with running("host", [*APP, "--data", str(folder / "data")], folder, SETTINGS) as part:
        yield part


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def echo(http: aiohttp.ClientSession, url: str, **options: Any) -> dict[str, Any]:
    async with http.request(options.pop("method", "GET"), url, **options) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def test_the_ready_line_names_every_function(host: Part) -> None:
    assert "floor" in host.facts["functions"]
    assert host.facts["group"] == "all"
    assert host.facts["url"] == f"http://127.0.0.1:{host.facts['port']}"


async def test_a_function_sees_the_request_as_in_azure(host: Part, http: aiohttp.ClientSession) -> None:
    seen = await echo(
        http,
        f"{host.url}/ECHO/7/x?a=1&a=2&b=&c=%C3%A6",
        method="POST",
        data=b"\x00\xffbody",
        headers=[("X-Two", "1"), ("X-Two", "2")],
    )
    assert seen["params"] == {"a": "1,2", "c": "æ"}
    assert seen["headers"]["x-two"] == "1,2"
    assert seen["route"] == {"first": "7", "second": "x"}
    assert seen["body"].encode("latin-1") == b"\x00\xffbody"
    assert seen["url"].startswith(f"{host.url}/ECHO/7/x?a=1")


async def test_a_trace_is_made_when_the_caller_has_none_and_kept_when_it_has(
    host: Part, http: aiohttp.ClientSession
) -> None:
    made = (await echo(http, f"{host.url}/echo/1"))["traceparent"]
    assert len(made) == 55
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    kept = (await echo(http, f"{host.url}/echo/1", headers={"traceparent": caller}))["traceparent"]
    assert kept[:36] == caller[:36]
    assert kept != caller


async def test_routes_are_chosen_by_precedence(host: Part, http: aiohttp.ClientSession) -> None:
    for path, expected in (("/echo/literal", "literal"), ("/echo/x/y/z", "rest=echo/x/y/z"), ("/", "rest=")):
        async with http.get(f"{host.url}{path}") as answer:
            assert await answer.text() == expected


async def test_an_unknown_route_and_a_wrong_method_are_both_404(host: Part, http: aiohttp.ClientSession) -> None:
    for method, path in (("POST", "/nowhere"), ("PUT", "/echo/7"), ("HEAD", "/floor")):
        async with http.request(method, f"{host.url}{path}") as answer:
            assert answer.status == 404


async def test_a_failing_function_gives_500_without_detail(host: Part, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{host.url}/fail") as answer:
        assert answer.status == 500
        assert await answer.read() == b""
    assert any("secret words" in line["message"] for line in host.logged())


async def test_cookies_status_and_headers_reach_the_caller(host: Part, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{host.url}/cookies") as answer:
        assert answer.status == 201
        assert answer.headers["X-One"] == "1"
        assert answer.headers.getall("Set-Cookie") == ["a=1; Path=/; Secure; HttpOnly; SameSite=Lax", "b=2; Max-Age=60"]


async def test_a_chunked_body_arrives_empty_as_in_azure(host: Part, http: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"12345"

    async with http.post(f"{host.url}/bytes", data=pieces()) as answer:
        assert await answer.text() == "0"


async def test_a_large_body_arrives_whole_also_when_the_caller_expects_100_continue(
    host: Part, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{host.url}/bytes", data=b"x" * 5_000_000, expect100=True) as answer:
        assert await answer.text() == "5000000"


async def test_a_body_beyond_azures_limit_is_413(host: Part) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", host.facts["port"])
    writer.write(b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 104857601\r\n\r\n")
    assert b" 413 " in await reader.readline()
    writer.close()


async def test_a_caller_that_leaves_during_its_body_starts_nothing(host: Part, http: aiohttp.ClientSession) -> None:
    before = (await echo(http, f"{host.url}/admin/host/counters"))["invocations"].get("size", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", host.facts["port"])
    writer.write(b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with http.post(f"{host.url}/bytes", data=b"abc") as answer:
        assert await answer.text() == "3"
    assert (await echo(http, f"{host.url}/admin/host/counters"))["invocations"]["size"] == before + 1


async def test_a_caller_that_leaves_does_not_stop_the_function(
    host: Part, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(TimeoutError):
        await http.post(
            f"{host.url}/slow?seconds=0.5&mark={mark}", timeout=aiohttp.ClientTimeout(total=0.2)
        )  # fmt: skip
    assert await until(mark.exists)


async def test_a_function_beyond_its_timeout_is_ended_and_answered_500(
    host: Part, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with http.post(f"{host.url}/slow?seconds=30&mark={tmp_path / 'mark'}") as answer:
        assert answer.status == 500
    assert any("Timeout value" in line["message"] for line in host.logged())


async def test_keys_open_what_they_should_and_nothing_else(host: Part, http: aiohttp.ClientSession) -> None:
    keys = json.loads((host.errors.parent / "data" / "keys.json").read_text(encoding="utf-8"))
    assert (host.errors.parent / "data" / "keys.json").stat().st_mode & 0o077 == 0
    master, shared = host.facts["masterKey"], keys["host"]["default"]
    own, other = keys["functions"]["keyed"]["default"], keys["functions"]["floor"]["default"]

    async def status(path: str, **headers: str) -> int:
        async with http.get(f"{host.url}{path}", headers=headers) as answer:
            return answer.status

    for key, expected in ((master, 200), (shared, 200), (own, 200), (other, 401), ("", 401)):
        assert await status("/keyed", **{"x-functions-key": key}) == expected
        assert await status(f"/keyed?code={key}") == expected
    assert await status(f"/keyed?code={own}", **{"x-functions-key": other}) == 401
    assert await status("/keyed") == 401
    assert await status("/master", **{"x-functions-key": shared}) == 401
    assert await status("/master", **{"x-functions-key": master}) == 200


async def test_log_records_are_json_lines_with_their_extra_fields(host: Part, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{host.url}/log") as answer:
        assert await answer.text() == "logged"
    line = next(line for line in host.logged() if line["message"] == "a log line")
    assert (line["level"], line["category"], line["code"], line["count"]) == ("Information", "toy", "TOY-1", 3)
    assert line["function"] == "write_log"
    assert line["time"].endswith("+00:00")
    await until(lambda: "printed" in host.errors.read_text(encoding="utf-8"))


async def test_host_status_needs_the_master_key_and_counters_do_not(host: Part, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{host.url}/admin/host/status") as answer:
        assert answer.status == 401
    key = {"x-functions-key": host.facts["masterKey"]}
    assert (await echo(http, f"{host.url}/admin/host/status", headers=key))["state"] == "Running"
    counters = await echo(http, f"{host.url}/admin/host/counters")
    assert counters["rssBytes"] > 10_000_000
    assert counters["cpuSeconds"] > 0


async def test_a_timer_runs_by_its_schedule_and_by_hand(host: Part, http: aiohttp.ClientSession) -> None:
    async def ticked() -> bool:
        return bool((await echo(http, f"{host.url}/admin/host/counters"))["invocations"].get("tick", 0))

    await until_true(ticked)
    fire = f"{host.url}/admin/functions/yearly"
    async with http.post(fire, json={}) as answer:
        assert answer.status == 401
    async with http.post(fire, json={}, headers={"x-functions-key": host.facts["masterKey"]}) as answer:
        assert answer.status == 202
    line = await until(lambda: next((one for one in host.logged() if one["message"] == "yearly ran"), None))
    assert line["pastDue"] is False
    assert line["last"].startswith("0001-01-01T00:00:00")
    assert line["next"].endswith("-01-01T00:00:00.0000000+00:00")


async def test_a_timer_that_was_due_while_the_host_was_down_runs_at_start_as_past_due(tmp_path: Path) -> None:
    kept = tmp_path / "data" / "timers" / "yearly.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(
        json.dumps({"Last": "2020-01-01T00:00:00+00:00", "Next": "2021-01-01T00:00:00+00:00"}
                   | {"LastUpdated": "2020-01-01T00:00:00+00:00"}), encoding="utf-8",
    )  # fmt: skip
    async with running("host", [*APP, "--data", str(tmp_path / "data")], tmp_path, SETTINGS) as host:
        line = await until(lambda: next((one for one in host.logged() if one["message"] == "yearly ran"), None))
    assert line["pastDue"] is True
    assert line["last"] == "2020-01-01T00:00:00.0000000+00:00"
    assert json.loads(kept.read_text(encoding="utf-8"))["Last"].startswith(time.strftime("%Y-", time.gmtime()))


async def test_sigterm_lets_running_functions_finish_and_be_answered_but_takes_nothing_new(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with running("host", [*APP, "--data", str(tmp_path / "data")], tmp_path, SETTINGS) as host:
        reader, writer = await asyncio.open_connection("127.0.0.1", host.facts["port"])
        ask = b"GET /floor HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(ask)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\nok")
        call = asyncio.create_task(http.post(f"{host.url}/slow?seconds=1.5&mark={tmp_path / 'mark'}"))

        async def begun() -> bool:
            return bool((await echo(http, f"{host.url}/admin/host/counters"))["invocations"].get("slow"))

        await until_true(begun)
        ended = asyncio.create_task(host.end(signal.SIGTERM))

        async def closing() -> bool:
            writer.write(ask)
            return b" 503 " in await reader.readuntil(b"\r\n\r\n")

        await until_true(closing)
        async with await call as answer:
            assert await answer.text() == "done"
        assert await ended == 0
        writer.close()


async def test_a_missing_setting_stops_the_start_with_one_clear_line(tmp_path: Path) -> None:
    code, said = await refused([*APP, "--data", str(tmp_path)], {})
    assert code == 1
    assert said == "host: function 'yearly': the setting 'YEARLY' (used as %YEARLY%) is not set\n"


async def test_an_app_that_the_worker_cannot_index_ends_with_the_workers_words(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
    (app / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='x')\nasync def x(req: func.HttpRequest, more: int) -> str:\n    return ''\n",
        encoding="utf-8",
    )
    code, said = await refused(["--app", str(app), "--data", str(tmp_path / "data")])
    assert code == 1
    assert "cannot load the x function" in said


async def test_local_settings_fill_in_what_the_environment_lacks(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for name in ("host.json", "function_app.py"):
        (app / name).write_bytes((APPS / "web" / name).read_bytes())
    (app / "local.settings.json").write_text(json.dumps({"Values": {"YEARLY": "0 0 0 1 1 *"}}), encoding="utf-8")
    async with running("host", ["--app", str(app), "--data", str(tmp_path / "data")], tmp_path) as host:
        assert "yearly" in host.facts["functions"]
