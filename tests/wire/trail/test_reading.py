"""Reading the log: what is found, by whom, in which form, and that the reading itself is logged."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from jsonschema import Draft202012Validator

from shared.api import trail_schemas
from shared.errors import HubError, NotAvailable
from shared.messages.documents import Document, Unreachable
from shared.registry.model import SYSTEMS
from shared.registry.people import Access, Person, Role
from shared.trail.bundles import PLAIN
from shared.trail.desk import TrailDesk
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.entry import Person as Reader
from shared.trail.looking import Look, Purpose, denied, look
from shared.trail.refused import SearchMalformed, TrailUnknown
from shared.trail.writing import TrailWriter
from tests.wire.trail.conftest import OBSERVER, T0, Log, bare

ORGNR, OTHER = "310000001", "310000002"
NUMBER = "21885499887"
PEOPLE = {
    "helseid:admin": (ORGNR, Role.ADMINISTRATION),
    "helseid:monitor": (ORGNR, Role.MONITORING),
    "helseid:users": (ORGNR, Role.USER_ADMINISTRATION),
    "helseid:other": (OTHER, Role.ADMINISTRATION),
    "entra:operator": (SYSTEMS, Role.OPERATOR),
    "helseid:odd": (ORGNR, Role.OPERATOR),
    "entra:odd": (SYSTEMS, Role.ADMINISTRATION),
}


def person(subject: str, orgnr: str | None = ORGNR, level: str = "4") -> Person:
    return Person(subject, "Kari Nordmann", orgnr, level)


ADMIN, MONITOR, OPERATOR = person("helseid:admin"), person("helseid:monitor"), person("entra:operator", None)


@pytest.fixture
async def desk(log: Log) -> TrailDesk:
    """A desk over a log with a bit of everything."""
    await log.write(ORGNR, 3, message="m-1", patient="p-old", system="trygghetsvakt", sender="trygghetsvakt")
    log.clock.forward(minutes=1)
    await log.write(ORGNR, 2, kind=Kind.DELIVERED, message="m-2", patient="p-new", receiver="epj")
    await log.write(ORGNR, 1, kind=Kind.REGISTRY_CHANGE, why="Vedtak 12", details={"object": "grant.x"},
                    changes=(("resources", "bundle", "bundle|observation"),),
                    person=Reader("helseid:admin", "", "", ""))  # fmt: skip
    await log.write(OTHER, 2, message="m-9", patient="p-new")
    await log.write("", 1, kind=Kind.REFUSED, outcome=Outcome.MINOR_FAILURE, reason="SEND_TOKEN_EXPIRED")

    async def access(orgnr: str, subject: str) -> Access | None:
        found = PEOPLE.get(subject)
        if found is None or found[0] != orgnr:
            return None
        return Access(orgnr, subject, frozenset({found[1]}), T0 + timedelta(days=60))

    def pseudonyms(system: str, value: str) -> tuple[str, ...]:
        return ("p-new", "p-old") if value == NUMBER else ()

    return TrailDesk(
        trail=log.trail, writer=log.writer(), access=access, pseudonyms=pseudonyms, clock=log.clock,
        public_url="https://hub.example",
    )  # fmt: skip


async def found(desk: TrailDesk, who: Person, **asked: str) -> list[dict[str, Any]]:
    bundle = await desk.search(
        who, urlencode({name.replace("__", "-"): value for name, value in asked.items()}).encode()
    )
    return [each["resource"] for each in bundle.get("entry", ())]


def codes(events: list[dict[str, Any]]) -> list[str]:
    return [each["subtype"][0]["code"] for each in events]


async def test_a_municipality_finds_its_entries_newest_first(desk: TrailDesk) -> None:
    events = await found(desk, ADMIN)
    assert codes(events) == ["registry-change", "delivered", "delivered", "routed", "routed", "routed", "genesis"]


async def test_entries_are_found_by_message(desk: TrailDesk) -> None:
    assert codes(await found(desk, ADMIN, message__id="m-2")) == ["delivered", "delivered"]
    assert await found(desk, ADMIN, message__id="m-9") == []


async def test_entries_are_found_by_patient_under_every_version_of_the_key(desk: TrailDesk) -> None:
    system = "urn:oid:2.16.578.1.12.4.1.4.1"
    events = await found(desk, ADMIN, patient=f"{system}|{NUMBER}")
    assert codes(events) == ["delivered", "delivered", "routed", "routed", "routed"]
    assert await found(desk, ADMIN, patient=f"{system}|another") == []


async def test_entries_are_found_by_caller_and_by_period(desk: TrailDesk) -> None:
    assert len(await found(desk, ADMIN, agent="trygghetsvakt")) == 3
    for date, count in (
        ("ge2026-11-22T12:01:00Z", 2), ("gt2026-11-22T12:01:00Z", 0), ("lt2026-11-22T12:01:00Z", 0),
        ("le2026-11-22T13:01:00+01:00", 2), ("le2026-11-22", 2), ("gt2026-11-22", 0), ("lt2026-11-22", 0),
    ):  # fmt: skip
        assert len(await found(desk, ADMIN, message__id="m-2", date=date)) == count, date


async def test_a_search_comes_in_pages_that_lose_and_repeat_nothing(desk: TrailDesk, log: Log) -> None:
    log.clock.now = T0.replace(month=12)
    await log.write(ORGNR, 4, message="m-1")
    seen: list[str] = []
    page: dict[str, str] = {}
    for _ in range(10):
        form = urlencode({"_count": "3", "message-id": "m-1", **page}).encode()
        bundle = await desk.search(ADMIN, form)
        seen += [each["resource"]["id"] for each in bundle.get("entry", ())]
        if "link" not in bundle:
            break
        page = {"page": bundle["link"][0]["url"].partition("page=")[2]}
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


async def test_every_entry_is_a_resource_that_others_can_read(desk: TrailDesk, log: Log) -> None:
    for who in (ADMIN, OPERATOR):
        for event in await found(desk, who, **({} if who is ADMIN else {"municipality": ORGNR})):
            AuditEvent.model_validate(event)
    for kind in Kind:
        await log.write(
            ORGNR, 1, kind=kind, message="m", patient="p", original="o", purpose="HOPERAT", trace="00-1-2-3"
        )
    events = await found(desk, ADMIN, _count="100")
    assert len(events) > len(Kind)
    for event in events:
        AuditEvent.model_validate(event)


async def test_a_look_has_the_shape_of_balp(desk: TrailDesk, log: Log) -> None:
    await look(log.writer(), log.clock, a_look(), shown)
    (event,) = await found(desk, ADMIN, subtype="payload-look")
    AuditEvent.model_validate(event)
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientRead")
    types = [each["type"]["coding"][0]["code"] for each in event["agent"]]
    assert types == ["IRCP", "PROV", "110152", "110153", "CST"][: len(types)]
    assert [each["type"]["code"] for each in event["entity"]] == ["2", "1"]
    assert event["agent"][0]["name"] == "Ola Nordmann"
    assert all("network" in each for each in event["agent"][2:4])


async def test_a_look_at_one_entry_by_its_id(desk: TrailDesk) -> None:
    newest = (await found(desk, ADMIN))[0]
    assert await desk.read(ADMIN, newest["id"]) == newest


@pytest.mark.parametrize("who", [person("helseid:other", OTHER), person("helseid:nobody"), person("helseid:other")])
async def test_what_is_not_yours_is_answered_as_what_is_not_there(desk: TrailDesk, who: Person) -> None:
    newest = (await found(desk, ADMIN))[0]
    answers = []
    for id in (newest["id"], f"{ORGNR}-2026-11-0000009999", "999999999-2026-11-0000000001", "x", ORGNR):
        with pytest.raises(TrailUnknown) as caught:
            await desk.read(who, id)
        answers.append(str(caught.value))
    for orgnr in (ORGNR, "999999999", "x", "hub"):
        with pytest.raises(TrailUnknown) as caught:
            await desk.search(who, f"municipality={orgnr}".encode())
        answers.append(str(caught.value))
    assert len(set(answers)) == 1


async def test_a_role_of_one_municipality_counts_in_no_other(desk: TrailDesk) -> None:
    for subject in ("helseid:admin", "helseid:other"):
        with pytest.raises(TrailUnknown):
            await desk.search(person(subject, ORGNR), f"municipality={OTHER}".encode())


@pytest.mark.parametrize("subject", ["helseid:odd", "entra:odd"])
async def test_a_role_in_the_wrong_place_opens_nothing(desk: TrailDesk, subject: str) -> None:
    """An operator by a municipality's word, and an administrator of everything."""
    with pytest.raises(TrailUnknown):
        await desk.search(person(subject), b"")


