"""Replays worked off over the real Cosmos SDK: by workers that die, by two at once, and stopped by what fails again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import count

import pytest

from shared.azure.cosmos import Cosmos, LazyContainer
from shared.messages.documents import Unreachable
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State as MessageState
from shared.messages.lifecycle import Step
from shared.messages.model import Delivery
from shared.messages.replays import LEASE, Job, Order, Replays, State, new_id
from shared.messages.returning import Returning
from shared.messages.set_aside import Filter
from shared.messages.signals import Queue, SignalLost
from shared.messages.tries import Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.registry.model import Municipality, Receiver
from shared.registry.register import Register
from shared.road import replaying
from shared.road.expiring import Expiry
from shared.road.keeping import kept_for
from shared.road.replaying import Measure, Replaying
from tests.wire.stores.coming import T0, come, delivery_of, event_of, opened, stores_over

DAY = timedelta(days=1)
SILENCE = timedelta(seconds=90)
PROBES = 3
_municipalities = count(311000000)


class Killed(BaseException):
    """The worker is dead."""


class Recorded:
    """Signals that are written down and not sent; or lost."""

    def __init__(self) -> None:
        self.sent: list[tuple[Queue, Lane, str]] = []
        self.lost = False

    async def send(
        self,
        queue: Queue,
        lane: Lane,
        due: datetime | None = None,
        *,
        to: str = "",
        woken: bool = False,
        event: str = "",
    ) -> None:
        if self.lost:
            raise SignalLost
        assert due is None
        assert not woken
        self.sent.append((queue, lane, to))

    async def ready(self) -> bool:
        return True


class Place:
    """A municipality with one receiver, and all that handles what is set aside there."""

    def __init__(self, cosmos: Cosmos) -> None:
        self.orgnr = str(next(_municipalities))
        self.now = T0
        self.slept: list[float] = []
        self.signals = Recorded()
        self.registry = LazyContainer(cosmos, "registry")
        self.stores = stores_over(cosmos)
        self.events, self.deliveries = self.stores.events, self.stores.deliveries
        self.set_aside, self.returning = self.stores.set_aside, self.stores.returning
        self.replays = Replays(LazyContainer(cosmos, "operations"))
        self.expiry = Expiry(
            set_aside=self.set_aside,
            taking_out=self.stores.taking_out,
            returning=self.returning,
            register=Register(self.registry, lambda: self.now),
            signals=self.signals,
            clock=lambda: self.now,
        )

    def worker(self, dies_after: int | None = None) -> Replaying:
        """Another instance's worker; one that dies when it has put so many batches back."""
        left = [dies_after]

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.sleep(0)
            if left[0] is not None:
                left[0] -= 1
                if left[0] == 0:
                    raise Killed

        return Replaying(
            replays=self.replays,
            set_aside=self.set_aside,
            returning=self.returning,
            events=self.events,
            deliveries=self.deliveries,
            signals=self.signals,
            measure=Measure(20, PROBES, sleep),
            clock=lambda: self.now,
        )

    async def come(self, patients: int, each: int = 1, first: int = 1) -> list[Delivery]:
        """Messages come and are routed."""
        found = []
        for patient in (f"{self.orgnr}.{number}" for number in range(patients)):
            for number in range(first, first + each):
                event = event_of(patient, number, at=self.now, orgnr=self.orgnr)
                assert await come(self.stores, event) is not None
                found.append(delivery_of(event, place=number))
        return found

    async def worked_off(self, lanes: set[Lane], *, well: bool, blocks: bool = False) -> list[str]:
        """The lanes are worked off: their receiver takes everything, or nothing. The ids in order."""
        handed = []
        for lane in sorted(lanes):
            while True:
                begun = await self.deliveries.begin(lane, Urgency.ROUTINE, self.now, SILENCE, woken=True)
                if not isinstance(begun, Try):
                    break
                handed.append(begun.delivery.id)
                step, refusal = (Step.DELIVER, None) if well else (Step.QUARANTINE, Refusal(422, blocks))
                detail = "" if well else "REC_HTTP_422"
                await self.deliveries.end(begun, step, Outcome(self.now, detail), refusal)
        return handed

    async def refused(self, patients: int, each: int = 1) -> list[Delivery]:
        """Messages come and are set aside."""
        found = await self.come(patients, each)
        await self.worked_off({each.lane for each in found}, well=False)
        self.now += timedelta(seconds=1)
        return found

    async def ask(self, *ids: str, cause: str | None = None) -> str:
        """Somebody wants them replayed."""
        wanted = Filter(self.orgnr, cause=cause)
        order = Order(self.orgnr, wanted, ids, "helseid:somebody", "it has been mended")
        id = new_id()
        await self.replays.ask(id, order, await self.set_aside.keys(wanted), self.now)
        return id

    async def job(self, id: str) -> Job:
        """How it stands."""
        found = await self.replays.find(id)
        assert found is not None
        return found

    async def states(self, deliveries: list[Delivery]) -> set[str]:
        """Where they are."""
        found = [await self.deliveries.find(each.id, each.lane) for each in deliveries]
        return {each["state"] for each in found if each is not None}


