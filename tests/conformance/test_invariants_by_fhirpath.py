"""R4's invariants as we wrote them beside R4's own expressions, evaluated by `fhirpathpy`.

For each invariant of the resources in use objects are made by lot, some that keep it and some that break it, and both
are asked. Where they differ there is a reason here; an invariant that cannot be compared is listed with its reason.
"""

import copy
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import fhirpathpy
import pytest
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

from shared.fhir.envelope.check import BUNDLE_TYPES, check_envelope
from shared.fhir.findings import Findings
from shared.fhir.r4.checker import ELSEWHERE, check_r4
from shared.fhir.r4.coverage import in_use
from shared.fhir.r4.definitions import definitions, shape_of
from shared.fhir.r4.invariants import HOLDS, PLACES
from tests.conformance.instances import Lot
from tests.conformance.test_official_examples import packages
from tools.npm_packages import resources

pytestmark = pytest.mark.skipif(os.environ.get("KNUTEPUNKT_NO_NODE") == "1", reason="KNUTEPUNKT_NO_NODE=1")

OBJECTS: Final = 200

NOT_COMPARED: Final = {
    "ctm-1": "resolve() looks up a resource elsewhere; ours goes by the type that the reference names.",
    "dom-3": "as() of several items is an error in fhirpathpy, and the expression asks it of all descendants.",
    "ele-1": "It is about every element there is, values included; ours is in the walk. See test_checker.py.",
    "rng-2": "Quantities cannot be compared in fhirpathpy.",
    "txt-1": "htmlChecks() is no function of FHIRPath. See test_xhtml.py.",
    "txt-2": "htmlChecks() is no function of FHIRPath. See test_xhtml.py.",
}

OF_SEVERITY_WARNING: Final = {"con-3", "dom-6", "que-0"}

OF_ONE_KIND: Final = {"bdl-11": "document", "bdl-12": "message"}
"""Two invariants that are one rule of ours: the kind of Bundle that each is about."""

ALSO_NAMED: Final = {
    "app-4": "'noshow'",
    "bdl-7": "meta 'batch' 'collection' 'message' 'searchset'",
    "dom-2": "id",
    "que-2": "item",
    "ref-1": "author",
}
"""Elements that an expression means without naming them, and values it says nothing about."""

type Verdict = bool | None
"""Whether an expression is true; None when its result is empty, which is no truth."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A reason why we and the expression may differ."""

    why: str
    covers: Callable[[str, dict[str, Any], bool, Verdict], bool]
    """Given the invariant, the object, what we say and what the expression says."""


def _has_twin(value: Any) -> bool:
    if isinstance(value, dict):
        return any(name.startswith("_") or _has_twin(member) for name, member in value.items())
    return isinstance(value, list) and any(_has_twin(item) for item in value)


def _times(value: dict[str, Any], first: str, second: str) -> bool:
    return len(str(value.get(first))) != len(str(value.get(second)))


OPTIONAL: Final[dict[str, Callable[[dict[str, Any]], bool]]] = {
    "bdl-8": lambda entry: "fullUrl" in entry,
    "ras-2": lambda prediction: any(name.startswith("probability") for name in prediction),
    "ref-1": lambda resource: "reference" in resource["author"],
}
"""Whether the element that an expression takes for granted is there."""

DIFFERENCES: Final = {
    "noshow": Difference(
        "R4's expression for app-4 says no-show where R4's own code is noshow; we take both.",
        lambda key, value, ours, _: key == "app-4" and ours and value.get("status") == "noshow",
    ),
    "precision": Difference(
        "Times of different precision: FHIRPath's answer is empty, fhirpathpy's is false. What can be in order, is.",
        lambda key, value, ours, _: (
            ours
            and (
                (key == "per-1" and _times(value, "start", "end"))
                or (key == "mdd-1" and _times(value, "whenPrepared", "whenHandedOver"))
                or (key == "inv-1-task" and _times(value, "authoredOn", "lastModified"))
            )
        ),
    ),
    "extensions for a value": Difference(
        "A value that is not told, only why: the expression compares nothing with a value. We ask no more of it.",
        lambda _, value, ours, __: ours and _has_twin(value),
    ),
    "is Boolean": Difference(
        "fhirpathpy knows FHIR's boolean and not that it is FHIRPath's Boolean too.",
        lambda key, value, ours, _: key == "que-7" and ours and "answerBoolean" in value,
    ),
    "the resource itself": Difference(
        "R4 lets # alone mean the resource that contains this one; the expression looks for an empty id.",
        lambda key, value, ours, _: key == "ref-1" and ours and value["author"].get("reference") == "#",
    ),
    "nothing there": Difference(
        "The expression speaks of an element that need not be there, and forgets to say so.",
        lambda key, value, ours, _: ours and key in OPTIONAL and not OPTIONAL[key](value),
    ),
    "Bundles that are no events": Difference(
        "Of Bundles that are answers the envelope asks nothing more: they are refused.",
        lambda key, value, ours, _: key == "bdl-7" and ours and value.get("type") not in BUNDLE_TYPES,
    ),
    "identifier of a document": Difference(
        "The envelope asks for the identifier's system and value themselves, not only for why they are not told.",
        lambda key, value, ours, _: key == "bdl-9" and not ours and _has_twin(value["identifier"]),
    ),
    "empty": Difference(
        "An empty result is not true, so the invariant is broken.",
        lambda _, __, ours, theirs: not ours and theirs is None,
    ),
}


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant, and where R4 places it."""

    key: str
    """Ours: R4's own but for inv-1, which it has given three times."""
    expression: str
    type_name: str
    """The type of the objects it is asked of."""
    path: str
    """Where the expression starts, as FHIRPath's model of R4 has it."""

    def holds(self, value: dict[str, Any]) -> bool:
        """Whether it holds by our code."""
        if self.key in HOLDS:
            return HOLDS[self.key](value)
        if self.key in PLACES:
            return not list(PLACES[self.key](value))
        noted = Findings()
        if self.key in ELSEWHERE:
            check_envelope(value, noted)
            broken = {each.rule for each in noted.rendered(value)}
            return ELSEWHERE[self.key] not in broken or value.get("type") != OF_ONE_KIND.get(
                self.key, value.get("type")
            )
        check_r4(value, noted)
        return (self.key, ("author", "reference")) not in {(each.rule, each.path) for each in noted.rendered(value)}


