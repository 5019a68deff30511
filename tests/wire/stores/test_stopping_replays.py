"""A replay that a person stops while it is worked on, at every step, over the real Cosmos SDK.

Nothing goes back into line after the batch in hand, nothing is lost, each lane keeps its order, and what is told of the
replay is true.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sandbox.cosmos import serve
from sandbox.topology import load
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Document, Operation, Patch
from shared.messages.events import EventStore, Receipt
from shared.messages.intake import Intake, Keeping
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State as MessageState
from shared.messages.lifecycle import Step
from shared.messages.model import Event
from shared.messages.partitions import ByLane
from shared.messages.replays import LEASE, Job, Order, Replays, State, new_id
from shared.messages.returning import Returning
from shared.messages.set_aside import Filter, SetAside
from shared.messages.signals import Queue
from shared.messages.tries import Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.road import replaying
from shared.road.replay_desk import STOPPED
from shared.road.replaying import Measure, Replaying

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SILENCE = timedelta(seconds=90)
CAUSE = "REC_HTTP_422"
BATCH = 2
IN_LANES = (3, 1)
ALL = sum(IN_LANES)
_municipalities = count(312000000)

type Before = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Nothing comes between."""


class Stepping(LazyContainer):
    """The real thing, with something that happens before each write."""

    def __init__(self, cosmos: Cosmos, name: str, before: Before) -> None:
        super().__init__(cosmos, name)
        self._before = before

    async def patch(self, patch: Patch, partition: str) -> Document:
        await self._before()
        return await super().patch(patch, partition)

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        await self._before()
        await super().batch(operations, partition)


class Unheard:
    """Signals that nobody hears: the test works the lanes off itself."""

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
        """See Signals."""

    async def ready(self) -> bool:
        return True


class Place:
    """A municipality with one receiver, at which messages of some patients were set aside."""

    def __init__(self, cosmos: Cosmos) -> None:
        self.cosmos = cosmos
        self.orgnr = str(next(_municipalities))
        self.now = T0
        messages = ByLane(LazyContainer(cosmos, "messages"))
        self.intake, self.deliveries = Intake(messages), DeliveryStore(messages)
        self.set_aside = SetAside(messages)
        self.replays = Replays(LazyContainer(cosmos, "operations"))
        self.accepted: dict[Lane, list[str]] = {}
        """Deliveries in the order of acceptance."""
        self.handed: dict[Lane, list[str]] = {}
        """What the receiver has taken, in order."""

    def worker(self, before: Before = _nothing, probes: int = ALL) -> Replaying:
        """An instance's worker, and what happens before each of its writes."""
        messages = ByLane(Stepping(self.cosmos, "messages", before))

        async def sleep(_: float) -> None:
            await asyncio.sleep(0)

        return Replaying(
            replays=Replays(Stepping(self.cosmos, "operations", before)),
            set_aside=SetAside(messages),
            returning=Returning(messages),
            events=EventStore(messages),
            deliveries=DeliveryStore(messages),
            signals=Unheard(),
            measure=Measure(20, probes, sleep),
            clock=lambda: self.now,
        )

    async def come(self, number: int, in_lanes: Sequence[int] = IN_LANES) -> None:
        """One more message of each patient is accepted, of whom there are so many."""
        for patient in (f"{self.orgnr}.{each}" for each, most in enumerate(in_lanes) if number < most):
            inbound, out = lanes.inbound(self.orgnr, patient), lanes.outbound(self.orgnr, "epj", patient)
            id = lanes.event_id(
                inbound, sender="v", orgnr=self.orgnr, resource="bundle", business_identifier=None, sha256=f"{number}"
            )
            event = Event(
                id=id, lane=inbound, patient=patient, orgnr=self.orgnr, resource="bundle", resource_type="Bundle",
                sender="v", sha256=f"{number}", size=2, content_type="", correlation_id="c", traceparent="",
                received_at=self.now,
            )  # fmt: skip
            receipt = Receipt("epj", lanes.delivery_id(id, "epj"), out)
            assert await self.intake.accept(event, b"{}", [receipt], Keeping(None, {}, {})) is not None
            self.accepted.setdefault(out, []).append(receipt.delivery)

    async def refused(self) -> None:
        """Messages come, and all are set aside."""
        for number in range(max(IN_LANES)):
            await self.come(number)
        await self.worked_off(well=False)
        self.now += timedelta(seconds=1)

    async def worked_off(self, *, well: bool = True) -> None:
        """The receiver takes all that is in line, or refuses it."""
        for lane in self.accepted:
            while isinstance(
                begun := await self.deliveries.begin(lane, Urgency.ROUTINE, self.now, SILENCE, woken=True), Try
            ):
                outcome = Outcome(self.now, "" if well else CAUSE)
                step, refusal = (Step.DELIVER, None) if well else (Step.QUARANTINE, Refusal(422))
                await self.deliveries.end(begun, step, outcome, refusal)
                if well:
                    self.handed.setdefault(lane, []).append(begun.delivery.id)

    async def ask(self) -> str:
        """Somebody wants all of it replayed."""
        wanted, id = Filter(self.orgnr), new_id()
        order = Order(self.orgnr, wanted, (), "helseid:somebody", "it has been mended")
        await self.replays.ask(id, order, await self.set_aside.keys(wanted), self.now)
        return id

    async def stop(self, id: str) -> None:
        """Somebody else wants it stopped."""
        await self.replays.stop(id, STOPPED, self.now)

    async def job(self, id: str) -> Job:
        """How it stands."""
        found = await self.replays.find(id)
        assert found is not None
        return found

    async def aside(self) -> int:
        """How many are set aside."""
        found = [await self.deliveries.find(id, lane) for lane, ids in self.accepted.items() for id in ids]
        states = [each["state"] if each else None for each in found]
        assert None not in states
        return states.count(MessageState.QUARANTINED.value)


