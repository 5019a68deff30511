"""The main road: from a vendor's call to the EPJ."""

import asyncio
import hashlib
import json

import pytest

from sandbox.stores import open_stores, timeline
from tests.data import SHARED
from tests.flow.hub import World, until
from tests.messages import alarm

NHN_SAMPLE = SHARED / "examples" / "nhn-vkp-samples" / "Bundle_OppfolgingAvVarsel_TrygghetsAlarm.json"


async def test_nhns_sample_reaches_the_epj_byte_for_byte(hub: World) -> None:
    body = NHN_SAMPLE.read_bytes()
    location = await hub.accepted(body)
    received = await hub.arrives(body)
    assert received["bytes"] == len(body)
    assert received["resourceType"] == "Bundle"
    async with hub.http.get(f"{hub.hub.addresses.epj}/received/{received['idempotencyKey']}") as answer:
        assert await answer.read() == body
    status = await hub.reaches(location, "delivered")
    assert status["registered"] <= status["routed"] <= status["delivered"]
    assert status["failed"] is None
    assert [each["attempts"] for each in status["receivers"]] == [1]


async def test_numbers_and_spaces_are_not_touched_on_the_way(hub: World) -> None:
    # 6.30 and a fraction of seven digits: what FHIR libraries lose when they write a message again.
    body = alarm().replace(b'"title": "Alarm"', b'"title" :  "Alarm 6.30 \\u00e6"', 1) + b"\n  \n"
    await hub.accepted(body)
    assert (await hub.arrives(body))["sha256"] == hashlib.sha256(body).hexdigest()


async def test_same_event_twice_is_delivered_once(hub: World) -> None:
    body = alarm("50001")
    first = await hub.accepted(body)
    await hub.reaches(first, "delivered")
    again = await hub.accepted(body)
    assert again == first
    status = await hub.reaches(first, "delivered")
    assert status["receivers"][0]["attempts"] == 1
    assert (await hub.arrives(body))["calls"] == 1


async def test_same_event_at_the_same_moment_is_delivered_once_and_answered_alike(hub: World) -> None:
    for patient in ("50002", "50003", "50004"):
        body = alarm(patient)
        locations = await asyncio.gather(*(hub.accepted(body) for _ in range(8)))
        assert len(set(locations)) == 1
        await hub.reaches(locations[0], "delivered")
        assert (await hub.arrives(body))["calls"] == 1


async def test_same_identifier_with_other_content_is_another_event(hub: World) -> None:
    first, corrected = (alarm("50005", identifier="sak-1", text=text) for text in ("Alarm", "Alarm, rettet"))
    assert await hub.accepted(first) != await hub.accepted(corrected)
    await hub.arrives(first)
    await hub.arrives(corrected)


async def test_messages_about_a_patient_arrive_in_the_order_accepted(hub: World) -> None:
    bodies = [alarm("50006", text=f"Alarm {number}") for number in range(15)]
    for body in bodies:
        await hub.accepted(body)
    await hub.arrives(bodies[-1])
    wanted = [hashlib.sha256(body).hexdigest() for body in bodies]
    assert [each["sha256"] for each in await hub.received() if each["sha256"] in wanted] == wanted


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", None])
async def test_content_types_of_real_clients_are_taken(hub: World, content_type: str | None) -> None:
    body = alarm()
    headers = {"Authorization": f"Bearer {await hub.vendor.token()}"}
    skip = [] if content_type else ["Content-Type"]
    if content_type:
        headers["Content-Type"] = content_type
    url = f"{hub.api}/epj/r4/{hub.hub.addresses.orgnr}/Bundle"
    async with hub.http.post(url, data=body, headers=headers, skip_auto_headers=skip) as answer:
        assert answer.status == 202, await answer.text()
    await hub.arrives(body)


async def test_the_answer_to_an_accepted_message_names_its_id_and_what_to_mend(hub: World) -> None:
    answer = await hub.post(NHN_SAMPLE.read_bytes())
    assert answer.status == 202
    assert answer.message_id is not None
    assert answer.issues[0].severity == "information"
    assert answer.message_id in answer.issues[0].diagnostics
    assert {issue.severity for issue in answer.issues[1:]} <= {"warning", "information"}
    assert any("identifier[0].value" in place for issue in answer.issues for place in issue.expression)
    assert all(issue.code and issue.text and issue.diagnostics and issue.details_code for issue in answer.issues)


