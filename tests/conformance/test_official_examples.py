"""HL7's own examples of R4 4.0.1, and the definitions built from HL7's own packages.

The packages are fetched by name with npm, once, into the user's cache folder. Every exception has its reason in
`official_examples.json`: the example and what is wrong with it.
"""

import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.fhir.findings import Findings
from shared.fhir.json_text import MAX_BYTES, parse
from shared.fhir.r4.checker import check_r4
from shared.fhir.r4.coverage import in_use
from shared.fhir.r4.definitions import resource_types
from tools.build_definitions import EXAMPLES, EXPANSIONS, TARGET, build
from tools.npm_packages import PackageUnavailable, default_cache, fetch, resources

EXPLAINED = Path(__file__).with_name("official_examples.json")
DEFINITIONS = ("CodeSystem", "ConceptMap", "OperationDefinition", "SearchParameter", "StructureDefinition", "ValueSet")
"""What the package holds beside examples; among them, in Bundles too large for any hub, once more."""

pytestmark = pytest.mark.skipif(os.environ.get("KNUTEPUNKT_NO_NODE") == "1", reason="KNUTEPUNKT_NO_NODE=1")


@cache
def packages() -> tuple[Path, Path]:
    if shutil.which("npm") is None:
        pytest.fail("npm is needed for this test; set KNUTEPUNKT_NO_NODE=1 to go without")
    try:
        return fetch(EXAMPLES, default_cache()), fetch(EXPANSIONS, default_cache())
    except PackageUnavailable as error:
        pytest.fail(f"{error}; set KNUTEPUNKT_NO_NODE=1 to go without")


@cache
def examples() -> dict[str, bytes]:
    prefixes = tuple(f"{each}-" for each in sorted(resource_types() - set(DEFINITIONS)))
    return {name: content for name, content in resources(packages()[0], prefixes) if len(content) <= MAX_BYTES}


def found(content: bytes) -> dict[str, list[str]]:
    """The places of each rule that is broken; of many places the first, and how many more."""
    noted = Findings()
    message = parse(content, noted)
    check_r4(message, noted)
    places: dict[str, list[str]] = {}
    for each in noted.rendered(message):
        places.setdefault(each.rule, []).append(each.expression)
    return {rule: at if len(at) < 3 else [at[0], f"{len(at) - 1} more"] for rule, at in places.items()}


def test_the_examples_are_there() -> None:
    assert len(examples()) > 700
    assert sum(name.partition("-")[0] in in_use() for name in examples()) > 450


def test_every_example_is_accepted_or_its_fault_is_explained() -> None:
    explained: dict[str, Any] = json.loads(EXPLAINED.read_text(encoding="utf-8"))
    refused = {name: broken for name, content in examples().items() if (broken := found(content))}
    assert refused == {name: each["found"] for name, each in explained.items()}
    assert all(len(each["why"]) > 20 for each in explained.values())


def test_the_definitions_are_what_the_packages_give() -> None:
    assert TARGET.read_text(encoding="utf-8") == build(*packages())
