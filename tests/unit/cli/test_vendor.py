"""How the commands read the hub's answers, and what they never do with a token."""

import json
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.vendor import Vendor, issues, message_id, resource_of, status_path

LOCATION = "http://127.0.0.1:7071/epj/r4/310000019/bundle/0ab/$status"


@pytest.mark.parametrize("text", [LOCATION, status_path("310000019", "bundle", "0ab"), "0ab"])
def test_the_id_is_found_in_a_location_and_in_itself(text: str) -> None:
    assert message_id(text) == "0ab"


def test_the_resource_is_read_from_the_file() -> None:
    assert resource_of(b'{"resourceType": "MedicationDispense"}') == "medicationdispense"


@given(st.one_of(st.binary(max_size=30), st.just(b"[]"), st.just(b'{"resourceType": 1}'), st.just(b"{}")))
def test_a_file_that_does_not_say_what_it_is_gives_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's, Unicode's and our own are all of them
        resource_of(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "issue", "severity", "details", "coding", "expression", "text"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.binary(max_size=20) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_answer_can_make_reading_its_issues_fail(content: bytes) -> None:
    assert isinstance(issues(content), tuple)


@given(json_values)
def test_no_issue_can_make_reading_it_fail(issue: object) -> None:
    content = json.dumps({"resourceType": "OperationOutcome", "issue": issue}).encode()
    assert isinstance(issues(content), tuple)
    content = json.dumps({"resourceType": "OperationOutcome", "issue": [issue, {"details": issue}]}).encode()
    assert isinstance(issues(content), tuple)


def test_issues_are_read_whole() -> None:
    content = {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "structure",
                "details": {"coding": [{"code": "2.4"}], "text": "Not FHIR"},
                "diagnostics": "mend it",
                "expression": ["Bundle.entry[0]"],
            }
        ],
    }
    (issue,) = issues(json.dumps(content).encode())
    assert (issue.severity, issue.code, issue.details_code) == ("error", "structure", "2.4")
    assert (issue.text, issue.diagnostics, issue.expression) == ("Not FHIR", "mend it", ("Bundle.entry[0]",))


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/x/$status", "http://127.0.0.1:7072/x", "//127.0.0.1:7072/x", "@other/x"]
)
async def test_a_token_is_never_sent_to_another_address_than_the_hubs(elsewhere: str) -> None:
    async with aiohttp.ClientSession() as session:
        sender = Vendor(session, "http://127.0.0.1:7071", "http://127.0.0.1:1", "nobody", Path("no-key"))
        with pytest.raises(ValueError, match="not an address of the hub"):
            await sender.status(elsewhere)
