"""A message is answered with a message that its sender can match and read."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from sandbox import examples
from shared.errors import BrokenEnvelope, HubError, NotAvailable, NotJson, Unexpected
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.outcome import accepted_outcome, operation_outcome
from shared.fhir.r4.checker import check_r4
from shared.fhir.responding import Code, Request, code_of, request_of, response_bundle
from shared.fhir.rules import STRICT
from shared.fhir.vkp.profiles import check_profiles

ID = UUID("5f0d6c1e-0d7e-4b1f-8a53-3f6a1c2b9d10")
AT = datetime(2026, 11, 20, 8, 2, 13, 250000, tzinfo=timezone(timedelta(hours=1)))


def message(**header: Any) -> Any:
    sent = json.loads(examples.body("message-medication-dispensed"))
    changed = sent["entry"][0]["resource"] | header
    sent["entry"][0]["resource"] = {name: value for name, value in changed.items() if value is not None}
    return sent


def answer(request: Request | None, error: HubError | None = None) -> dict[str, Any]:
    assert request is not None
    outcome = operation_outcome(error) if error is not None else accepted_outcome("01HUB")
    address = {"endpoint": "https://hub.example/epj/r4/310000019", "name": "Knutepunkt"}
    return response_bundle(request, outcome, code_of(error), identifier=ID, at=AT, **address)


def faults(bundle: Any) -> list[tuple[str, str]]:
    findings = Findings(STRICT)
    sent = parse(json.dumps(bundle).encode(), findings)
    check_r4(sent, findings)
    check_profiles(sent, findings)
    return [(each.rule, each.expression) for each in findings.rendered(sent)]


def test_an_answer_names_its_request_and_goes_back_where_it_came_from() -> None:
    sent = message()
    asked = sent["entry"][0]["resource"]
    header = answer(request_of(sent))["entry"][0]["resource"]
    assert header["response"]["identifier"] == asked["id"]
    assert header["eventCoding"] == asked["eventCoding"]
    assert header["destination"] == [
        {"name": asked["source"]["name"], "endpoint": asked["source"]["endpoint"], "receiver": asked["sender"]}
    ]
    assert header["sender"] == asked["destination"][0]["receiver"]
    assert header["source"]["endpoint"] == asked["destination"][0]["endpoint"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, Code.OK),
        (BrokenEnvelope(), Code.FATAL_ERROR),
        (NotJson(), Code.FATAL_ERROR),
        (NotAvailable(), Code.TRANSIENT_ERROR),
        (Unexpected(), Code.TRANSIENT_ERROR),
    ],
)
def test_an_answer_says_how_it_went_and_whether_to_try_again(error: HubError | None, code: Code) -> None:
    bundle = answer(request_of(message()), error)
    response = bundle["entry"][0]["resource"]["response"]
    assert response["code"] == code.value
    outcome = next(each for each in bundle["entry"] if each["fullUrl"] == response["details"]["reference"])
    assert outcome["resource"]["resourceType"] == "OperationOutcome"
    assert faults(bundle) == []
    Bundle.model_validate_json(json.dumps(bundle))


def test_the_time_of_an_answer_is_utc_and_nothing_in_it_is_left_to_chance() -> None:
    request = request_of(message())
    assert answer(request)["timestamp"] == "2026-11-20T07:02:13.250Z"
    assert answer(request) == answer(request_of(message()))


def test_a_request_without_an_id_is_named_by_its_full_url() -> None:
    sent = message(id=None)
    request = request_of(sent)
    assert request is not None
    assert f"urn:uuid:{request.identifier}" == sent["entry"][0]["fullUrl"]


def test_the_hub_answers_in_its_own_name_when_the_request_names_no_receiver() -> None:
    header = answer(request_of(message(destination=None)))["entry"][0]["resource"]
    assert header["source"] == {"name": "Knutepunkt", "endpoint": "https://hub.example/epj/r4/310000019"}
    assert "sender" not in header


@pytest.mark.parametrize(
    "sent",
    [
        message(eventCoding=None),
        message(eventCoding={"system": "s"}),
        message(resourceType="Patient"),
        message() | {"type": "document"},
        message() | {"entry": []},
        {},
    ],
)
def test_what_nobody_could_match_to_a_request_is_not_answered_with_a_message(sent: Any) -> None:
    assert request_of(sent) is None


def test_only_what_a_header_is_for_is_repeated() -> None:
    marked = message(
        definition="CANARY",
        reason={"text": "CANARY"},
        sender={"reference": "Organization/CANARY", "identifier": {"value": "1", "assigner": {"display": "CANARY"}}},
        author={"display": "CANARY"},
    )
    assert "CANARY" not in json.dumps(answer(request_of(marked)))


_MEMBERS = ("id", "sender", "source", "destination", "eventCoding", "identifier", "system", "value", "endpoint", "code")
_ANY_SHAPE = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3) | st.sampled_from(["a b", " ", "http://a", ID.hex]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(_MEMBERS), _ANY_SHAPE, max_size=5))
def test_an_answer_is_valid_whatever_the_request_was(header: dict[str, Any]) -> None:
    request = request_of(message(**header))
    if request is not None:
        assert [rule for rule, _ in faults(answer(request)) if not rule.startswith(("profile", "vkp"))] == []


@given(_ANY_SHAPE)
def test_anything_can_be_asked_for_what_to_repeat(part: Any) -> None:
    request_of({"type": "message", "resourceType": "Bundle", "entry": part})
    request_of({"type": "message", "resourceType": "Bundle", "entry": [{"fullUrl": part, "resource": part}]})
