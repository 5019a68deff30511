"""The register looks as seldom as it may and never trusts what it could not see."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.messages.documents import Document, Operation, Patch, Unreachable
from shared.registry.entries import partition
from shared.registry.model import SYSTEMS, Grant, Municipality, Receiver, System
from shared.registry.register import TRUSTED as DEFAULT
from shared.registry.register import Register
from tests.unit.registry.samples import ACCESS, ENTRIES, GRANT, OPERATOR, PARTNER, SYSTEM
from tests.unit.registry.samples import MUNICIPALITY as SAMPLE
from tests.unit.registry.samples import ORGNR as ORGNR_OF_SAMPLES

ORGNR = "999999999"
TRUSTED = timedelta(seconds=30)
MUNICIPALITY = Municipality(ORGNR, "Eksempel", (Receiver("epj", "http://127.0.0.1"),))


class CountingContainer:
    """A container that counts its looks, and can be out of reach or slow."""

    def __init__(self, *documents: Document) -> None:
        self.documents = {(each["orgnr"], each["id"]): each for each in documents}
        self.looks: list[tuple[str, str]] = []
        self.reachable = True
        self.looked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, id: str, partition: str) -> Document | None:
        self.looks.append((partition, id))
        self.looked.set()
        await self.open.wait()
        if not self.reachable:
            raise Unreachable
        return self.documents.get((partition, id))

    async def patch(self, patch: Patch, partition: str) -> Document:
        raise NotImplementedError

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        raise NotImplementedError

    async def put(self, document: Document, partition: str) -> None:
        self.documents[partition, document["id"]] = document

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        raise NotImplementedError


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 15, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def container() -> CountingContainer:
    return CountingContainer(MUNICIPALITY.document(), Grant(ORGNR, "vendor").document())


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def register(container: CountingContainer, hands: Hands) -> Register:
    return Register(container, hands, TRUSTED)


async def test_what_is_registered_is_found(register: Register) -> None:
    assert await register.municipality(ORGNR) == MUNICIPALITY
    assert await register.grant(ORGNR, "vendor") == Grant(ORGNR, "vendor")


async def test_what_is_not_registered_is_none(register: Register) -> None:
    assert await register.municipality("111111111") is None
    assert await register.grant(ORGNR, "other") is None
    assert await register.grant("111111111", "vendor") is None


async def test_what_is_no_organisation_number_is_not_looked_for(
    register: Register, container: CountingContainer
) -> None:
    assert await register.municipality("../999999") is None
    assert await register.grant("", "vendor") is None
    assert container.looks == []


async def test_a_municipality_is_no_grant_whatever_a_system_calls_itself(register: Register) -> None:
    assert await register.grant(ORGNR, "municipality") is None


async def test_many_calls_at_the_same_time_cost_one_look(register: Register, container: CountingContainer) -> None:
    container.open.clear()
    calls = [asyncio.create_task(register.municipality(ORGNR)) for _ in range(50)]
    await container.looked.wait()
    container.open.set()
    assert await asyncio.gather(*calls) == [MUNICIPALITY] * 50
    assert len(container.looks) == 1


async def test_a_caller_that_gives_up_does_not_take_the_answer_from_the_others(
    register: Register, container: CountingContainer
) -> None:
    container.open.clear()
    first, second = (asyncio.create_task(register.municipality(ORGNR)) for _ in range(2))
    await container.looked.wait()
    first.cancel()
    container.open.set()
    assert await second == MUNICIPALITY
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(container.looks) == 1


async def test_an_entry_is_trusted_for_its_time_and_no_longer(
    register: Register, container: CountingContainer, hands: Hands
) -> None:
    await register.municipality(ORGNR)
    hands.now += TRUSTED - timedelta(microseconds=1)
    await register.municipality(ORGNR)
    assert len(container.looks) == 1
    hands.now += timedelta(microseconds=1)
    await register.municipality(ORGNR)
    assert len(container.looks) == 2


async def test_an_entry_is_as_old_as_the_look_not_as_its_answer(
    register: Register, container: CountingContainer, hands: Hands
) -> None:
    container.open.clear()
    call = asyncio.create_task(register.municipality(ORGNR))
    await container.looked.wait()
    hands.now += TRUSTED
    container.open.set()
    await call
    await register.municipality(ORGNR)
    assert len(container.looks) == 2


async def test_a_withdrawn_grant_works_no_longer_than_the_trusted_time(
    register: Register, container: CountingContainer, hands: Hands
) -> None:
    assert await register.grant(ORGNR, "vendor") is not None
    container.documents.clear()
    hands.now += TRUSTED
    assert await register.grant(ORGNR, "vendor") is None


async def test_a_missing_entry_is_remembered_as_long_as_one_that_is_there(
    register: Register, container: CountingContainer, hands: Hands
) -> None:
    assert await register.grant(ORGNR, "new") is None
    container.documents[ORGNR, "grant.new"] = Grant(ORGNR, "new").document()
    assert await register.grant(ORGNR, "new") is None
    hands.now += TRUSTED
    assert await register.grant(ORGNR, "new") is not None


async def test_an_outage_is_told_and_not_remembered(register: Register, container: CountingContainer) -> None:
    container.reachable = False
    with pytest.raises(Unreachable):
        await register.municipality(ORGNR)
    container.reachable = True
    assert await register.municipality(ORGNR) == MUNICIPALITY


async def test_during_an_outage_only_trusted_entries_are_used(
    register: Register, container: CountingContainer, hands: Hands
) -> None:
    await register.municipality(ORGNR)
    container.reachable = False
    assert await register.municipality(ORGNR) == MUNICIPALITY
    hands.now += TRUSTED
    with pytest.raises(Unreachable):
        await register.municipality(ORGNR)


async def test_all_who_waited_for_a_look_that_failed_are_told(register: Register, container: CountingContainer) -> None:
    container.reachable = False
    container.open.clear()
    calls = [asyncio.create_task(register.municipality(ORGNR)) for _ in range(5)]
    await container.looked.wait()
    container.open.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, Unreachable) for each in answers)
    assert len(container.looks) == 1


async def test_without_a_trusted_time_every_call_looks(container: CountingContainer, hands: Hands) -> None:
    register = Register(container, hands, timedelta())
    await register.municipality(ORGNR)
    await register.municipality(ORGNR)
    assert len(container.looks) == 2


async def test_everything_of_the_register_is_found_by_its_key(container: CountingContainer, hands: Hands) -> None:
    register = Register(container, hands)
    for entry in ENTRIES:
        await container.put(entry.document(), partition(entry))
    assert await register.municipality(ORGNR_OF_SAMPLES) == SAMPLE
    assert await register.grant(ORGNR_OF_SAMPLES, GRANT.vkp_id) == GRANT
    assert await register.partner(ORGNR_OF_SAMPLES) == PARTNER
    assert await register.access(ORGNR_OF_SAMPLES, ACCESS.subject) == ACCESS
    assert await register.access(SYSTEMS, OPERATOR.subject) == OPERATOR
    assert await register.system(SYSTEM.vkp_id) == SYSTEM


async def test_a_system_of_which_nothing_is_registered_is_like_all_others(register: Register) -> None:
    assert await register.system("nobody's") == System("nobody's")


async def test_what_is_withdrawn_is_not_there(container: CountingContainer, hands: Hands) -> None:
    await container.put({**Grant(ORGNR, "vendor").document(), "version": 2, "withdrawn": True}, ORGNR)
    assert await Register(container, hands).grant(ORGNR, "vendor") is None


async def test_a_withdrawn_system_is_shut_out_not_forgotten(container: CountingContainer, hands: Hands) -> None:
    blocked = System("v", blocked=True)
    await container.put({**blocked.document(), "version": 2, "withdrawn": True}, SYSTEMS)
    assert (await Register(container, hands).system("v")).blocked


async def test_documents_from_before_this_version_and_from_after_it_are_read(
    container: CountingContainer, hands: Hands
) -> None:
    register = Register(container, hands)
    receiver: Document = {"id": "epj", "url": "http://127.0.0.1", "resources": [], "kind": "fhir", "later": 1}
    early = {"id": "municipality", "orgnr": ORGNR, "type": "municipality", "name": "Eksempel", "receivers": [receiver]}
    await container.put({**early, "later": {"a": 1}, "_etag": "x"}, ORGNR)
    await container.put({"id": "grant.v", "orgnr": ORGNR, "type": "grant", "vkpId": "v", "resources": []}, ORGNR)
    system = {
        "id": "system.v",
        "orgnr": SYSTEMS,
        "type": "system",
        "vkpId": "v",
        "name": "V",
        "rules": {},
        "stu3": True,
    }
    await container.put(system, SYSTEMS)
    assert await register.municipality(ORGNR) == MUNICIPALITY
    grant = await register.grant(ORGNR, "v")
    assert grant == Grant(ORGNR, "v")
    # As it was: sending, to every address, without an end; and nothing that was never granted.
    assert grant.allows("bundle")
    assert (grant.may_send, grant.may_read) == (True, False)
    assert await register.system("v") == System("v", "V", stu3=True)


async def test_what_is_forgotten_is_looked_for_again(register: Register, container: CountingContainer) -> None:
    assert await register.grant(ORGNR, "vendor") is not None
    del container.documents[ORGNR, "grant.vendor"]
    register.forget(ORGNR, "grant.vendor")
    assert await register.grant(ORGNR, "vendor") is None


async def test_what_is_forgotten_during_a_look_is_not_remembered_from_it(
    register: Register, container: CountingContainer
) -> None:
    container.open.clear()
    call = asyncio.create_task(register.grant(ORGNR, "vendor"))
    await container.looked.wait()
    register.forget(ORGNR, "grant.vendor")
    container.open.set()
    await call
    await register.grant(ORGNR, "vendor")
    assert len(container.looks) == 2


async def test_an_entry_is_trusted_for_five_seconds_unless_told_otherwise(
    container: CountingContainer, hands: Hands
) -> None:
    assert timedelta(seconds=5) == DEFAULT
    register = Register(container, hands)
    await register.municipality(ORGNR)
    hands.now += DEFAULT
    await register.municipality(ORGNR)
    assert len(container.looks) == 2


async def test_made_up_names_cannot_fill_the_memory(container: CountingContainer, hands: Hands) -> None:
    register = Register(container, hands, TRUSTED)
    await register.municipality(ORGNR)
    for number in range(5000):
        await register.municipality(f"{number:09}")
        if number % 100 == 0:
            await register.municipality(ORGNR)
    assert len(container.looks) == 5001
    await register.municipality(f"{0:09}")
    assert len(container.looks) == 5002
