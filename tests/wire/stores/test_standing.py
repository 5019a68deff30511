"""How a receiver stands, and the waking of its lanes, over the real Cosmos SDK."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.clock import written
from shared.delivery import rules
from shared.delivery.answers import Later, Taken
from shared.delivery.gate import Go, Hold, To
from shared.delivery.gatekeeper import Gatekeeper
from shared.delivery.standing import Standing, Standings
from shared.delivery.waking import Waking, Woken
from shared.messages.lanes import Lane
from shared.messages.signals import Queue, SignalLost
from shared.messages.urgency import Urgency
from shared.registry.model import Municipality, Receiver
from shared.registry.traffic import Stop, Traffic
from tests.wire.stores.coming import opened

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NUMBERS = rules.load()

_numbers = count(310_000_000)


@dataclass
class World:
    """A receiver of its own, its lanes, a register, a clock to turn, and the signals that were sent."""

    operations: LazyContainer
    messages: LazyContainer
    to: To
    now: datetime = T0
    traffic: Traffic = field(default_factory=Traffic)
    sent: list[tuple[Queue, str]] = field(default_factory=list)
    paused_s: float = 0.0
    lost: bool = False

    async def municipality(self, orgnr: str) -> Municipality | None:
        """As the register answers."""
        receiver = Receiver(self.to.receiver, "https://epj.example.no/fhir")
        return Municipality(orgnr, "En kommune", (receiver,), traffic=self.traffic)

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
        """As signals are sent."""
        if self.lost:
            raise SignalLost("lost")
        assert woken
        assert due is None
        assert lane.startswith(to.partition("/")[0])
        self.sent.append((queue, lane))

    async def ready(self) -> bool:
        """See Signals."""
        return True

    def gate(self) -> Gatekeeper:
        """An instance's gate."""
        return Gatekeeper(register=self, standings=Standings(self.operations), clock=lambda: self.now)

    def waking(self, numbers: rules.Rules = NUMBERS) -> Waking:
        """An instance's waking."""
        return Waking(
            standings=Standings(self.operations), lanes=self.messages, register=self, signals=self,
            clock=lambda: self.now, numbers=numbers, chance=lambda: 0.0, pause=self._pause,
        )  # fmt: skip

    async def _pause(self, seconds: float) -> None:
        self.paused_s += seconds
        self.now += timedelta(seconds=seconds)

    async def standing(self) -> Standing:
        """The standing document as it is."""
        return await Standings(self.operations).read(self.to)

    async def park(self, *names: str, prompts: int = 0, tries: int = 0, due: datetime = T0) -> None:
        """Park lanes, or park them again."""
        await asyncio.gather(
            *(
                self.messages.put(self._line(name, prompts, tries, due, self.to.key), f"{self.to.orgnr}{name}")
                for name in names
            )
        )

    async def unpark(self, *names: str) -> None:
        """Somebody has begun on these lanes."""
        for name in names:
            await self.messages.put(self._line(name, 0, 0, T0, None), f"{self.to.orgnr}{name}")

    def _line(self, name: str, prompts: int, tries: int, due: datetime, parked: str | None) -> dict[str, Any]:
        lane = f"{self.to.orgnr}{name}"
        return {
            "id": "lane.epj", "type": "line", "partition": lane, "lane": lane, "key": self.to.key, "prompts": prompts,
            "tries": tries, "due": written(due), "parked": parked,
        }  # fmt: skip

    def woken(self) -> list[str]:
        """The lanes signalled since this was asked last, in order."""
        sent = [lane.removeprefix(self.to.orgnr) for _, lane in self.sent if lane.startswith(self.to.orgnr)]
        self.sent.clear()
        return sent


@pytest.fixture(scope="module")
async def cosmos(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cosmos]:
    """An endpoint that the tests share; each has a receiver of its own."""
    async with opened(tmp_path_factory.mktemp("standing")) as found:
        yield found


@pytest.fixture
def world(cosmos: Cosmos) -> World:
    return world_of(cosmos)


def world_of(cosmos: Cosmos) -> World:
    """A receiver that no other test has."""
    to = To(str(next(_numbers)), "epj")
    return World(LazyContainer(cosmos, "operations"), LazyContainer(cosmos, "messages"), to)


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[World]:
    """A world that shares its endpoint with no other test."""
    async with opened(tmp_path) as cosmos:
        yield world_of(cosmos)


async def broken(world: World) -> Gatekeeper:
    """A gate whose breaker has opened."""
    gate = world.gate()
    for _ in range(5):
        await tried(world, gate, alive=False)
    return gate


