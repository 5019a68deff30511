"""`$process-message`: a message answered with a message, over the running hub."""

import json
from pathlib import Path
from typing import Any

import aiohttp
from fhir.resources.R4B.bundle import Bundle

from sandbox.hub_parts import ORGNR
from tests.flow.hub import World
from tests.messages import alarm

EXAMPLE = Path(__file__).resolve().parents[2] / "sandbox" / "data" / "examples" / "message-medication-dispensed.json"


async def process(hub: World, body: bytes, token: str | None = None) -> tuple[aiohttp.ClientResponse, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token or await hub.vendor.token()}", "Content-Type": "application/fhir+json"}
    url = f"{hub.api}/epj/r4/{ORGNR}/$process-message"
    async with hub.http.post(url, data=body, headers=headers) as answer:
        return answer, json.loads(await answer.read())


def header_of(bundle: dict[str, Any]) -> dict[str, Any]:
    Bundle.model_validate(bundle)
    assert bundle["type"] == "message"
    header: dict[str, Any] = bundle["entry"][0]["resource"]
    assert bundle["entry"][1]["fullUrl"] == header["response"]["details"]["reference"]
    return header


async def test_a_message_is_stored_delivered_and_answered_with_a_message(hub: World) -> None:
    body = EXAMPLE.read_bytes()
    request = json.loads(body)["entry"][0]["resource"]
    answer, bundle = await process(hub, body)
    assert answer.status == 202
    header = header_of(bundle)
    assert header["response"]["identifier"] == request["id"]
    assert header["response"]["code"] == "ok"
    assert header["eventCoding"]["code"] == request["eventCoding"]["code"]
    assert bundle["entry"][1]["resource"]["issue"][0]["severity"] == "information"
    assert (await hub.arrives(body))["bytes"] == len(body)
    await hub.reaches(answer.headers["Location"], "delivered")


async def test_a_message_that_cannot_be_taken_is_answered_with_a_fatal_error_and_its_findings(hub: World) -> None:
    message = json.loads(EXAMPLE.read_bytes())
    del message["entry"][1]["resource"]["category"]
    answer, bundle = await process(hub, json.dumps(message).encode())
    assert answer.status == 422
    assert header_of(bundle)["response"]["code"] == "fatal-error"
    outcome = bundle["entry"][1]["resource"]
    assert "Bundle.entry[1].resource.category" in [each["expression"][0] for each in outcome["issue"]]


async def test_what_no_answer_could_refer_to_is_answered_with_the_outcome_alone(hub: World) -> None:
    for body, status in ((alarm(), 422), (b"{", 400)):
        answer, outcome = await process(hub, body)
        assert answer.status == status
        assert outcome["resourceType"] == "OperationOutcome"


async def test_a_stranger_gets_nothing_of_the_message_back(hub: World) -> None:
    answer, outcome = await process(hub, EXAMPLE.read_bytes(), token="nonsense")
    assert answer.status == 401
    assert outcome["resourceType"] == "OperationOutcome"
