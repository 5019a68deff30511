"""Stopping a replay: by whoever may order it, written down first, and asked for as often as one likes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.access.caller import Person
from shared.errors import HubError, NotAvailable, OrderInvalid, OrderNotJson, UnknownOperation
from shared.messages.documents import Document, Unreachable
from shared.messages.partitions import ByLane
from shared.messages.replays import Job, Order, Replays, State
from shared.messages.returning import Returning
from shared.messages.set_aside import Filter, SetAside
from shared.registry.model import Municipality, Receiver
from shared.registry.people import Access, Role
from shared.registry.refusals import RoleMissing
from shared.registry.register import Register
from shared.road.permission import Permission
from shared.road.replay_desk import STOPPED, ReplayDesk
from shared.road.replaying import FAILED_AGAIN, UNREADABLE
from shared.trail.writing import TrailWriter
from tests.model.memory import MemoryContainer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORGNR, OTHER = "310000019", "310000027"
KEY = f"{ORGNR}/epj"
ID = "5f1c0e"
OPERATOR = Person("entra:operator", "", None, "", frozenset({"Knutepunkt.Operator"}))
WHY = b'{"why": "the wrong receiver"}'


class Log(MemoryContainer):
    """The log: out of reach when it is told so, and somebody else may be quicker while it is written."""

    away = False

    def __init__(self, replays: Replays) -> None:
        super().__init__()
        self.replays = replays
        self.meanwhile: State | None = None

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        if self.away:
            raise Unreachable("AWAY")
        await super().create(documents, partition)
        if self.meanwhile is State.STOPPED:
            await self.replays.stop(ID, STOPPED, NOW)
        elif self.meanwhile is not None:
            await ended(self.replays, self.meanwhile, "")

    def said(self) -> list[str]:
        """What is in it of replays that were stopped, entry by entry."""
        return [text for each in self.documents.values() if "replay-stopped" in (text := str(each))]


class Desk:
    """A municipality in which a replay is running, and one person of each sort."""

    def __init__(self) -> None:
        self.now = NOW
        register, messages = MemoryContainer(), ByLane(MemoryContainer())
        for orgnr in (ORGNR, OTHER):
            municipality = Municipality(orgnr, "Prøve", (Receiver("epj", "https://epj.example.org/fhir"),))
            document: Document = {**municipality.document(), "orgnr": orgnr}
            register.documents[(orgnr, document["id"])] = document
        self.replays = Replays(MemoryContainer())
        self.log = Log(self.replays)
        self.desk = ReplayDesk(
            permission=Permission(_access, Register(register, self.clock), self.clock),
            set_aside=SetAside(messages),
            returning=Returning(messages),
            replays=self.replays,
            trail=TrailWriter(self.log, self.clock, "knutepunkt/test"),
            clock=self.clock,
        )

    def clock(self) -> datetime:
        return self.now

    async def running(self) -> Job:
        """A replay that was ordered."""
        order = Order(ORGNR, Filter(ORGNR), (), "helseid:somebody", "it has been mended")
        return await self.replays.ask(ID, order, (KEY,), NOW)

    async def job(self) -> Job:
        """As it stands."""
        found = await self.replays.find(ID)
        assert found is not None
        return found

    async def refused(self, person: Person = OPERATOR, id: str = ID, body: bytes = WHY) -> type[HubError]:
        """What the answer is when it is refused."""
        with pytest.raises(HubError) as error:
            await self.desk.stop(person, id, body)
        return error.type


async def _access(orgnr: str, subject: str) -> Access | None:
    role, _, home = subject.partition("|")
    if home != orgnr:
        return None
    return Access(orgnr, subject, frozenset({Role(role)}), NOW + timedelta(days=1))


def of(role: Role, orgnr: str = ORGNR) -> Person:
    return Person(f"{role.value}|{orgnr}", "", orgnr, "4")


async def ended(replays: Replays, state: State, code: str) -> None:
    """Its worker has come to its end."""
    job = await replays.take(ID, "worker", NOW)
    assert job is not None
    assert await replays.end(job, "worker", state, code, NOW)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("person", [OPERATOR, of(Role.ADMINISTRATION)], ids=["operator", "administration"])
async def test_whoever_may_order_a_replay_may_stop_it_and_the_log_says_who_and_why(desk: Desk, person: Person) -> None:
    await desk.running()
    told = await desk.desk.stop(person, ID, WHY)
    assert (told["state"], told["code"], told["ended"] is not None) == ("stopped", "HUB_REPLAY_STOPPED", True)
    # Who asked for it, and why, stays what it was.
    assert (told["who"], told["why"]) == ("helseid:somebody", "it has been mended")
    assert await desk.desk.replay(OPERATOR, ID) == told
    (entry,) = desk.log.said()
    assert all(each in entry for each in (person.subject, "the wrong receiver", ID, ORGNR))
    assert await desk.replays.take(ID, "worker", NOW + timedelta(days=1)) is None


async def test_what_cannot_be_written_down_is_not_stopped(desk: Desk) -> None:
    await desk.running()
    desk.log.away = True
    assert await desk.refused() is NotAvailable
    assert (await desk.job()).state is State.RUNNING


async def test_stopping_it_again_says_the_same_and_writes_nothing(desk: Desk) -> None:
    await desk.running()
    told = await desk.desk.stop(OPERATOR, ID, WHY)
    desk.now += timedelta(minutes=5)
    assert await desk.desk.stop(of(Role.ADMINISTRATION), ID, b'{"why": "once more"}') == told
    assert len(desk.log.said()) == 1


@pytest.mark.parametrize(
    ("state", "code"), [(State.DONE, ""), (State.STOPPED, FAILED_AGAIN), (State.FAILED, UNREADABLE)]
)
async def test_one_that_has_ended_is_answered_as_it_is(desk: Desk, state: State, code: str) -> None:
    await desk.running()
    await ended(desk.replays, state, code)
    told = await desk.desk.stop(OPERATOR, ID, WHY)
    assert (told["state"], told["code"]) == (state.value, code or None)
    assert desk.log.said() == []


@pytest.mark.parametrize("meanwhile", [State.DONE, State.STOPPED])
async def test_one_that_ends_while_it_is_being_stopped_is_answered_as_it_ended(desk: Desk, meanwhile: State) -> None:
    await desk.running()
    desk.log.meanwhile = meanwhile
    told = await desk.desk.stop(OPERATOR, ID, WHY)
    assert (told["state"], told["code"]) == (meanwhile.value, STOPPED if meanwhile is State.STOPPED else None)
    assert len(desk.log.said()) == 1


async def test_whoever_may_not_changes_and_learns_nothing(desk: Desk) -> None:
    await desk.running()
    assert await desk.refused(of(Role.MONITORING)) is RoleMissing
    for made_up in (ID, "0a0a0a", "no/id", ""):
        assert await desk.refused(of(Role.ADMINISTRATION, OTHER), made_up) is UnknownOperation
    assert await desk.refused(OPERATOR, "0a0a0a") is UnknownOperation
    assert (await desk.job()).state is State.RUNNING
    assert not desk.log.documents


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", OrderNotJson),
        *((json.dumps(each).encode(), OrderInvalid) for each in (
            {}, {"why": ""}, {"why": "about 12345678901"}, {"why": "well", "orgnr": ORGNR},
        )),
    ],
)  # fmt: skip
async def test_a_reason_is_needed_and_nothing_else_is_taken(desk: Desk, body: bytes, error: type[HubError]) -> None:
    await desk.running()
    assert await desk.refused(body=body) is error
    assert (await desk.job()).state is State.RUNNING