async def test_somebody_not_logged_in_at_the_highest_level_is_refused(desk: TrailDesk) -> None:
    with pytest.raises(HubError) as caught:
        await desk.search(person("helseid:admin", level="3"), b"")
    assert caught.value.status == 403


async def test_an_access_that_has_lapsed_opens_nothing(desk: TrailDesk, log: Log) -> None:
    log.clock.forward(days=61)
    with pytest.raises(TrailUnknown):
        await desk.search(ADMIN, b"")


async def test_who_watches_traffic_sees_stations_but_no_patient_and_no_person(desk: TrailDesk, log: Log) -> None:
    await look(log.writer(), log.clock, a_look(), shown)
    events = await found(desk, MONITOR)
    assert set(codes(events)) == {"delivered", "routed"}
    assert "p-new" not in json.dumps(events)
    with pytest.raises(SearchMalformed):
        await found(desk, MONITOR, patient=f"s|{NUMBER}")


async def test_who_administers_users_sees_changes_of_rights_alone(desk: TrailDesk) -> None:
    assert codes(await found(desk, person("helseid:users"))) == ["registry-change"]


async def test_the_operator_sees_all_municipalities_and_no_patient_and_no_person(desk: TrailDesk) -> None:
    events = await found(desk, OPERATOR, municipality=OTHER)
    assert codes(events) == ["routed", "routed", "genesis"]
    assert "p-new" not in json.dumps(events)
    assert "refused" in codes(await found(desk, OPERATOR, municipality="hub"))
    changes = await found(desk, OPERATOR, municipality=ORGNR, subtype="registry-change")
    assert codes(changes) == ["registry-change"]
    assert "helseid:admin" not in json.dumps(changes)
    assert "helseid:admin" in json.dumps(await found(desk, person("helseid:users")))


