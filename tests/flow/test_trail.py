"""The audit trail of a running hub: what happens to a message is in it, signed for, and verified by the command."""

import asyncio
import json
from typing import Any

import pytest

from sandbox.cli.main import main
from tests.flow.hub import World, until
from tests.messages import alarm


async def verify(hub: World, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = await asyncio.to_thread(main, ["trail", "verify", "--json", "--data", str(hub.hub.folder)])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, report


async def test_what_a_running_hub_does_is_in_the_trail_signed_for_and_verified(
    hub: World, capsys: pytest.CaptureFixture[str]
) -> None:
    location = await hub.accepted(alarm("trail-patient"))
    await hub.reaches(location, "delivered")
    _, before = await verify(hub, capsys)
    await hub.fire("trail_sequencer")

    async def written() -> bool:
        _, report = await verify(hub, capsys)
        return bool(report["entries"] >= before["entries"] + 4 or report["entries"] > 5)

    await until(written, "the stations to be in the trail")
    await hub.fire("trail_checkpoint")

    async def signed() -> bool:
        _, report = await verify(hub, capsys)
        return bool(report["checkpoints"] > before["checkpoints"])

    await until(signed, "a checkpoint")
    status, report = await verify(hub, capsys)
    assert (status, report["findings"]) == (0, [])
    # Each verification leaves an entry, and those since the checkpoint are not signed for yet.
    assert report["unprotected"] < report["entries"]
