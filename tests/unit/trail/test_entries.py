"""From documents to entries: every station, each time the same, and nothing that may not be in a log."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock
from shared.fhir import version
from shared.messages import lanes
from shared.messages.lifecycle import State
from shared.messages.model import Delivery, Event, Station
from shared.registry.changes import change
from shared.registry.model import Grant
from shared.trail import entries, facts
from shared.trail.auditevent import Shown, audit_event, place_of, resource_id
from shared.trail.chain import Head, chain_of, is_chain, month_ends, seal
from shared.trail.entry import WITHHELD, Entry, Family, Kind, Outcome, code, opaque, sentence

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LANE = lanes.inbound("310000019", "p")
EVENT = Event(
    id=f"{LANE}.{'a' * 26}", lane=LANE, patient="p" * 20, orgnr="310000019", resource="bundle", resource_type="Bundle",
    sender="a vendor/1", sha256="ab" * 32, size=7, content_type="", correlation_id="c", traceparent="", received_at=T0,
)  # fmt: skip
STATES = [state for state in State if state is not State.DELIVERING]


def event_document(*states: State) -> dict[str, Any]:
    stations = [Station(T0 + timedelta(seconds=at), state).document() for at, state in enumerate(states)]
    return {**EVENT.document((Station(T0, State.RECEIVED),)), "stations": stations}


def delivery_document(*states: State) -> dict[str, Any]:
    delivery = Delivery(lanes.delivery_id(EVENT.id, "epj"), LANE, "epj", 0, T0, EVENT)
    stations = [Station(T0 + timedelta(seconds=at), state).document() for at, state in enumerate(states)]
    return {**delivery.document(), "stations": stations}


def kinds(found: list[Entry]) -> list[str]:
    return [each.kind.value for each in found]


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=12), st.integers(0, 11))
def test_each_station_tells_the_same_however_many_follow_it(states: list[State], many: int) -> None:
    readings = (entries.of_event, event_document), (entries.of_delivery, delivery_document)
    for read, document in (*readings, *((entries.of_message, document) for _, document in readings)):
        early, late = list(read(document(*states[: many + 1]))), list(read(document(*states)))
        assert late[: len(early)] == early
        assert len({each.source for each in late}) == len(late)


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=8))
def test_no_station_of_an_event_is_without_an_entry(states: list[State]) -> None:
    assert len(list(entries.of_event(event_document(*states)))) == len(states)


def test_a_delivery_that_was_tried_twice_and_replayed_tells_of_every_try() -> None:
    stations = (State.ROUTED, State.WAITING, State.QUARANTINED, State.ROUTED, State.DELIVERED, State.JOURNALED)
    found = list(entries.of_delivery(delivery_document(*stations)))
    assert kinds(found) == ["attempt", "quarantined", "replayed", "attempt", "delivered", "journaled"]
    assert [each.outcome for each in found if each.kind is Kind.ATTEMPT] == [8, 0]
    assert [each.details["attempt"] for each in found if each.kind is Kind.ATTEMPT] == ["1", "2"]


def test_an_acceptance_tells_how_the_caller_was_known_and_by_what_was_judged() -> None:
    told = facts.of_acceptance("k2" * 13, "a client/7", "0123456789ab")
    accepted = Station(T0, State.RECEIVED, facts={**told, "text": "somebody"})
    (entry,) = entries.of_event(EVENT.document((accepted,)))
    details = entry.body()["details"]
    assert details.items() >= {"jti": "k2" * 13, "client": "a%20client/7", "rules": "0123456789ab"}.items()
    assert "text" not in details


def test_a_route_tells_by_which_version_of_the_register() -> None:
    stations = [Station(T0, State.RECEIVED), Station(T0, State.ROUTED, facts=facts.of_routing("310000019", 7))]
    _, routed = entries.of_event(EVENT.document(stations))
    assert routed.body()["details"]["register"] == "310000019/7"


TRY = facts.of_try("https://epj.example:8443/fhir/310000019?who=Kari#x", 503, 1250)


@pytest.mark.parametrize(
    ("state", "outcome", "follows"),
    [
        (State.WAITING, Outcome.SERIOUS_FAILURE, []),
        (State.DELIVERED, Outcome.SUCCESS, ["delivered"]),
        (State.QUARANTINED, Outcome.MINOR_FAILURE, ["quarantined"]),
    ],
)
def test_every_try_tells_whom_it_was_made_to_what_came_back_and_how_long_it_took(
    state: State, outcome: Outcome, follows: list[str]
) -> None:
    document = {**delivery_document(), "stations": [Station(T0, state, facts=TRY).document()]}
    tried, *rest = entries.of_delivery(document)
    assert (tried.kind, tried.outcome, kinds(rest)) == (Kind.ATTEMPT, outcome, follows)
    assert tried.details.items() >= {"host": "epj.example:8443", "httpStatus": "503", "durationMs": "1250"}.items()
    assert (tried.ended, tried.occurred) == (T0, T0 - timedelta(milliseconds=1250))
    assert all("host" not in each.details for each in rest)
    sealed = seal("310000019:2026-11", None, tried, T0, "knutepunkt/0/test", bytes(32))
    event = audit_event(sealed, Shown(patients=False, people=False))
    networks = [each["network"] for each in event["agent"] if "network" in each]
    assert networks == [{"address": "epj.example:8443", "type": "1"}]
    assert event["period"] == {"start": "2026-11-22T11:59:58.750000Z", "end": "2026-11-22T12:00:00.000000Z"}


def test_a_message_set_aside_without_a_try_tells_of_none() -> None:
    document = {**delivery_document(), "stations": [Station(T0, State.QUARANTINED, "HUB_BYTES_DIFFER").document()]}
    assert kinds(list(entries.of_delivery(document))) == ["quarantined"]


@given(st.text(max_size=200))
def test_of_an_address_nothing_but_the_host_is_told(path: str) -> None:
    assert facts.host_of(f"https://epj.example/{path}") == "epj.example"
    told = facts.host_of(path)
    assert code(told) in (told, WITHHELD)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:secret@epj.example/x", "epj.example"), ("https://21885499887.example/", WITHHELD),
        ("", "unknown"), ("https://epj.example:port/", "unknown"), ("http://[::1]:80/", "withheld:80"),
    ],
)  # fmt: skip
def test_a_host_is_told_without_who_is_at_it(url: str, host: str) -> None:
    assert code(facts.host_of(url)) == code(host)


def test_the_rules_have_a_name_that_changes_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code(version.rules_version()) == version.rules_version() == version.rules_version.__wrapped__()
    monkeypatch.setattr(version, "_DATA", tmp_path)
    names = set()
    for text in ("1", "2"):
        (tmp_path / "a.json").write_text(text)
        names.add(version.rules_version.__wrapped__())
    (tmp_path / "a.json").rename(tmp_path / "b.json")
    names.add(version.rules_version.__wrapped__())
    assert len(names) == 3


@pytest.mark.parametrize("read", [entries.of_message, entries.of_refusal, entries.of_history])
@pytest.mark.parametrize("document", [{}, *({"type": each, "stations": []} for each in ("payload", "lane", "line"))])
def test_what_tells_of_nothing_gives_no_entry(read: entries.Reading, document: dict[str, Any]) -> None:
    assert list(read(document)) == []


def test_a_change_of_the_register_tells_who_why_and_what() -> None:
    made = change(None, Grant("310000019", "vendor-1", frozenset({"bundle"})), "helseid:abc", "Vedtak 12/26", T0)
    assert made is not None
    history = json.loads(json.dumps(made.operations[1].document))  # type: ignore[union-attr] # the second is a Create
    (entry,) = entries.of_history(history)
    body = entry.body()
    assert (entry.kind, entry.orgnr, body["person"]["subject"], body["why"]) == (
        Kind.REGISTRY_CHANGE, "310000019", "helseid:abc", "Vedtak 12/26",
    )  # fmt: skip
    assert body["details"]["object"] == made.id
    assert ["resources", "", "bundle"] in body["changes"]


@given(st.text(max_size=300))
def test_what_is_neither_id_nor_code_is_withheld(text: str) -> None:
    kept = code(text)
    assert kept in (text, WITHHELD)
    assert " " not in kept
    assert kept.isascii()
    assert opaque(text) == WITHHELD or opaque(text).isascii()


@pytest.mark.parametrize("text", ["21885499887", "x-21885499887", "urn:oid:1|21885499887", "gjelder 21885499887."])
def test_a_number_of_a_person_is_withheld_everywhere(text: str) -> None:
    assert {code(text), opaque(text), sentence(text)} == {WITHHELD}


@given(st.sampled_from(["", "310000019"]), st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1)))  # noqa: DTZ001
def test_a_chain_is_a_municipality_and_a_month(orgnr: str, naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    chain = chain_of(orgnr, moment)
    assert is_chain(chain)
    assert moment < month_ends(chain)
    assert chain_of(orgnr, month_ends(chain)) != chain
    assert place_of(resource_id(chain, 42)) == (chain, 42)


@pytest.mark.parametrize("text", ["", "x", "a-b-c-d", "1-2-3-٣٣٣٣٣٣٣٣٣٣", "310000019-2026-11-42", "a" * 500])
def test_what_is_no_id_of_an_entry_leads_nowhere(text: str) -> None:
    place = place_of(text)
    assert place is None or not is_chain(place[0])


def test_every_kind_has_a_family_and_a_form_as_auditevent() -> None:
    for kind in Kind:
        entry = Entry(kind=kind, outcome=Outcome.SUCCESS, occurred=T0, source=kind.value)
        document = seal("hub:2026-11", Head(4, "0" * 64), entry, T0, "knutepunkt/0/test", bytes(32))
        event = audit_event(document, Shown(patients=True, people=True))
        assert event["subtype"][0]["code"] == kind.value
        assert event["recorded"] == clock.written(T0)
        assert kind.family in Family
