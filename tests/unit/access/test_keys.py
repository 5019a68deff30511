"""When keys are fetched, and what happens when they cannot be."""

import asyncio

import pytest

from shared.access.authenticate import Authenticator
from shared.access.jwks import KeySet, read_jwks
from shared.access.keys import Keys, KeySettings, KeysFetchError
from shared.access.tokens import UnknownKey
from shared.errors import NotAvailable, TokenMalformed
from tests.unit.access.forge import NOW, POLICY, header, rsa_jwk, token

FIRST = read_jwks({"keys": [rsa_jwk(kid="first")]})
SECOND = read_jwks({"keys": [rsa_jwk(kid="second")]})
DAY = 24 * 3600.0


class Source:
    """An issuer and a clock, both in the test's hand."""

    def __init__(self, keys: KeySet | None = FIRST) -> None:
        self.answer = keys
        self.fetches = 0
        self.now = 0.0
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()
        self.keys = Keys(self._fetch, KeySettings(), lambda: self.now)

    async def _fetch(self) -> KeySet:
        self.fetches += 1
        self.asked.set()
        await self.open.wait()
        if self.answer is None:
            raise KeysFetchError("down")
        return self.answer

    def authenticator(self) -> Authenticator:
        return Authenticator(self.keys, POLICY, lambda: NOW)


def bearer(kid: str) -> str:
    return f"Bearer {token(head=header(kid=kid))}"


async def test_keys_are_fetched_once_for_a_day() -> None:
    source = Source()
    for source.now in (0.0, 1.0, DAY - 1):
        assert await source.keys.current() is FIRST
    assert source.fetches == 1
    source.answer, source.now = SECOND, DAY
    assert await source.keys.current() is SECOND
    assert source.fetches == 2


async def test_many_callers_wait_for_one_fetch() -> None:
    source = Source()
    source.open.clear()
    waiting = [asyncio.create_task(source.keys.current()) for _ in range(20)]
    await asyncio.sleep(0)
    source.open.set()
    assert all(keys is FIRST for keys in await asyncio.gather(*waiting))
    assert source.fetches == 1


async def test_caller_that_goes_away_does_not_take_the_fetch_from_the_others() -> None:
    source = Source()
    source.open.clear()
    leaving, staying = asyncio.create_task(source.keys.current()), asyncio.create_task(source.keys.current())
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    source.open.set()
    assert await staying is FIRST
    assert source.fetches == 1


async def test_nothing_known_and_issuer_down_is_not_available_and_recovers_at_once() -> None:
    source = Source(None)
    with pytest.raises(NotAvailable):
        await source.keys.current()
    source.answer = FIRST
    assert await source.keys.current() is FIRST


async def test_cached_keys_are_served_on_when_renewal_fails_and_tried_again_after_a_pause() -> None:
    source = Source()
    await source.keys.current()
    source.answer, source.now = None, DAY
    assert await source.keys.current() is FIRST
    assert source.fetches == 2
    source.now = DAY + 59
    assert await source.keys.current() is FIRST
    assert source.fetches == 2
    source.answer, source.now = SECOND, DAY + 60
    assert await source.keys.current() is SECOND


async def test_token_under_a_new_key_is_let_in_after_one_fetch() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    source.answer = SECOND
    assert await authenticator.caller(bearer("second"))
    assert source.fetches == 2


async def test_unknown_key_ids_cause_one_fetch_a_minute_however_many_come() -> None:
    source = Source()
    authenticator = source.authenticator()
    for number in range(50):
        with pytest.raises(UnknownKey):
            await authenticator.caller(bearer(f"made up {number}"))
    assert source.fetches == 2
    source.now = 60.0
    with pytest.raises(UnknownKey):
        await authenticator.caller(bearer("made up"))
    assert source.fetches == 3


async def test_unknown_key_ids_at_the_same_moment_share_one_fetch() -> None:
    source = Source()
    authenticator = source.authenticator()
    await source.keys.current()
    source.answer = SECOND
    source.open.clear()
    source.asked.clear()
    waiting = [asyncio.create_task(authenticator.caller(bearer("second"))) for _ in range(20)]
    await source.asked.wait()
    source.open.set()
    assert len(await asyncio.gather(*waiting)) == 20
    assert source.fetches == 2


async def test_unknown_key_id_during_an_outage_is_refused_and_known_ones_go_on() -> None:
    source = Source()
    authenticator = source.authenticator()
    await source.keys.current()
    source.answer = None
    with pytest.raises(UnknownKey):
        await authenticator.caller(bearer("second"))
    assert await authenticator.caller(bearer("first"))


async def test_key_that_left_the_set_is_refused_from_the_next_fetch_on() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    source.answer, source.now = SECOND, DAY
    with pytest.raises(UnknownKey):
        await authenticator.caller(bearer("first"))


async def test_token_that_is_malformed_is_refused_without_asking_the_issuer() -> None:
    source = Source(None)
    with pytest.raises(TokenMalformed):
        await source.authenticator().caller("Bearer e30.e30.e30")
    assert source.fetches == 0


@pytest.mark.parametrize(("keep", "pause"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0)])
def test_settings_that_make_no_sense_are_refused(keep: float, pause: float) -> None:
    with pytest.raises(ValueError, match="keys must be kept"):
        KeySettings(keep, pause)
