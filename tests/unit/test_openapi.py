"""The API's description is valid, whole, and true of the code beside it."""

import ast
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.access.challenges import challenge
from shared.api import VERSION, examples, openapi, refusals, routes, schemas
from shared.errors import HubError, NotAvailable, WrongMethod
from shared.fhir import outcome
from shared.fhir.reading import read_message
from shared.fhir.resources import ADDRESSES
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State
from shared.messages.model import Delivery, Event, Station
from shared.road import asking
from shared.road.accepting import RESOURCES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = openapi.document(None)
OPERATIONS = [
    pytest.param(operation, id=f"{method} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]
NOW = datetime(2026, 1, 15, 8, tzinfo=UTC)


def fits(value: object, schema: str) -> None:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    validator = OAS31Validator(whole, format_checker=oas31_format_checker)
    assert [error.message for error in validator.iter_errors(value)] == []


@pytest.mark.parametrize("public_url", [None, "https://hub.example.com", "https://hub.example.com/base/"])
def test_the_document_is_valid_openapi_3_1(public_url: str | None) -> None:
    document = json.loads(json.dumps(openapi.document(public_url)))
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_server_is_the_public_address_without_a_slash_at_its_end() -> None:
    assert openapi.document("https://hub.example.com/")["servers"] == [{"url": "https://hub.example.com"}]
    assert DOCUMENT["servers"] == [{"url": "/"}]


def test_it_describes_every_address_and_no_other() -> None:
    described = {(method.upper(), path.lstrip("/")) for path, item in DOCUMENT["paths"].items() for method in item}
    described = {(method, path) for method, path in described if method != "PARAMETERS"}
    assert described == set(routes.ROUTES)


def test_the_doors_answer_at_every_address_and_at_no_other() -> None:
    found = set()
    for path in (ROOT / "functions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "route":
                route = ast.literal_eval(node.args[0])
                methods = next(ast.literal_eval(each.value) for each in node.keywords if each.arg == "methods")
                found |= {(method, route) for method in methods if not route.startswith("{*")}
    assert found == set(routes.ROUTES)


def test_the_version_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{VERSION}"' in project


def test_every_refusal_is_at_some_operation() -> None:
    told = set(re.findall(r"\"((?:SEND|HUB|REC)_[A-Z_]+)\": \{\"summary\"", json.dumps(DOCUMENT)))
    assert told == {kind.code for kind in refusals.kinds()} - {WrongMethod.code}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_refusal_stands_at_its_own_status_with_its_headers(operation: dict[str, Any]) -> None:
    kinds = {kind.code: kind for kind in refusals.kinds()}
    for status, response in operation["responses"].items():
        for content in response["content"].values():
            for code, example in content.get("examples", {}).items():
                kind: type[HubError] = kinds[code]
                assert str(kind.status) == status
                assert example["value"] == outcome.operation_outcome(kind())
                assert "Correlation-Id" in response["headers"]
                if issubclass(kind, NotAvailable):
                    assert "Retry-After" in response["headers"]
                if challenge(kind()):
                    assert "WWW-Authenticate" in response["headers"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_needs_a_token_or_says_that_it_is_open(operation: dict[str, Any]) -> None:
    is_open = operation["tags"] == ["hub"]
    scheme = "helseid" if operation["tags"] == ["messages"] else "person"
    assert operation["security"] == ([] if is_open else [{scheme: []}, {f"{scheme}Dpop": []}])
    assert ("401" in operation["responses"]) is not is_open


def test_every_example_fits_its_schema() -> None:
    for operation in (each.values[0] for each in OPERATIONS):
        assert isinstance(operation, dict)
        bodies = [*operation["responses"].values(), operation.get("requestBody", {})]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            values = [each["value"] for each in media.get("examples", {}).values()]
            values += [media["example"]] if "example" in media else []
            for value in values:
                # Where it may be a message as well, the examples are outcomes.
                schema = media["schema"].get("anyOf", [media["schema"]])[0]
                if "$ref" in schema:
                    fits(value, schema["$ref"].rpartition("/")[2])


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_example_message_is_accepted_without_a_warning(resource: str) -> None:
    reading = read_message(json.dumps(examples.messages()[resource]).encode(), resource)
    assert reading.warnings == ()
    assert reading.event.business_identifier is not None


def test_there_is_an_example_for_each_address() -> None:
    assert tuple(examples.messages()) == RESOURCES == tuple(ADDRESSES) == tuple(schemas.resource_names())


def test_examples_name_nobody() -> None:
    text = json.dumps(DOCUMENT)
    numbers = set(re.findall(r"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])", text))
    # Synthetic: 80 is added to the month.
    assert all(81 <= int(number[2:4]) <= 92 for number in numbers)
    assert numbers


@pytest.mark.parametrize("state", State)
def test_a_status_as_the_hub_gives_it_fits_the_schema(state: State) -> None:
    event = Event(
        id="event", lane=Lane("lane"), patient="p", orgnr="999999999", resource="bundle", resource_type="Bundle",
        sender="v", sha256="0", size=1, content_type="", correlation_id="c", traceparent="", received_at=NOW,
    )  # fmt: skip
    delivery = {**Delivery("d", Lane("lane"), "epj", 0, NOW, event).document(), "state": state.value}
    delivery["stations"].append(Station(NOW, state, "REC_HTTP_503").document())
    accepted = event.document((Station(NOW, State.RECEIVED), Station(NOW, State.ROUTED)))
    fits(asking.status_of(accepted, ()), "Status")
    fits(asking.status_of({**accepted, "state": state.value}, (delivery,)), "Status")


def test_the_schema_of_a_status_knows_every_member() -> None:
    whole = examples.waiting()
    schema = DOCUMENT["components"]["schemas"]["Status"]
    assert set(whole) == set(schema["properties"]) == set(schema["required"])
    assert set(whole["receivers"][0]) == set(schema["properties"]["receivers"]["items"]["properties"])


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("epj/r4/999999999/bundle", ("POST",)),
        ("EPJ/R4/999999999/MedicationDispense/", ("POST",)),
        ("epj/r4/999999999/bundle/some-id/$status", ("GET",)),
        ("metadata", ("GET",)),
        ("openapi.json", ("GET",)),
        ("openapi_json", ()),
        ("epj/r4/999999999/patient", ()),
        ("epj/r4/999999999/bundle/some-id", ()),
        ("epj/r4//bundle", ()),
        ("", ()),
        ("admin/host", ()),
    ],
)
def test_an_address_knows_its_methods(path: str, methods: tuple[str, ...]) -> None:
    assert routes.methods_at(path) == methods
