"""What the hub serves is what its OpenAPI document says: calls made by schemathesis, fitting the document and not.

No 5xx, no status, content type, header or body that the document does not have. The calls are the same in every run.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox.stores import open_stores
from shared.api import openapi
from shared.clock import utc_now
from shared.registry.model import SYSTEMS
from shared.registry.people import Access, Role
from tests.flow.attacking import system
from tests.flow.hub import QUICK, World, world
from tests.flow.test_people_and_proofs import login

EXAMPLES = 8
"""Calls of each kind to each address."""
LONGEST = 8000
"""Characters of an address from which on the host answers by itself, before the app and its document."""
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
PLENTY = {"Limits__perSecond": "1000", "Limits__burst": "10000"}
OPERATIONS = [
    (method, path)
    for path, operations in openapi.document(None)["paths"].items()
    for method in operations
    if method in {"get", "post", "put"}
]
# An address without parameters has no call that does not fit the document.
CALLS = [
    (method, path, mode)
    for method, path in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or path not in {"/metadata", "/openapi.json", "/health"}
]

load_all_checks()


@dataclass(frozen=True)
class Served:
    """The document as it is served, and who calls."""

    api: str
    schema: Any
    vendor: dict[str, str]
    operator: dict[str, str]

    def headers(self, path: str) -> dict[str, str]:
        """The credentials that this address wants."""
        return self.operator if path.startswith(("/registry", "/trail", "/operations")) else self.vendor


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A hub of its own: whoever may change the register changes it here, at random."""
    async with world(tmp_path_factory.mktemp("schemathesis"), {**QUICK, **PLENTY}) as hub:
        access = Access(SYSTEMS, "helseid:maker", frozenset({Role.OPERATOR}), utc_now() + timedelta(days=1))
        async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
            await stores.registry.put(access.document(), SYSTEMS)
        yield await _served(hub)


async def _served(hub: World) -> Served:
    async with hub.http.get(f"{hub.api}/openapi.json") as answer:
        document = await answer.json()
    schema = schemathesis.openapi.from_dict(document)
    return Served(hub.api, schema, dict(await system(hub, "trygghetsvakt-test")), await login(hub, subject="maker"))


@pytest.mark.parametrize(("method", "path", "mode"), CALLS, ids=str)
async def test_every_answer_is_one_that_the_document_has(
    served: Served, method: str, path: str, mode: GenerationMode
) -> None:
    assert await asyncio.to_thread(_explore, served, method, path, mode) > 0


def _explore(served: Served, method: str, path: str, mode: GenerationMode) -> int:
    made = 0
    with requests.Session() as session:
        # Nothing of this machine's environment: no proxy, no stored password.
        session.trust_env = False

        @settings(
            max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(served.schema[path][method.upper()].as_strategy(mode))
        def each(case: schemathesis.Case[Any]) -> None:
            nonlocal made
            made += 1
            response = case.call(served.api, session=session, headers=served.headers(path), timeout=30)
            if len(response.request.url or "") < LONGEST:
                case.validate_response(response, checks=CHECKS)

        each()
    return made
