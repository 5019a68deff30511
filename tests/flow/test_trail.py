"""The audit trail of a running hub: what happens to a message is in it, signed for, and verified by the command."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.cli.main import main
from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores
from shared.clock import utc_now
from shared.fhir.version import rules_version
from shared.registry.people import Access, Role
from tests.flow.attacking import mint
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


async def entries(hub: World, message: str) -> list[dict[str, Any]]:
    """The log's entries of a message, the oldest first, as its municipality reads them in plain JSON."""
    subject = "log-control"
    access = Access(ORGNR, f"helseid:{subject}", frozenset({Role.ADMINISTRATION}), utc_now() + timedelta(days=1))
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        await stores.registry.put(access.document(), ORGNR)
    claims = {
        "sub": subject, "helseid://claims/identity/security_level": "4",
        "helseid://claims/client/claims/orgnr_parent": ORGNR,
    }  # fmt: skip
    headers = [*await mint(hub, claims=claims), ("Accept", "application/json")]
    async with hub.http.post(f"{hub.api}/trail/_search", headers=headers, data={"message-id": message}) as answer:
        found = await answer.json()
        assert (answer.status, answer.content_type, answer.headers["Vary"]) == (200, "application/json", "Accept"), (
            found
        )
        told: list[dict[str, Any]] = found["entries"][::-1]
        return told


async def test_the_log_says_by_what_a_message_was_taken_routed_and_tried(hub: World) -> None:
    await hub.behave("503", count=1)
    location = await hub.accepted(alarm("trail-patient-2"))
    await hub.reaches(location, "delivered")
    await hub.fire("trail_sequencer")
    message = location.split("/")[-2]

    async def written() -> list[dict[str, Any]] | None:
        found = await entries(hub, message)
        return found if any(each["kind"] == "delivered" for each in found) else None

    found = await until(written, "the delivery to be in the log")
    by_kind = {each["kind"]: each for each in found}
    accepted, routed = by_kind["accepted"]["details"], by_kind["routed"]["details"]
    assert accepted["client"]
    assert len(accepted["jti"]) == 26
    assert accepted["rules"] == rules_version()
    orgnr, _, version = routed["register"].partition("/")
    assert (orgnr, int(version) > 0) == (ORGNR, True)
    tries = [each for each in found if each["kind"] == "attempt"]
    assert [(each["outcome"], each["details"]["httpStatus"]) for each in tries] == [
        ("serious-failure", "503"), ("success", "201"),
    ]  # fmt: skip
    for each in tries:
        assert each["details"]["host"] == urlsplit(hub.hub.addresses.epj).hostname
        assert int(each["details"]["durationMs"]) >= 0
        assert each["occurred"] <= each["ended"] <= each["recorded"]
