"""What the supervisor promises about the parts it keeps, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.process import ROOT, Part, PartFailed
from sandbox.supervisor import Patience, Supervisor, backoff

QUICK = Patience(ready_s=20, deaths=3, within_s=30, backoff_s=0.01, longest_backoff_s=0.05, end_s=5)


def part(folder: Path, name: str = "fake", mode: str = "ok", port: int = 0, **environment: str) -> Part:
    """A fake part with its own environment, as the real ones have."""
    given = {"PATH": os.environ["PATH"], "FAKE_MODE": mode, **environment}
    return Part(name, "tests.unit.cli.fake_part", folder / name, port, environment=given)


@asynccontextmanager
async def supervisor(
    folder: Path, said: list[str] | None = None, *, auto_restart: bool = True, patience: Patience = QUICK
) -> AsyncIterator[Supervisor]:
    """A supervisor whose parts are gone afterwards."""
    report: Callable[[str], None] = (said if said is not None else []).append
    keeper = Supervisor(folder / "logs", report, auto_restart=auto_restart, patience=patience)
    try:
        yield keeper
    finally:
        await keeper.end(())


async def until(condition: Callable[[], bool], patience_s: float = 20) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_part_that_is_ready_tells_its_facts(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        facts = await keeper.start(part(tmp_path, FAKE_SETTING="as given"))
        assert facts["port"] == keeper.ports["fake"] > 0
        assert facts["pid"] == keeper.pids["fake"]
        assert facts["setting"] == "as given"


async def test_what_a_part_prints_before_it_is_ready_goes_to_its_log(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        facts = await keeper.start(part(tmp_path, mode="noisy"))
        assert facts["port"] > 0
        assert "hello" in (tmp_path / "logs" / "fake.log").read_text()


async def test_a_part_that_ends_early_is_named_with_its_last_words(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        with pytest.raises(PartFailed) as failure:
            await keeper.start(part(tmp_path, mode="refuse"))
    assert "fake ended before it was ready (exit code 3)" in str(failure.value)
    assert "the fake part says no" in str(failure.value)


async def test_a_part_that_never_gets_ready_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    impatient = Patience(ready_s=1.0)
    async with supervisor(tmp_path, patience=impatient) as keeper:
        with pytest.raises(PartFailed, match="was not ready within"):
            await keeper.start(part(tmp_path, mode="mute"))
        assert not keeper.pids


async def test_a_killed_part_comes_back_on_its_port_and_somebody_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    async with supervisor(tmp_path, said) as keeper:
        facts = await keeper.start(part(tmp_path))
        os.kill(facts["pid"], signal.SIGKILL)
        await until(lambda: keeper.pids.get("fake", facts["pid"]) != facts["pid"])
        await keeper.ready("fake")
        reader, writer = await asyncio.open_connection("127.0.0.1", facts["port"])
        assert await reader.read() == b""
        writer.close()
    assert said[0] == f"fake ended (signal SIGKILL): starting it again on port {facts['port']}."


async def test_a_part_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        facts = await keeper.start(part(tmp_path, mode="broken-data"))
        os.kill(facts["pid"], signal.SIGKILL)
        failure = await asyncio.wait_for(asyncio.shield(keeper.gave_up), 20)
        assert "died 3 times within 30 s: given up" in str(failure)
        assert "the fake part says no" in str(failure)
        assert not keeper.pids


async def test_killing_on_purpose_is_not_held_against_a_part(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        await keeper.start(part(tmp_path))
        for _ in range(QUICK.deaths + 1):
            await keeper.kill("fake")
            await asyncio.wait_for(keeper.ready("fake"), 20)
        assert not keeper.gave_up.done()
        assert alive(keeper.pids["fake"])


async def test_without_auto_restart_a_killed_part_stays_away_until_it_is_restarted(tmp_path: Path) -> None:
    said: list[str] = []
    async with supervisor(tmp_path, said, auto_restart=False) as keeper:
        facts = await keeper.start(part(tmp_path))
        await keeper.kill("fake")
        await until(lambda: said == ["fake ended (signal SIGKILL)."])
        assert not keeper.pids
        await keeper.restart("fake")
        assert keeper.pids["fake"] != facts["pid"]
        assert keeper.ports["fake"] == facts["port"]


async def test_restarting_a_living_part_replaces_it(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        facts = await keeper.start(part(tmp_path))
        await keeper.restart("fake")
        assert alive(keeper.pids["fake"])
        assert not alive(facts["pid"])


async def test_parts_end_group_after_group(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    async with supervisor(tmp_path) as keeper:
        for name in ("below", "beside", "app"):
            await keeper.start(part(tmp_path, name, FAKE_DIARY=str(diary)))
        await keeper.end([["app"], ["below", "beside"]])
        assert not keeper.pids
    ended = diary.read_text().split()
    assert ended[0] == "app"
    assert sorted(ended) == ["app", "below", "beside"]


async def test_a_part_that_does_not_hear_the_request_to_end_is_ended(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        facts = await keeper.start(part(tmp_path, mode="stubborn"))
        await keeper.end((), {"fake": 0.2})
        assert not alive(facts["pid"])


async def test_a_stopped_part_ends_in_order_too(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        facts = await keeper.start(part(tmp_path, FAKE_DIARY=str(tmp_path / "diary")))
        os.kill(facts["pid"], signal.SIGSTOP)
        await keeper.end((), {"fake": 10})
        assert not alive(facts["pid"])
    assert (tmp_path / "diary").read_text() == "fake\n"


async def test_logs_of_earlier_runs_are_kept_aside(tmp_path: Path) -> None:
    for _ in range(3):
        async with supervisor(tmp_path) as keeper:
            await keeper.start(part(tmp_path, mode="noisy"))
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {"fake.log", "fake.log.1", "fake.log.2"}


async def test_parts_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, sys
from pathlib import Path
from sandbox.supervisor import Supervisor
from tests.unit.cli.test_supervisor import part
async def main():
    keeper = Supervisor(Path({str(tmp_path)!r}) / "logs", print)
    for name in ("one", "two"):
        await keeper.start(part(Path({str(tmp_path)!r}), name))
    print(*keeper.pids.values(), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    keeper = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220, S603
    assert keeper.stdout is not None
    pids = [int(text) for text in (await asyncio.to_thread(keeper.stdout.readline)).split()]
    assert len(pids) == 2
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()
    await until(lambda: not any(_running(pid) for pid in pids))


def _running(pid: int) -> bool:
    """Alive and no zombie: in a container without an init nobody may come to reap an orphan."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return alive(pid) and not Path("/proc/self").exists()
    return state not in "ZX"