async def tried(world: World, gate: Gatekeeper, urgency: Urgency = Urgency.ROUTINE, *, alive: bool) -> None:
    go = await gate.enter(world.to, urgency)
    assert isinstance(go, Go)
    await gate.leave(go, Taken(200) if alive else Later("REC_NO_ANSWER"))


async def well(world: World, gate: Gatekeeper) -> None:
    """The receiver is back."""
    world.now += SECOND
    await tried(world, gate, Urgency.PROMPT, alive=True)


async def test_of_two_who_change_the_same_standing_one_is_told(world: World) -> None:
    standings, new = Standings(world.operations), Standing(world.to)
    made = await asyncio.gather(*(standings.write(new, replace(new, failures=each), T0) for each in range(5)))
    (first,) = [each for each in made if each is not None]
    assert await standings.read(world.to) == first
    made = await asyncio.gather(*(standings.write(first, replace(first, failures=each), T0) for each in range(9, 14)))
    (second,) = [each for each in made if each is not None]
    assert (await standings.read(world.to), second.version) == (second, 2)


async def test_a_standing_is_read_as_it_was_written(world: World) -> None:
    standings, new = Standings(world.operations), Standing(world.to)
    full = Standing(world.to, 1, True, T0, 7, "REC_TLS", T0 + SECOND, T0 - SECOND, T0 + 15 * SECOND, True, T0)
    assert await standings.write(new, full, T0) == full
    assert await standings.read(world.to) == full
    other = Standing(world.to, 2, False, T0 + SECOND, 0, "REC_TLS", T0 + SECOND, T0 + 2 * SECOND, None, False, T0)
    assert await standings.write(full, replace(other, version=1), T0) == other
    assert await standings.read(world.to) == other


async def test_two_instances_share_a_breaker_and_its_probes(world: World) -> None:
    one, other = await broken(world), world.gate()
    assert isinstance(await other.enter(world.to, Urgency.ROUTINE), Hold)
    world.now += 15 * SECOND
    verdicts = await asyncio.gather(*(gate.enter(world.to, Urgency.ROUTINE) for gate in (one, other) * 4))
    assert [isinstance(each, Go) for each in verdicts].count(True) == 1
    await well(world, other)
    world.now += 5 * SECOND
    await tried(world, one, alive=True)
    assert not (await world.standing()).open


async def test_lanes_of_a_receiver_that_is_back_are_all_woken_the_prompt_ones_first(world: World) -> None:
    gate, waking = await broken(world), world.waking()
    await world.park("c", due=T0 + 3 * SECOND)
    await world.park("b", due=T0 + 2 * SECOND)
    await world.park("a", prompts=1, due=T0 + 9 * SECOND)
    await waking.look()
    assert world.woken() == []
    await well(world, gate)
    await waking.look()
    mine = [queue for queue, lane in world.sent if lane.startswith(world.to.orgnr)]
    assert mine == [Queue.DELIVERIES_PROMPT, Queue.DELIVERIES, Queue.DELIVERIES]
    assert world.woken() == ["a", "b", "c"]


async def test_an_open_breaker_gets_a_carrier_for_its_probe_when_one_is_due(world: World) -> None:
    await broken(world)
    waking = world.waking()
    await world.park("b", due=T0 + SECOND)
    await world.park("a")
    world.now += 14 * SECOND
    await waking.look()
    assert world.woken() == []
    world.now += SECOND
    assert (await waking.look()).carriers > 0
    assert world.woken() == ["a"]


async def test_a_stopped_receiver_wakes_nobody_until_the_stop_is_over(world: World) -> None:
    gate, waking = world.gate(), world.waking()
    world.traffic = Traffic(deliveries={"epj": Stop(T0 + 3600 * SECOND)})
    assert isinstance(await gate.enter(world.to, Urgency.PROMPT), Hold)
    await world.park("a", prompts=1)
    await waking.look()
    assert world.woken() == []
    world.traffic = Traffic()
    await waking.look()
    assert world.woken() == ["a"]


async def test_a_lane_nobody_has_begun_on_is_signalled_again_after_a_while(world: World) -> None:
    gate, waking = await broken(world), world.waking()
    await world.park("a", "b")
    await well(world, gate)
    await waking.look()
    assert sorted(world.woken()) == ["a", "b"]
    await world.unpark("a")
    world.now += 29 * SECOND
    await waking.look()
    assert world.woken() == []
    world.now += SECOND
    await waking.look()
    assert world.woken() == ["b"]


