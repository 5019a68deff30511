"""A change is one batch with its history, tells what changed and nothing else, and changes nothing twice."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.documents import Create, Document, Patch
from shared.registry.changes import UNTOLD, Change, change
from shared.registry.entries import Entry, entry_of
from shared.registry.model import Grant, Municipality, Receiver
from shared.registry.shapes import Invalid
from shared.registry.traffic import Stop, Traffic
from tests.unit.registry.samples import (
    ACCESS,
    DAY,
    ENTRIES,
    GRANT,
    MUNICIPALITY,
    NOW,
    ORGNR,
    RECEIVER,
    WHO,
    WHY,
)

EARLY: Document = {
    "id": "municipality", "orgnr": ORGNR, "type": "municipality", "name": "Solvik",
    "receivers": [{"id": "epj", "url": "http://127.0.0.1:1", "resources": ["bundle"]}], "_etag": '"x"', "_ts": 1,
}  # fmt: skip


def made(current: Document | None, wanted: Entry | None) -> Change:
    found = change(current, wanted, WHO, WHY, NOW)
    assert found is not None
    return found


def after(current: Document | None, each: Change) -> Document:
    """The document as the database has it once a change is written."""
    match each.operations[0]:
        case Create(document):
            return json.loads(json.dumps(document))  # type: ignore[no-any-return]  # what was dumped is one
        case Patch(_, changes, _):
            return {**(current or {}), **{one.path[1:]: one.value for one in changes}}


def history(each: Change) -> dict[str, Any]:
    last = each.operations[-1]
    assert isinstance(last, Create)
    return last.document


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_what_is_written_is_what_was_wanted(entry: Entry) -> None:
    document = after(None, made(None, entry))
    assert entry_of(document) == entry
    assert change(document, entry, WHO, WHY, NOW) is None


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_a_change_and_its_history_are_one_batch(entry: Entry) -> None:
    found = made(None, entry)
    assert len(found.operations) == 2
    told = history(found)
    assert told["orgnr"] == found.orgnr
    assert told["id"] == f"history.{found.id}.1"
    assert (told["who"], told["why"], told["at"]) == (WHO, WHY, "2026-01-15T08:00:00.000000Z")


def test_versions_count_up_and_the_condition_is_the_version_that_was_read() -> None:
    document = after(None, made(None, GRANT))
    found = made(document, replace(GRANT, may_read=False))
    assert found.version == 2
    operation = found.operations[0]
    assert isinstance(operation, Patch)
    assert operation.condition == "FROM c WHERE c.version = 1"
    assert history(found)["changes"] == [{"field": "mayRead", "before": True, "after": False}]
    assert not found.withdraws


def test_a_new_entry_is_told_by_what_it_has_not_by_what_it_lacks() -> None:
    told = {
        each["field"]: (each["before"], each["after"]) for each in history(made(None, Grant(ORGNR, "v")))["changes"]
    }
    assert told == {"maySend": (None, True), "vkpId": (None, "v")}


def test_an_empty_list_is_told_as_one() -> None:
    document = after(None, made(None, Grant(ORGNR, "v")))
    told = history(made(document, Grant(ORGNR, "v", frozenset({"bundle"}))))["changes"]
    assert told == [{"field": "resources", "before": [], "after": ["bundle"]}]


def test_a_document_of_earlier_shape_that_means_the_same_is_not_changed() -> None:
    same = Municipality(ORGNR, "Solvik", (Receiver("epj", "http://127.0.0.1:1", frozenset({"bundle"})),))
    assert change(EARLY, same, WHO, WHY, NOW) is None


def test_a_document_of_earlier_shape_is_changed_if_nobody_gave_it_a_version() -> None:
    found = made(EARLY, Municipality(ORGNR, "Solvik", ()))
    operation = found.operations[0]
    assert isinstance(operation, Patch)
    assert operation.condition == "FROM c WHERE NOT IS_DEFINED(c.version)"
    assert found.version == 1


def test_no_change_needs_more_operations_on_a_document_than_cosmos_takes() -> None:
    for entry in ENTRIES:
        early = {name: entry.document()[name] for name in ("id", "orgnr", "type")}
        # As if every field had to be written: the document has none of them.
        full = {**early, "version": 1, "withdrawn": True}
        *patches, history = made(full, entry).operations
        assert isinstance(history, Create)
        for each in patches:
            assert isinstance(each, Patch)
            assert len(each.changes) <= 10
        written = {change.path for each in patches if isinstance(each, Patch) for change in each.changes}
        assert written >= {f"/{name}" for name in entry.document() if name not in {"id", "orgnr", "type"}}


def test_a_withdrawn_entry_stays_as_a_mark_and_its_versions_go_on() -> None:
    document = after(None, made(None, GRANT))
    gone = made({**document, "_etag": '"x"', "_ts": 1}, None)
    assert gone.withdraws
    assert history(gone)["changes"] == [{"field": "withdrawn", "before": False, "after": True}]
    marked = after(document, gone)
    assert entry_of(marked) is None
    assert change(marked, None, WHO, WHY, NOW) is None
    back = made(marked, GRANT)
    assert back.version == 3
    assert not back.withdraws
    assert entry_of(after(marked, back)) == GRANT


def test_nothing_is_withdrawn_that_was_never_there() -> None:
    assert change(None, None, WHO, WHY, NOW) is None


def test_a_history_tells_which_field_of_which_receiver_changed() -> None:
    other = Receiver("archive", "https://archive.example.no")
    document = after(None, made(None, replace(MUNICIPALITY, receivers=(RECEIVER, other))))
    moved = replace(MUNICIPALITY, receivers=(replace(RECEIVER, url="https://new.example.no"), other))
    assert history(made(document, moved))["changes"] == [
        {"field": "receivers.epj.url", "before": RECEIVER.url, "after": "https://new.example.no"}
    ]
    fewer = history(made(document, MUNICIPALITY))["changes"]
    assert {each["field"].rsplit(".", 1)[0] for each in fewer} <= {"receivers.archive", "receivers.archive.limits"}
    assert all(each["after"] is None for each in fewer)


def test_a_stop_and_its_end_are_told() -> None:
    document = after(None, made(None, MUNICIPALITY))
    stopped = replace(MUNICIPALITY, traffic=Traffic(writes=Stop(NOW + DAY, "upgrade")))
    told = {each["field"]: each["after"] for each in history(made(document, stopped))["changes"]}
    assert told["traffic.writes.until"] == "2026-01-16T08:00:00.000000Z"
    assert told["traffic.writes.reason"] == "upgrade"


def test_no_history_tells_a_persons_name() -> None:
    document = after(None, made(None, ACCESS))
    told = [made(None, ACCESS), made(document, replace(ACCESS, name="Kari Annen"))]
    assert all("Kari" not in json.dumps(history(each), ensure_ascii=False) for each in told)
    assert {"field": "name", "before": None, "after": UNTOLD} in history(told[0])["changes"]
    assert history(told[1])["changes"] == [{"field": "name", "before": UNTOLD, "after": UNTOLD}]


@pytest.mark.parametrize("why", ["", "  ", "ab", "x" * 201, "two\nlines", "for 01880012345", "for 018800 12345"])
def test_a_change_without_a_reason_fit_to_keep_is_none(why: str) -> None:
    with pytest.raises(Invalid, match="why"):
        change(None, GRANT, WHO, why, NOW)


@pytest.mark.parametrize("who", ["", "two\nlines"])
def test_nobody_changes_nothing(who: str) -> None:
    with pytest.raises(Invalid, match="who"):
        change(None, GRANT, who, WHY, NOW)


def test_an_entry_does_not_become_another() -> None:
    document = after(None, made(None, GRANT))
    with pytest.raises(ValueError, match="another entry"):
        change(document, replace(GRANT, vkp_id="other"), WHO, WHY, NOW)


BOOLS = st.fixed_dictionaries({"may_send": st.booleans(), "may_read": st.booleans()})


@given(st.lists(st.none() | BOOLS, min_size=1, max_size=8))
def test_any_row_of_changes_ends_at_what_was_wanted_last(row: list[dict[str, bool] | None]) -> None:
    document: Document | None = None
    versions = 0
    ids = set()
    for each in row:
        wanted = None if each is None else replace(GRANT, **each)  # type: ignore[arg-type]  # both are booleans
        found = change(document, wanted, WHO, WHY, NOW)
        if found is not None:
            versions += 1
            assert found.version == versions
            ids.add(history(found)["id"])
            document = after(document, found)
        assert entry_of(document) == wanted
    assert len(ids) == versions


def test_every_field_of_an_entry_is_told_when_it_changes() -> None:
    document = after(None, made(None, GRANT))
    others: dict[str, Any] = {
        "resources": frozenset({"observation"}), "service_codes": frozenset({"MD"}), "may_send": False,
        "may_read": False, "valid_from": None, "valid_to": None, "approved_by": "another",
        "silent_after_hours": 48,
    }  # fmt: skip
    assert others.keys() | {"orgnr", "vkp_id"} == {each.name for each in fields(GRANT)}
    for name, value in others.items():
        assert len(made(document, replace(GRANT, **{name: value})).fields) == 1
