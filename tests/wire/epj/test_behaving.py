"""The journal misbehaves as it is told to, for as long as it is told to."""

import asyncio
from typing import Any

import aiohttp
import pytest

from sandbox.epj.server import Epj
from tests.wire.epj.test_receiving import ORGNR, post, received


async def behave(http: aiohttp.ClientSession, url: str, **rule: Any) -> tuple[int, Any]:
    async with http.post(f"{url}/behave", json=rule) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("mode", ["500", 500, 400, 409, "429", "503", "410"])
async def test_told_status_is_answered_and_nothing_stored(
    epj: Epj, http: aiohttp.ClientSession, mode: str | int
) -> None:
    await behave(http, epj.url, mode=mode)
    assert (await post(http, epj.url, "k1"))[0] == int(mode)
    assert await received(http, epj.url) == []


async def test_behaviour_lasts_for_its_count_then_all_is_well(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="500", count=2)
    assert [(await post(http, epj.url, "k1"))[0] for _ in range(3)] == [500, 500, 201]


async def test_behaviour_without_count_lasts_until_ok(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="500")
    assert [(await post(http, epj.url, "k1"))[0] for _ in range(3)] == [500, 500, 500]
    await behave(http, epj.url, mode="ok")
    assert (await post(http, epj.url, "k1"))[0] == 201


async def test_retry_after_is_sent_with_the_refusal(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="429", retryAfter=7)
    async with http.post(f"{epj.url}/fhir/{ORGNR}", data=b"{}", headers={"Idempotency-Key": "k"}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert (await answer.json(content_type=None))["resourceType"] == "OperationOutcome"


async def test_reset_cuts_the_connection_before_anything_is_stored(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="reset", count=1)
    with pytest.raises((aiohttp.ClientConnectionError, ConnectionResetError)):
        await post(http, epj.url, "k1")
    assert await received(http, epj.url) == []
    assert (await post(http, epj.url, "k1"))[0] == 201


async def test_accept_then_drop_stores_but_loses_the_answer(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="accept-then-drop", count=1)
    with pytest.raises((aiohttp.ClientConnectionError, ConnectionResetError)):
        await post(http, epj.url, "k1")
    assert [entry["calls"] for entry in await received(http, epj.url)] == [1]
    assert await post(http, epj.url, "k1") == (201, f"/fhir/{ORGNR}/Bundle/1")
    assert [entry["calls"] for entry in await received(http, epj.url)] == [2]


async def test_slow_answers_late_but_answers(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="slow", delayMs=60_000, count=1)
    slow = asyncio.create_task(post(http, epj.url, "k1"))
    while "count" in (await _in_force(http, epj.url)):  # noqa: ASYNC110 - the condition is in the server
        await asyncio.sleep(0.005)
    assert (await post(http, epj.url, "k2"))[0] == 201
    assert not slow.done()
    slow.cancel()
    await behave(http, epj.url, mode="slow", delayMs=1, count=1)
    assert (await post(http, epj.url, "k3"))[0] == 201


async def test_rule_for_one_key_leaves_other_calls_alone(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="500", idempotencyKey="bad", count=1)
    assert (await post(http, epj.url, "good"))[0] == 201
    assert [(await post(http, epj.url, "bad"))[0] for _ in range(2)] == [500, 201]


async def test_rule_in_force_is_shown(epj: Epj, http: aiohttp.ClientSession) -> None:
    assert await _in_force(http, epj.url) == {"mode": "ok", "keys": []}
    await behave(http, epj.url, mode="500", count=3, retryAfter=2)
    await behave(http, epj.url, mode="409", idempotencyKey="k")
    await post(http, epj.url, "other")
    assert await _in_force(http, epj.url) == {
        "mode": "500",
        "count": 2,
        "retryAfter": 2,
        "keys": [{"mode": "409", "idempotencyKey": "k"}],
    }


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"mode": "bad"},
        {"mode": "200"},
        {"mode": 600},
        {"mode": True},
        {"mode": "ok", "count": 0},
        {"mode": "ok", "x": 1},
    ],
)
async def test_rule_that_is_not_understood_is_refused(
    epj: Epj, http: aiohttp.ClientSession, rule: dict[str, Any]
) -> None:
    status, answer = await behave(http, epj.url, **rule)
    assert status == 400
    assert answer["wrong"]


async def _in_force(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with http.get(f"{url}/behave") as answer:
        shown: dict[str, Any] = await answer.json()
        return shown


async def test_rule_for_one_path_leaves_other_receivers_alone(epj: Epj, http: aiohttp.ClientSession) -> None:
    first, second = f"/fhir/{ORGNR}/first", f"/fhir/{ORGNR}/second"
    await behave(http, epj.url, mode="500", path=first)
    await behave(http, epj.url, mode="503", path=second, count=1)
    assert [(await post(http, epj.url, "k1", path=path))[0] for path in (first, second, second)] == [500, 503, 201]
    await behave(http, epj.url, mode="ok", path=first)
    assert (await post(http, epj.url, "k2", path=first))[0] == 201
    assert [entry["path"] for entry in await received(http, epj.url)] == [second, first]


async def test_rule_for_what_holds_a_text_leaves_other_patients_alone(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="422", contains="40001")
    bodies = [b'{"resourceType": "Bundle", "id": "%s"}' % id for id in (b"40001", b"40002")]
    assert [(await post(http, epj.url, f"k{at}", body))[0] for at, body in enumerate(bodies)] == [422, 201]


async def test_narrower_rule_goes_before_a_wider_one(epj: Epj, http: aiohttp.ClientSession) -> None:
    path = f"/fhir/{ORGNR}/bundle"
    await behave(http, epj.url, mode="500")
    await behave(http, epj.url, mode="501", path=path)
    await behave(http, epj.url, mode="502", contains="total")
    await behave(http, epj.url, mode="503", idempotencyKey="k1")
    statuses = []
    for narrow in ({"idempotencyKey": "k1"}, {"contains": "total"}, {"path": path}, {}, {}):
        statuses.append((await post(http, epj.url, "k1"))[0])
        await behave(http, epj.url, mode="ok", **narrow)
    assert statuses == [503, 502, 501, 500, 201]


async def test_retry_after_can_be_a_date(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="503", retryAfter=90, retryAfterAs="date")
    async with http.post(f"{epj.url}/fhir/{ORGNR}", data=b"{}", headers={"Idempotency-Key": "k"}) as answer:
        assert answer.headers["Retry-After"] == "Mon, 04 Mar 2030 12:01:30 GMT"


async def test_409_known_says_that_it_has_the_message_already(epj: Epj, http: aiohttp.ClientSession) -> None:
    await behave(http, epj.url, mode="409-known")
    assert [(await post(http, epj.url, key))[0] for key in ("k1", "k1", "k2")] == [201, 409, 201]
    assert [entry["calls"] for entry in await received(http, epj.url)] == [2, 1]
