"""When keys are fetched, and what happens when they cannot be."""

import asyncio

import pytest

from shared.access.authenticate import Authenticator, kids
from shared.access.credentials import Credentials
from shared.access.jwks import KeySet, read_jwks
from shared.access.keys import Keys, KeySettings, KeysFetchError
from shared.access.refetch import RefetchPace
from shared.access.refusals import KeyRevoked, UnknownKey
from shared.errors import NotAvailable, TokenMalformed, TokenSignature
from tests.unit.access.forge import NOW, POLICY, claims, header, rsa_jwk, token

FIRST = read_jwks({"keys": [rsa_jwk(kid="first")]})
SECOND = read_jwks({"keys": [rsa_jwk(kid="second")]})
HOUR = 3600.0
DAY = 24 * HOUR


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


def bearer(kid: str) -> Credentials:
    return Credentials(f"Bearer {token(head=header(kid=kid))}")


def forged(kid: str) -> Credentials:
    """A token of nobody's, as anybody can make it."""
    return Credentials(f"Bearer {token(claims(client_id='nobody'), header(kid=kid), key='stranger')}")


async def test_keys_are_kept_for_an_hour_and_then_renewed_beside_the_calls() -> None:
    source = Source()
    for source.now in (0.0, 1.0, HOUR - 1):
        assert await source.keys.current() is FIRST
    assert source.fetches == 1
    source.answer, source.now = SECOND, HOUR
    source.asked.clear()
    assert await source.keys.current() is FIRST
    await source.asked.wait()
    await asyncio.sleep(0)
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
    source.answer = None
    for source.now, fetches in ((HOUR, 2), (HOUR + 59, 2), (HOUR + 60, 3)):
        assert await source.keys.current() is FIRST
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert source.fetches == fetches
    source.answer, source.now = SECOND, HOUR + 120
    await source.keys.current()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await source.keys.current() is SECOND


async def test_cached_keys_are_not_served_for_ever_in_an_outage() -> None:
    source = Source()
    await source.keys.current()
    source.answer, source.now = None, DAY - 1
    assert await source.keys.current() is FIRST
    source.now = DAY
    with pytest.raises(NotAvailable):
        await source.keys.current()
    source.answer = SECOND
    assert await source.keys.current() is SECOND


async def test_closing_stops_a_fetch_that_is_under_way() -> None:
    source = Source()
    source.open.clear()
    waiting = asyncio.create_task(source.keys.current())
    await source.asked.wait()
    await source.keys.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_token_under_a_new_key_is_let_in_after_one_fetch() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    source.answer = SECOND
    assert await authenticator.caller(bearer("second"))
    assert source.fetches == 2


async def test_strangers_key_ids_cause_one_fetch_a_minute_however_many_come() -> None:
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


async def test_forged_key_ids_cannot_lock_a_real_rotation_out() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    with pytest.raises(UnknownKey):
        await authenticator.caller(forged("forged"))
    source.answer = SECOND
    # The strangers' fetch of this minute is gone, and so is any fetch at all for five seconds.
    with pytest.raises(UnknownKey):
        await authenticator.caller(bearer("second"))
    source.now = 5.0
    with pytest.raises(UnknownKey):
        await authenticator.caller(forged("another"))
    assert await authenticator.caller(bearer("second"))
    assert source.fetches == 3


async def test_key_id_that_one_client_brought_in_vain_is_not_looked_for_again_for_another() -> None:
    source = Source()
    authenticator = source.authenticator()
    for name in ("one", "other"):
        await authenticator.caller(Credentials(f"Bearer {token(claims(client_id=name), header(kid='first'))}"))
    for source.now, name in ((100.0, "one"), (110.0, "other")):
        with pytest.raises(UnknownKey):
            await authenticator.caller(Credentials(f"Bearer {token(claims(client_id=name), header(kid='wrong'))}"))
    assert source.fetches == 2


async def test_token_of_another_environment_costs_no_fetch() -> None:
    source = Source()
    authenticator = source.authenticator()
    with pytest.raises(UnknownKey):
        await authenticator.caller(
            Credentials(f"Bearer {token(claims(iss='https://helseid.else.test'), header(kid='theirs'))}")
        )
    assert source.fetches == 1


async def test_one_clients_mistake_costs_one_fetch_a_minute() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    for source.now in range(100, 160):
        with pytest.raises(UnknownKey):
            await authenticator.caller(bearer("wrong"))
        with pytest.raises(UnknownKey):
            await authenticator.caller(bearer("wrong too"))
    assert source.fetches == 2


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
        await source.authenticator().caller(Credentials("Bearer e30.e30.e30"))
    assert source.fetches == 0


async def test_key_that_left_the_set_does_not_live_on_in_tokens_found_good_before() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    await authenticator.caller(bearer("first"))
    source.answer, source.now = SECOND, 10.0
    await authenticator.caller(bearer("second"))
    with pytest.raises(UnknownKey):
        await authenticator.caller(bearer("first"))


async def test_another_key_under_the_same_id_must_find_a_token_good_again() -> None:
    source = Source()
    authenticator = source.authenticator()
    await authenticator.caller(bearer("first"))
    source.answer, source.now = read_jwks({"keys": [rsa_jwk("stranger", "first")]}), DAY
    with pytest.raises(TokenSignature):
        await authenticator.caller(bearer("first"))


async def test_revoked_key_opens_nothing_from_the_next_call_on_and_asks_nobody() -> None:
    source = Source()
    gone: set[str] = set()

    async def revoked() -> frozenset[str]:
        return kids(gone)

    authenticator = Authenticator(source.keys, POLICY, lambda: NOW, revoked=revoked)
    await authenticator.caller(bearer("first"))
    # In other letters: a slip in one must not make a kill switch fail.
    gone.add("FIRST")
    for _ in range(2):
        with pytest.raises(KeyRevoked):
            await authenticator.caller(bearer("first"))
    assert source.fetches == 1
    gone.clear()
    assert await authenticator.caller(bearer("first"))


@pytest.mark.parametrize(
    ("renew", "keep", "pause"), [(0.0, 1.0, 1.0), (2.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (1.0, 1.0, -1.0)]
)
def test_settings_that_make_no_sense_are_refused(renew: float, keep: float, pause: float) -> None:
    with pytest.raises(ValueError, match="keys must be kept"):
        KeySettings(renew, keep, pause)


@pytest.mark.parametrize(("again", "any_two"), [(-1.0, 1.0), (1.0, -1.0)])
def test_pace_that_makes_no_sense_is_refused(again: float, any_two: float) -> None:
    with pytest.raises(ValueError, match="negative"):
        RefetchPace(again, any_two)
