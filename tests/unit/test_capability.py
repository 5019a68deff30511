"""The CapabilityStatement is FHIR, and says what the hub really takes."""

import json
from typing import Any

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationdefinition import OperationDefinition

from shared.access.scopes import scope_for
from shared.api import capability
from shared.fhir.resources import ADDRESSES

ISSUER = "https://helseid.example.com"
STATEMENT = capability.statement("https://hub.example.com/", ISSUER)
REST: dict[str, Any] = STATEMENT["rest"][0]


@pytest.mark.parametrize("public_url", [None, "https://hub.example.com"])
def test_it_parses_as_r4b_and_claims_r4(public_url: str | None) -> None:
    statement = capability.statement(public_url, ISSUER)
    CapabilityStatement.model_validate(json.loads(json.dumps(statement)))
    assert statement["fhirVersion"] == "4.0.1"


def test_the_operation_it_carries_parses_too_and_is_referred_to() -> None:
    (operation,) = STATEMENT["contained"]
    OperationDefinition.model_validate(operation)
    used = {each["definition"] for resource in REST["resource"] for each in resource["operation"]}
    assert used == {f"#{operation['id']}"}


def test_it_names_every_type_that_has_an_address_with_its_scope() -> None:
    told = {each["type"]: each["documentation"] for each in REST["resource"]}
    assert list(told) == list(ADDRESSES.values())
    for address, kind in ADDRESSES.items():
        assert scope_for(address, "write") in told[kind]
        assert f"/{address};" in told[kind]


def test_nothing_but_creating_is_promised() -> None:
    assert {each["code"] for resource in REST["resource"] for each in resource["interaction"]} == {"create"}


def test_it_names_the_issuer_whose_tokens_are_taken() -> None:
    security = REST["security"]
    assert security["extension"] == [{"url": capability.ISSUER_EXTENSION, "valueUri": ISSUER}]
    assert security["service"][0]["coding"][0]["code"] == "OAuth"
    assert ISSUER in security["description"]


def test_it_says_where_the_hub_is_when_that_is_known() -> None:
    assert STATEMENT["implementation"]["url"] == "https://hub.example.com/epj/r4"
    assert "url" not in capability.statement(None, ISSUER)["implementation"]
