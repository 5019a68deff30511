"""Tokens against a service that gives, refuses and is slow, with a clock that is moved by hand."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.delivery.tokens import REFUSED, NoToken, Token, Tokens

START = datetime(2026, 1, 15, tzinfo=UTC)


@dataclass
class Service:
    """Gives tokens of this life, unless it is down."""

    now: datetime = START
    life: float = 600
    down: bool = False
    given: list[Token] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def fetch(self) -> Token:
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise NoToken(REFUSED)
        token = Token(f"t{len(self.given)}", self.now, self.now + timedelta(seconds=self.life))
        self.given.append(token)
        return token

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def service() -> Service:
    return Service()


async def test_who_gives_up_waiting_takes_the_token_from_nobody(service: Service) -> None:
    service.gate = asyncio.Event()
    tokens = Tokens(service.fetch, service)
    first, second = (asyncio.create_task(tokens.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    service.gate.set()
    assert (await second).text == "t0"
    assert len(service.given) == 1


async def test_a_failure_is_told_to_all_who_waited_and_the_next_asks_anew(service: Service) -> None:
    service.down = True
    tokens = Tokens(service.fetch, service)
    answers = await asyncio.gather(*(tokens.get() for _ in range(3)), return_exceptions=True)
    assert all(isinstance(each, NoToken) for each in answers)
    service.down = False
    assert (await tokens.get()).text == "t0"


async def test_a_token_refused_long_after_another_was_fetched_costs_none(service: Service) -> None:
    tokens = Tokens(service.fetch, service)
    old = await tokens.get()
    tokens.accepted(old)
    new = await tokens.renewed(old)
    assert new is not None
    assert await tokens.renewed(old) is new
    assert len(service.given) == 2


async def test_closing_ends_what_is_being_asked(service: Service) -> None:
    service.gate = asyncio.Event()
    tokens = Tokens(service.fetch, service)
    waiting = asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    await tokens.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Life(RuleBasedStateMachine):
    """Messages one after the other, a service that comes and goes, tokens that end and are revoked."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.tokens = Tokens(self.service.fetch, self.service)
        self.revoked: set[str] = set()
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        self.loop.close()

    @rule(seconds=st.integers(1, 900))
    def time_goes_on(self, seconds: int) -> None:
        self.service.now += timedelta(seconds=seconds)

    @rule(life=st.sampled_from([1, 10, 60, 600, 3600]), down=st.booleans())
    def the_service_changes(self, life: int, down: bool) -> None:
        self.service.life, self.service.down = life, down

    @rule()
    def all_are_revoked(self) -> None:
        self.revoked |= {each.text for each in self.service.given}

    @rule()
    def a_message_goes_out(self) -> None:
        self.loop.run_until_complete(self._message())

    async def _message(self) -> None:
        before = len(self.service.given)
        try:
            token = await self.tokens.get()
        except NoToken:
            assert self.service.down
            return
        assert token.ends > self.service.now, "no token is used after its end"
        let_in = token.text not in self.revoked
        if not let_in:
            try:
                another = await self.tokens.renewed(token)
            except NoToken:
                assert self.service.down
                return
            if another is not None:
                assert another.text not in self.revoked
                token, let_in = another, True
        if let_in:
            self.tokens.accepted(token)
        assert len(self.service.given) - before <= 2, "a message costs two tokens at the most"

    @invariant()
    def no_token_is_fetched_while_another_is_good(self) -> None:
        for earlier, later in zip(self.service.given, self.service.given[1:], strict=False):
            margin = min(timedelta(seconds=60), (earlier.ends - earlier.fetched) / 5)
            assert later.fetched >= earlier.ends - margin or earlier.text in self.revoked


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
