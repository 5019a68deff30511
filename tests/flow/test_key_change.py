"""The pseudonym key is changed while messages are under way: nothing is stored twice, overtaken or lost."""

import base64
import secrets
from pathlib import Path

from tests.flow.hub import QUICK, world
from tests.messages import alarm


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


async def test_a_changed_key_neither_doubles_nor_overtakes_a_message(tmp_path: Path) -> None:
    old, new = key(), key()
    waiting, later, other = alarm("60001"), alarm("60001"), alarm("60002")
    done = alarm("60003")
    async with world(tmp_path, {**QUICK, "Pseudonym__key": old}) as hub:
        delivered = await hub.accepted(done)
        await hub.reaches(delivered, "delivered")
        await hub.behave("503")
        first = await hub.accepted(waiting)
        await hub.reaches(first, "waiting")
    async with world(tmp_path, {**QUICK, "Pseudonym__key": new, "Pseudonym__earlierKeys": old}) as hub:
        await hub.behave("503")
        # The same message is the same, wherever it lies, and one about the same patient waits in the same line.
        assert (await hub.accepted(done)).endswith(delivered.partition("/epj/")[2])
        assert (await hub.accepted(waiting)).endswith(first.partition("/epj/")[2])
        second = await hub.accepted(later)
        assert _lane(second) == _lane(first)
        await hub.accepted(other)
        await hub.behave("ok")
        await hub.reaches(second, "delivered")
        order = [each["sha256"] for each in await hub.received()]
        one, two = (await hub.arrives(waiting))["sha256"], (await hub.arrives(later))["sha256"]
        assert order.index(one) < order.index(two)
        assert (await hub.arrives(done))["calls"] == 1
        # The line has run empty: the patient moves over to the new key.
        moved = await hub.accepted(alarm("60001"))
        assert _lane(moved) != _lane(first)
        await hub.reaches(moved, "delivered")


def _lane(location: str) -> str:
    return location.split("/")[-2].partition(".")[0]