@pytest.fixture(scope="module")
async def cosmos(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cosmos]:
    async with opened(tmp_path_factory.mktemp("replaying")) as found:
        yield found


@pytest.fixture
def place(cosmos: Cosmos) -> Place:
    return Place(cosmos)


async def test_the_first_of_a_group_go_alone_and_the_rest_when_they_have_arrived(place: Place) -> None:
    aside = await place.refused(8)
    id, worker = await place.ask(), place.worker()
    await worker.work()
    assert (await place.job(id)).progress.replayed == PROBES
    await worker.work()
    assert (await place.job(id)).progress.replayed == PROBES
    await place.worked_off({each.lane for each in aside}, well=True)
    await worker.work()
    job = await place.job(id)
    assert (job.state, job.progress.replayed) == (State.DONE, 8)
    assert len(place.signals.sent) == 8
    assert {(queue, to) for queue, _, to in place.signals.sent} == {(Queue.DELIVERIES, f"{place.orgnr}/epj")}


async def test_a_replay_is_throttled(place: Place) -> None:
    await place.refused(1, each=3)
    await place.ask()
    await place.worker().work()
    assert place.slept == [3 / 20]


async def test_what_fails_again_stops_the_rest_and_only_of_its_cause(place: Place) -> None:
    aside = await place.refused(6)
    id, worker = await place.ask(), place.worker()
    await worker.work()
    place.now += timedelta(minutes=1)
    await place.worked_off({each.lane for each in aside}, well=False)
    await worker.work()
    job = await place.job(id)
    assert (job.state, job.code, job.progress.replayed, job.progress.left) == (State.STOPPED, "HUB_FAILED_AGAIN", 3, 3)
    assert job.failed_again() == [(f"{place.orgnr}/epj", "REC_HTTP_422")]
    assert await place.states(aside) == {MessageState.QUARANTINED}
    # Which is no hindrance when it has been mended.
    place.now += timedelta(minutes=1)
    again = await place.ask()
    await worker.work()
    await place.worked_off({each.lane for each in aside}, well=True)
    await worker.work()
    assert (await place.job(again)).state is State.DONE
    await place.worked_off({each.lane for each in aside}, well=True)
    assert await place.states(aside) == {MessageState.DELIVERED}


async def test_one_lane_is_replayed_in_order_however_the_first_are_cut_off(place: Place) -> None:
    aside = await place.refused(1, each=7)
    lane, worker = {aside[0].lane}, place.worker()
    await place.ask()
    await worker.work()
    handed = await place.worked_off(lane, well=True)
    await worker.work()
    assert handed == [each.id for each in aside[:PROBES]]
    assert handed + await place.worked_off(lane, well=True) == [each.id for each in aside]


@pytest.mark.parametrize("batches", [1, 2, 3])
async def test_another_worker_goes_on_where_one_died_and_nothing_is_replayed_twice(place: Place, batches: int) -> None:
    aside = await place.refused(2 * PROBES)
    id, everywhere = await place.ask(), {each.lane for each in aside}
    handed: list[str] = []
    deaths = 0
    while (await place.job(id)).state is State.RUNNING:
        try:
            await place.worker(batches).work()
        except Killed:
            deaths += 1
            # Whoever died holds the lease for a while.
            await place.worker().work()
            place.now += LEASE
        handed += await place.worked_off(everywhere, well=True)
    assert deaths > 0
    assert await place.states(aside) == {MessageState.DELIVERED}
    assert sorted(handed) == sorted(each.id for each in aside)


async def test_two_workers_at_once_do_it_once(place: Place) -> None:
    aside = await place.refused(PROBES)
    first, second = await place.ask(), await place.ask()
    await asyncio.gather(*(place.worker().work() for _ in range(4)))
    place.now += LEASE
    await place.worker().work()
    jobs = [await place.job(each) for each in (first, second)]
    assert {each.state for each in jobs} == {State.DONE}
    assert sum(each.progress.replayed for each in jobs) == len(aside)
    handed = await place.worked_off({each.lane for each in aside}, well=True)
    assert sorted(handed) == sorted(each.id for each in aside)


async def test_a_replay_that_was_taken_over_changes_nothing_more(place: Place) -> None:
    await place.refused(1)
    id = await place.ask()
    mine = await place.replays.take(id, "mine", place.now)
    assert mine is not None
    assert await place.replays.take(id, "theirs", place.now) is None
    place.now += LEASE
    assert await place.replays.take(id, "theirs", place.now) is not None
    assert not await place.replays.keep(mine, "mine", place.now)
    assert not await place.replays.end(mine, "mine", State.DONE, "", place.now)
    assert (await place.job(id)).state is State.RUNNING


