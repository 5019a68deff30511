"""A fault in writing a note stops that message, never its lane."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.delivery.answers import Refused
from shared.messages.documents import Unreachable
from shared.registry.model import Content, Receiver
from shared.road.delivering import Delivering

DELIVERY = cast(Any, SimpleNamespace(id="d", receiver="note", event=SimpleNamespace(orgnr="310000019", sender="v")))
BEGUN = cast(Any, SimpleNamespace(delivery=DELIVERY, payload=None))


def delivering(monkeypatch: pytest.MonkeyPatch, error: Exception) -> Delivering:
    """One whose note fails in this way."""
    receiver = Receiver("note", "http://127.0.0.1:1", content=Content.NOTE)

    async def municipality(_: str) -> Any:
        return SimpleNamespace(receiver=lambda _: receiver)

    async def body(*_: object) -> bytes:
        return b"{}"

    async def noted(*_: object) -> None:
        raise error

    nothing = cast(Any, None)
    made = Delivering(
        events=nothing, deliveries=nothing, register=cast(Any, SimpleNamespace(municipality=municipality)),
        receiver=nothing, gate=nothing, pace=nothing, signals=nothing, clock=nothing,
    )  # fmt: skip
    monkeypatch.setattr(made, "_body", body)
    monkeypatch.setattr(made, "_noted", noted)
    return made


async def test_a_note_that_cannot_be_written_sets_its_message_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await delivering(monkeypatch, KeyError("x"))._hand_over(BEGUN, "")
    assert answer == Refused("HUB_NOTE_FAILED", 0)


async def test_a_store_out_of_reach_is_no_fault_of_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable):
        await delivering(monkeypatch, Unreachable())._hand_over(BEGUN, "")