async def test_every_reading_of_the_log_is_in_the_log_with_its_reader(desk: TrailDesk, log: Log) -> None:
    await found(desk, ADMIN, patient=f"s|{NUMBER}")
    await found(desk, OPERATOR, municipality=ORGNR)
    chain = await log.chain(f"{ORGNR}:2026-11")
    reads = [json.loads(each["body"]) for each in chain if each["kind"] == "log-read"]
    assert [each["person"]["subject"] for each in reads] == ["helseid:admin", "entra:operator"]
    assert reads[0]["patient"] == "p-new"
    assert reads[0]["details"]["by"] == "patient"
    assert NUMBER not in json.dumps(chain)
    assert "Kari" not in json.dumps(chain)


class NoWriting(TrailWriter):
    """A log that cannot be written."""

    async def append(self, entries: Any) -> int:
        raise Unreachable("TEST")


async def test_nothing_is_read_when_the_reading_cannot_be_logged(desk: TrailDesk, log: Log) -> None:
    desk._writer = NoWriting(log.trail, log.clock, OBSERVER)
    for call in (desk.search(ADMIN, b""), desk.read(ADMIN, f"{ORGNR}-2026-11-0000000001")):
        with pytest.raises(NotAvailable):
            await call


@pytest.mark.parametrize(
    "form",
    [
        b"nothing=1", b"_count=0", b"_count=201", b"_count=1e2", b"_count=\xd9\xa1", b"page=x", b"page=" + b"A" * 300,
        b"date=2026", b"date=ge", b"date=ge2026-11-22T12:00:00", b"patient=21885499887", b"patient=s|", b"subtype=x",
        b"message-id=" + b"m" * 300, b"message-id=%00", b"message-id=a&message-id=b", b"x" * 9000, b"\xff",
        b"date=ge2026-01-01&date=ge2026-01-01&date=ge2026-01-01",
        b"message-id",
        b"page=WyJ4IiwgMV0", b"page=WyIzMTAwMDAwMDI6MjAyNi0xMSIsIDFd",
    ],
)  # fmt: skip
async def test_a_search_that_cannot_be_meant_is_refused(desk: TrailDesk, form: bytes) -> None:
    with pytest.raises(SearchMalformed):
        await desk.search(ADMIN, form)


@pytest.mark.parametrize("value", ["' OR 1=1 --", "x' OR c.chain != '", '"}', "@message", "*", "c.find.message"])
async def test_what_is_looked_for_is_never_part_of_the_query(desk: TrailDesk, value: str) -> None:
    assert await found(desk, ADMIN, message__id=value) == []
    assert await found(desk, ADMIN, agent=value) == []


async def test_an_entry_that_somebody_has_been_at_is_not_shown_as_true(desk: TrailDesk, log: Log) -> None:
    newest = (await found(desk, ADMIN, message__id="m-2"))[0]
    entry = next(each for each in await log.chain(f"{ORGNR}:2026-11") if newest["id"].endswith(each["id"][-10:]))
    await log.raw_trail.upsert_item({**entry, "body": entry["body"].replace("epj", "abc")})
    with pytest.raises(TrailUnknown):
        await desk.read(ADMIN, newest["id"])
    shown_now = await found(desk, ADMIN, message__id="m-2")
    assert [each["resourceType"] for each in shown_now].count("OperationOutcome") == 1


def a_look() -> Look:
    return Look(
        person=Reader("helseid:admin", "Ola Nordmann", "administration", ORGNR), orgnr=ORGNR, message="m-1",
        patient="p-old", resource="Bundle", purpose=Purpose.OPERATIONS, reference="case-7", system="console",
    )  # fmt: skip


async def shown() -> str:
    return "the payload"


