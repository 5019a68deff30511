"""What a vendor learns about a message, and what the register changes about it, over the running hub."""

import base64
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores
from shared.fhir.rules import Severity
from shared.registry.model import Content, Grant, Municipality, Receiver, System
from tests.data import SHARED
from tests.flow.hub import World, until
from tests.messages import alarm

NHN_SAMPLE = SHARED / "examples" / "nhn-vkp-samples" / "Bundle_OppfolgingAvVarsel_TrygghetsAlarm.json"
EXAMPLES = Path(__file__).resolve().parents[2] / "sandbox" / "data" / "examples"
VKP_ID = "trygghetsvakt-test"


async def post(
    hub: World, body: bytes, *, orgnr: str = ORGNR, resource: str = "bundle", prefer: str | None = None
) -> tuple[aiohttp.ClientResponse, list[dict[str, Any]]]:
    headers = {"Authorization": f"Bearer {await hub.vendor.token()}", "Content-Type": "application/fhir+json"}
    if prefer is not None:
        headers["Prefer"] = prefer
    async with hub.http.post(f"{hub.api}/epj/r4/{orgnr}/{resource}", data=body, headers=headers) as answer:
        outcome = json.loads(await answer.read())
    return answer, outcome["issue"]


def rules(issues: list[dict[str, Any]], severity: str) -> list[str]:
    return [each["details"]["coding"][2]["code"] for each in issues if each["severity"] == severity]


async def test_an_accepted_message_is_answered_with_what_a_strict_reader_would_refuse(hub: World) -> None:
    answer, issues = await post(hub, NHN_SAMPLE.read_bytes())
    assert answer.status == 202
    assert issues[0]["severity"] == "information"
    assert "repair-empty-string" in rules(issues, "warning")
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize("prefer", ["handling=strict", "respond-async, Handling = strict; wait=1", 'handling="strict"'])
async def test_a_caller_who_asks_for_strict_checking_is_refused_for_it(hub: World, prefer: str) -> None:
    answer, issues = await post(hub, NHN_SAMPLE.read_bytes(), prefer=prefer)
    assert answer.status == 422
    assert "repair-empty-string" in rules(issues, "error")
    assert answer.headers["Preference-Applied"] == "handling=strict"


async def test_a_message_a_strict_reader_takes_is_accepted_strictly(hub: World) -> None:
    answer, issues = await post(hub, (EXAMPLES / "safety-alarm.json").read_bytes(), prefer="handling=strict")
    assert answer.status == 202, issues
    assert answer.headers["Preference-Applied"] == "handling=strict"


async def test_a_registration_makes_a_rule_graver_for_one_system(hub: World) -> None:
    body = json.loads(alarm())
    body["entry"][1]["resource"]["identifier"] = [{"system": "urn:example:device", "value": ""}]
    message = json.dumps(body).encode()
    addresses = hub.hub.addresses
    async with open_stores(addresses.cosmos, addresses.database) as stores:

        async def answered(system: System, status: int) -> None:
            await stores.registry.put(system.document(), "systems")

            async def look() -> bool | None:
                return (await post(hub, message))[0].status == status or None

            await until(look, f"the system's messages to be answered with {status}")

        await answered(System(VKP_ID), 202)
        await answered(System(VKP_ID, rules={"repair-empty-string": Severity.ERROR}), 422)
        await answered(System(VKP_ID), 202)