async def test_what_is_set_aside_after_it_was_asked_for_is_no_part_of_it(place: Place) -> None:
    aside = await place.refused(PROBES + 1)
    id, worker = await place.ask(), place.worker()
    await worker.work()
    place.now += timedelta(minutes=1)
    everywhere = {each.lane for each in aside}
    (one,) = sorted(everywhere & {lane for _, lane, _ in place.signals.sent[:1]})
    await place.worked_off({one}, well=False)
    await place.worked_off(everywhere, well=True)
    await worker.work()
    job = await place.job(id)
    assert (job.state, job.progress.replayed) == (State.DONE, PROBES + 1)
    assert await place.states([each for each in aside if each.lane == one]) == {MessageState.QUARANTINED}


async def test_more_than_a_page_is_replayed_whole_and_what_is_gone_is_counted_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, cosmos: Cosmos
) -> None:
    monkeypatch.setattr(replaying, "PAGE", 4)
    aside = await place.refused(13)
    raw = await cosmos.proxy("messages")
    for each in aside[3:8]:
        await raw.delete_item(f"{each.event.id}.payload", each.event.lane)
    id, worker = await place.ask(), place.worker()
    for _ in range(3):
        await worker.work()
        await place.worked_off({each.lane for each in aside}, well=True)
    job = await place.job(id)
    assert (job.state, job.progress.replayed, job.progress.gone) == (State.DONE, 8, 5)
    assert await place.states(aside[3:8]) == {MessageState.QUARANTINED}
    assert await place.states(aside[:3] + aside[8:]) == {MessageState.DELIVERED}


async def test_only_those_that_are_named_are_replayed(place: Place) -> None:
    first, second, third = await place.refused(1, each=3)
    id = await place.ask(third.id, first.event.id)
    await place.worker().work()
    job = await place.job(id)
    assert (job.state, job.progress.replayed) == (State.DONE, 2)
    assert await place.worked_off({first.lane}, well=True) == [first.id, third.id]
    assert await place.states([second]) == {MessageState.QUARANTINED}


async def test_a_signal_that_is_lost_leaves_a_line_that_is_due(place: Place) -> None:
    (only,) = await place.refused(1)
    place.signals.lost = True
    await place.ask()
    await place.worker().work()
    assert only.lane in {each.lane for each in await place.deliveries.overdue(place.now + DAY, 500)}


async def test_a_replay_waits_out_a_database_that_is_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.refused(2)
    id = await place.ask()

    async def away(*_: object) -> None:
        raise Unreachable("AWAY")

    with monkeypatch.context() as patched:
        patched.setattr(Returning, "deliveries", away)
        with pytest.raises(Unreachable):
            await place.worker().work()
    place.now += LEASE
    await place.worker().work()
    assert (await place.job(id)).state is State.DONE


async def register(place: Place, days: int) -> None:
    municipality = Municipality(
        place.orgnr, "Prøve kommune", (Receiver("epj", "https://epj.example.org/fhir"),), retention_days=days
    )
    await place.registry.put({**municipality.document(), "orgnr": place.orgnr}, place.orgnr)


async def test_what_nobody_decides_about_expires_a_day_before_its_payload_goes(place: Place) -> None:
    await register(place, 10)
    municipality = await Register(place.registry, lambda: place.now).municipality(place.orgnr)
    aside = await place.come(2)
    await place.worked_off({aside[0].lane}, well=False, blocks=True)
    (behind,) = await place.come(1, first=2)
    place.now = T0 + kept_for(municipality) - DAY - timedelta(minutes=1)
    await place.expiry.look()
    assert await place.states(aside[:1]) == {MessageState.QUARANTINED}
    place.now += timedelta(minutes=2)
    assert (await place.expiry.look()).expired >= 1
    assert await place.states(aside[:1]) == {MessageState.EXPIRED}
    # Its lane goes on; what is in line does not expire, and what is known of it stays.
    assert (Queue.DELIVERIES, aside[0].lane, f"{place.orgnr}/epj") in place.signals.sent
    assert await place.worked_off({aside[0].lane}, well=True) == [behind.id]
    assert await place.states(aside[1:]) == {MessageState.ROUTED}
    assert (await place.expiry.look()).expired == 0


async def test_what_has_lost_its_payload_expires_however_long_it_should_have_been_kept(
    place: Place, cosmos: Cosmos
) -> None:
    await register(place, 90)
    kept, gone = await place.refused(2)
    raw = await cosmos.proxy("messages")
    await raw.delete_item(f"{gone.event.id}.payload", gone.event.lane)
    place.now = T0 + 8 * DAY
    assert (await place.expiry.look()).expired >= 1
    assert await place.states([kept]) == {MessageState.QUARANTINED}
    assert await place.states([gone]) == {MessageState.EXPIRED}
