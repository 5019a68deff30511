"""Expressions name places the way FHIRPath does, and never in the sender's own words."""

import json
import re
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models
from hypothesis import given, settings

from shared.errors import NotJson
from shared.fhir.expressions import ROOT, expression
from shared.fhir.reading import judge
from shared.fhir.values import Path
from tests.unit.fhir.messages import body
from tests.unit.fhir.strategies import fhir_like, mutated_examples

MISSING = object()


@cache
def compiled(fhirpath: str) -> Any:
    return fhirpathpy.compile(fhirpath, models["r4"])


def resolve(message: Any, fhirpath: str) -> list[Any]:
    """What FHIRPath finds; the message's own type need not be known to it."""
    if fhirpath == ROOT:
        return [message]
    found: list[Any] = compiled(fhirpath.removeprefix(ROOT + "."))(message)
    return found


def at(message: Any, path: Path) -> Any:
    for step in path:
        inside = message.get(step, MISSING) if isinstance(message, dict) and isinstance(step, str) else MISSING
        if isinstance(message, list) and isinstance(step, int) and step < len(message):
            inside = message[step]
        message = inside
    return message


@pytest.mark.parametrize(
    ("path", "rendered"),
    [
        ((), "Observation"),
        (("status",), "Observation.status"),
        (("valueQuantity", "value"), "Observation.value.ofType(Quantity).value"),
        (("_status", "extension", 0), "Observation.status.extension"),
        (("category", 1, "coding", 0), "Observation.category[1].coding"),
        (("category", 0, 0, "text"), "Observation.category[0]"),
        (("text", "div"), "Observation.text.`div`"),
        (("value",), "Observation"),
        (("Kari", "text"), "Observation"),
        (("category", 1, "Kari"), "Observation.category[1]"),
        (("contained", 0, "receiver", "display"), "Observation.contained[0].receiver.display"),
        (("contained", 0, "event", "code"), "Observation.contained[0].event.code"),
        (("contained", 0, "eventCoding", "code"), "Observation.contained[0].event.ofType(Coding).code"),
    ],
)
def test_a_path_is_rendered_as_fhirpath(path: Path, rendered: str) -> None:
    message: Any = {
        "resourceType": "Observation",
        "category": [[{"text": "a"}], {"Kari": 1}],
        "contained": [{"resourceType": "MessageHeader", "receiver": {}, "event": {}}],
    }
    assert expression(message, path) == rendered
    resolve(message, rendered)


def test_a_choice_of_types_that_is_missing_is_named_and_a_member_that_was_sent_by_its_name_is_not() -> None:
    without: Any = {"resourceType": "MedicationDispense"}
    assert expression(without, ("medication",)) == "MedicationDispense.medication"
    assert expression(without | {"medication": {}}, ("medication",)) == "MedicationDispense"


def typed(value: Any, *, is_resource: bool = True) -> Any:
    """The message without `resourceType` in data types: fhirpathpy believes each."""
    if isinstance(value, list):
        return [typed(item, is_resource=is_resource) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: typed(member, is_resource=name in ("resource", "contained", "outcome"))
        for name, member in value.items()
        if is_resource or name != "resourceType"
    }


def spine(message: Any, path: Path) -> Any:
    """The message with nothing beside the members on the path, and a value beside a `_value`.

    fhirpathpy sees only one of several `value[x]`, no `value[x]` that has extensions only, and leaves objects with
    extensions only out of what it finds.
    """
    if path and isinstance(message, dict) and path[0] in message:
        name = str(path[0]).removeprefix("_")
        kept = {"resourceType": message["resourceType"]} if "resourceType" in message else {}
        if name != path[0]:
            twin = message[path[0]]
            kept[name] = message.get(name, ["x"] * len(twin) if isinstance(twin, list) else "x")
        if name == "extension":
            kept["id"] = "x"
        return {**kept, path[0]: spine(message[path[0]], path[1:])}
    if path and isinstance(message, list) and isinstance(path[0], int):
        return [spine(item, path[1:]) if index == path[0] else item for index, item in enumerate(message)]
    if isinstance(message, list):
        return [spine(item, ()) for item in message]
    return {**message, "id": "x"} if isinstance(message, dict) and message.keys() == {"extension"} else message


def nothing(value: Any) -> bool:
    members = value.values() if isinstance(value, dict) else ()
    return value in (MISSING, None, [], "") or (bool(members) and all(nothing(each) for each in members))


def findable(message: Any, path: Path) -> Path:
    """The path as far as fhirpathpy can be asked about it: not into objects and arrays where a `value[x]` is one value,
    not to STU3's `MessageHeader.event`, which it takes for R4's, and not into the extensions of one of several
    primitives, which it counts as items beside them."""
    for length in range(1, len(path) + 1):
        if isinstance(path[length - 1], int) and str(path[length - 2]).startswith("_"):
            return path[: length - 2]
        holder = at(message, path[: length - 1])
        if isinstance(holder, dict) and holder.get("resourceType") == "MessageHeader" and path[length - 1] == "event":
            return path[: length - 1]
        primitive = re.search(r"ofType\([a-z]\w*\)$", expression(message, path[:length]))
        if primitive and isinstance(at(message, path[:length]), dict | list):
            return path[: length - 1]
    return path


def check_expressions(message: Any) -> None:
    try:
        found = judge(body(message)).findings
    except NotJson as refusal:
        found = refusal.findings
    plain = typed(message)
    for finding in found:
        assert finding.expression == expression(message, finding.path)
        if resolve(plain, finding.expression):
            continue
        path = findable(message, finding.path)
        seen = spine(plain, path)
        if not resolve(seen, expression(message, path)):
            # Something is missing there: then what holds it must be found.
            there = path
            while there and nothing(at(seen, there)):
                there = there[:-1]
            assert there != path, finding
            assert resolve(seen, expression(message, there)), finding


@settings(deadline=None, max_examples=40)
@given(mutated_examples())
def test_every_findings_expression_resolves_in_an_altered_example_as_sent(message: Any) -> None:
    check_expressions(message)


@settings(deadline=None, max_examples=40)
@given(fhir_like())
def test_every_findings_expression_resolves_in_anything_like_fhir(message: Any) -> None:
    check_expressions(json.loads(body(message)))
