"""Request charges are those of the published examples, and every request is booked."""

import json
from typing import Any

import aiohttp
import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosResourceExistsError

from sandbox.cosmos import Served, charge
from sandbox.cosmos.terms import Indexing
from tests.wire.cosmos.conftest import MakeContainer

_ONLY: dict[str, Any] = {
    "indexingMode": "consistent",
    "includedPaths": [{"path": "/type/?"}, {"path": "/names/[]/?"}, {"path": "/aside/at/?"}],
    "excludedPaths": [{"path": "/*"}],
}


def _charged(answer: Any) -> float:
    return float(answer.get_response_headers()["x-ms-request-charge"])


@pytest.mark.parametrize(("kilobytes", "units"), [(0.1, 1.0), (1, 1.0), (2, 1.04), (48, 3.475), (1024, 145.9)])
def test_a_read_costs_what_is_published_for_its_size(kilobytes: float, units: float) -> None:
    assert charge.read(int(kilobytes * 1024)) == pytest.approx(units, abs=0.01)


def test_writes_cost_what_the_published_examples_say() -> None:
    # The page rounds 4.95 to 5.0, so each of its examples is 0.05 more for each write in it.
    assert charge.create(1024, terms=10) == pytest.approx(7.0, abs=0.06)
    assert charge.replace(1024, 1024, gone=2, come=2) == pytest.approx(10.8, abs=0.11)
    assert charge.patch(1024, 1024, gone=2, come=2, operations=2) == pytest.approx(11.6, abs=0.11)
    assert charge.delete(1024, terms=10) == pytest.approx(7.0, abs=0.06)


def test_five_documents_of_a_feed_cost_what_five_reads_cost() -> None:
    assert charge.changes(5, 5 * 1024) == 5 * charge.read(1024)
    assert charge.query(5, 5, 5 * 1024, partition=True) == charge.QUERY_PARTITION + 5 * charge.read(1024)


def test_only_included_paths_are_paid_for() -> None:
    indexing = Indexing.of(_ONLY)
    document: dict[str, Any] = {
        "id": "1", "_ts": 5, "type": "event", "names": ["a", "b", "a"], "other": 1, "aside": {"at": None, "cause": "x"},
    }  # fmt: skip
    assert len(indexing.terms(document)) == 4
    assert len(Indexing.of({"includedPaths": [], "excludedPaths": [{"path": "/*"}]}).terms(document)) == 0


def test_without_a_policy_every_value_is_paid_for_but_system_properties() -> None:
    document: dict[str, Any] = {"id": "1", "_ts": 5, "_etag": "x", "a": [1, 2, {"b": None}], "c": {"d": True}}
    assert len(Indexing.of(None).terms(document)) == 4
    policy: dict[str, Any] = {"includedPaths": [{"path": "/*"}], "excludedPaths": [{"path": "/a/*"}]}
    assert len(Indexing.of(policy).terms(document)) == 1


async def test_what_is_indexed_makes_writes_dearer(make_container: MakeContainer) -> None:
    body = {"pk": "A", "type": "t", "other": 1}
    lean = await make_container(indexing_policy=_ONLY)
    full = await make_container()
    assert _charged(await full.create_item({**body, "id": "1"})) == pytest.approx(charge.create(500, 3))
    assert _charged(await lean.create_item({**body, "id": "1"})) == pytest.approx(charge.create(500, 1))


async def test_a_patch_pays_only_for_the_terms_it_changes(make_container: MakeContainer) -> None:
    container = await make_container(indexing_policy=_ONLY)
    await container.create_item({"id": "1", "pk": "A", "type": "t", "other": 1})
    beside = await container.patch_item("1", "A", [{"op": "set", "path": "/other", "value": 2}])
    assert _charged(beside) == pytest.approx(charge.patch(500, 500, 0, 0, 1))
    indexed = await container.patch_item("1", "A", [{"op": "set", "path": "/type", "value": "u"}])
    assert _charged(indexed) == pytest.approx(charge.patch(500, 500, 1, 1, 1))


async def test_an_upsert_over_a_document_costs_as_a_replacement(make_container: MakeContainer) -> None:
    container = await make_container(indexing_policy=_ONLY)
    first = await container.upsert_item({"id": "1", "pk": "A", "type": "t"})
    again = await container.upsert_item({"id": "1", "pk": "A", "type": "u"})
    assert _charged(first) == charge.create(500, 1)
    assert _charged(again) == charge.replace(500, 500, 1, 1)


async def test_declared_containers_index_what_is_declared(messages: ContainerProxy) -> None:
    policy = (await messages.read())["indexingPolicy"]
    assert {"path": "/due/?"} in policy["includedPaths"]
    assert policy["excludedPaths"] == [{"path": "/*"}]


async def test_every_request_is_booked_to_its_container(account: Served, messages: ContainerProxy) -> None:
    async def booked() -> dict[str, Any]:
        url = f"{account.endpoint}_sandbox/counters"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            found: dict[str, Any] = json.loads(await answer.text())["charges"]["knutepunkt/messages"]
        return found

    await messages.create_item({"id": "booked", "partition": "booked"})
    await messages.read_item("booked", "booked")
    before = await booked()
    units = _charged(await messages.read_item("booked", "booked"))
    with pytest.raises(CosmosResourceExistsError):
        await messages.create_item({"id": "booked", "partition": "booked"})
    after = await booked()
    assert after["read"]["requests"] == before["read"]["requests"] + 1
    assert after["read"]["units"] == pytest.approx(before["read"]["units"] + units, abs=0.011)
    assert after["create"]["units"] == pytest.approx(before["create"]["units"] + charge.REFUSED, abs=0.011)
