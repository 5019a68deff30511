"""People at the registry and the log, and tokens bound to a key, over the running hub."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores
from sandbox.vendor import vendor
from shared.clock import utc_now
from shared.registry.model import SYSTEMS
from shared.registry.people import Access, Role
from tests.flow.hub import World, until
from tests.messages import alarm

SUBJECT = "Zm9sayBhbGxlIGhlciBlciBvcHBkaWt0ZQ=="


async def login(hub: World, *, orgnr: str = ORGNR, level: str = "4", subject: str = SUBJECT) -> dict[str, str]:
    """The header of somebody who is logged in."""
    claims = {
        "sub": subject,
        "name": "Kari Syntetisk",
        "helseid://claims/identity/security_level": level,
        "helseid://claims/client/claims/orgnr_parent": orgnr,
    }
    order = {"clientId": "trygghetsvakt", "claims": claims}
    async with hub.http.post(f"{hub.hub.addresses.helseid}/_sandbox/mint", json=order) as answer:
        assert answer.status == 200, await answer.text()
        return {"Authorization": f"Bearer {(await answer.json())['access_token']}"}


@pytest.fixture(scope="module")
async def administrator(hub: World) -> dict[str, str]:
    """Administers the municipality, for another day."""
    roles = frozenset({Role.MONITORING, Role.ADMINISTRATION})
    access = Access(ORGNR, f"helseid:{SUBJECT}", roles, utc_now() + timedelta(days=1))
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        await stores.registry.put(access.document(), ORGNR)
    return await login(hub)


async def get(hub: World, path: str, headers: dict[str, str]) -> tuple[int, Any]:
    async with hub.http.get(f"{hub.api}{path}", headers=headers) as answer:
        return answer.status, json.loads(await answer.read())


async def test_a_municipality_sees_its_own_register_and_no_other(hub: World, administrator: dict[str, str]) -> None:
    status, found = await get(hub, f"/registry/municipalities/{ORGNR}", administrator)
    assert status == 200, found
    other, refused = await get(hub, "/registry/municipalities/310000027", administrator)
    missing, unknown = await get(hub, "/registry/municipalities/999999999", administrator)
    assert other == missing == 404
    assert refused == unknown


@pytest.mark.parametrize("who", [{"level": "3"}, {"subject": "somebody-else"}, {"orgnr": "310000027"}])
async def test_nobody_else_gets_in(hub: World, administrator: dict[str, str], who: dict[str, str]) -> None:
    assert administrator
    status, found = await get(hub, f"/registry/municipalities/{ORGNR}", await login(hub, **who))
    assert status in (403, 404), found


async def test_a_systems_token_is_no_persons(hub: World) -> None:
    token = {"Authorization": f"Bearer {await hub.vendor.token()}"}
    status, found = await get(hub, f"/registry/municipalities/{ORGNR}", token)
    assert status == 401, found


async def test_the_stations_of_a_message_are_in_the_municipalitys_log(
    hub: World, administrator: dict[str, str]
) -> None:
    location = await hub.accepted(alarm())
    await hub.reaches(location, "delivered")
    event = location.split("/")[-2]
    headers = {**administrator, "Content-Type": "application/x-www-form-urlencoded"}

    async def look() -> set[str] | None:
        async with hub.http.post(f"{hub.api}/trail/_search", data=f"message-id={event}", headers=headers) as answer:
            bundle = json.loads(await answer.read())
            assert answer.status == 200, bundle
        kinds = {
            coding["code"]
            for entry in bundle.get("entry", [])
            for subtype in entry["resource"]["subtype"]
            for coding in [subtype]
        }
        return kinds if {"accepted", "routed", "delivered"} <= kinds else None

    await until(look, "the message's stations to be in the log")


async def test_a_bound_token_gets_in_with_a_fresh_proof_each_time(hub: World) -> None:
    addresses = hub.hub.addresses
    key = addresses.clients["trygghetsvakt"].key_file
    async with vendor(hub.api, addresses.helseid, "trygghetsvakt", key, dpop=True) as bound:
        body = alarm()
        answer = await bound.send(ORGNR, "bundle", body)
        assert answer.status == 202, answer.issues
        assert answer.location is not None
        await hub.arrives(body)
        assert (await bound.status(answer.location))["registered"]


async def test_a_proof_that_was_used_gets_nobody_in_not_even_at_the_same_moment(hub: World) -> None:
    addresses = hub.hub.addresses
    url = f"{hub.api}/epj/r4/{ORGNR}/bundle"
    key = addresses.clients["trygghetsvakt"].key_file
    async with vendor(hub.api, addresses.helseid, "trygghetsvakt", key, dpop=True) as bound:
        headers = {**await bound.credentials("POST", url), "Content-Type": "application/fhir+json"}

        async def once() -> tuple[int, str]:
            async with hub.http.post(url, data=alarm(), headers=headers) as answer:
                return answer.status, answer.headers.get("WWW-Authenticate", "")

        answers = await asyncio.gather(*(once() for _ in range(5)))
        assert sorted(status for status, _ in answers) == [202, 401, 401, 401, 401]
        assert all('error="invalid_dpop_proof"' in said for status, said in answers if status == 401)


async def test_a_bound_token_is_not_taken_as_bearer(hub: World) -> None:
    addresses = hub.hub.addresses
    key = addresses.clients["trygghetsvakt"].key_file
    async with vendor(hub.api, addresses.helseid, "trygghetsvakt", key, dpop=True) as bound:
        headers = {"Authorization": f"Bearer {await bound.token()}", "Content-Type": "application/fhir+json"}
        async with hub.http.post(f"{hub.api}/epj/r4/{ORGNR}/bundle", data=alarm(), headers=headers) as answer:
            assert answer.status == 401
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_an_operator_sees_every_municipality(hub: World) -> None:
    access = Access(SYSTEMS, "helseid:operator-1", frozenset({Role.OPERATOR}), utc_now() + timedelta(days=1))
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        await stores.registry.put(access.document(), SYSTEMS)
    status, found = await get(hub, "/registry/municipalities", await login(hub, subject="operator-1"))
    assert status == 200
    assert ORGNR in json.dumps(found)


@pytest.mark.parametrize(
    "address", ["registry/municipalities", "operations/summary", "operations/set-aside", "trail/x"]
)
async def test_a_person_without_a_token_is_told_both_ways_to_come(hub: World, address: str) -> None:
    async with hub.http.get(f"{hub.api}/{address}") as answer:
        told = answer.headers.getall("WWW-Authenticate")
    assert answer.status == 401
    assert "Bearer" in " ".join(told)
    assert "DPoP" in " ".join(told)
