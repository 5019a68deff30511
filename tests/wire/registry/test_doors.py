"""The registry's doors on the local host, over a real socket: status, headers and bodies as the OpenAPI part says."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import jsonschema
import pytest
from yarl import URL

from sandbox.cosmos import serve
from sandbox.stores import open_stores
from sandbox.topology import load
from shared.api import openapi
from shared.api.registry_paths import paths, schemas
from shared.clock import utc_now
from shared.registry.changes import change
from shared.registry.keeping import Registry
from shared.registry.model import SYSTEMS
from shared.registry.people import Access, Role
from shared.registry.revoked import RevokedKeys
from tests.unit.registry.samples import GRANT, MUNICIPALITY, ORGNR, PARTNER, SYSTEM, VKP_ID, WHO, WHY
from tests.wire.host.running import running

APP = Path(__file__).resolve().parent / "app"
HOME = f"/registry/municipalities/{ORGNR}"
OPERATOR = "entra:operator"


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The doors' address, with one municipality in the register."""
    folder = tmp_path_factory.mktemp("doors")
    until = utc_now() + timedelta(days=30)
    people = (
        Access(ORGNR, "helseid:monitoring", frozenset({Role.MONITORING}), until),
        Access(ORGNR, "helseid:administration", frozenset({Role.ADMINISTRATION}), until),
        Access(ORGNR, "helseid:a/b+c==", frozenset({Role.MONITORING}), until),
        Access(SYSTEMS, OPERATOR, frozenset({Role.OPERATOR}), until),
    )
    grant = replace(GRANT, valid_from=None, valid_to=None)
    async with serve(folder / "cosmos", load()) as account:
        async with open_stores(account.connection_string, load().database) as stores:
            for entry in (MUNICIPALITY, SYSTEM, grant, PARTNER, RevokedKeys(frozenset({"AA"})), *people):
                made = change(None, entry, WHO, WHY, utc_now())
                assert made is not None
                await Registry(stores.registry).write(made)
        settings = {"Cosmos": account.connection_string, "Cosmos__database": load().database}
        arguments = ["--app", str(APP), "--data", str(folder / "data")]
        async with running("host", arguments, folder, settings) as host:
            yield host.url


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Doors:
    """Calls, each answer held against the OpenAPI document."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def call(
        self, method: str, path: str, *, who: str | None = OPERATOR, template: str | None = None, body: object = None,
        **headers: str,
    ) -> tuple[int, Mapping[str, str], dict[str, Any]]:  # fmt: skip
        """Call, and check that the document knows status and body."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            given["X-Subject"] = who
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        async with self._http.request(method, self._url + path, data=data, headers=given) as answer:
            found = json.loads(await answer.text())
            status, got = answer.status, answer.headers
        if template is not None:
            response = DOCUMENT["paths"][template][method.lower()]["responses"][str(status)]
            (content,) = response["content"].values()
            jsonschema.Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]}).validate(found)
        return status, got, found


def _document() -> dict[str, Any]:
    found = openapi.document(None)
    found["components"]["schemas"] |= schemas()
    found["paths"] |= paths()
    return found


DOCUMENT = _document()


@pytest.fixture
def doors(http: aiohttp.ClientSession, url: str) -> Doors:
    return Doors(http, url)


@pytest.mark.parametrize(
    "template",
    [template for template, path in paths().items() if "get" in path],
)
async def test_every_address_is_answered_as_documented(doors: Doors, template: str) -> None:
    ids = {"receivers": "epj", "grants": VKP_ID, "people": "helseid:monitoring", "systems": VKP_ID}
    last = template.partition("/{id}")[0].split("/")[-1]
    path = template.replace("{orgnr}", ORGNR).replace("{id}", ids.get(last, ""))
    status, headers, body = await doors.call("GET", path, template=template)
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert ("ETag" in headers) is ("version" in body)


