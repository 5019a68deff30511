"""The registry's part of the OpenAPI document is a valid one, and says what the doors do."""

import asyncio
from typing import Any

import azure.functions as func
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions import registry
from shared.api import openapi
from shared.api.registry_paths import ROUTES, SCHEME, paths, schemas
from shared.api.security import schemes
from shared.registry.desk import Desk
from shared.registry.people import Person
from shared.registry.places import FORMS


def document() -> dict[str, Any]:
    found = openapi.document("https://hub.example.no")
    found["paths"] |= paths()
    found["components"]["schemas"] |= schemas()
    found["components"]["securitySchemes"][SCHEME] = schemes()[SCHEME]
    return found


def test_it_is_valid_within_the_whole_document() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_no_operation_has_another_ones_id() -> None:
    ids = [
        operation["operationId"]
        for path in document()["paths"].values()
        for verb, operation in path.items()
        if verb in ("get", "put", "post")
    ]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    whole = document()

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str):
                found: Any = whole
                for step in reference.removeprefix("#/").split("/"):
                    found = found[step]
            for each in value.values():
                follow(each)
        elif isinstance(value, list):
            for each in value:
                follow(each)

    follow({"paths": paths(), "schemas": schemas()})


def test_bodies_are_closed_and_lack_what_the_hub_owns() -> None:
    found = schemas()
    for path in paths().values():
        if "put" not in path:
            continue
        body = path["put"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["additionalProperties"] is False
        name = body["properties"]["entry"]["anyOf"][0]["$ref"].rsplit("/", 1)[1]
        assert found[name]["additionalProperties"] is False
        assert not {"id", "version", "orgnr", "vkpId", "type", "withdrawn"} & found[name]["properties"].keys()
    assert len([path for path in paths().values() if "put" in path]) == len(FORMS)


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_every_address_has_a_door(method: str, route: str) -> None:
    async def nobody(_: func.HttpRequest) -> Person:
        await asyncio.sleep(0)
        raise AssertionError

    def no_desk() -> Desk:
        raise AssertionError

    app = func.FunctionApp()
    app.register_functions(registry.blueprint(no_desk, nobody))
    doors = {}
    for each in app.get_functions():
        trigger = each.get_trigger()
        assert trigger is not None
        binding = trigger.get_dict_repr()
        doors[binding["route"]] = {str(getattr(verb, "value", verb)) for verb in binding["methods"]}
    concrete = route.replace("{id}", "x").replace("{orgnr}", "1")
    assert any(method in verbs and _fits(pattern, concrete) for pattern, verbs in doors.items()), (route, doors)


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        want.startswith("{") or want == have for want, have in zip(wanted, given, strict=True)
    )
