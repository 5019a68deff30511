"""What API Management imports is the app's own API, no more and no less."""

import json
import re

from openapi_spec_validator import OpenAPIV30SpecValidator

from shared.api.routes import ROUTES
from tools import apim_openapi

_LOADED_AT_MOST = 131_072
"""Characters that Bicep's loadTextContent took in its early versions; later ones take more."""


def test_the_gateways_document_is_not_stale() -> None:
    assert apim_openapi.FILE.read_text(encoding="utf-8") == apim_openapi.text(), "run python -m tools.apim_openapi"


def test_the_gateway_has_every_route_of_the_app_and_no_other() -> None:
    has = {
        (method.upper(), path.strip("/"))
        for path, methods in apim_openapi.document()["paths"].items()
        for method in methods
    }
    assert has == set(ROUTES)


def test_it_is_openapi_3_0_and_small_enough_to_load() -> None:
    document = json.loads(apim_openapi.FILE.read_text(encoding="utf-8"))
    OpenAPIV30SpecValidator(document).validate()
    assert len(apim_openapi.text()) < _LOADED_AT_MOST


def test_operations_are_named_once_and_declare_what_their_address_holds() -> None:
    operations = [
        (path, each) for path, methods in apim_openapi.document()["paths"].items() for each in methods.values()
    ]
    names = [each["operationId"] for _, each in operations]
    assert len(names) == len(set(names))
    for path, each in operations:
        declared = {one["name"] for one in each.get("parameters", []) if one["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), path