async def test_a_look_is_written_down_before_anything_is_shown(log: Log) -> None:
    async def show() -> list[Document]:
        return await log.chain(f"{ORGNR}:2026-11")

    before = await look(log.writer(), log.clock, a_look(), show)
    assert [each["kind"] for each in before] == ["genesis", "payload-look"]


async def test_a_look_that_cannot_be_written_down_shows_nothing(log: Log) -> None:
    async def show() -> str:
        raise AssertionError("shown")

    with pytest.raises(NotAvailable):
        await look(NoWriting(log.trail, log.clock, OBSERVER), log.clock, a_look(), show)


async def test_a_denied_look_is_written_down_too(log: Log) -> None:
    await denied(log.writer(), log.clock, a_look(), "SEND_ROLE_MISSING")
    entry: Document = (await log.chain(f"{ORGNR}:2026-11"))[1]
    assert json.loads(entry["header"])["outcome"] == 4
    assert json.loads(entry["body"])["reason"] == "SEND_ROLE_MISSING"


@pytest.mark.parametrize(
    "fact", [{"reason": "Pasienten falt på badet"}, {"reason": NUMBER}, {"details": {"object": f"x-{NUMBER}"}},
             {"why": f"gjelder {NUMBER}"}, {"system": NUMBER}],
)  # fmt: skip
async def test_no_sentence_and_no_number_of_a_person_gets_into_an_entry(log: Log, fact: dict[str, Any]) -> None:
    entry = Entry(kind=Kind.REFUSED, outcome=Outcome.SUCCESS, occurred=T0, source="s", orgnr=ORGNR, **fact)
    await log.writer().append([entry])
    text = json.dumps(await log.chain(f"{ORGNR}:2026-11"))
    assert NUMBER not in text
    assert "badet" not in text


async def plain(desk: TrailDesk, who: Person, **asked: str) -> list[dict[str, Any]]:
    page = await desk.search(who, urlencode(asked).encode(), PLAIN)
    Draft202012Validator(trail_schemas.PAGE, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(page)
    assert page["leftOut"] == 0
    entries: list[dict[str, Any]] = page["entries"]
    return entries


async def test_plain_entries_tell_what_auditevents_do(desk: TrailDesk, log: Log) -> None:
    for kind in Kind:
        await log.write(ORGNR, 1, kind=kind, message="m", patient="p", original="o", purpose="HOPERAT", why="Vedtak")
    events, entries = await found(desk, ADMIN, _count="100"), await plain(desk, ADMIN, _count="100")
    # The search before is an entry too, and the newest.
    assert [each["id"] for each in entries[1:]] == [each["id"] for each in events]
    assert [each["kind"] for each in entries[1:]] == codes(events)
    change = next(each for each in entries if "changes" in each)
    assert change["why"] == "Vedtak 12"
    assert change["changes"] == [{"field": "resources", "before": "bundle", "after": "bundle|observation"}]
    assert change["person"] == {"subject": "helseid:admin"}
    assert await desk.read(ADMIN, change["id"], PLAIN) == change


async def test_who_sees_no_patients_and_people_sees_none_in_plain_entries_either(desk: TrailDesk, log: Log) -> None:
    await look(log.writer(), log.clock, a_look(), shown)
    for who, asked in ((MONITOR, {}), (OPERATOR, {"municipality": ORGNR})):
        text = json.dumps(await plain(desk, who, **asked))
        assert "delivered" in text
        assert not any(each in text for each in ("p-new", "p-old", "Nordmann", "helseid:admin"))


async def test_plain_pages_follow_each_other_by_their_cursor(desk: TrailDesk) -> None:
    seen: list[str] = []
    asked = {"_count": "2", "message-id": "m-1"}
    while True:
        page = await desk.search(ADMIN, urlencode(asked).encode(), PLAIN)
        seen += [each["id"] for each in page["entries"]]
        if page["next"] is None:
            break
        asked["page"] = page["next"]
    assert len(seen) == len(set(seen)) == 3


async def test_of_a_purged_entry_the_header_is_told_and_a_touched_one_is_left_out(desk: TrailDesk, log: Log) -> None:
    purged, touched, *_ = [each for each in await log.chain(f"{ORGNR}:2026-11") if each["kind"] == "routed"]
    await log.raw_trail.replace_item(
        purged["id"], {name: value for name, value in bare(purged).items() if name not in ("body", "salt", "find")}
    )
    await log.raw_trail.replace_item(touched["id"], {**bare(touched), "body": touched["body"].replace("m-1", "m-7")})
    page = await desk.search(ADMIN, b"subtype=routed", PLAIN)
    Draft202012Validator(trail_schemas.PAGE).validate(page)
    assert page["leftOut"] == 1
    assert [each["purged"] for each in page["entries"]] == [False, True]
    assert "message" not in page["entries"][1]
