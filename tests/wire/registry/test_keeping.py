"""The register over the real Cosmos SDK: an entry and its history are written together or not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from shared.azure.cosmos import LazyContainer
from shared.clock import utc_now
from shared.messages.documents import Document
from shared.registry import files
from shared.registry.changes import change
from shared.registry.entries import Entry, entry_of, partition
from shared.registry.keeping import Conflict, Registry
from shared.registry.model import SYSTEMS, Grant, Municipality, Receiver, grant_id
from shared.registry.register import Register
from tests.unit.registry.samples import (
    ENTRIES,
    GRANT,
    HOUSE,
    MUNICIPALITY,
    NOW,
    SYSTEM,
    WHO,
    WHY,
)

_numbers = count(310_100_000)


@pytest.fixture
def orgnr() -> str:
    """A municipality that no other test has."""
    return str(next(_numbers))


@pytest.fixture
def registry(container: LazyContainer) -> Registry:
    return Registry(container)


async def put(registry: Registry, entry: Entry | None, current: Document | None = None) -> None:
    made = change(current, entry, WHO, WHY, NOW)
    assert made is not None
    await registry.write(made)


async def test_each_kind_of_entry_is_kept_and_read_back(registry: Registry) -> None:
    for entry in ENTRIES:
        await put(registry, entry)
        document = await registry.read(partition(entry), entry.document()["id"])
        assert document is not None
        assert entry_of(document) == entry
        assert document["version"] == 1


async def test_of_two_who_change_the_same_version_one_is_told(registry: Registry, orgnr: str) -> None:
    grant = replace(GRANT, orgnr=orgnr)
    await put(registry, grant)
    current = await registry.read(orgnr, grant_id(grant.vkp_id))
    changes = [change(current, replace(grant, approved_by=f"unit {name}"), WHO, WHY, NOW) for name in "abcdef"]
    done = await asyncio.gather(*(registry.write(each) for each in changes if each), return_exceptions=True)
    assert [each for each in done if each is None] == [None]
    assert sum(isinstance(each, Conflict) for each in done) == 5
    assert len((await registry.history(orgnr)).documents) == 2


async def test_of_two_who_make_the_same_entry_one_is_told(registry: Registry, orgnr: str) -> None:
    grant = replace(GRANT, orgnr=orgnr)
    await put(registry, grant)
    with pytest.raises(Conflict):
        await put(registry, replace(grant, approved_by="another"))
    assert len((await registry.history(orgnr)).documents) == 1


async def test_a_change_without_its_history_is_not_made(
    registry: Registry, container: LazyContainer, orgnr: str
) -> None:
    grant = replace(GRANT, orgnr=orgnr)
    await put(registry, grant)
    # Somebody has taken the history's place.
    await container.put({"id": f"history.{grant_id(grant.vkp_id)}.2", "orgnr": orgnr, "type": "x"}, orgnr)
    current = await registry.read(orgnr, grant_id(grant.vkp_id))
    with pytest.raises(Conflict):
        await put(registry, replace(grant, may_send=False), current)
    assert entry_of(await registry.read(orgnr, grant_id(grant.vkp_id))) == grant


async def test_a_document_from_before_versions_is_changed_and_then_has_one(
    registry: Registry, container: LazyContainer, orgnr: str
) -> None:
    early = {"id": "municipality", "orgnr": orgnr, "type": "municipality", "name": "Tidlig",
             "receivers": [{"id": "epj", "url": "http://127.0.0.1:1", "resources": []}]}  # fmt: skip
    await container.put(early, orgnr)
    current = await registry.read(orgnr, "municipality")
    wanted = Municipality(orgnr, "Tidlig", (Receiver("epj", "http://127.0.0.1:2"),), number="9902", retention_days=5)
    await put(registry, wanted, current)
    with pytest.raises(Conflict):
        await put(registry, wanted, current)
    document = await registry.read(orgnr, "municipality")
    assert document is not None
    assert document["version"] == 1
    assert entry_of(document) == wanted


async def test_a_withdrawn_entry_is_gone_for_all_and_its_versions_go_on(
    registry: Registry, container: LazyContainer, orgnr: str
) -> None:
    grant = replace(GRANT, orgnr=orgnr)
    id = grant_id(grant.vkp_id)
    await put(registry, grant)
    await put(registry, None, await registry.read(orgnr, id))
    assert await Register(container, utc_now, timedelta()).grant(orgnr, grant.vkp_id) is None
    assert await registry.everything(orgnr) == ()
    assert (await registry.page(orgnr, "grant")).documents == ()
    await put(registry, replace(grant, may_read=False), await registry.read(orgnr, id))
    document = await registry.read(orgnr, id)
    assert document is not None
    assert document["version"] == 3
    assert await Register(container, utc_now, timedelta()).grant(orgnr, grant.vkp_id) == replace(grant, may_read=False)


async def test_pages_together_are_the_whole_list_each_once(registry: Registry, orgnr: str) -> None:
    for number in range(7):
        await put(registry, replace(GRANT, orgnr=orgnr, vkp_id=f"v-{number}"))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await registry.page(orgnr, "grant", after, 3)
        assert len(page.documents) <= 3
        seen += [each["vkpId"] for each in page.documents]
        after = page.next
    assert seen == [f"v-{number}" for number in range(7)]


async def test_history_is_told_the_latest_first_even_of_the_same_moment(registry: Registry, orgnr: str) -> None:
    for number in range(5):
        await put(registry, replace(GRANT, orgnr=orgnr, vkp_id=f"v-{number}"))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await registry.history(orgnr, after, 2)
        seen += [each["of"] for each in page.documents]
        after = page.next
    assert seen == [f"grant.v-{number}" for number in reversed(range(5))]


async def test_a_file_of_what_is_there_changes_nothing(registry: Registry, orgnr: str) -> None:
    for entry in (replace(MUNICIPALITY, orgnr=orgnr), replace(GRANT, orgnr=orgnr)):
        await put(registry, entry)
    if await registry.read(SYSTEMS, SYSTEM.document()["id"]) is None:
        await put(registry, SYSTEM)
    documents = [*await registry.everything(orgnr), *await registry.everything(SYSTEMS)]
    wanted = files.read(files.export(documents))
    kept = {(each["orgnr"], each["id"]): each for each in documents}
    assert files.plan(wanted, kept, HOUSE, WHO, WHY) == ()


async def test_a_system_may_have_any_name_that_a_token_can_hold(registry: Registry, orgnr: str) -> None:
    name = "Leverandør/System?#\\ æøå 100%" + "x" * 90
    grant: Grant = replace(GRANT, orgnr=orgnr, vkp_id=name)
    await put(registry, grant)
    assert entry_of(await registry.read(orgnr, grant_id(name))) == grant
