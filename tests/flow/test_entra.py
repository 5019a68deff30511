"""The hub's own people, by Entra ID, over the running hub: an operator gets in, and nothing that is like one."""

import asyncio
import json
from typing import Any

import pytest

from sandbox.cli.main import main
from sandbox.helseid.entra import OPERATOR, SOMEBODY, TENANT
from sandbox.hub_parts import ORGNR
from tests.flow.attacking import Told, call
from tests.flow.hub import World

ANOTHER = "99999999-2222-4333-8444-555555555555"
HOME = f"/registry/municipalities/{ORGNR}"


async def entra_login(hub: World, **order: Any) -> dict[str, str]:
    """The header of somebody of the hub's own tenant."""
    async with hub.http.post(f"{hub.hub.addresses.helseid}/_sandbox/entra/mint", json=order) as answer:
        assert answer.status == 200, await answer.text()
        return dict((await answer.json())["headers"])


async def asked(hub: World, path: str = HOME, **order: Any) -> Told:
    return await call(hub, "GET", path, await entra_login(hub, **order))


async def test_an_operator_by_app_role_sees_every_municipality_and_every_system(hub: World) -> None:
    for path in ("/registry/municipalities", "/registry/systems", "/registry/history", HOME):
        assert (await asked(hub, path, roles=[OPERATOR])).status == 200


async def test_a_key_that_is_new_at_the_issuer_is_known_at_once(hub: World) -> None:
    # Before the attacks below: a key id that is nobody's, in this client's name, uses up its fetch of this minute.
    before = await entra_login(hub, roles=[OPERATOR])
    async with hub.http.post(f"{hub.hub.addresses.helseid}/_sandbox/entra/rotate", json={}) as answer:
        assert answer.status == 200
    for headers in (await entra_login(hub, roles=[OPERATOR]), before):
        assert (await call(hub, "GET", HOME, headers)).status == 200


async def test_an_operator_changes_something_and_the_history_says_who(hub: World) -> None:
    operator = await entra_login(hub, roles=[OPERATOR])
    body = {"why": "a system that the tests know", "entry": {"name": "Prøvesystem"}}
    path = "/registry/systems/entra-test"
    headers = {**operator, "Content-Type": "application/json", "If-None-Match": "*"}
    told = await call(hub, "PUT", path, headers, json.dumps(body).encode())
    assert told.status == 201, told.body
    (first,) = json.loads((await call(hub, "GET", f"{path}/history", operator)).body)["entries"]
    assert first["who"] == f"entra:{SOMEBODY}"


async def test_somebody_of_the_tenant_without_the_role_has_nothing_to_do_here(hub: World) -> None:
    for roles in ([], ["Somebody.Else"], [OPERATOR.lower()]):
        told = await asked(hub, roles=roles)
        assert (told.status, told.code) == (404, "SEND_ENTRY_UNKNOWN")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"tenant": ANOTHER}, "SEND_TOKEN_SIGNATURE"),
        ({"claims": {"tid": ANOTHER}}, "SEND_TOKEN_CLAIMS"),
        ({"without": ["tid"]}, "SEND_TOKEN_CLAIMS"),
        ({"claims": {"idtyp": "app"}, "without": ["scp"]}, "SEND_TOKEN_CLAIMS"),
        ({"without": ["scp"]}, "SEND_TOKEN_CLAIMS"),
        ({"claims": {"aud": "somebody-elses"}}, "SEND_TOKEN_AUDIENCE"),
        ({"claims": {"ver": "1.0"}}, "SEND_TOKEN_CLAIMS"),
        ({"lifetimeSeconds": -60}, "SEND_TOKEN_EXPIRED"),
        ({"wrongKey": True}, "SEND_TOKEN_SIGNATURE"),
        ({"header": {"alg": "none"}}, "SEND_TOKEN_MALFORMED"),
        ({"header": {"kid": "nobodys"}}, "SEND_TOKEN_SIGNATURE"),
    ],
)
async def test_a_token_that_is_not_a_persons_of_this_tenant_gets_nobody_in(
    hub: World, wrong: dict[str, Any], code: str
) -> None:
    told = await asked(hub, **{"roles": [OPERATOR], **wrong})
    assert (told.status, told.code) == (401, code)
    assert 'error="invalid_token"' in told.headers["WWW-Authenticate"]


async def test_a_persons_token_sends_no_messages(hub: World) -> None:
    headers = {**await entra_login(hub, roles=[OPERATOR]), "Content-Type": "application/fhir+json"}
    told = await call(hub, "POST", f"/epj/r4/{ORGNR}/bundle", headers, b"{}")
    assert told.status == 401


async def test_helseids_tokens_with_entras_claims_open_nothing(hub: World) -> None:
    claims = {"sub": "sly", "helseid://claims/identity/security_level": "4", "roles": [OPERATOR], "oid": SOMEBODY,
              "tid": TENANT}  # fmt: skip
    order = {"clientId": "trygghetsvakt", "claims": claims}
    async with hub.http.post(f"{hub.hub.addresses.helseid}/_sandbox/mint", json=order) as answer:
        headers = dict((await answer.json())["headers"])
    assert (await call(hub, "GET", HOME, headers)).status == 404


async def test_the_command_prints_an_operators_token(hub: World, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["token", "--entra", "--role", "operator", "--data", str(hub.hub.folder)]
    assert await asyncio.to_thread(main, arguments) == 0
    headers = {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    assert (await call(hub, "GET", HOME, headers)).status == 200