async def test_a_lane_that_failed_again_is_left_to_its_own_schedule(world: World) -> None:
    gate, waking = await broken(world), world.waking()
    await world.park("a", "poison", tries=3)
    await well(world, gate)
    await waking.look()
    world.woken()
    await world.unpark("a")
    await world.park("poison", tries=4)
    for _ in range(20):
        world.now += 30 * SECOND
        await waking.look()
    assert world.woken() == []
    standing = await world.standing()
    assert (standing.held, standing.look_again) == (False, None)


async def test_when_nothing_waits_any_more_the_document_says_so(world: World) -> None:
    gate, waking = await broken(world), world.waking()
    await world.park("a")
    await well(world, gate)
    assert world.to not in (await waking.look()).finished
    await world.unpark("a")
    world.now += SECOND
    assert world.to in (await waking.look()).finished
    assert not (await world.standing()).held


async def test_a_lane_parked_while_held_was_taken_away_is_found_by_the_last_look(world: World) -> None:
    gate, waking = await broken(world), world.waking()
    await well(world, gate)
    await waking.look()
    assert not (await world.standing()).held
    await world.park("late")
    world.now += 19 * SECOND
    await waking.look()
    assert world.woken() == []
    world.now += SECOND
    await waking.look()
    await waking.look()
    assert world.woken() == ["late"]


async def test_after_a_crash_another_instance_wakes_what_is_left(world: World) -> None:
    gate = await broken(world)
    await world.park(*(f"{number:03}" for number in range(30)))
    await well(world, gate)
    world.lost = True
    assert (await world.waking().look()).failed > 0
    world.lost = False
    await world.waking().look()
    assert len(set(world.woken())) == 30


async def test_lanes_are_woken_at_a_pace_and_no_faster_than_they_are_worked_off(alone: World) -> None:
    world = alone
    slow = replace(NUMBERS.waking, lanes_per_second=20, lanes_at_once=5, seconds_per_look=2)
    gate, waking = await broken(world), world.waking(replace(NUMBERS, waking=slow))
    await world.park(*(f"{number:03}" for number in range(100)))
    await well(world, gate)
    assert await waking.look() == Woken(lanes=40)
    # Forty, twenty a second; after the last five nobody waits.
    assert world.paused_s == pytest.approx(1.75)
    first = world.woken()
    assert len(set(first)) == 40
    assert (await waking.look()).lanes == 0
    await world.unpark(*first)
    assert (await waking.look()).lanes == 40
    assert not set(first) & set(world.woken())


async def test_a_store_that_does_not_answer_is_looked_at_next_time(world: World, cosmos: Cosmos) -> None:
    nowhere = "AccountEndpoint=http://127.0.0.1:9/;AccountKey=a2V5;"
    settings = CosmosSettings.model_validate({"Cosmos": nowhere, "Cosmos__patience": "0.2"})
    async with Cosmos(settings) as away:
        world.operations = LazyContainer(away, "operations")
        assert await world.waking().look() == Woken(failed=1)
        go = await world.gate().enter(world.to, Urgency.ROUTINE)
        assert isinstance(go, Go)


@pytest.mark.parametrize("lanes", [(60, 3), (3, 60), (60, 40), (200, 1)])
async def test_one_receiver_with_very_many_lanes_leaves_others_their_share_and_takes_what_they_leave(
    alone: World, lanes: tuple[int, int]
) -> None:
    slow = replace(NUMBERS.waking, lanes_per_second=20, lanes_at_once=5, seconds_per_look=2)
    worlds = (alone, replace(alone, to=To(str(next(_numbers)), "epj"), sent=alone.sent))
    for world, many in zip(worlds, lanes, strict=True):
        gate = await broken(world)
        await world.park(*(f"{number:03}" for number in range(many)))
        await well(world, gate)
    assert (await alone.waking(replace(NUMBERS, waking=slow)).look()).lanes == 40
    for world, many in zip(worlds, lanes, strict=True):
        assert sum(lane.startswith(world.to.orgnr) for _, lane in alone.sent) >= min(many, 20)
        assert (await world.standing()).held


async def test_receivers_whose_turn_does_not_come_are_looked_at_next_time(alone: World) -> None:
    slow = replace(NUMBERS.waking, lanes_per_second=1, lanes_at_once=1, seconds_per_look=2)
    worlds = [replace(alone, to=To(str(next(_numbers)), "epj"), sent=alone.sent) for _ in range(3)]
    for world in worlds:
        gate = await broken(world)
        await world.park("a")
        await well(world, gate)
    waking = alone.waking(replace(NUMBERS, waking=slow))
    assert [(await waking.look()).lanes for _ in range(3)] == [2, 1, 0]
    assert all([(await world.standing()).held for world in worlds])