@pytest.fixture(scope="module")
async def cosmos(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cosmos]:
    async with serve(tmp_path_factory.mktemp("stopping"), load()) as account:
        settings = {"Cosmos": account.connection_string, "Cosmos__database": load().database}
        async with Cosmos(CosmosSettings.model_validate(settings)) as opened:
            yield opened


@pytest.fixture
def place(cosmos: Cosmos) -> Place:
    return Place(cosmos)


async def _stopped_before(place: Place, step: int) -> bool:
    """A replay is stopped before its worker's write of that number. Whether it has so many."""
    await place.refused()
    id = await place.ask()
    steps, aside_then = count(), -1

    async def before() -> None:
        nonlocal aside_then
        if next(steps) == step:
            await place.stop(id)
            aside_then = await place.aside()

    await place.worker(before).work()
    job, aside = await place.job(id), await place.aside()
    if aside_then < 0:
        assert (job.state, aside) == (State.DONE, 0)
        return False
    assert (job.state, job.code, job.ended_at) == (State.STOPPED, "HUB_REPLAY_STOPPED", place.now)
    assert aside_then - aside <= BATCH
    # What is told of it is true, the batch in hand included.
    assert job.progress.replayed == ALL - aside
    place.now += LEASE
    await place.worker().work()
    assert (await place.job(id), await place.aside()) == (job, aside)
    await place.worked_off()
    assert sum(map(len, place.handed.values())) == ALL - aside
    # What comes now stands behind what is replayed later, but for one that may be being tried by then.
    later = [max(IN_LANES) + 2]
    await place.come(later[0] - 2, later)
    tried = {ids[-1] for ids in place.accepted.values() if len(ids) > IN_LANES[0]}
    await place.come(later[0] - 1, later)
    place.now += timedelta(seconds=1)
    again = await place.ask()
    await place.worker().work()
    assert ((await place.job(again)).state, (await place.job(again)).progress.replayed) == (State.DONE, aside)
    await place.worked_off()
    for lane, ids in place.accepted.items():
        assert sorted(place.handed[lane]) == sorted(ids)
        assert [each for each in place.handed[lane] if each not in tried] == [each for each in ids if each not in tried]
    return True


async def test_stopped_at_any_step_it_ends_with_the_batch_in_hand_and_nothing_is_lost_or_disordered(
    cosmos: Cosmos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "AT_ONCE", BATCH)
    steps = 0
    while await _stopped_before(Place(cosmos), steps):
        steps += 1
    # It is taken, three batches are moved and kept, it is ended.
    assert steps == 1 + 3 * 2 + 1


async def test_one_that_waits_for_how_its_first_fare_is_stopped_there(place: Place) -> None:
    await place.refused()
    id = await place.ask()
    await place.worker(probes=2).work()
    assert ((await place.job(id)).state, await place.aside()) == (State.RUNNING, ALL - 2)
    await place.stop(id)
    await place.worked_off()
    place.now += LEASE
    await place.worker(probes=2).work()
    job = await place.job(id)
    assert (job.state, job.progress.replayed, await place.aside()) == (State.STOPPED, 2, ALL - 2)


async def test_of_two_who_stop_it_and_a_worker_that_ends_it_one_is_heard(place: Place) -> None:
    await place.refused()
    id = await place.ask()
    found = await asyncio.gather(place.worker().work(), *(place.replays.stop(id, STOPPED, place.now) for _ in range(2)))
    job = await place.job(id)
    assert sum(each is not None for each in found) == (job.state is State.STOPPED)
    assert job.progress.replayed == ALL - await place.aside()