async def test_a_receiver_gets_the_note_or_both_as_the_register_says(hub: World) -> None:
    orgnr = "310000027"
    addresses = hub.hub.addresses
    url = f"{addresses.epj}/fhir/{orgnr}"
    municipality = Municipality(
        orgnr,
        "Fjordvik kommune (syntetisk)",
        (
            Receiver("original", url),
            Receiver("note", url, content=Content.NOTE, note={"language": "nn", "charset": "cp1252"}),
            Receiver("both", url, content=Content.BOTH),
        ),
        note={"layout": "b"},
    )
    async with open_stores(addresses.cosmos, addresses.database) as stores:
        await stores.registry.put(municipality.document(), orgnr)
        await stores.registry.put(Grant(orgnr, VKP_ID).document(), orgnr)
    body = (EXAMPLES / "safety-alarm.json").read_bytes()
    answer, issues = await post(hub, body, orgnr=orgnr)
    assert answer.status == 202, issues
    await hub.reaches(answer.headers["Location"], "delivered")
    got = {each["idempotencyKey"].rpartition(".")[2]: each for each in await hub.received() if each["orgnr"] == orgnr}
    assert set(got) == {"original", "note", "both"}
    held = {name: await _body(hub, each["idempotencyKey"]) for name, each in got.items()}
    assert held["original"] == body
    nynorsk = json.loads(held["note"])
    assert nynorsk["resourceType"] == "DocumentReference"
    assert nynorsk["custodian"]["display"] == municipality.name
    [content] = nynorsk["content"]
    text = base64.b64decode(content["attachment"]["data"]).decode("cp1252")
    assert "Tryggleiksalarm" in text
    both = [base64.b64decode(each["attachment"]["data"]) for each in json.loads(held["both"])["content"]]
    assert "Trygghetsalarm" in both[0].decode()
    assert both[1] == body


async def test_a_correction_is_a_new_note_that_says_which_it_corrects_and_what_changed(hub: World) -> None:
    orgnr = "310000043"
    addresses = hub.hub.addresses
    receiver = Receiver("note", f"{addresses.epj}/fhir/{orgnr}", content=Content.NOTE)
    async with open_stores(addresses.cosmos, addresses.database) as stores:
        await stores.registry.put(Municipality(orgnr, "Lysvik (syntetisk)", (receiver,)).document(), orgnr)
        await stores.registry.put(Grant(orgnr, VKP_ID).document(), orgnr)
    locations = []
    for name in ("safety-alarm", "safety-alarm-corrected", "safety-alarm-withdrawn"):
        answer, issues = await post(hub, (EXAMPLES / f"{name}.json").read_bytes(), orgnr=orgnr)
        assert answer.status == 202, issues
        locations.append(answer.headers["Location"])
        await hub.reaches(locations[-1], "delivered")
    notes = [each for each in await hub.received() if each["orgnr"] == orgnr]
    first, corrected, withdrawn = [json.loads(await _body(hub, each["idempotencyKey"])) for each in notes]
    assert "relatesTo" not in first
    reference = locations[0].split("/")[-2][-8:]
    text = _text(corrected)
    assert text.startswith("Rettelse: Trygghetsalarm")
    assert f"(ref. {reference})" in text
    assert "Endret:" in text
    assert corrected["relatesTo"][0]["target"]["identifier"] == first["masterIdentifier"]
    assert _text(withdrawn).startswith("Trukket tilbake:")
    assert "albue" not in _text(withdrawn)


def _text(document: dict[str, Any]) -> str:
    return base64.b64decode(document["content"][0]["attachment"]["data"]).decode()


async def _body(hub: World, key: str) -> bytes:
    async with hub.http.get(f"{hub.hub.addresses.epj}/received/{key}") as answer:
        return await answer.read()


async def test_a_message_no_note_may_be_made_of_waits_for_a_person(hub: World) -> None:
    orgnr = "310000035"
    addresses = hub.hub.addresses
    receiver = Receiver("note", f"{addresses.epj}/fhir/{orgnr}", content=Content.NOTE)
    async with open_stores(addresses.cosmos, addresses.database) as stores:
        await stores.registry.put(Municipality(orgnr, "Holmsund (syntetisk)", (receiver,)).document(), orgnr)
        await stores.registry.put(Grant(orgnr, VKP_ID).document(), orgnr)
    message = json.loads((EXAMPLES / "medication-dispensed.json").read_text(encoding="utf-8"))
    message["whenHandedOver"] = "2099-01-15T08:00:00+01:00"
    body = json.dumps(message).encode()
    answer, issues = await post(hub, body, orgnr=orgnr, resource="medicationdispense")
    assert answer.status == 202, issues
    status = await hub.reaches(answer.headers["Location"], "quarantined")
    assert status["receivers"][0]["reason"] == "HUB_NOTE_MEDICATION_FUTURE"
