"""The register as code: what a file leaves out stays, what it lists is all, and every fault is told at its place."""

import json
from dataclasses import replace
from datetime import UTC
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.documents import Create, Document, Patch
from shared.registry.changes import Change, change
from shared.registry.entries import Entry, partition
from shared.registry.files import Documents, export, plan, read
from shared.registry.model import Grant, Receiver
from shared.registry.schemas import of_file
from shared.registry.shapes import Invalid
from shared.registry.traffic import Stop, Traffic
from tests.unit.registry.samples import (
    ACCESS,
    DAY,
    ENTRIES,
    GRANT,
    HOUSE,
    MUNICIPALITY,
    NOW,
    OPERATOR,
    ORGNR,
    PARTNER,
    SYSTEM,
    VKP_ID,
    WHO,
    WHY,
)

NEW_MUNICIPALITY: dict[str, Any] = {
    "municipalities": [
        {
            "orgnr": ORGNR,
            "number": "9901",
            "name": "Solvik kommune (syntetisk)",
            "receivers": [{"id": "epj", "url": "https://epj.example.no/fhir"}],
            "grants": [{"vkpId": VKP_ID, "resources": ["bundle"], "approvedBy": "case 2026/114"}],
            "partnerProfile": {"codes": {"GPS": ["%.2.3"]}},
        }
    ]
}
"""A new municipality on a known vendor: the one file that is reviewed."""


def kept(*entries: Entry) -> dict[tuple[str, str], Document]:
    found = {}
    for entry in entries:
        made = change(None, entry, WHO, WHY, NOW)
        assert made is not None
        operation = made.operations[0]
        assert isinstance(operation, Create)
        found[partition(entry), operation.document["id"]] = operation.document
    return found


def planned(file: dict[str, Any], documents: Documents) -> tuple[Change, ...]:
    return plan(read(json.loads(json.dumps(file))), documents, HOUSE, WHO, WHY)


def applied(documents: Documents, changes: tuple[Change, ...]) -> dict[tuple[str, str], Document]:
    found = dict(documents)
    for each in changes:
        key = (each.orgnr, each.id)
        match each.operations[0]:
            case Create(document):
                found[key] = document
            case Patch(_, sets, _):
                found[key] = {**found[key], **{one.path[1:]: one.value for one in sets}}
    return found


def places(file: dict[str, Any], documents: Documents | None = None) -> list[str]:
    with pytest.raises(Invalid) as raised:
        planned(file, documents or kept(SYSTEM))
    return [each.field for each in raised.value.faults]


def at(path: str, value: Any) -> dict[str, Any]:
    """The file for a new municipality, one place in it otherwise."""
    file: dict[str, Any] = json.loads(json.dumps(NEW_MUNICIPALITY))
    *way, last = path.split(".")
    found: Any = file
    for each in way:
        found = found[int(each)] if each.isdigit() else found[each]
    found[int(last) if last.isdigit() else last] = value
    return file


def test_a_new_municipality_on_a_known_vendor_is_one_file() -> None:
    before = kept(SYSTEM)
    changes = planned(NEW_MUNICIPALITY, before)
    assert [each.kind for each in changes] == ["municipality", "grant", "partnerProfile"]
    assert planned(NEW_MUNICIPALITY, applied(before, changes)) == ()


def test_what_a_file_leaves_out_stays_as_it_is() -> None:
    stopped = replace(MUNICIPALITY, traffic=Traffic(Stop(NOW + DAY)))
    documents = kept(SYSTEM, stopped, GRANT, PARTNER, ACCESS)
    bare = {"orgnr": ORGNR, "number": "9901", "name": MUNICIPALITY.name,
            "receivers": [{"id": "epj", "url": "https://epj.example.no/fhir"}]}  # fmt: skip
    assert planned({"municipalities": [bare]}, documents) == ()
    assert planned({"systems": []}, documents) == ()
    assert planned({}, documents) == ()
    told = planned({"municipalities": [{**bare, "traffic": {}}]}, documents)
    assert [each.field for each in told[0].fields] == ["traffic.writes.reason", "traffic.writes.until"]