async def test_a_change_needs_the_version_it_saw(doors: Doors) -> None:
    path, template = f"{HOME}/traffic", "/registry/municipalities/{orgnr}/traffic"
    _, headers, _ = await doors.call("GET", path, template=template)
    wanted = {"why": "upgrade of the EPJ", "entry": {"writes": {"until": "2030-01-01T00:00:00Z"}}}
    status, _, _ = await doors.call("PUT", path, template=template, body=wanted)
    assert status == 428
    status, changed, body = await doors.call("PUT", path, template=template, body=wanted, If_Match=headers["ETag"])
    assert status == 200
    assert changed["ETag"] == f'"{body["version"]}"' != headers["ETag"]
    status, _, _ = await doors.call("PUT", path, template=template, body=wanted, If_Match=headers["ETag"])
    assert status == 412


async def test_a_new_entry_is_201_and_a_withdrawn_one_is_404(doors: Doors) -> None:
    path, template = f"{HOME}/receivers/archive", "/registry/municipalities/{orgnr}/receivers/{id}"
    wanted = {"why": "an archive", "entry": {"url": "https://archive.example.no/"}}
    other = "helseid:administration"
    status, _, body = await doors.call("PUT", path, who=other, template=template, body=wanted, If_None_Match="*")
    assert (status, body["entry"]) == (202, None)
    status, headers, _ = await doors.call("PUT", path, template=template, body=wanted, If_None_Match="*")
    assert status == 201
    gone = {"why": "no archive", "entry": None}
    status, _, body = await doors.call("PUT", path, template=template, body=gone, If_Match=headers["ETag"])
    assert (status, body["entry"]) == (200, None)
    assert (await doors.call("GET", path, template=template))[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        ({"why": "x y z"}, 422),
        ({"why": "x y z", "entry": {"codes": {}, "orgnr": "310000019"}}, 422),
        ({"why": "x y z", "entry": {"codes": {"XX": []}}}, 422),
    ],
)
async def test_a_body_that_is_not_taken_is_told_as_documented(doors: Doors, body: object, status: int) -> None:
    path, template = f"{HOME}/partner-profile", "/registry/municipalities/{orgnr}/partner-profile"
    _, headers, _ = await doors.call("GET", path, template=template)
    answer = await doors.call("PUT", path, template=template, body=body, If_Match=headers["ETag"])
    assert answer[0] == status


async def test_who_is_not_logged_in_is_401_and_who_has_nothing_to_do_here_404(doors: Doors) -> None:
    template = "/registry/municipalities/{orgnr}"
    assert (await doors.call("GET", HOME, who=None, template=template))[0] == 401
    stranger = await doors.call("GET", HOME, who="helseid:stranger", template=template)
    nowhere = await doors.call("GET", "/registry/municipalities/310000027", who="helseid:stranger", template=template)
    assert stranger[0] == 404
    assert stranger[2] == nowhere[2]
    assert (await doors.call("GET", "/registry/systems", who="helseid:monitoring"))[0] == 404


async def test_a_name_with_a_slash_has_an_address(doors: Doors) -> None:
    template = "/registry/municipalities/{orgnr}/people/{id}"
    subject = "helseid:a/b+c=="
    encoded = f"{HOME}/people/{quote(subject, safe='')}"
    async with doors._http.get(URL(f"{doors._url}{encoded}", encoded=True), headers={"X-Subject": OPERATOR}) as answer:
        assert answer.status == 200, template
        assert (await answer.json())["id"] == subject


@pytest.mark.parametrize("path", [f"{HOME}/grants?limit=0", f"{HOME}/grants?limit=500", f"{HOME}/grants?x=1"])
async def test_a_page_out_of_bounds_is_400(doors: Doors, path: str) -> None:
    assert (await doors.call("GET", path, template="/registry/municipalities/{orgnr}/grants"))[0] == 400


async def test_what_nobody_foresaw_is_a_500_that_tells_nothing(doors: Doors) -> None:
    status, _, body = await doors.call("GET", HOME, who="helseid:broken", template="/registry/municipalities/{orgnr}")
    assert status == 500
    assert "RuntimeError" not in json.dumps(body)