@cache
def invariants() -> dict[str, Invariant]:
    """The error invariants of the resources in use and of the types in them, by our key."""
    found: dict[str, Invariant] = {}
    for name, content in resources(packages()[0], ("StructureDefinition-",)):
        structure = json.loads(content)
        root = structure["type"]
        if structure.get("derivation") == "constraint" and name != "StructureDefinition-SimpleQuantity":
            continue
        for element in structure.get("snapshot", {}).get("element", ()):
            for constraint in element.get("constraint", ()):
                key = constraint["key"]
                if key == "inv-1":
                    key += "-" + root.lower()
                wanted = key in wanted_keys() and key not in found
                if wanted and (root in in_use() or not shape_of(root).is_resource or key.startswith("dom-")):
                    found[key] = placed(key, constraint["expression"], element)
    return found


@cache
def wanted_keys() -> frozenset[str]:
    asked = {*HOLDS, *PLACES, *ELSEWHERE, "ref-1"}
    return frozenset(key for key in asked if key in definitions()["rules"] and key not in NOT_COMPARED)


def placed(key: str, expression: str, element: dict[str, Any]) -> Invariant:
    path = element["path"]
    types = [each["code"] for each in element.get("type", ())]
    if key == "ref-1":
        return Invariant(key, f"author.all({expression})", "Basic", "Basic")
    if key == "ext-1":
        return Invariant(key, expression, "Extension", "Extension")
    if key.startswith("dom-"):
        return Invariant(key, expression, "Basic", "Basic")
    if path.endswith("[x]"):
        return Invariant(key, expression, types[-1], types[-1])
    own_type = path if not types or types[0] in ("BackboneElement", "Element") else types[0]
    return Invariant(key, expression, own_type, path)


def has_value(nodes: Sequence[Any]) -> list[bool]:
    """R4's function hasValue(), which fhirpathpy has not: one value, of a primitive type, that is told."""
    values = [node.data if isinstance(node, ResourceNode) else node for node in nodes]
    return [len(values) == 1 and values[0] is not None and not isinstance(values[0], dict | list)]


NODE: Final[Any] = ResourceNode
"""Untyped in fhirpathpy: an object of a type that the object itself does not tell."""
OPTIONS: Final = {
    "traceFn": lambda *_: None,
    "userInvocationTable": {"hasValue": {"fn": has_value, "arity": {0: []}}},
}


def by_fhirpath(invariant: Invariant) -> Callable[[dict[str, Any]], Verdict]:
    """What an invariant's expression says of an object. Raises whatever fhirpathpy does where it cannot tell."""
    evaluate = fhirpathpy.compile(invariant.expression, models["r4"], OPTIONS)

    def verdict(value: dict[str, Any]) -> Verdict:
        root = copy.deepcopy(value)
        start = root if "resourceType" in root else NODE(root, invariant.path)
        (answer,) = evaluate(start, {"resource": root, "rootResource": root}) or (None,)
        assert answer in (True, False, None)
        return answer

    return verdict


@cache
def asked(key: str) -> list[tuple[dict[str, Any], bool, Verdict]]:
    """The objects made for an invariant that fhirpathpy can judge, our verdict and the expression's."""
    invariant = invariants()[key]
    verdict = by_fhirpath(invariant)
    found = []
    for value in Lot(invariant.expression, ALSO_NAMED.get(key, "")).objects(invariant.type_name, OBJECTS):
        try:
            theirs = verdict(value)
        except Exception:  # noqa: BLE001, S112 - it raises bare Exceptions where values are not there or are several
            continue
        found.append((value, invariant.holds(value), theirs))
    return found


def test_every_invariant_we_enforce_is_compared_or_there_is_a_reason() -> None:
    assert invariants().keys() == wanted_keys()
    enforced = {*HOLDS, *PLACES, *ELSEWHERE, "ref-1", "ele-1", "txt-1", "txt-2"}
    assert NOT_COMPARED.keys() <= enforced
    of_types = {key for name in in_use() for key in shape_of(name).rules}
    assert of_types - enforced <= OF_SEVERITY_WARNING


@pytest.mark.parametrize("key", sorted(wanted_keys()))
def test_an_invariant_says_what_r4s_own_expression_says(key: str) -> None:
    unexplained = [
        (value, ours, theirs)
        for value, ours, theirs in asked(key)
        if ours is not theirs and not any(each.covers(key, value, ours, theirs) for each in DIFFERENCES.values())
    ]
    assert unexplained == []
    # Both verdicts were met, so the comparison says something.
    assert {ours for _, ours, theirs in asked(key) if ours is theirs} == {True, False}


def test_every_reason_for_a_difference_is_met() -> None:
    met = {
        name
        for key in wanted_keys()
        for value, ours, theirs in asked(key)
        for name, each in DIFFERENCES.items()
        if ours is not theirs and each.covers(key, value, ours, theirs)
    }
    assert met == DIFFERENCES.keys()
