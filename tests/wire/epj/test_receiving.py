"""What the journal keeps, over its real socket."""

import asyncio
import contextlib
import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.epj.server import Epj, serve
from tests.wire.epj.process import running

ORGNR = "999977774"
ALARM = b'{ "resourceType": "Bundle",\r\n "total": 1.10, "note": "bl\xc3\xa5" }\n'


async def post(
    http: aiohttp.ClientSession,
    url: str,
    key: str | None,
    body: bytes = ALARM,
    path: str = f"/fhir/{ORGNR}/bundle",
    more: dict[str, str] | None = None,
) -> tuple[int, str | None]:
    named = {"Content-Type": "application/fhir+json", **(more or {})} | (
        {} if key is None else {"Idempotency-Key": key}
    )
    async with http.post(url + path, data=body, headers=named) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Location")


async def received(http: aiohttp.ClientSession, url: str, query: str = "") -> list[dict[str, Any]]:
    async with http.get(f"{url}/received{query}") as answer:
        assert answer.status == 200
        entries: list[dict[str, Any]] = await answer.json()
        return entries


async def fetched(http: aiohttp.ClientSession, address: str) -> tuple[int, bytes]:
    async with http.get(address) as answer:
        return answer.status, await answer.read()


async def test_message_is_stored_byte_for_byte_and_listed(epj: Epj, http: aiohttp.ClientSession) -> None:
    status, location = await post(http, epj.url, "k1", more={"traceparent": "00-ab-cd-01", "correlation-id": "c1"})
    assert (status, location) == (201, f"/fhir/{ORGNR}/Bundle/1")
    assert await received(http, epj.url) == [
        {
            "seq": 1,
            "idempotencyKey": "k1",
            "sha256": hashlib.sha256(ALARM).hexdigest(),
            "bytes": len(ALARM),
            "resourceType": "Bundle",
            "orgnr": ORGNR,
            "receivedAt": "2030-03-04T12:00:00.250Z",
            "calls": 1,
            "traceparent": "00-ab-cd-01",
            "correlationId": "c1",
            "contentType": "application/fhir+json",
            "path": f"/fhir/{ORGNR}/bundle",
        }
    ]
    assert await fetched(http, f"{epj.url}/received/k1") == (200, ALARM)
    assert await fetched(http, f"{epj.url}{location}") == (200, ALARM)


async def test_same_key_again_gives_the_same_answer_and_is_stored_once(epj: Epj, http: aiohttp.ClientSession) -> None:
    first = await post(http, epj.url, "k1")
    assert await post(http, epj.url, "k1") == first
    assert [entry["calls"] for entry in await received(http, epj.url)] == [2]


async def test_same_key_at_the_same_moment_is_stored_once(epj: Epj, http: aiohttp.ClientSession) -> None:
    answers = await asyncio.gather(*(post(http, epj.url, "k1") for _ in range(20)))
    assert len(set(answers)) == 1
    assert [entry["calls"] for entry in await received(http, epj.url)] == [20]


@pytest.mark.parametrize(("body", "path"), [(ALARM + b" ", f"/fhir/{ORGNR}/bundle"), (ALARM, "/fhir/999977776/bundle")])
async def test_same_key_for_another_message_is_refused(
    epj: Epj, http: aiohttp.ClientSession, body: bytes, path: str
) -> None:
    await post(http, epj.url, "k1")
    assert (await post(http, epj.url, "k1", body, path))[0] == 422
    assert [entry["calls"] for entry in await received(http, epj.url)] == [1]


async def test_address_without_a_resource_takes_messages_too(epj: Epj, http: aiohttp.ClientSession) -> None:
    assert (await post(http, epj.url, "k1", path=f"/fhir/{ORGNR}"))[0] == 201


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"Bundle"', b"{}", b'{"resourceType": 1}', b"\xff", b"[" * 100_000]
)
async def test_body_that_is_no_resource_is_refused(epj: Epj, http: aiohttp.ClientSession, body: bytes) -> None:
    assert (await post(http, epj.url, "k1", body))[0] == 400
    assert await received(http, epj.url) == []


@pytest.mark.parametrize("key", [None, "", "k" * 256])
async def test_call_without_a_usable_key_is_refused(epj: Epj, http: aiohttp.ClientSession, key: str | None) -> None:
    assert (await post(http, epj.url, key))[0] == 400


async def test_list_goes_on_from_the_last_entry_seen(epj: Epj, http: aiohttp.ClientSession) -> None:
    for number in range(4):
        await post(http, epj.url, f"k{number}")
    assert [entry["idempotencyKey"] for entry in await received(http, epj.url)] == ["k0", "k1", "k2", "k3"]
    assert [entry["idempotencyKey"] for entry in await received(http, epj.url, "?since=2")] == ["k2", "k3"]
    assert (await fetched(http, f"{epj.url}/received?since=x"))[0] == 400


async def test_key_with_any_visible_character_can_be_fetched(epj: Epj, http: aiohttp.ClientSession) -> None:
    await post(http, epj.url, "a/b?c=d&e%20f#g")
    entry = (await received(http, epj.url))[0]
    assert entry["idempotencyKey"] == "a/b?c=d&e%20f#g"
    assert (await fetched(http, f"{epj.url}/received/a/b%3Fc=d&e%2520f%23g"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/received"), ("GET", f"/fhir/{ORGNR}"), ("PUT", f"/fhir/{ORGNR}/bundle")]
)
async def test_what_was_received_cannot_be_taken_away(
    epj: Epj, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    async with http.request(method, epj.url + path) as answer:
        assert answer.status == 405


async def test_unknown_addresses_are_not_found(epj: Epj, http: aiohttp.ClientSession) -> None:
    assert (await post(http, epj.url, "k1", path="/fhir/12345678/bundle"))[0] == 404
    assert (await fetched(http, f"{epj.url}/received/nothing"))[0] == 404
    assert (await fetched(http, f"{epj.url}/fhir/{ORGNR}/Bundle/7"))[0] == 404


async def test_everything_is_kept_over_a_restart_and_keys_stay_known(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with serve(tmp_path) as before:
        first = await post(http, before.url, "k1")
    async with serve(tmp_path) as after:
        assert await post(http, after.url, "k1") == first
        assert (await received(http, after.url))[0]["calls"] == 2


async def test_everything_answered_survives_kill_nine(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    answered: list[str] = []

    async def sender(url: str, name: int) -> None:
        for number in range(1000):
            key = f"{name}-{number}"
            if (await post(http, url, key))[0] == 201:
                answered.append(key)

    async with running("epj", tmp_path) as first:
        senders = [asyncio.create_task(sender(first.facts["url"], name)) for name in range(4)]
        while len(answered) < 40:  # noqa: ASYNC110 - the condition is the senders' progress
            await asyncio.sleep(0.01)
        await first.kill()
        await asyncio.gather(*senders, return_exceptions=True)
    async with running("epj", tmp_path) as second:
        assert second.facts == {"part": "epj", "port": second.facts["port"], "url": second.facts["url"]}
        kept = {entry["idempotencyKey"] for entry in await received(http, second.facts["url"])}
    assert set(answered) <= kept


async def test_journal_of_an_earlier_version_is_read_on(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with serve(tmp_path) as before:
        await post(http, before.url, "k1")
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as earlier:
        earlier.execute("ALTER TABLE received DROP COLUMN path")
    async with serve(tmp_path) as after:
        await post(http, after.url, "k2")
        assert [entry["path"] for entry in await received(http, after.url)] == ["", f"/fhir/{ORGNR}/bundle"]
