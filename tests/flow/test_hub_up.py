"""What `./hub` promises to who runs it: the real script, the real parts, as separate processes."""

import asyncio
import contextlib
import io
import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.cli.main import main
from sandbox.example import OWN, example
from sandbox.hub_parts import ALL, ORGNR, VENDOR
from sandbox.process import ROOT
from tests.flow.hub import until
from tests.flow.sweep import assert_clean, sweep
from tests.flow.watch import people

FIELDS = ["api", "servicebus", "cosmos", "helseid", "epj", "orgnr", "vendor"]


@dataclass
class Up:
    """A running `hub up --json` and the line it has printed."""

    process: asyncio.subprocess.Process
    data: Path
    line: dict[str, Any]
    said: Path

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of its parts, as it tells other commands."""
        pids: dict[str, int] = json.loads((self.data / "running.json").read_bytes())["pids"]
        return pids

    async def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; nothing more may have been printed meanwhile."""
        self.process.send_signal(how)
        assert self.process.stdout is not None
        rest = await asyncio.wait_for(self.process.stdout.read(), 60)
        assert rest == b""
        return await self.process.wait()


async def start(data: Path, *options: str) -> Up:
    """Start a hub and wait for its line."""
    said = data.with_name(data.name + ".said")
    with said.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            ROOT / "hub",
            *("up", "--json", "--data", str(data), *options),
            cwd=data.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        return Up(process, data, json.loads(line), said)
    except (TimeoutError, ValueError):
        process.terminate()
        await process.wait()
        raise AssertionError(said.read_text()) from None


