"""What may be taken away, and that nothing else may."""

from datetime import timedelta

import pytest
from azure.cosmos.aio import ContainerProxy

from shared.messages.documents import Document
from shared.trail.checkpoints import read
from shared.trail.entry import Kind
from shared.trail.findings import Fault
from shared.trail.purging import Purged, purge, without_body
from shared.trail.retention import Policy, policies
from tests.wire.trail.conftest import T0, Log

POLICY = "standard/1 station=30 disclosure=400 look=400 rights=400"
A = "310000001:2026-11"
LONG = timedelta(days=3650)


class Hands:
    """The purging identity."""

    def __init__(self, raw: ContainerProxy, stops_after: int = 10_000) -> None:
        self._raw = raw
        self._left = stops_after

    async def replace(self, document: Document) -> None:
        await self._raw.replace_item(document["id"], document)

    async def delete(self, id: str, chain: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise ConnectionError
        await self._raw.delete_item(id, chain)


@pytest.fixture
async def old(log: Log) -> Log:
    """A month with stations and deliveries, signed for, and a time when the stations' retention is over."""
    await log.write("310000001", 3, message="m", patient="p")
    await log.write("310000001", 2, kind=Kind.DELIVERED, message="m", patient="p")
    log.clock.forward(minutes=10)
    await log.seal()
    log.clock.now = T0 + timedelta(days=31)
    return log


async def run(log: Log, text: str = POLICY, hands: Hands | None = None, dry: bool = False) -> list[Purged]:
    (newest,) = await log.kept.query("SELECT TOP 1 * FROM c ORDER BY c.number DESC", {}, 1)
    signed = dict(read(newest, (log.signer.public(),)).chains)
    purger = None if dry else hands or Hands(log.raw_trail)
    return await purge(log.trail, purger, log.writer(), policies(text)[-1], signed, log.clock, "sub-1")


async def faults(log: Log, text: str = POLICY) -> set[Fault]:
    return await log.faults(policies=policies(text), silence=LONG)


async def test_what_the_policy_allows_is_taken_away_and_the_chain_still_holds(old: Log) -> None:
    assert await run(old) == [Purged(A, "bodies", 3)]
    entries = await old.chain(A)
    assert ["body" in each for each in entries] == [True, False, False, False, True, True]
    assert all("find" not in each and "salt" not in each for each in entries[1:4])
    assert await faults(old) == set()
    assert (await old.verify(policies=policies(POLICY), silence=LONG)).purged == 3


async def test_nothing_of_what_was_taken_away_can_be_searched_or_read(old: Log) -> None:
    await run(old)
    for each in (await old.chain(A))[1:4]:
        assert "'p'" not in str(each)
        assert "trygghetsvakt" not in str(each)


async def test_purging_again_takes_nothing_more_away(old: Log) -> None:
    await run(old)
    assert await run(old) == []
    assert await faults(old) == set()


async def test_a_look_beforehand_changes_nothing(old: Log) -> None:
    before = await old.chain(A)
    assert await run(old, dry=True) == [Purged(A, "bodies", 3)]
    assert await old.chain(A) == before


async def test_a_body_taken_away_without_a_purge_entry_is_found(old: Log) -> None:
    entry = (await old.chain(A))[2]
    await old.raw_trail.replace_item(entry["id"], without_body(entry))
    assert await faults(old) == {Fault.PURGE_UNLAWFUL}


async def test_a_body_taken_away_before_its_time_is_found_though_a_purge_entry_tells_of_it(old: Log) -> None:
    """The purge entry is the log's own word; the policy is not."""
    old.clock.now = T0 + timedelta(days=20)
    await run(old, "standard/1 station=10")
    assert await faults(old) == {Fault.PURGE_UNLAWFUL}


async def test_a_body_of_a_family_that_the_purge_did_not_name_is_found(old: Log) -> None:
    await run(old)
    entry = (await old.chain(A))[4]
    await old.raw_trail.replace_item(entry["id"], without_body(entry))
    assert await faults(old) == {Fault.PURGE_UNLAWFUL}


async def test_a_purge_by_an_earlier_version_of_the_policy_stays_lawful(old: Log) -> None:
    await run(old)
    assert await faults(old, f"{POLICY}; standard/2 station=4000") == set()
    assert await faults(old, "standard/2 station=4000") == {Fault.PURGE_UNLAWFUL}


async def test_a_body_that_is_gone_with_its_salt_left_is_found(old: Log) -> None:
    await run(old)
    entry = (await old.chain(A))[2]
    await old.raw_trail.replace_item(entry["id"], {**entry, "salt": "AAAA"})
    assert await faults(old) == {Fault.PURGE_UNLAWFUL}


async def test_a_month_whose_time_is_over_goes_as_a_whole(old: Log) -> None:
    old.clock.now = T0 + timedelta(days=420)
    assert await run(old) == [Purged(A, "chain", 6)]
    assert await old.chain(A) == []
    assert await faults(old) == set()


async def test_a_month_taken_away_without_a_purge_entry_is_found(old: Log) -> None:
    old.clock.now = T0 + timedelta(days=420)
    for each in await old.chain(A):
        await old.raw_trail.delete_item(each["id"], A)
    assert await faults(old) == {Fault.CHAIN_MISSING}


async def test_a_purge_that_was_interrupted_is_gone_on_with(old: Log) -> None:
    old.clock.now = T0 + timedelta(days=420)
    with pytest.raises(ConnectionError):
        await run(old, hands=Hands(old.raw_trail, stops_after=2))
    assert len(await old.chain(A)) == 4
    assert await faults(old) == set()
    assert await run(old) == [Purged(A, "chain", 4)]
    assert await faults(old) == set()


async def test_a_month_with_something_missing_is_not_taken_away(old: Log) -> None:
    old.clock.now = T0 + timedelta(days=420)
    await old.raw_trail.delete_item((await old.chain(A))[-1]["id"], A)
    assert await run(old) == []
    assert await faults(old) == {Fault.TAIL_REMOVED}


async def test_what_no_checkpoint_signed_for_is_not_taken_away(log: Log) -> None:
    await log.write("310000001", 1)
    await log.seal()
    await log.write("310000001", 3)
    log.clock.now = T0 + timedelta(days=40)
    assert await run(log) == [Purged(A, "bodies", 1)]


@pytest.mark.parametrize(
    "text", ["station=3", "standard station=3", "standard/1 nothing=3", "standard/1 station=0", "a/1 housekeeping=9"]
)
def test_a_policy_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"retention|kept"):
        policies(text)


def test_families_that_a_policy_does_not_name_are_kept_for_good() -> None:
    (policy,) = policies("standard/1 station=1")
    assert isinstance(policy, Policy)
    assert [policy.allows(family, T0, T0 + LONG) for family in (Kind.DELIVERED.family, Kind.ROUTED.family)] == [
        False,
        True,
    ]