async def test_the_trace_and_the_correlation_id_reach_the_epj(hub: World) -> None:
    body = alarm()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {
        "Authorization": f"Bearer {await hub.vendor.token()}",
        "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
        "Correlation-Id": "vaktsentral-17",
    }
    async with hub.http.post(f"{hub.api}/epj/r4/310000019/bundle", data=body, headers=headers) as answer:
        assert answer.status == 202
        assert answer.headers["Correlation-Id"] == "vaktsentral-17"
    received = await hub.arrives(body)
    assert received["correlationId"] == "vaktsentral-17"
    assert received["traceparent"].split("-")[1] == trace


async def test_the_status_is_for_the_sender_and_nobody_else(hub: World) -> None:
    location = await hub.accepted(alarm())
    headers = {"Authorization": f"Bearer {await hub.stranger.token()}"}
    async with hub.http.get(location, headers=headers) as answer:
        assert answer.status == 404
    async with hub.http.get(location) as answer:
        assert answer.status == 401
        assert {each.split()[0] for each in answer.headers["WWW-Authenticate"].split(", ")} >= {"DPoP", "Bearer"}
    async with hub.http.get(location.replace("/bundle/", "/observation/"), headers=headers) as answer:
        assert answer.status == 404


async def test_every_station_is_on_the_timeline(hub: World) -> None:
    body = alarm()
    location = await hub.accepted(body)
    await hub.reaches(location, "delivered")
    message = location.split("/")[-2]
    entries = await timeline(hub.hub.addresses.cosmos, hub.hub.addresses.database, message)
    assert [(each.station, each.where) for each in entries] == [
        ("received", "hub"), ("routed", "hub"), ("delivered", "epj"),
    ]  # fmt: skip
    assert [each.at for each in entries] == sorted(each.at for each in entries)


async def test_nothing_of_the_payload_is_outside_it(hub: World) -> None:
    # P6: canaries in every free field, then a look at all that the parts have written about the message.
    patient, name, system = "canary-patient-4711", "Kanarifugl Kåresdatter", "urn:example:canary-system"
    body = alarm(patient, text=name, system=system, identifier="canary-identifier-4712")
    location = await hub.accepted(body)
    await hub.reaches(location, "delivered")
    broken = json.loads(body)
    broken["entry"][0]["resource"]["date"] = "canary-date"
    refused = await hub.post(json.dumps(broken).encode())
    assert refused.status == 422
    canaries = [patient, name, "Kanarifugl", system, "canary-identifier-4712", "canary-date"]
    async with hub.http.get(location, headers={"Authorization": f"Bearer {await hub.vendor.token()}"}) as answer:
        seen = await answer.text()
    seen += refused.body.decode() + location
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        for container in (stores.refusals, stores.registry):
            seen += json.dumps(list(await container.query("SELECT * FROM c", {}, 10_000)), ensure_ascii=False)
    folder = hub.hub.folder
    files = [*(folder / "logs").glob("*.log"), *(folder / "servicebus").glob("*")]
    raw = b"".join(file.read_bytes() for file in files if file.is_file())
    for canary in canaries:
        assert canary not in seen
        assert canary.encode() not in raw


async def test_a_refusal_is_kept_and_nothing_else(hub: World) -> None:
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        count = "SELECT c.id FROM c WHERE c.type = 'refusal'"
        before = len(await stores.refusals.query(count, {}, 10_000))
        assert (await hub.post(b'{"resourceType": "Bundle"}')).status == 422

        async def kept() -> bool:
            return len(await stores.refusals.query(count, {}, 10_000)) == before + 1

        await until(kept, "the refusal to be kept")
        newest = await stores.refusals.query("SELECT TOP 1 * FROM c ORDER BY c.at DESC", {}, 1)
        assert newest[0]["status"] == 422
        assert newest[0]["vkpId"] == "trygghetsvakt-test"