async def script(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of `hub` to its end, as a person does."""
    process = await asyncio.create_subprocess_exec(
        ROOT / "hub",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin), 120)
    return subprocess.CompletedProcess(arguments, process.returncode or 0, out.decode(), err.decode())


async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, without a second's loading each time."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = await asyncio.to_thread(main, arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def runs(pid: int) -> bool:
    """Whether a process is there. One that only waits to be reaped is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


async def comes_true(condition: Callable[[], bool], what: str) -> None:
    async def look() -> bool | None:
        return condition() or None

    await until(look, what)


async def received(up: Up) -> list[dict[str, Any]]:
    """What the EPJ has."""
    async with aiohttp.ClientSession() as session, session.get(f"{up.line['epj']}/received") as answer:
        found: list[dict[str, Any]] = await answer.json()
        return found


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """One hub for the tests that leave it running."""
    running = await start(tmp_path_factory.mktemp("up") / "the data", "--port", "0")
    yield running
    assert await running.end(signal.SIGTERM) == 0
    marks = {f"{what} {number}": mark for number, (what, mark) in enumerate(people(example().body))}
    assert_clean(await asyncio.to_thread(sweep, running.data, marks))


async def test_one_json_line_says_where_everything_is_once_the_example_is_delivered(up: Up) -> None:
    assert list(up.line) == FIELDS
    assert (up.line["orgnr"], up.line["vendor"]) == (ORGNR, VENDOR)
    found = await received(up)
    assert [(each["bytes"], each["calls"]) for each in found][:1] == [(len(example().body), 1)]


async def test_what_the_epj_has_is_byte_identical_and_the_journey_was_shown(up: Up) -> None:
    said = up.said.read_text()
    checksum = (await received(up))[0]["sha256"]
    assert f"sha256 in   {checksum}" in said
    assert f"sha256 out  {checksum}  identical" in said
    for station in ("sent", "202", "received", "routed", "in the EPJ", "delivered"):
        assert station in said
    assert "\x1b" not in said


async def test_a_token_can_be_had(up: Up) -> None:
    told = await script("token", "--json", "--data", str(up.data))
    assert told.returncode == 0, told.stderr
    answer = json.loads(told.stdout)
    assert set(answer) == {"access_token", "expires_in"}
    plain = await run(
        "token", "--vendor", "natugla", "--scope", "nhn:vkp/api/user/bundle.write", "--data", str(up.data)
    )
    assert plain.stdout.count(".") == 2
    assert len(plain.stdout.split()) == 1


async def test_a_token_for_an_unknown_vendor_or_scope_is_refused_with_a_reason(up: Up) -> None:
    unknown = await run("token", "--vendor", "nobody", "--data", str(up.data))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "knows natugla, trygghetsvakt" in unknown.stderr
    scope = await run("token", "--scope", "everything", "--data", str(up.data))
    assert (scope.returncode, scope.stdout) == (1, "")
    assert "invalid_scope" in scope.stderr


async def test_sending_with_wait_ends_well_when_delivered_and_also_when_it_already_was(up: Up) -> None:
    first = await script("send", str(OWN), "--wait", "--json", "--data", str(up.data))
    assert first.returncode == 0, first.stderr
    again = await script("send", "-", "--wait", "--data", str(up.data), stdin=OWN.read_bytes())
    assert again.returncode == 0, again.stderr
    answer = json.loads(first.stdout)
    assert (answer["status"], answer["state"]) == (202, "delivered")
    assert [each["station"] for each in answer["stations"]][-1] == "delivered"
    assert answer["location"] in again.stdout
    assert "delivered before" in again.stdout
    assert [each["calls"] for each in await received(up) if each["bytes"] == OWN.stat().st_size] == [1]


async def test_status_and_trail_tell_where_a_message_is_by_its_id_and_by_its_location(up: Up) -> None:
    sent = json.loads((await run("send", str(OWN), "--wait", "--json", "--data", str(up.data))).stdout)
    by_id = await run("status", sent["id"], "--json", "--data", str(up.data))
    by_location = await run("status", sent["location"], "--json", "--data", str(up.data))
    assert by_id.stdout == by_location.stdout
    assert json.loads(by_id.stdout)["state"] == "delivered"
    readable = await run("status", sent["id"], "--data", str(up.data))
    assert "delivered" in readable.stdout
    trail = await run("trail", sent["id"], "--json", "--data", str(up.data))
    assert [entry["station"] for entry in json.loads(trail.stdout)["entries"]] == ["received", "routed", "delivered"]
    readable = await run("trail", sent["location"], "--data", str(up.data))
    assert readable.stdout.count(" CE") == 3


async def test_what_the_hub_refuses_is_exit_code_1_with_its_reasons(up: Up) -> None:
    stranger = await run("send", str(OWN), "--vendor", "natugla", "--data", str(up.data))
    assert (stranger.returncode, stranger.stdout) == (1, "")
    assert "403" in stranger.stderr
    assert "forbidden" in stranger.stderr
    broken = await script("send", "-", "--resource", "bundle", "--json", "--data", str(up.data), stdin=b"{")
    assert broken.returncode == 1
    answer = json.loads(broken.stdout)
    assert (answer["status"], answer["location"]) == (400, None)
    assert answer["issues"][0]["severity"] == "error"
    assert "400" in broken.stderr


@pytest.mark.parametrize(
    ("mode", "count", "reason"),
    # An alarm is tried again within a second, and then after three.
    [("400", 1, "ended as quarantined"), ("500", 3, "after 2 s it is still waiting")],
)
async def test_waiting_for_what_is_not_delivered_is_exit_code_1_and_says_where_it_is(
    up: Up, tmp_path: Path, mode: str, count: int, reason: str
) -> None:
    # A patient of its own, so that nobody else's messages wait behind this one.
    message = OWN.read_text().replace("urn:oid:2.16.578.1.12.4.1.4.1", f"https://patients.example/{mode}")
    (tmp_path / "message.json").write_text(message)
    how = {"mode": mode, "count": count}
    async with aiohttp.ClientSession() as session, session.post(f"{up.line['epj']}/behave", json=how) as answer:
        assert answer.status < 300
    ended = await run("send", str(tmp_path / "message.json"), "--wait", "--timeout", "2", "--data", str(up.data))
    assert ended.returncode == 1
    assert reason in ended.stderr
    assert "202" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("send", "no such file"), "cannot read no such file"),
        (("send", "README.md"), "not JSON with a resourceType"),
        (("status", "unknown"), "knows no message with this id"),
        (("status", "https://elsewhere.example/x"), "not an address of the hub"),
        (("trail", "unknown"), "knows no message with this id"),
    ],
)
async def test_what_cannot_be_done_is_one_clear_line(
    up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("# no JSON")
    ended = await run(*arguments, "--data", str(up.data))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert reason in ended.stderr
    assert ended.stderr.count("\n") == 1


async def test_a_second_hub_on_the_same_data_is_told_who_is_there(up: Up) -> None:
    second = await script("up", "--json", "--port", "0", "--data", str(up.data))
    assert (second.returncode, second.stdout) == (1, "")
    assert f"pid {up.process.pid}" in second.stderr
    assert up.line["api"] in second.stderr


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = await script("up", "--port", str(port), "--data", str(tmp_path / "data"))
    assert ended.returncode == 1
    assert f"port {port} is taken" in ended.stderr
    assert "--port" in ended.stderr


@pytest.mark.parametrize("part", ALL)
async def test_a_part_that_is_killed_comes_back_on_its_port_and_it_is_said(up: Up, part: str) -> None:
    before = up.pids[part]
    os.kill(before, signal.SIGKILL)
    await comes_true(lambda: up.pids.get(part, before) != before, f"{part} to come back")
    sent = await run("send", str(OWN), "--wait", "--data", str(up.data))
    assert sent.returncode == 0, sent.stderr
    assert f"{part} ended (signal SIGKILL): starting it again on port" in up.said.read_text()


async def test_keys_are_for_their_owner_only(up: Up) -> None:
    for name in ("running.json", "pseudonym.key"):
        assert stat.S_IMODE((up.data / name).stat().st_mode) == 0o600


async def test_it_ends_cleanly_starts_again_with_what_it_held_and_leaves_nothing_when_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = await start(data, "--port", "0")
    pids = first.pids
    assert set(pids) == set(ALL)
    assert await first.end(signal.SIGINT) == 0
    assert not any(runs(pid) for pid in pids.values())
    assert not (data / "running.json").exists()

    port = first.line["api"].rpartition(":")[2]
    second = await start(data, "--port", port)
    assert second.line == first.line
    assert "seen it before" in second.said.read_text()
    assert [each["calls"] for each in await received(second)] == [1]

    pids = second.pids
    assert await second.end(signal.SIGKILL) == -signal.SIGKILL
    # At once, on the same port and data: those left behind are only just noticing.
    third = await start(data, "--port", port, "--quiet")
    await comes_true(lambda: not any(runs(pid) for pid in pids.values()), "the parts of the killed hub to be gone")
    assert third.line == first.line
    assert [each["calls"] for each in await received(third)] == [1]
    assert await third.end(signal.SIGINT) == 0
