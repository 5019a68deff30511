"""A canary run (P6): marked numbers, names and tokens sent through every door and fault, then looked for everywhere.

They may be in payload documents and nowhere else: not in a log line of any process, a message on the bus, another
document of the store, an entry of the log, an address, or an answer.
"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores
from shared.clock import utc_now
from shared.identity.systems import FNR
from shared.registry.people import Access, Role
from tests.flow.attacking import mint, system
from tests.flow.hub import QUICK, World, until, world
from tests.flow.marks import forms, rows, seen
from tests.messages import alarm, alarm_json
from tests.unit.identity.numbers import issued

NUMBER = issued(5, 83, 44)
OTHER_NUMBER = issued(17, 89, 61)
NAME = "Kanarifugla Ødegårdsstrand"
SURNAME = "Kvitterfjell"
BUNDLE = f"/epj/r4/{ORGNR}/bundle"
JSON = ("Content-Type", "application/fhir+json")
STRANGERS = 5


@dataclass
class Run:
    """What was sent and what came back."""

    hub: World
    marks: dict[str, str]
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)

    async def call(
        self, what: str, method: str, path: str, headers: list[tuple[str, str]], body: bytes | None = None
    ) -> int:
        """Call with marks in every header that a caller may set, and keep the answer."""
        marked = [
            ("User-Agent", f"client {NUMBER} {SURNAME}"), ("Referer", f"http://x/?fnr={NUMBER}&name={SURNAME}"),
            ("Cookie", f"session={NUMBER}"), ("X-Patient", f"{SURNAME} {NUMBER}"), ("From", f"{SURNAME}@x.example"),
            ("Correlation-Id", NUMBER), ("X-Request-Id", f"r.{OTHER_NUMBER}"), ("Baggage", f"patient={NUMBER}"),
            ("Tracestate", f"x={NUMBER}"), ("Prefer", f"respond-async={NUMBER}"), ("X-Forwarded-For", NUMBER),
        ]  # fmt: skip
        url = f"{self.hub.api}{path}"
        try:
            async with self.hub.http.request(method, url, headers=[*headers, *marked], data=body) as answer:
                self.answers.append((what, f"{answer.status} {dict(answer.headers)}".encode() + await answer.read()))
                if answer.status == 202:
                    self.locations.append(answer.headers["Location"])
                return answer.status
        except aiohttp.ClientError:
            return 0


def message(number: str = NUMBER, **more: Any) -> bytes:
    """An accepted message with marks wherever text and identifiers may stand."""
    found = alarm_json(number, system=FNR, text=f"Alarm hos {NAME}")
    composition = found["entry"][0]["resource"]
    composition["title"] = f"{SURNAME}: {number}"
    composition["subject"]["display"] = NAME
    composition["author"][0]["display"] = SURNAME
    found["identifier"]["value"] = f"{number}-{SURNAME}-{len(more)}"
    return json.dumps({**found, **more}, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    settings = {**QUICK, "Limits__strangers": str(STRANGERS)}
    async with world(tmp_path_factory.mktemp("canary"), settings) as hub:
        found = Run(hub, {"number": NUMBER, "other number": OTHER_NUMBER, "name": NAME, "surname": SURNAME})
        await _accepted(found)
        await _refused(found)
        await _by_people(found)
        await _in_trouble(found)
        yield found


async def _token(run: Run, name: str, **order: Any) -> list[tuple[str, str]]:
    headers = await mint(run.hub, **order)
    for header, value in headers:
        # The end: of the signature, or of the claims where there is none. Nothing that two tokens share.
        run.marks[f"{name} in {header}"] = value.rstrip(".")[-48:]
    return headers


async def _accepted(run: Run) -> None:
    vendor = [*await _token(run, "token"), JSON]
    assert await run.call("accepted", "POST", BUNDLE, vendor, message()) == 202
    assert await run.call("again", "POST", BUNDLE, vendor, message()) == 202
    query = f"?fnr={NUMBER}&name={quote(SURNAME)}"
    assert await run.call("in the query", "POST", BUNDLE + query, vendor, message(OTHER_NUMBER)) == 202
    query = f"?access_token={vendor[0][1].removeprefix('Bearer ')}"
    assert await run.call("token in the query", "POST", BUNDLE + query, vendor, message(OTHER_NUMBER)) == 400
    bound = await _token(run, "bound", dpop=True, proof={"url": f"{run.hub.api}{BUNDLE}"})
    assert await run.call("bound", "POST", BUNDLE, [*bound, JSON], alarm(NUMBER, system=FNR, text=NAME)) == 202
    path = run.locations[0].removeprefix(run.hub.api)
    assert await run.call("status", "GET", f"{path}?fnr={NUMBER}", vendor) == 200


async def _refused(run: Run) -> None:
    vendor = [*await _token(run, "another"), JSON]
    wrong = NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10)
    run.marks["wrong number"] = wrong
    bodies = {
        "wrong check digit": message(wrong),
        "unknown member": message(**{NUMBER: SURNAME, NAME: NUMBER}),
        "not json": f'{{"resourceType": "Bundle", {NUMBER} {SURNAME}'.encode(),
        "twice": f'{{"{SURNAME}{NUMBER}": 1, "{SURNAME}{NUMBER}": 2}}'.encode(),
        "wrong type": json.dumps({"resourceType": SURNAME, "id": NUMBER}).encode(),
        "wrong time": message(timestamp=f"{NUMBER} {SURNAME}"),
        "two patients": message().replace(NUMBER.encode(), OTHER_NUMBER.encode(), 2),
    }
    for what, body in bodies.items():
        assert await run.call(what, "POST", BUNDLE, vendor, body) in (400, 422), what
        for door in (f"/epj/r4/{ORGNR}/$process-message", f"/epj/r4/{ORGNR}/observation"):
            assert await run.call(f"{what} at {door}", "POST", door, vendor, body) in (400, 403, 422), what
    name = quote(SURNAME)
    for path in (
        f"/epj/r4/{NUMBER}/bundle", f"/epj/r4/{name}/bundle", f"/epj/r4/{ORGNR}/{name}", f"/epj/r4/{ORGNR}/{NUMBER}",
        f"/{NUMBER}/{name}", f"/epj/r4/{ORGNR}/bundle/{NUMBER}/{name}",
    ):  # fmt: skip
        assert await run.call(path, "POST", path, vendor, message()) in (403, 404), path
    for id in (NUMBER, name, f"{name}.{NUMBER}"):
        assert await run.call("status", "GET", f"{BUNDLE}/{id}/$status", vendor) == 404
    stranger = [*await system(run.hub, "natugla-test"), JSON]
    assert await run.call("not granted", "POST", BUNDLE, stranger, message()) == 403
    secret = f"{SURNAME}{NUMBER}secret"
    for credential in (f"Bearer {secret}", f"Basic {secret}", secret, f"DPoP {secret}", f"Bearer a.{secret}.b"):
        assert await run.call(credential, "POST", BUNDLE, [("Authorization", credential), JSON], message()) in (
            400,
            401,
        )
    for fault in ("wrong_signing_key", "expired", "alg_none", "bound_token_as_bearer", "proof_wrong_key"):
        headers = await _token(run, fault, fault=fault, proof={"url": f"{run.hub.api}{BUNDLE}"}, claims={"x": NUMBER})
        assert await run.call(fault, "POST", BUNDLE, [*headers, JSON], message()) == 401


async def _by_people(run: Run) -> None:
    subject = "canary-reader"
    roles = frozenset({Role.MONITORING, Role.ADMINISTRATION})
    access = Access(ORGNR, f"helseid:{subject}", roles, utc_now() + timedelta(days=1))
    async with open_stores(run.hub.hub.addresses.cosmos, run.hub.hub.addresses.database) as stores:
        await stores.registry.put(access.document(), ORGNR)
    claims = {
        "sub": subject, "name": NAME, "helseid://claims/identity/pid": NUMBER,
        "helseid://claims/identity/security_level": "4", "helseid://claims/client/claims/orgnr_parent": ORGNR,
    }  # fmt: skip
    person = await _token(run, "person", claims=claims)
    form = ("Content-Type", "application/x-www-form-urlencoded")
    event = run.locations[0].split("/")[-2]
    for search in (f"message-id={event}", f"patient={quote(f'{FNR}|{NUMBER}', safe='')}"):
        assert await run.call(search, "POST", "/trail/_search", [*person, form], search.encode()) == 200
    for search in (f"agent={NUMBER}", f"agent={quote(SURNAME)}", f"{NUMBER}={quote(SURNAME)}", f"page={NUMBER}"):
        await run.call(search, "POST", "/trail/_search", [*person, form], search.encode())
    home = f"/registry/municipalities/{ORGNR}"
    for path in (home, f"{home}/grants/{NUMBER}", f"/registry/municipalities/{NUMBER}", f"{home}/people/{NUMBER}"):
        await run.call(path, "GET", f"{path}?after={NUMBER}", person)
    headers = [*person, ("Content-Type", "application/json"), ("If-None-Match", "*")]
    body = json.dumps({NUMBER: SURNAME, "name": f"{NAME} {NUMBER}"}).encode()
    assert await run.call("change", "PUT", home, headers, body) in (400, 409, 412, 422)
    assert await run.call("trail entry", "GET", f"/trail/{NUMBER}", person) == 404


async def _in_trouble(run: Run) -> None:
    vendor = [*await _token(run, "in trouble"), JSON]
    await run.hub.behave("500", count=2)
    assert await run.call("journal fails", "POST", BUNDLE, vendor, message(meta={"tag": [{"code": "a"}]})) == 202
    await run.hub.behave("reset", count=1)
    await run.hub.cosmos_fault(refuse=True, mode="503", count=20)
    await run.call("store fails", "POST", BUNDLE, vendor, message(language="nb"))
    await run.hub.cosmos_fault(refuse=True, mode="drop", count=20)
    await run.call("store drops", "POST", BUNDLE, vendor, message(language="nn"))
    await run.hub.servicebus_fault(dropConnections=True)
    await run.call("bus drops", "POST", BUNDLE, vendor, message(language="no"))
    for location in run.locations:
        await run.hub.reaches(location, "delivered", "journaled")


def read(path: Path) -> bytes:
    return path.read_bytes()


def files(run: Run, part: str) -> list[Path]:
    return [each for each in (run.hub.hub.folder / part).rglob("*") if each.is_file()]


def test_the_search_finds_a_mark_in_every_form() -> None:
    marks = {"name": NAME}
    for form in forms(NAME):
        assert seen(b"..." + form + b"...", marks) == {"name"}
    assert seen(b"Kanari", marks) == set()
    for before in range(4):
        text = base64.b64encode(b"x" * before + NAME.encode() + b"yz")
        assert seen(text, marks) == {"name"}, before


async def test_payload_documents_hold_the_marks_and_no_other_document_does(run: Run) -> None:
    databases = [each for each in files(run, "cosmos") if each.suffix in (".db", ".sqlite", ".sqlite3")]
    found = {name: seen(text, run.marks) for database in databases for name, text in rows(database)}
    payloads = {name: marks for name, marks in found.items() if name.startswith("payload ")}
    assert len(payloads) >= 4
    assert all(marks & {"number", "other number"} and "name" in marks for marks in payloads.values())
    texts = [(name, text) for database in databases for name, text in rows(database)]
    others = [(name, seen(text, run.marks), text[:200]) for name, text in texts if not name.startswith("payload ")]
    assert len(others) > 50
    assert [each for each in others if each[1]] == []


async def test_no_log_line_of_any_process_holds_a_mark(run: Run) -> None:
    event = run.locations[0].split("/")[-2].encode()
    assert any(event in each.read_bytes() for each in files(run, "logs")), "the log of the app is looked at"
    found = [
        (each.name, seen(line, run.marks), line[:300])
        for each in files(run, "logs")
        for line in each.read_bytes().splitlines()
    ]
    assert [each for each in found if each[1]] == []


async def test_no_message_on_the_bus_holds_a_mark(run: Run) -> None:
    # The file itself: it keeps what was on the bus and is gone, for as long as its pages are not used again.
    kept = b"".join(each.read_bytes() for each in files(run, "servicebus"))
    lane = run.locations[0].split("/")[-2].partition(".")[0].encode()
    assert lane in kept, "the bus's messages are looked at"
    assert seen(kept, run.marks) == set()


async def test_no_answer_and_no_address_holds_a_mark(run: Run) -> None:
    assert len(run.answers) > 40
    assert [(what, seen(text, run.marks), text) for what, text in run.answers if seen(text, run.marks)] == []


async def test_the_journal_is_told_nothing_but_in_the_body(run: Run) -> None:
    received = json.dumps(await run.hub.received(), ensure_ascii=False).encode()
    assert len(json.loads(received)) >= 4
    assert seen(received, run.marks) == set()


async def test_no_process_was_started_with_a_mark(run: Run) -> None:
    for pid in run.hub.hub.pids.values():
        for what in ("cmdline", "environ"):
            assert seen(read(Path(f"/proc/{pid}/{what}")), run.marks) == set()


async def test_refusals_of_unknown_callers_are_written_down_so_many_a_minute(run: Run) -> None:
    for _ in range(4 * STRANGERS):
        assert await run.call("stranger", "POST", BUNDLE, [JSON], message()) == 401
    addresses = run.hub.hub.addresses
    text = "SELECT * FROM c WHERE c.authenticated = false"
    async with open_stores(addresses.cosmos, addresses.database) as stores:
        kept = await stores.refusals.query(text, {}, 100)
    # Two minutes may have begun meanwhile, and the run before had callers of this kind too.
    assert 0 < len(kept) <= 6 * STRANGERS
    assert len([what for what, _ in run.answers if what == "stranger"]) == 4 * STRANGERS

    async def told() -> bool | None:
        return any(b"HUB-1006" in each.read_bytes() for each in files(run, "logs")) or None

    await until(told, "the log to say how many were not written down")
