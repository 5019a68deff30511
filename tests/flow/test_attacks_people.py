"""Attacks on the registry's and the log's doors, over the running hub: what is not the caller's to see, set or be."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.hub_parts import ORGNR
from sandbox.stores import Stores, open_stores
from shared.api import openapi
from shared.clock import utc_now
from shared.registry.model import SYSTEMS, Municipality, Receiver
from shared.registry.people import Access, Role
from tests.flow.attacking import Told, call
from tests.flow.hub import World
from tests.flow.test_attacks import PROBES
from tests.flow.test_people_and_proofs import login

HOME = f"/registry/municipalities/{ORGNR}"
VICTIM = "310000035"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WHO = {
    "watcher": Role.MONITORING, "administrator": Role.ADMINISTRATION, "gatekeeper": Role.USER_ADMINISTRATION,
    "hub-operator": Role.OPERATOR,
}  # fmt: skip
NOT_OPERATORS = ["watcher", "administrator", "gatekeeper"]


@pytest.fixture(scope="module", autouse=True)
async def _people(hub: World) -> AsyncIterator[Stores]:
    """One person of each role, and a municipality that is none of theirs."""
    until = utc_now() + timedelta(days=1)
    victim = Municipality(VICTIM, "Offer kommune", (Receiver("epj", "http://127.0.0.1:1/"),))
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        await stores.registry.put(victim.document(), VICTIM)
        for subject, role in WHO.items():
            place = SYSTEMS if role is Role.OPERATOR else ORGNR
            access = Access(place, f"helseid:{subject}", frozenset({role}), until)
            await stores.registry.put(access.document(), place)
        yield stores


async def as_(hub: World, who: str) -> dict[str, str]:
    return await login(hub, subject=who)


async def put(hub: World, path: str, body: Any, who: str, **headers: str) -> Told:
    """Change something as if it were new; `If_Match=…` for what is there."""
    given = {name.replace("_", "-"): value for name, value in headers.items()} or {"If-None-Match": "*"}
    sent = {**await as_(hub, who), "Content-Type": "application/json", **given}
    return await call(hub, "PUT", path, sent, json.dumps(body).encode())


async def shown(hub: World, path: str) -> tuple[Any, str]:
    """What is there, as an operator sees it, and its version."""
    told = await call(hub, "GET", path, await as_(hub, "hub-operator"))
    assert told.status == 200, told.body
    return json.loads(told.body), told.headers["ETag"]


@pytest.mark.parametrize("field", ["orgnr", "receivers", "traffic", "version", "_etag", "id", "type", "ttl", "admin"])
async def test_mass_assignment_of_a_field_that_is_not_the_callers_changes_nothing(hub: World, field: str) -> None:
    before, version = await shown(hub, HOME)
    wanted = {**before, "retentionDays": 1, field: VICTIM}
    told = await put(hub, HOME, wanted, "administrator", If_Match=version)
    assert told.status == 422, told.body
    assert await shown(hub, HOME) == (before, version)


@pytest.mark.parametrize("field", ["name", "number", "environment"])
async def test_a_municipality_cannot_become_another_one(hub: World, field: str) -> None:
    before, version = await shown(hub, HOME)
    value = {"name": "Offer kommune", "number": "4601", "environment": "production"}[field]
    told = await put(hub, HOME, {**before, field: value}, "administrator", If_Match=version)
    assert told.status in (403, 422), told.body
    assert await shown(hub, HOME) == (before, version)


@pytest.mark.parametrize("who", NOT_OPERATORS)
@pytest.mark.parametrize("role", ["operator", "administration", "Operator", "user-administration"])
async def test_nobody_raises_their_own_role(hub: World, who: str, role: str) -> None:
    path = f"{HOME}/people/{quote(f'helseid:{who}', safe='')}"
    _, version = await shown(hub, path)
    access = {"roles": [role], "validUntil": (utc_now() + timedelta(days=2)).isoformat()}
    told = await put(hub, path, access, who, If_Match=version)
    assert told.status in (403, 422), told.body
    assert (await shown(hub, path))[1] == version


@pytest.mark.parametrize("who", NOT_OPERATORS)
@pytest.mark.parametrize(
    "path",
    [
        "/registry/systems", "/registry/systems/trygghetsvakt-test", "/registry/municipalities",
        f"/registry/municipalities/{SYSTEMS}", f"/registry/municipalities/{SYSTEMS}/people",
        f"/registry/municipalities/{VICTIM}", f"/registry/municipalities/{VICTIM}/people",
        f"/registry/municipalities/{VICTIM}/grants/trygghetsvakt-test", f"/registry/municipalities/{VICTIM}/history",
        f"/registry/municipalities/{ORGNR}%2f..%2f{VICTIM}", f"/registry/municipalities/{VICTIM}%00",
    ],
)  # fmt: skip
async def test_what_is_not_ones_own_looks_as_if_it_were_not_there(hub: World, who: str, path: str) -> None:
    headers = await as_(hub, who)
    told = await call(hub, "GET", path, headers)
    nothing = await call(hub, "GET", "/registry/municipalities/999999999", headers)
    assert told.status == 404
    assert told.apart_from_its_id == nothing.apart_from_its_id


async def test_only_looking_is_let_look_and_not_change(hub: World) -> None:
    before, version = await shown(hub, HOME)
    told = await put(hub, HOME, {**before, "retentionDays": 1}, "watcher", If_Match=version)
    assert told.status == 403
    traffic = await put(hub, f"{HOME}/traffic", {"writes": "stopped"}, "watcher")
    assert traffic.status in (403, 422)
    assert await shown(hub, HOME) == (before, version)


async def test_a_change_that_does_not_know_what_it_changes_is_refused(hub: World) -> None:
    before, version = await shown(hub, HOME)
    for condition in ('"0"', "*", version.replace('"', ""), f"W/{version}"):
        told = await put(hub, HOME, {**before, "retentionDays": 1}, "administrator", If_Match=condition)
        assert told.status in (400, 412, 422, 428), condition
    assert await shown(hub, HOME) == (before, version)


def _parameters() -> list[tuple[str, str]]:
    """Every path and query parameter of the registry's and the log's addresses that are read with GET."""
    found = []
    for path, operations in openapi.document(None)["paths"].items():
        if path.startswith(("/registry", "/trail")) and "get" in operations:
            shared = [*operations.get("parameters", []), *operations["get"].get("parameters", [])]
            found += [(path, each["name"]) for each in shared if each.get("in") in ("path", "query")]
    return found


@pytest.mark.parametrize(("path", "name"), _parameters())
async def test_injection_in_every_parameter_of_the_registry_and_the_log_finds_nothing(
    hub: World, path: str, name: str
) -> None:
    operator = await as_(hub, "hub-operator")
    for probe in PROBES:
        value = quote(probe, safe="")
        filled = path.replace(f"{{{name}}}", value).replace("{orgnr}", ORGNR).replace("{id}", "epj")
        if f"{{{name}}}" not in path:
            filled += f"?{name}={value}"
        told = await call(hub, "GET", filled, operator)
        assert "Set-Cookie" not in told.headers
        # Where to go on from may be any text: it is compared, never run, and gives a page of what one may see anyway.
        page = (200, 400) if name == "after" and "{id}" not in path else (400, 404)
        assert told.status in page, (probe, told.body)
        assert b"root:" not in told.body


@pytest.mark.parametrize(
    "name", ["message-id", "patient", "agent", "date", "subtype", "municipality", "_count", "page"]
)
async def test_injection_in_every_field_of_a_search_of_the_log_finds_nothing(hub: World, name: str) -> None:
    watcher = {**await as_(hub, "watcher"), **FORM}
    for probe in PROBES:
        told = await call(hub, "POST", "/trail/_search", watcher, f"{name}={quote(probe, safe='')}".encode())
        assert told.status in (200, 400, 404), (probe, told.body)
        if told.status == 200:
            assert not json.loads(told.body).get("entry"), probe


async def test_a_search_of_the_log_is_never_taken_from_an_address(hub: World) -> None:
    watcher = await as_(hub, "watcher")
    for path in ("/trail/_search?patient=x%7C1", "/trail?patient=x%7C1", "/trail/_search"):
        assert (await call(hub, "GET", path, watcher)).status in (404, 405)


async def test_another_municipalitys_log_is_not_searched(hub: World) -> None:
    for who in NOT_OPERATORS:
        headers = {**await as_(hub, who), **FORM}
        told = await call(hub, "POST", "/trail/_search", headers, f"municipality={VICTIM}".encode())
        assert told.status in (400, 403, 404), told.body
        for id in (f"{VICTIM}.2026-11.0", f"{SYSTEMS}.2026-11.0", "hub.2026-11.0"):
            assert (await call(hub, "GET", f"/trail/{id}", headers)).status == 404