def test_a_stop_of_deliveries_stays_as_it_is_and_goes_with_its_receiver() -> None:
    other = replace(MUNICIPALITY.receivers[0], id="other")
    stops = {"other": Stop(NOW + DAY, "upgrade"), "*": Stop()}
    documents = kept(replace(MUNICIPALITY, receivers=(other,), traffic=Traffic(deliveries=stops)))
    bare = {"orgnr": ORGNR, "number": "9901", "name": MUNICIPALITY.name,
            "receivers": [{"id": "other", "url": other.url}]}  # fmt: skip
    assert not [each for each in planned({"municipalities": [bare]}, documents)[0:] if "traffic" in str(each.fields)]
    moved = {**bare, "receivers": [{"id": "epj", "url": other.url}]}
    told = {each.field for each in planned({"municipalities": [moved]}, documents)[0].fields}
    assert {each for each in told if each.startswith("traffic")} == {
        "traffic.deliveries.other.until", "traffic.deliveries.other.reason",
    }  # fmt: skip


def test_what_a_list_leaves_out_is_withdrawn() -> None:
    other = replace(GRANT, vkp_id="other")
    documents = kept(SYSTEM, MUNICIPALITY, GRANT, other, ACCESS, PARTNER)
    (gone,) = planned(at("municipalities.0.grants", [{**NEW_GRANT, "resources": ["bundle", "patient"]}]), {
        **documents, **kept(replace(PARTNER, codes={"GPS": ("%.2.3",)})),
    })  # fmt: skip
    assert (gone.id, gone.withdraws) == ("grant.other", True)


NEW_GRANT: dict[str, Any] = {
    "vkpId": VKP_ID, "serviceCodes": ["GPS", "TA"], "mayRead": True, "approvedBy": "head of unit",
    "validFrom": "2026-01-14T09:00:00+01:00", "validTo": "2026-11-11T08:00:00Z",
}  # fmt: skip


def test_a_file_of_all_there_is_changes_nothing_of_it() -> None:
    documents = kept(*ENTRIES)
    file = export(documents.values())
    assert planned(file, documents) == ()
    jsonschema.Draft202012Validator(of_file()).validate(file)


def test_people_are_left_out_and_then_stay_as_they_are() -> None:
    documents = kept(*ENTRIES)
    file = export(documents.values(), people=False)
    assert "helseid:" not in json.dumps(file)
    assert "entra:" not in json.dumps(file)
    assert planned(file, documents) == ()


def test_an_older_file_does_not_open_what_was_stopped_after_it() -> None:
    file = export(kept(SYSTEM, MUNICIPALITY).values())
    stopped = replace(MUNICIPALITY, traffic=Traffic(Stop()))
    assert planned(file, kept(SYSTEM, stopped)) == ()
    assert planned(export(kept(SYSTEM, stopped).values()), kept(SYSTEM, stopped)) == ()
    assert len(planned(export(kept(SYSTEM, stopped).values()), kept(SYSTEM, MUNICIPALITY))) == 1


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("municipalities.0.orgnr", 310000019, "municipalities.0.orgnr"),
        ("municipalities.0.number", 301, "municipalities.0.number"),
        ("municipalities.0.number", "301", "municipalities.0.number"),
        ("municipalities.0.receivers", None, "municipalities.0.receivers"),
        ("municipalities.0.receiver", [], "municipalities.0.receiver"),
        ("municipalities.0.receivers.0.secret", "x", "municipalities.0.receivers.0.secret"),
        ("municipalities.0.receivers.0.url", "ftp://x", "municipalities.0.receivers.0.url"),
        ("municipalities.0.receivers.0.credentials", "se cret", "municipalities.0.receivers.0.credentials"),
        ("municipalities.0.grants.0.vkpId", "unknown", "municipalities.0.grants.0.vkpId"),
        ("municipalities.0.grants.0.orgnr", ORGNR, "municipalities.0.grants.0.orgnr"),
        ("municipalities.0.grants.0.validTo", "2026-01-01", "municipalities.0.grants.0.validTo"),
        ("municipalities.0.grants.0.validTo", "2026-01-01T00:00:00", "municipalities.0.grants.0.validTo"),
        ("municipalities.0.grants.0.resources", ["bundel"], "municipalities.0.grants.0.resources"),
        ("municipalities.0.grants.0", "x", "municipalities.0.grants.0"),
        ("municipalities.0.grants", {}, "municipalities.0.grants"),
        ("municipalities.0.partnerProfile", [], "municipalities.0.partnerProfile"),
        ("municipalities.0.partnerProfile.codes", {"XX": ["1"]}, "municipalities.0.partnerProfile.codes"),
        ("municipalities.0.people", [{"subject": "helseid:x", "roles": []}], "municipalities.0.people.0.roles"),
        ("municipalities.0.version", 3, "municipalities.0.version"),
        ("municipalities.1", None, "municipalities"),
        ("other", [], "other"),
        ("systems", [{"vkpId": "x", "rules": {"nope": "error"}}], "systems.0.rules"),
        ("systems", [{"vkpId": "x", "dpop": "sometimes"}], "systems.0.dpop"),
        ("systems", [{"vkpId": "x"}, {"vkpId": "x"}], "systems.1"),
        ("operators", [{"subject": "entra:x", "roles": ["monitoring"], "validUntil": "2026-02-01T00:00:00Z"}],
         "operators.0.roles"),
    ],
)  # fmt: skip
def test_a_fault_is_told_at_its_place_and_nothing_is_changed(path: str, value: Any, place: str) -> None:
    if path == "municipalities.1":
        assert places({"municipalities": {}}) == [place]
    else:
        assert place in places(at(path, value))


