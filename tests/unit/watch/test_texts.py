"""Notices as people read them: short, in two languages, with what to do, and nothing of a person."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.watch import texts
from shared.watch.alerts import Kind, Notice, Seen, Tells

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEEN = Seen(
    Kind.RECEIVER_DOWN, T0, orgnr="310000019", receiver="epj", sender="trygghet-1", code="REC_HTTP_500", waiting=12,
    oldest=T0 - timedelta(minutes=2),
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[3]


def notice(kind: Kind = Kind.RECEIVER_DOWN, tells: Tells = Tells.BROKEN, at_least: bool = False) -> Notice:
    seen = replace(SEEN, kind=kind, at_least=at_least)
    return Notice("id", tells, T0 + timedelta(minutes=10), 1, seen, (), T0 + timedelta(minutes=5))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("tells", Tells)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_notice_can_be_said_in_every_language(kind: Kind, tells: Tells, language: str) -> None:
    said = texts.title(notice(kind, tells), language) + texts.text(notice(kind, tells), language)
    assert "{" not in said
    assert "  " not in texts.title(notice(kind, tells), language)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_runbook(kind: Kind) -> None:
    page = json.loads(texts.message(notice(kind)).body)["data"]["runbook"]
    assert "## What to do" in (ROOT / page).read_text(encoding="utf-8")


def test_the_first_notice_says_which_receiver_since_when_how_many_wait_and_how_old_the_oldest_is() -> None:
    said = texts.title(notice(), "en") + "\n" + texts.text(notice(), "en")
    assert said == (
        "ERROR: receiver epj of 310000019 takes no messages\n"
        "Since 2026-11-22 13:00:00 CET.\n"
        "Reason: REC_HTTP_500.\n"
        "Waiting: 12; the oldest was accepted 2026-11-22 12:58:00 CET.\n"
        "What to do: docs/runbooks/receiver-down.md\n"
        "No further notice comes until it is well."
    )


def test_the_second_notice_says_since_when_it_is_well_and_how_long_it_lasted() -> None:
    well = notice(tells=Tells.WELL)
    assert texts.title(well, "nb") == "i orden igjen: mottaker epj hos 310000019 tar ikke imot meldinger"
    assert texts.text(well, "nb") == "I orden siden 2026-11-22 13:05:00 CET; det varte 5 min 0 s."


def test_a_count_that_was_not_finished_says_so() -> None:
    assert "≥ 12" in texts.text(notice(at_least=True), "nb")


def test_every_try_sends_the_same_bytes() -> None:
    assert texts.message(notice()) == texts.message(notice())


def test_programs_get_what_people_get() -> None:
    body = json.loads(texts.message(notice()).body)
    assert body["type"] == "alert.receiver-down.broken"
    assert {name: body["data"][name] for name in ("orgnr", "receiver", "waiting", "oldest", "since", "state")} == {
        "orgnr": "310000019", "receiver": "epj", "waiting": 12, "oldest": "2026-11-22T11:58:00.000000Z",
        "since": "2026-11-22T12:00:00.000000Z", "state": "broken",
    }  # fmt: skip
