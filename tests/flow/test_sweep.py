"""The sweep that follows every hub finds what is planted, wherever it is and however it is written."""

import base64
import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.hub_parts import TELEMETRY
from sandbox.telemetry.kept import FILE
from tests.flow.marks import forms
from tests.flow.sweep import assert_clean, sweep
from tests.flow.watch import Watch, people
from tests.messages import NAME, alarm, alarm_json
from tests.unit.identity.numbers import issued

NUMBER = issued(9, 84, 52)
SOMEBODY = issued(11, 85, 63)
MARKS = {"number": NUMBER, "name": NAME}
TOKEN = ".".join(
    base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=")
    for each in ({"alg": "RS256", "typ": "at+jwt"}, {"iss": "https://helseid.example", "sub": "system"})
)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a hub leaves behind when all is well."""
    for name in ("logs", "servicebus", "cosmos", "epj"):
        (tmp_path / name).mkdir()
    (tmp_path / "logs" / "app.log").write_text("HUB-1001 Accepted event_id=l1.abc correlation_id=12345678901\n")
    (tmp_path / "servicebus" / "servicebus.db").write_bytes(b"a lane and nothing else")
    payload = {"id": "e.payload", "encoding": "zlib+base64", "data": packed(alarm(NUMBER))}
    with closing(sqlite3.connect(tmp_path / "cosmos" / "cosmos.sqlite3")) as store:
        store.execute("CREATE TABLE docs_1 (id TEXT, body TEXT)")
        store.execute("INSERT INTO docs_1 VALUES ('e.payload', ?)", (json.dumps(payload, separators=(",", ":")),))
        store.commit()
    with closing(sqlite3.connect(tmp_path / "epj" / "journal.sqlite")) as journal:
        journal.execute("CREATE TABLE received (idempotency_key TEXT, body BLOB)")
        journal.execute("INSERT INTO received VALUES ('d1', ?)", (alarm(NUMBER),))
        journal.commit()
    return tmp_path


def packed(body: bytes) -> str:
    return base64.b64encode(zlib.compress(body)).decode()


def plant(folder: Path, place: str, what: bytes) -> dict[str, Any]:
    """Put it there. What cannot be put into the folder is given back."""
    text = what.decode("latin-1")
    match place:
        case "a log":
            with (folder / "logs" / "queues.log.1").open("ab") as log:
                log.write(b"... " + what + b" ...\n")
        case "a trace or metric":
            (folder / TELEMETRY).mkdir()
            (folder / TELEMETRY / FILE).write_bytes(b'{"name": "deliver", "attributes": {"x": "' + what + b'"}}')
        case "the bus":
            (folder / "servicebus" / "servicebus.db-wal").write_bytes(b"\0\x01" + what + b"\0")
        case "a document":
            with closing(sqlite3.connect(folder / "cosmos" / "cosmos.sqlite3")) as store:
                store.execute("INSERT INTO docs_1 VALUES ('lane', ?)", (f'{{"pending": ["{text}"]}}',))
                store.commit()
        case "the journal's calls":
            return {"calls": [f"POST /fhir/310000019?x={text} Host: x"]}
        case _:
            return {"answers": [b"Location: /epj/" + what]}
    return {}


PLACES = ("a log", "a trace or metric", "the bus", "a document", "the journal's calls", "an answer")


def test_what_a_hub_leaves_when_all_is_well_is_clean(left: Path) -> None:
    assert_clean(sweep(left, MARKS))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", [NUMBER.encode(), base64.b64encode(NUMBER.encode()), NUMBER.encode().hex().encode()])
def test_a_number_is_found_in_every_place(left: Path, place: str, what: bytes) -> None:
    hits = sweep(left, MARKS, **plant(left, place, what))
    assert {(each.what, each.where) for each in hits} >= {("number", place)}
    with pytest.raises(AssertionError, match="number in"):
        assert_clean(hits)


def test_a_name_is_found_in_every_form(left: Path) -> None:
    for form in forms(NAME):
        hits = sweep(left, MARKS, answers=[b"..." + form])
        assert {each.what for each in hits} == {"name"}, form


@pytest.mark.parametrize("place", [each for each in PLACES if each != "the journal's calls"])
def test_a_token_and_a_strangers_number_are_found_though_nobody_knows_them(left: Path, place: str) -> None:
    hits = sweep(left, {}, **plant(left, place, f"Bearer {TOKEN}.sig and {SOMEBODY} too".encode()))
    assert {(each.what, each.where) for each in hits} == {("a token", place), ("a person's number", place)}


def test_the_people_of_a_message_are_marks_and_its_codes_are_not() -> None:
    message = alarm_json(NUMBER, system="urn:oid:2.16.578.1.12.4.1.4.1")
    message["entry"][0]["resource"]["author"][0]["display"] = "Vakt Varde"
    marks = {mark for _, mark in people(json.dumps(message).encode())}
    assert marks == {NUMBER, NAME, "Vakt Varde"}
    assert set(people(b'{"not": ' + NUMBER.encode())) == {("number", NUMBER)}


async def test_what_is_sent_and_refused_over_a_watched_session_is_known_afterwards() -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=400, text="told " + request.headers["Authorization"], headers={"Location": "/x"})

    app = web.Application()
    app.router.add_post("/message", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = f"http://127.0.0.1:{runner.addresses[0][1]}"
    watch = Watch(api)
    async with aiohttp.ClientSession(trace_configs=[watch.trace()]) as http:
        headers = {"Authorization": f"Bearer {TOKEN}.{'s' * 40}"}
        async with http.post(f"{api}/message", data=alarm(NUMBER), headers=headers) as answer:
            assert answer.status == 400
            await answer.read()
    await runner.cleanup()
    assert {NUMBER, NAME} < set(watch.marks.values())
    hits = sweep(Path("nothing-is-there"), watch.marks, watch.answers)
    assert "an answer" in {each.where for each in hits}
    assert any(each.what.startswith("Authorization") for each in hits)