@given(st.lists(st.floats(0, 1000), max_size=12), st.floats(0, 1000))
def test_backoff_is_bounded_and_gives_up_exactly_at_the_limit(deaths: list[float], now: float) -> None:
    patience = Patience()
    recent = [death for death in deaths if now - death < patience.within_s]
    pause = backoff(deaths, now, patience)
    if len(recent) >= patience.deaths:
        assert pause is None
    else:
        assert pause is not None
        assert 0 < pause <= patience.longest_backoff_s


def test_backoff_grows_with_each_death() -> None:
    pauses = [backoff([0.0] * deaths, 1.0, Patience()) for deaths in range(1, 5)]
    assert pauses == [0.1, 0.2, 0.4, 0.8]


async def test_a_part_that_is_replaced_may_finish_and_comes_back_on_its_port(tmp_path: Path) -> None:
    said: list[str] = []
    diary = tmp_path / "diary"
    async with supervisor(tmp_path, said) as keeper:
        before = await keeper.start(part(tmp_path, FAKE_DIARY=str(diary)))
        await keeper.replace("fake")
        assert diary.read_text() == "fake\n"
        assert keeper.pids["fake"] != before["pid"]
        assert keeper.ports["fake"] == before["port"]
        # Nobody takes it for a death; but the next one is still seen.
        assert not said
        await keeper.kill("fake")
        await keeper.ready("fake")


async def test_another_instance_runs_beside_the_first_on_its_own_port_and_leaves_for_good(tmp_path: Path) -> None:
    async with supervisor(tmp_path) as keeper:
        await keeper.start(part(tmp_path, FAKE_SETTING="as given"))
        await keeper.beside("fake", "fake-2")
        assert keeper.pids["fake"] != keeper.pids["fake-2"]
        assert keeper.ports["fake"] != keeper.ports["fake-2"]
        assert (tmp_path / "fake-2" / "has-run").exists()
        other = keeper.pids["fake-2"]
        await keeper.leave("fake-2")
        assert not alive(other)
        assert set(keeper.pids) == {"fake"}
