"""What is kept open towards receivers: as little as is used, and of no two together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from shared.delivery.addresses import Rules
from shared.delivery.sessions import Line, Sessions
from shared.identity.series import Environment
from shared.registry.model import Receiver
from shared.registry.reaching import Auth

ORGNR = "310000019"
KEYED = '{"apiKey": {"header": "X-Key", "value": "%s"}}'


class Hands:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def sessions(clock: Hands) -> AsyncIterator[Sessions]:
    made = Sessions(Rules(Environment.TEST), clock, most=3)
    yield made
    await made.close()


def receiver(id: str) -> Receiver:
    return Receiver(id, f"https://{id}.example.no/", auth=Auth.API_KEY, credentials=f"{ORGNR}-{id}")


async def line(sessions: Sessions, id: str, key: str = "a", orgnr: str = ORGNR) -> Line:
    async with sessions.use(orgnr, receiver(id), KEYED % key) as found:
        return found


async def test_a_receiver_keeps_its_line_and_shares_it_with_nobody(sessions: Sessions) -> None:
    first = await line(sessions, "a")
    assert await line(sessions, "a") is first
    others = [await line(sessions, "b"), await line(sessions, "a", orgnr="310000027")]
    assert len({id(each.session.connector) for each in (first, *others)}) == 3


async def test_a_line_is_made_anew_when_its_secret_changes_and_the_old_one_ends_with_its_last_call(
    sessions: Sessions,
) -> None:
    async with sessions.use(ORGNR, receiver("a"), KEYED % "old") as old:
        new = await line(sessions, "a", "new")
        assert new is not old
        during = old.session.closed
    assert (during, old.session.closed, new.session.closed) == (False, True, False)


async def test_no_more_are_kept_than_the_bound_and_the_longest_unused_go(sessions: Sessions) -> None:
    lines = [await line(sessions, id) for id in "abc"]
    await line(sessions, "a")
    await line(sessions, "d")
    assert [each.session.closed for each in lines] == [False, True, False]


async def test_what_is_in_use_is_never_closed(sessions: Sessions, clock: Hands) -> None:
    async with AsyncExitStack() as calls:
        used = [await calls.enter_async_context(sessions.use(ORGNR, receiver(id), KEYED % "a")) for id in "abcdef"]
        clock.now += timedelta(hours=1)
        await line(sessions, "g")
        assert not any(each.session.closed for each in used)
    await line(sessions, "g")
    assert sum(not each.session.closed for each in used) <= 2


async def test_what_is_idle_for_long_is_closed(sessions: Sessions, clock: Hands) -> None:
    idle = await line(sessions, "a")
    clock.now += timedelta(minutes=6)
    await line(sessions, "b")
    assert idle.session.closed


async def test_everything_is_closed_at_the_end(sessions: Sessions) -> None:
    lines = [await line(sessions, id) for id in "ab"]
    await sessions.close()
    assert all(each.session.closed for each in lines)
