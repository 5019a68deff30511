"""What an entry may not be, though its form is right; each rule by what it refuses and by what it lets pass."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.identity.series import Environment
from shared.registry.entries import Entry
from shared.registry.model import Receiver
from shared.registry.people import LONGEST_ACCESS, Role
from shared.registry.reaching import Auth, Meaning
from shared.registry.rules import House, faults
from shared.registry.shapes import Invalid, as_json, kept, written
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
    PARTNER,
    PRODUCTION,
    RECEIVER,
    SYSTEM,
)

A_PERSON = "01880012345"
"""Eleven digits; a month in the eighties is nobody's."""


def places(entry: Entry, house: House = HOUSE) -> list[str]:
    return [each.field for each in faults(entry, house)]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_what_is_right_has_no_faults(entry: Entry) -> None:
    assert faults(entry, HOUSE) == ()


@pytest.mark.parametrize(
    ("entry", "changed", "place"),
    [
        (GRANT, {"resources": frozenset({"bundles"})}, "resources"),
        (GRANT, {"resources": frozenset({"Bundle"})}, "resources"),
        (GRANT, {"service_codes": frozenset({"XX"})}, "serviceCodes"),
        (GRANT, {"service_codes": frozenset({"ta"})}, "serviceCodes"),
        (GRANT, {"service_codes": frozenset()}, "serviceCodes"),
        (GRANT, {"may_send": False, "may_read": False}, ""),
        (GRANT, {"valid_to": GRANT.valid_from}, "validTo"),
        (GRANT, {"approved_by": ""}, "approvedBy"),
        (GRANT, {"approved_by": f"for {A_PERSON}"}, "approvedBy"),
        (GRANT, {"approved_by": "for 018800 12345"}, "approvedBy"),
        (GRANT, {"vkp_id": A_PERSON}, "vkpId"),
        (PARTNER, {"codes": {"XX": ("1",)}}, "codes"),
        (PARTNER, {"codes": {"TA": ("%",)}}, "codes.TA.0"),
        (PARTNER, {"codes": {"TA": ("1", "%%")}}, "codes.TA.1"),
        (PARTNER, {"codes": {"TA": ("1\n",)}}, "codes.TA.0"),
        (PARTNER, {"codes": {"TA": ("%1" * 9,)}}, "codes.TA.0"),
        (PARTNER, {"codes": {"TA": (A_PERSON,)}}, "codes.TA.0"),
        (ACCESS, {"subject": "kari"}, "subject"),
        (ACCESS, {"subject": "helseid:"}, "subject"),
        (ACCESS, {"subject": "helseid:kari olsen"}, "subject"),
        (ACCESS, {"subject": f"helseid:{A_PERSON}"}, "subject"),
        (ACCESS, {"name": A_PERSON}, "name"),
        (ACCESS, {"roles": frozenset({Role.OPERATOR})}, "roles"),
        (ACCESS, {"roles": frozenset({Role.OPERATOR, Role.MONITORING})}, "roles"),
        (ACCESS, {"valid_until": NOW}, "validUntil"),
        (ACCESS, {"valid_until": NOW + LONGEST_ACCESS + timedelta(microseconds=1)}, "validUntil"),
        (ACCESS, {"valid_from": ACCESS.valid_until}, "validUntil"),
        (OPERATOR, {"roles": frozenset({Role.MONITORING})}, "roles"),
        (OPERATOR, {"roles": frozenset({Role.OPERATOR, Role.ADMINISTRATION})}, "roles"),
        (MUNICIPALITY, {"environment": Environment.PRODUCTION}, "environment"),
        (MUNICIPALITY, {"receivers": (RECEIVER, RECEIVER)}, "receivers"),
        (MUNICIPALITY, {"receivers": (replace(RECEIVER, resources=frozenset({"x"})),)}, "receivers.0.resources"),
        (MUNICIPALITY, {"receivers": (replace(RECEIVER, credentials="epj-key"),)}, "receivers.0.credentials"),
        (MUNICIPALITY, {"receivers": (replace(RECEIVER, credentials="310000027-key"),)}, "receivers.0.credentials"),
        (MUNICIPALITY, {"traffic": Traffic(Stop(None, A_PERSON))}, "traffic.writes.reason"),
        (MUNICIPALITY, {"traffic": Traffic(deliveries={"gone": Stop()})}, "traffic.deliveries.gone"),
        (MUNICIPALITY, {"traffic": Traffic(deliveries={"*": Stop(None, A_PERSON)})}, "traffic.deliveries.*.reason"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(entry: Entry, changed: dict[str, Any], place: str) -> None:
    assert place in places(replace(entry, **changed))


@pytest.mark.parametrize("url", [
    "", "epj.example.no", "ftp://epj.example.no/", "javascript:alert(1)", "https://", "https:///fhir",
    "https://user:secret@epj.example.no/", "https://user@epj.example.no/", "https://epj.example.no/?key=secret",
    "https://epj.example.no/#x", "https://epj.example.no/?", "https://epj.example.no:99999/", "https://epj.example.no\\@x/",
    "https://epj example.no/", "https://épj.example.no/", "https://epj.example.no/\n", "https://[::1/", "file:///etc/passwd",
])  # fmt: skip
@pytest.mark.parametrize("house", [HOUSE, PRODUCTION], ids=["test", "production"])
def test_what_is_no_plain_address_is_none_anywhere(url: str, house: House) -> None:
    assert "receivers.0.url" in places(replace(MUNICIPALITY, receivers=(Receiver("epj", url),)), house)


@pytest.mark.parametrize("url", [
    "http://epj.example.no/", "https://127.0.0.1/", "https://10.0.0.4/", "https://169.254.169.254/metadata",
    "https://[::1]/", "https://[fd00::1]/", "https://localhost/", "https://epj/", "https://epj.local/",
    "https://epj.internal/", "https://metadata.google.internal/", "https://2130706433/", "https://127.1/",
    "https://epj.localhost./", "https://0x7f000001/",
])  # fmt: skip
def test_in_production_no_address_leads_inside_and_none_is_a_number(url: str) -> None:
    assert "receivers.0.url" in places(replace(MUNICIPALITY, receivers=(Receiver("epj", url),)), PRODUCTION)


@pytest.mark.parametrize("url", ["https://epj.example.no/fhir", "https://epj.example.no:8443/a/b%20c"])
def test_an_address_that_is_known_everywhere_is_taken(url: str) -> None:
    assert "receivers.0.url" not in places(replace(MUNICIPALITY, receivers=(Receiver("epj", url),)), PRODUCTION)


@pytest.mark.parametrize("url", ["http://127.0.0.1:7071/fhir", "http://epj/", "https://[::1]:8443/"])
def test_a_test_environment_takes_machines_of_its_own(url: str) -> None:
    assert places(replace(MUNICIPALITY, receivers=(Receiver("epj", url),))) == []


def test_synthetic_numbers_are_for_test_alone_and_a_check_digit_for_production() -> None:
    assert "orgnr" in places(MUNICIPALITY, PRODUCTION)
    assert "orgnr" in places(replace(MUNICIPALITY, orgnr="999999998"), PRODUCTION)
    assert "orgnr" not in places(replace(MUNICIPALITY, orgnr="999999999"), PRODUCTION)


def test_a_municipality_names_its_own_secrets() -> None:
    named = replace(RECEIVER, credentials=f"{MUNICIPALITY.orgnr}-epj-key")
    assert places(replace(MUNICIPALITY, receivers=(named,))) == []


def test_a_later_beginning_gives_a_later_end_and_no_longer_access() -> None:
    later = replace(ACCESS, valid_from=NOW + 30 * DAY, valid_until=NOW + 30 * DAY + LONGEST_ACCESS)
    assert places(later) == []


def test_a_fault_repeats_no_value() -> None:
    wrong = replace(SYSTEM, name=A_PERSON)
    assert A_PERSON not in str(faults(wrong, HOUSE))


def test_a_name_too_long_for_the_databases_ids_is_told() -> None:
    assert "" in places(replace(GRANT, vkp_id="\U0001f600" * 128))


def test_a_way_in_needs_the_secret_that_it_takes() -> None:
    keyless = replace(RECEIVER, auth=Auth.OAUTH2, credentials="")
    assert "receivers.0.credentials" in places(replace(MUNICIPALITY, receivers=(keyless,)))
    named = replace(keyless, credentials=f"{MUNICIPALITY.orgnr}-epj")
    assert places(replace(MUNICIPALITY, receivers=(named,))) == []


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "408", "429", "500", "503"])
def test_only_an_answer_that_can_say_so_counts_as_a_receipt(status: str) -> None:
    loose = replace(RECEIVER, answers={status: Meaning.TAKEN})
    assert f"receivers.0.answers.{status}" in places(replace(MUNICIPALITY, receivers=(loose,)))
    sound = replace(RECEIVER, answers={status: Meaning.LATER, "409": Meaning.TAKEN})
    assert places(replace(MUNICIPALITY, receivers=(sound,))) == []


@pytest.mark.parametrize(
    ("answers", "place"),
    [
        ({"200": "later"}, "answers"),
        ({"4xx": "later"}, "answers"),
        ({"409": "maybe"}, "answers.?"),
        ({"409": 1}, "answers.?"),
        ([], "answers"),
    ],
)
def test_answers_are_statuses_with_one_of_three_meanings(answers: object, place: str) -> None:
    with pytest.raises(Invalid) as caught:
        written(Receiver, {"id": "epj", "url": "https://epj.example.no/", "answers": answers})
    assert place in [fault.field for fault in caught.value.faults]


def test_answers_are_written_and_read_back_as_they_were() -> None:
    made = written(Receiver, {"id": "epj", "url": "https://epj.example.no/", "answers": {"409": "taken"}})
    assert as_json(Receiver, made)["answers"] == {"409": "taken"}
    assert kept(Receiver, as_json(Receiver, made)) == made


@pytest.mark.parametrize("port", [22, 25, 80, 445])
def test_no_receiver_is_at_a_port_of_another_service(port: int) -> None:
    assert "receivers.0.url" in places(
        replace(MUNICIPALITY, receivers=(Receiver("epj", f"https://epj.example.no:{port}/"),)), PRODUCTION
    )
