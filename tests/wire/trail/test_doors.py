"""The doors and timers of the trail as the Functions library sees them, over a log of their own."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from functions import trail, trail_upkeep
from sandbox.cosmos import serve
from sandbox.stores import open_stores
from sandbox.topology import load
from shared.azure import trail_settings
from shared.azure.settings import CosmosSettings
from shared.azure.trail_parts import TrailParts
from shared.clock import utc_now
from shared.errors import NotAuthenticated
from shared.registry.people import Access, Person, Role
from tests.wire.trail.messages import event_of, travel

ORGNR = "310000019"


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[TrailParts]:
    async with serve(tmp_path / "cosmos", load()) as served:
        values = {
            "Cosmos": served.connection_string, "Cosmos__database": load().database,
            "Trail": served.app_connection_string, "Checkpoints": served.app_connection_string,
            "Checkpoints__key": base64.b64encode(b"k" * 32).decode(), "Trail__longestDelay": "1",
        }  # fmt: skip
        async with (
            open_stores(served.connection_string, load().database) as stores,
            TrailParts(trail_settings.load(values), CosmosSettings.model_validate(values)) as found,
        ):
            at = utc_now() - timedelta(seconds=5)
            await travel(stores, event_of(ORGNR, 0, at), at)
            yield found


def functions(blueprint: func.Blueprint) -> dict[str, Callable[..., Any]]:
    app = func.FunctionApp()
    app.register_functions(blueprint)
    return {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}


def doors(parts: TrailParts, person: Person | None) -> dict[str, Callable[..., Any]]:
    async def access(orgnr: str, subject: str) -> Access | None:
        end = utc_now() + timedelta(days=1)
        return Access(orgnr, subject, frozenset({Role.ADMINISTRATION}), end) if orgnr == ORGNR else None

    async def verify(req: func.HttpRequest) -> Person:
        if person is None:
            raise NotAuthenticated
        return person

    desk = parts.desk(access, lambda system, value: (), "https://hub.example")
    return functions(trail.blueprint(lambda: desk, verify))


def call(method: str, body: bytes = b"", content_type: str = "", id: str = "", accept: str = "") -> func.HttpRequest:
    headers = {"content-type": content_type, "accept": accept}
    headers = {name: value for name, value in headers.items() if value}
    return func.HttpRequest(method=method, url="/trail", headers=headers, route_params={"id": id}, body=body)


FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ADMIN = Person("helseid:a", "Kari", ORGNR, "4")


async def test_stations_reach_a_reader_through_the_timers_and_the_doors(parts: TrailParts) -> None:
    timers = functions(trail_upkeep.blueprint(lambda: parts))
    for name in ("trail_sequencer", "trail_checkpoint", "trail_reconcile"):
        await timers[name](None)
    assert (await parts.verify(lambda *_: None)).holds
    read = doors(parts, ADMIN)
    found = await read["trail_search"](call("POST", b"subtype=delivered", f"{FORM}; charset=utf-8"))
    assert (found.status_code, found.mimetype) == (200, "application/fhir+json")
    (entry,) = json.loads(found.get_body())["entry"]
    assert entry["fullUrl"] == f"https://hub.example/trail/{entry['resource']['id']}"
    one = await read["trail_entry"](call("GET", id=entry["resource"]["id"]))
    assert json.loads(one.get_body()) == entry["resource"]


@pytest.mark.parametrize(
    ("person", "request_", "status"),
    [
        (None, call("POST", b"", FORM), 401),
        (ADMIN, call("POST", b"{}", "application/json"), 400),
        (ADMIN, call("POST", b"nonsense=1", FORM), 400),
        (Person("helseid:a", "Kari", "310000027", "4"), call("POST", b"", FORM), 404),
        (Person("helseid:a", "Kari", ORGNR, "3"), call("POST", b"", FORM), 403),
    ],
)
async def test_a_search_that_is_refused_says_so_as_an_operationoutcome(
    parts: TrailParts, person: Person | None, request_: func.HttpRequest, status: int
) -> None:
    answer = await doors(parts, person)["trail_search"](request_)
    assert answer.status_code == status
    assert json.loads(answer.get_body())["resourceType"] == "OperationOutcome"


async def test_an_entry_that_is_not_there_is_a_404(parts: TrailParts) -> None:
    assert (await doors(parts, ADMIN)["trail_entry"](call("GET", id="x"))).status_code == 404


async def test_timers_survive_a_trail_that_is_out_of_reach() -> None:
    values = {"Cosmos": "AccountEndpoint=http://127.0.0.1:9/;AccountKey=AAAA;", "Cosmos__patience": "1",
              "Checkpoints__key": base64.b64encode(b"k" * 32).decode()}  # fmt: skip
    async with TrailParts(trail_settings.load(values), CosmosSettings.model_validate(values)) as parts:
        for timer in functions(trail_upkeep.blueprint(lambda: parts)).values():
            await timer(None)


async def test_who_asks_for_json_gets_plain_entries_and_refusals_as_ever(parts: TrailParts) -> None:
    await functions(trail_upkeep.blueprint(lambda: parts))["trail_sequencer"](None)
    read = doors(parts, ADMIN)
    found = await read["trail_search"](call("POST", b"subtype=delivered", FORM, accept=JSON))
    assert (found.status_code, found.mimetype, found.headers["Vary"]) == (200, JSON, "Accept")
    assert found.headers["Correlation-Id"]
    (entry,) = json.loads(found.get_body())["entries"]
    one = await read["trail_entry"](call("GET", id=entry["id"], accept=JSON))
    assert (one.mimetype, json.loads(one.get_body())) == (JSON, entry)
    missing = await read["trail_entry"](call("GET", id="x", accept=JSON))
    assert (missing.status_code, missing.mimetype) == (404, "application/fhir+json")


@pytest.mark.parametrize(
    ("accept", "plain"),
    [
        ("", False), ("*/*", False), ("application/*", False), ("application/fhir+json", False), ("text/html", False),
        (JSON, True), ("APPLICATION/JSON; charset=utf-8", True), (f"{JSON}, */*;q=0.5", True), (f"{JSON}, */*", False),
        (f"{JSON}, text/plain, */*", False), (f"{JSON}, application/fhir+json;q=0.9", True),
        (f"{JSON};q=0.5, application/fhir+json", False), (f"{JSON};q=0", False), (f"{JSON};q=nan", False),
        (f"{JSON};q=-1", False), (f"{JSON};q=", False), (",;,;q=;;", False),
    ],
)  # fmt: skip
def test_plain_entries_are_for_those_who_like_them_better(accept: str, plain: bool) -> None:
    assert trail.wants_plain(accept) is plain
