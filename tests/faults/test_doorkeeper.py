"""The door before the EPJ's, and the vendor that gives up and comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import pytest

from sandbox.epj.server import Epj, serve
from sandbox.faults.doorkeeper import Doorkeeper, doorkeeper
from sandbox.faults.letters import Letters
from sandbox.faults.sender import Sender
from sandbox.vendor import Answer
from tests.flow.hub import until

BODY = json.dumps({"resourceType": "Bundle"}).encode()


@dataclass(frozen=True)
class Door:
    """An EPJ behind a doorkeeper, and a caller."""

    epj: Epj
    keeper: Doorkeeper
    http: aiohttp.ClientSession

    def call(self, key: str) -> asyncio.Task[int]:
        """Call, as the hub does. The status it is answered."""

        async def post() -> int:
            headers = {"Idempotency-Key": key, "Content-Type": "application/fhir+json"}
            async with self.http.post(f"{self.keeper.url}/fhir/310000019", data=BODY, headers=headers) as answer:
                return answer.status

        return asyncio.create_task(post())

    async def stored(self) -> int:
        """How many messages the EPJ has stored."""
        return len(await self.epj.received.facts(0))


@pytest.fixture
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with (
        serve(tmp_path_factory.mktemp("epj")) as epj,
        doorkeeper(epj.url) as keeper,
        aiohttp.ClientSession() as http,
    ):
        yield Door(epj, keeper, http)


async def test_who_is_let_in_is_answered_as_by_the_epj(door: Door) -> None:
    assert await door.call("one") == 201
    door.epj.manners.set(door.epj.manners.general.model_copy(update={"mode": "503"}))
    assert await door.call("two") == 503


async def test_a_call_that_is_held_goes_on_though_its_caller_is_gone(door: Door) -> None:
    door.keeper.hold_calls()
    call = door.call("one")

    async def come() -> bool:
        return door.keeper.calls == 1

    await until(come, "the call to come")
    call.cancel()
    await asyncio.wait({call})
    assert await door.stored() == 0
    door.keeper.let_all()

    async def there() -> bool:
        return await door.stored() == 1

    await until(there, "the EPJ to have it")


async def test_an_answer_that_is_held_is_that_the_epj_has_stored(door: Door) -> None:
    door.keeper.hold_answers()
    call = door.call("one")

    async def answered() -> bool:
        return door.keeper.answers == 1

    await until(answered, "the EPJ to answer")
    assert await door.stored() == 1
    assert not call.done()
    door.keeper.let_all()
    assert await call == 201


class Hub:
    """A hub that answers nothing until it is told to."""

    def __init__(self) -> None:
        self.posts = 0
        self.answers = asyncio.Event()

    async def token(self) -> str:
        return "token"

    async def send(self, *_: object) -> Answer:
        self.posts += 1
        await self.answers.wait()
        return Answer(202, "https://hub.example/status", (), b"")


async def test_a_vendor_that_gave_up_and_comes_back_goes_on_with_its_page() -> None:
    hub = Hub()
    sender, letters = Sender(cast(Any, hub), "310000019"), [Letters("page", 1).write(0)]
    first = asyncio.create_task(sender.at_once(letters))

    async def posted() -> bool:
        return hub.posts == 1

    await until(posted, "the post to come")
    first.cancel()
    await asyncio.wait({first})
    assert [(each.posts, each.unanswered, each.acknowledged) for each in sender.ledger] == [(1, 1, None)]
    hub.answers.set()
    await sender.at_once(letters)
    (page,) = sender.ledger
    assert (page.posts, page.unanswered) == (2, 1)
    assert page.acknowledged is not None