def test_all_faults_of_form_are_told_at_once() -> None:
    file = at("municipalities.0.grants.0.vkpId", 1)
    file["municipalities"][0]["name"] = ""
    file["systems"] = [{"name": "x"}]
    assert places(file) == ["systems.0.vkpId", "municipalities.0.name", "municipalities.0.grants.0.vkpId"]


def test_a_system_of_the_same_file_is_known() -> None:
    file = {**NEW_MUNICIPALITY, "systems": [{"vkpId": VKP_ID}]}
    assert [each.kind for each in planned(file, {})] == ["system", "municipality", "grant", "partnerProfile"]


def test_a_system_that_was_withdrawn_is_not_known() -> None:
    documents = kept(SYSTEM)
    gone = change(next(iter(documents.values())), None, WHO, WHY, NOW)
    assert gone is not None
    assert places(NEW_MUNICIPALITY, applied(documents, (gone,))) == ["municipalities.0.grants.0.vkpId"]


def test_what_is_there_already_is_not_judged_again() -> None:
    # Granted when nobody had to say who approved it: stays, until it is changed.
    early = Grant(ORGNR, VKP_ID, frozenset({"bundle"}))
    documents = kept(SYSTEM, MUNICIPALITY, early)
    file = export(documents.values())
    assert planned(file, documents) == ()
    file["municipalities"][0]["grants"][0]["maySend"] = False
    assert places(file, documents)[0].startswith("municipalities.0.grants.0")


def test_the_schema_is_one_and_takes_what_is_read() -> None:
    jsonschema.Draft202012Validator.check_schema(of_file())
    jsonschema.Draft202012Validator(of_file()).validate({"$schema": "./registry.schema.json", **NEW_MUNICIPALITY})


@pytest.mark.parametrize("path", [
    "other", "municipalities.0.version", "municipalities.0.grants.0.orgnr", "municipalities.0.receivers.0.secret",
])  # fmt: skip
def test_the_schema_is_closed_where_reading_is(path: str) -> None:
    assert not jsonschema.Draft202012Validator(of_file()).is_valid(at(path, "x"))


NAMES = st.text(min_size=1, max_size=10).filter(lambda text: text.isprintable() and text == text.strip())
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
GRANTS = st.builds(
    Grant, orgnr=st.just(ORGNR), vkp_id=NAMES, valid_from=MOMENTS, valid_to=MOMENTS, may_read=st.booleans()
)
MUNICIPALITIES = st.builds(
    replace, st.just(MUNICIPALITY), name=NAMES, note=st.sampled_from([{}, {"language": "nn", "links": True}]),
    receivers=st.lists(st.builds(Receiver, st.sampled_from(["a", "b", "c"]), NAMES), max_size=3).map(tuple),
    retention_days=st.integers(1, 3650),
)  # fmt: skip


@given(MUNICIPALITIES, st.lists(GRANTS, max_size=4, unique_by=lambda grant: grant.vkp_id))
def test_any_export_reads_back_as_what_was_exported(municipality: Entry, grants: list[Grant]) -> None:
    documents = kept(municipality, *grants, OPERATOR)
    file = json.loads(json.dumps(export(documents.values())))
    assert planned(file, documents) == ()
    schema = jsonschema.Draft202012Validator(of_file())
    assert schema.is_valid(file)
