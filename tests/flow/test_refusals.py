"""What cannot be accepted: the right status, an OperationOutcome that says what to mend, and never a 5xx."""

import json
from typing import Any

import aiohttp
import pytest

from sandbox.hub_parts import ORGNR
from tests.flow.hub import World
from tests.messages import alarm, alarm_json

PATH = f"/epj/r4/{ORGNR}/bundle"


async def call(
    hub: World, *, path: str = PATH, body: bytes | None = None, token: str | None = "", method: str = "POST",
    content_type: str | None = "application/fhir+json",
) -> tuple[aiohttp.ClientResponse, dict[str, Any]]:  # fmt: skip
    """Call the hub; token "" is a good one, None none. Checks that the answer is an OperationOutcome."""
    headers: dict[str, str] = {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token or await hub.vendor.token()}"
    if content_type is not None:
        headers["Content-Type"] = content_type
    url = f"{hub.api}{path}"
    async with hub.http.request(method, url, data=body, headers=headers) as answer:
        text = await answer.text()
    outcome: dict[str, Any] = json.loads(text)
    assert outcome["resourceType"] == "OperationOutcome"
    assert answer.content_type == "application/fhir+json"
    for issue in outcome["issue"]:
        assert issue["severity"] in {"error", "fatal", "warning", "information"}
        assert issue["code"]
        assert issue["details"]["coding"][0]["system"].endswith("vkp-operation-outcome-v090")
        assert issue["details"]["text"]
        assert issue["diagnostics"]
        assert issue["expression"]
    return answer, outcome


async def mint(hub: World, **switches: object) -> str:
    """A test token with something about it."""
    url = f"{hub.hub.addresses.helseid}/_sandbox/mint"
    async with hub.http.post(url, json={"client_id": "trygghetsvakt", **switches}) as answer:
        assert answer.status == 200, await answer.text()
        token: str = (await answer.json())["access_token"]
        return token


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/epj/r4/999999999/bundle", 404),
        ("/epj/r4/not-a-number/bundle", 404),
        (f"/epj/r4/{ORGNR}/patient", 404),
        (f"/epj/r4/{ORGNR}/bundle/extra/segments/here", 404),
        ("/nothing/here", 404),
    ],
)
async def test_an_unknown_address_is_404(hub: World, path: str, status: int) -> None:
    answer, _ = await call(hub, path=path, body=alarm())
    assert answer.status == status


async def test_a_wrong_method_is_told_the_right_one(hub: World) -> None:
    answer, _ = await call(hub, method="PUT", body=alarm())
    assert answer.status == 404
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"   \n ", 400),
        (b"not json", 400),
        (b"\xff\xfe\x00", 400),
        (b'{"resourceType": "Bundle", "resourceType": "Bundle"}', 400),
        (b'{"resourceType": "Bundle", "total": NaN}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
        (b"[]", 400),
        (b"{}", 422),
        (b'{"resourceType": "Patient"}', 422),
        (b'{"resourceType": "Bundle"}', 422),
        (b'{"resourceType": "Bundle", "type": "document"}', 422),
        (b"x" * (5 * 1024 * 1024), 413),
        (b'{"resourceType": "Bundle", "id": "' + b"1" * 1_048_576 + b'"}', 413),
    ],
    ids=[
        "empty", "blank", "not-json", "not-utf8", "duplicate-key", "nan", "deep-array", "deep-object", "array",
        "no-type", "wrong-type", "no-bundle-type", "no-composition", "5-MB", "just-over-1-MiB",
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_accepted_is_the_callers_to_mend(hub: World, body: bytes, status: int) -> None:
    answer, _ = await call(hub, body=body)
    assert answer.status == status


@pytest.mark.parametrize("content_type", ["application/xml", "text/html", "application/fhir+xml"])
async def test_a_wrong_content_type_is_400(hub: World, content_type: str) -> None:
    answer, outcome = await call(hub, body=alarm(), content_type=content_type)
    assert answer.status == 400
    assert "content type" in outcome["issue"][0]["details"]["text"].lower()


async def test_two_patients_in_one_message_are_refused(hub: World) -> None:
    message = alarm_json("60001")
    message["entry"][1]["resource"]["patient"]["identifier"]["value"] = "60002"
    answer, outcome = await call(hub, body=json.dumps(message).encode())
    assert answer.status == 422
    assert "6000" not in json.dumps(outcome)


async def test_no_token_is_401_with_a_bare_challenge(hub: World) -> None:
    answer, _ = await call(hub, body=alarm(), token=None)
    assert answer.status == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert "error" not in challenge
    assert challenge.startswith("DPoP algs=")
    assert challenge.endswith(", Bearer")


@pytest.mark.parametrize(
    "switches",
    [
        {"expired": True},
        {"not_yet_valid": True},
        {"audience": "nhn:another-api"},
        {"issuer": "https://helseid.example"},
        {"wrong_key": True},
        {"alg": "none"},
        {"alg": "HS256"},
        {"without_vkp_id": True},
        {"client_amr": "client_secret_basic"},
        {"dpop_bound": True},
        {"duplicate_key": True},
    ],
    ids=lambda switches: "-".join(f"{name}-{value}" for name, value in switches.items()),
)
async def test_a_token_that_does_not_hold_is_401(hub: World, switches: dict[str, object]) -> None:
    answer, _ = await call(hub, body=alarm(), token=await mint(hub, **switches))
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_a_good_minted_token_is_accepted(hub: World) -> None:
    # Otherwise the refusals above might be for another reason.
    headers = {"Authorization": f"Bearer {await mint(hub)}"}
    async with hub.http.post(f"{hub.api}{PATH}", data=alarm(), headers=headers) as answer:
        assert answer.status == 202, await answer.text()


async def test_a_token_without_the_scope_is_403(hub: World) -> None:
    token = await mint(hub, scope=["nhn:vkp/api/user/observation.write"])
    answer, _ = await call(hub, body=alarm(), token=token)
    assert answer.status == 403


async def test_a_system_the_municipality_has_not_let_in_is_403(hub: World) -> None:
    answer, _ = await call(hub, body=alarm(), token=await hub.stranger.token())
    assert answer.status == 403


async def test_nothing_of_a_refused_message_is_delivered(hub: World) -> None:
    before = len(await hub.received())
    body = alarm()
    answer, _ = await call(hub, body=body, token=await hub.stranger.token())
    assert answer.status == 403
    # The same road, a moment later: whatever was stored before it would have arrived before it.
    marker = alarm()
    await hub.accepted(marker)
    await hub.arrives(marker)
    assert await hub.got(body) is None
    assert len(await hub.received()) >= before + 1


async def test_health_metadata_and_openapi_are_there_for_anyone(hub: World) -> None:
    async with hub.http.get(f"{hub.api}/health") as answer:
        # From a checkout: which release it is, only a package knows.
        assert await answer.json() == {
            "status": "ok", "dependencies": {"cosmos": "ok", "servicebus": "ok"}, "release": "unpackaged",
        }  # fmt: skip
    async with hub.http.get(f"{hub.api}/metadata") as answer:
        statement = await answer.json()
        assert statement["resourceType"] == "CapabilityStatement"
        assert statement["fhirVersion"] == "4.0.1"
    async with hub.http.get(f"{hub.api}/openapi.json") as answer:
        assert "/epj/r4/{orgnr}/{resource}" in (await answer.json())["paths"]
