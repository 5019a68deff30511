"""R4's definitions compiled: one function for each type, made when a message first holds the type.

A function looks at one object and what is in it, and notes every breach. It is asked of nearly every message with
nothing to note, so it does the least it can then: it knows no path and builds no text.
"""

from collections.abc import Callable

from shared.fhir.r4 import faults
from shared.fhir.r4.definitions import Element, Shape, ValueSet, resource_types, shape_of, value_set
from shared.fhir.r4.invariants import HOLDS, IN_PROSE, PLACES
from shared.fhir.r4.invariants.facts import objects
from shared.fhir.r4.primitives import PRIMITIVES
from shared.fhir.r4.visit import Visit
from shared.fhir.r4.xhtml import broken_rules
from shared.fhir.values import JsonObject, JsonValue

type Check = Callable[[JsonObject, Visit], None]
"""Looks at an object of one type."""
type _Handle = Callable[[JsonValue, JsonObject, Visit], None]
"""Looks at the value of one member of an object, the second argument."""
type _Item = Callable[[JsonObject, Visit], None]
"""Looks at one object where an object is due."""


class _Checks(dict[str, Check]):
    """Checks by the name of their type, compiled when first asked for."""

    def __missing__(self, type_name: str) -> Check:
        shape = shape_of(type_name)
        self[type_name] = _resource_check(shape) if shape.is_resource else _object_check(shape)
        return self[type_name]


CHECKS = _Checks()

_TEXTS = frozenset({"string", "markdown"})
_WORDS = frozenset({"uri", "url", "canonical", "code"})

_PLAIN = dict.fromkeys(_TEXTS, True) | dict.fromkeys(_WORDS, False)
"""Types of texts and words, and whether blanks may stand within."""


def _is_plain(element: Element) -> bool:
    special = element.codes is not None or (element.name == "id" and element.type_name == "string")
    return element.kind == "primitive" and element.type_name in _PLAIN and not element.repeats and not special


_OF_CONTAINED = ("dom-2", "dom-3", "dom-4", "dom-5")
"""Rules that only a resource with `contained` can break."""


def check_resource(value: JsonObject, visit: Visit) -> None:
    """Look at a resource of whatever type it says it is."""
    kind = value.get("resourceType")
    if type(kind) is str and kind in resource_types():
        CHECKS[kind](value, visit)
    else:
        faults.no_such_resource(value, visit)


def _object_check(shape: Shape) -> Check:
    handles: dict[str, _Handle] = {name: _handle(element) for name, element in shape.elements.items()}
    if shape.is_resource:
        handles["resourceType"] = _nothing
    # A choice of types is required of any of its members, so it is looked for one by one.
    required = frozenset(name for name in shape.required if name not in shape.choices)
    any_choice_required = len(required) < len(shape.required)
    any_required = bool(shape.required)
    choices = [(name, frozenset(members)) for name, members in shape.choices.items() if len(members) > 1]
    keys = (*shape.rules, *IN_PROSE.get(shape.name, ()))
    holding = [(key, HOLDS[key]) for key in keys if key in HOLDS]
    placing = [(key, PLACES[key]) for key in keys if key in PLACES and key not in _OF_CONTAINED]
    is_element = not shape.is_resource and shape.name != "Element"
    handle_of = handles.get
    plain = {name: _PLAIN[each.type_name] for name, each in shape.elements.items() if _is_plain(each)}
    plain_of = plain.get
    rules = bool(choices or holding or placing)

    def check(owner: JsonObject, visit: Visit) -> None:
        for name, value in owner.items():
            if type(value) is str and value.isprintable():
                # Most values are texts and words without a fault: they are told without a call.
                kind = plain_of(name)
                if kind is not None and (value[:1] > " " if kind else value and " " not in value):
                    continue
            handle = handle_of(name)
            if handle is not None:
                handle(value, owner, visit)
            else:
                faults.unknown_element(name, shape, visit, owner)
        if any_required and (any_choice_required or not required <= owner.keys()):
            faults.missing_elements(shape, visit, owner)
        if is_element and len(owner) < 2 and (not owner or "id" in owner):
            visit.note("ele-1", owner)
        if rules:
            check_rules(owner, visit)

    def check_rules(owner: JsonObject, visit: Visit) -> None:
        for choice, members in choices:
            if _several(owner, members):
                faults.several_choices(choice, members, visit, owner)
        for key, holds in holding:
            if not holds(owner):
                visit.note(key, owner)
        for key, places in placing:
            for steps in places(owner):
                visit.note(key, owner, *steps)

    return check


def _several(owner: JsonObject, members: frozenset[str]) -> bool:
    chosen = 0
    for name in owner:
        if name in members:
            chosen += 1
    return chosen > 1


def _resource_check(shape: Shape) -> Check:
    """The check of a resource: its elements' ids are its own.

    A StructureDefinition says the same of each element twice, under the same id, by design (R4 ElementDefinition).
    """
    check_object = _object_check(shape)

    def check(owner: JsonObject, visit: Visit) -> None:
        before = len(visit.element_ids)
        check_object(owner, visit)
        if len(visit.element_ids) > before and shape.name != "StructureDefinition":
            seen: set[str] = set()
            for identity, element in visit.element_ids[before:]:
                if identity in seen:
                    visit.note("fhir-element-id-twice", element, "id")
                seen.add(identity)
        del visit.element_ids[before:]

    return check


def _handle(element: Element) -> _Handle:
    if element.kind == "primitive":
        return _many_primitives(element) if element.repeats else _one_primitive(element)
    if element.type_name == "Element":
        return _many_twins(element.name) if element.repeats else _one_twin(element.name)
    if element.name == "contained":
        return _contained(element)
    if element.kind == "resource":
        item: _Item = _own
    elif element.type_name == "Reference":
        item = _reference(element)
    elif element.rules or element.codes is not None:
        item = _ruled(element)
    else:
        return _plain(element)
    return _many_objects(element.name, item) if element.repeats else _one_object(element.name, item)


def _nothing(_value: JsonValue, _owner: JsonObject, _visit: Visit) -> None:
    """`resourceType` has been read already."""


def _one_primitive(element: Element) -> _Handle:
    name, valid = element.name, PRIMITIVES[element.type_name].valid
    codes = value_set(element.codes) if element.codes is not None else None
    if element.type_name == "xhtml":
        return _narrative(element)
    if codes is not None:
        return _one_code(element, codes)
    if element.name == "id" and element.type_name == "string":
        return _element_id(element)

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if not valid(value):
            faults.not_a_primitive(value, element, visit, owner, name)

    return handle


def _one_code(element: Element, codes: ValueSet) -> _Handle:
    name, allowed = element.name, codes.codes

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is not str or value not in allowed:
            faults.not_a_code(value, element, codes, visit, owner, name)

    return handle


def _element_id(element: Element) -> _Handle:
    valid = PRIMITIVES[element.type_name].valid

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if isinstance(value, str) and valid(value):
            visit.element_ids.append((value, owner))
        else:
            faults.not_a_primitive(value, element, visit, owner, "id")

    return handle


def _narrative(element: Element) -> _Handle:
    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if isinstance(value, str) and value:
            for key in broken_rules(value):
                visit.note(key, owner, element.name)
        else:
            faults.not_a_primitive(value, element, visit, owner, element.name)

    return handle


def _many_primitives(element: Element) -> _Handle:
    name, valid, twin = element.name, PRIMITIVES[element.type_name].valid, "_" + element.name
    codes = value_set(element.codes) if element.codes is not None else None

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is not list or not value:
            faults.not_an_array(value, visit, owner, name)
            return
        for index, item in enumerate(value):
            if item is None and _at(owner.get(twin), index) is not None:
                continue
            if codes is not None and (type(item) is not str or item not in codes.codes):
                faults.not_a_code(item, element, codes, visit, owner, name, index)
            elif not valid(item):
                faults.not_a_primitive(item, element, visit, owner, name, index)

    return handle


def _at(value: JsonValue, index: int) -> JsonValue:
    return value[index] if isinstance(value, list) and index < len(value) else None


def _one_twin(name: str) -> _Handle:
    primitive = name.removeprefix("_")

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is not dict:
            faults.not_an_object(value, visit, owner, name)
        else:
            _twin(value, visit, primitive in owner)

    return handle


def _many_twins(name: str) -> _Handle:
    primitive = name.removeprefix("_")

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is not list or not value:
            faults.not_an_array(value, visit, owner, name)
            return
        beside = owner.get(primitive)
        if isinstance(beside, list) and len(beside) != len(value):
            visit.note("fhir-twin-length", owner, name)
        for index, item in enumerate(value):
            if type(item) is dict:
                _twin(item, visit, _at(beside, index) is not None)
            elif item is not None:
                faults.not_an_object(item, visit, owner, name, index)

    return handle


def _twin(value: JsonObject, visit: Visit, has_value: bool) -> None:
    """A primitive's extensions; an id alone is enough only beside a value."""
    CHECKS["Element"](value, visit)
    if not has_value and "extension" not in value:
        visit.note("ele-1", value)


def _plain(element: Element) -> _Handle:
    """Objects of one type about which the element itself has nothing to say: most of a message."""
    name, type_name, checks = element.name, element.type_name, CHECKS

    def one(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is dict:
            checks[type_name](value, visit)
        else:
            faults.not_an_object(value, visit, owner, name)

    def many(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is not list or not value:
            faults.not_an_array(value, visit, owner, name)
            return
        check = checks[type_name]
        for index, item in enumerate(value):
            if type(item) is dict:
                check(item, visit)
            else:
                faults.not_an_object(item, visit, owner, name, index)

    return many if element.repeats else one


def _one_object(name: str, look: _Item) -> _Handle:
    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is dict:
            look(value, visit)
        else:
            faults.not_an_object(value, visit, owner, name)

    return handle


def _many_objects(name: str, look: _Item) -> _Handle:
    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        if type(value) is not list or not value:
            faults.not_an_array(value, visit, owner, name)
            return
        for index, item in enumerate(value):
            if type(item) is dict:
                look(item, visit)
            else:
                faults.not_an_object(item, visit, owner, name, index)

    return handle


def _own(value: JsonObject, visit: Visit) -> None:
    """A resource in a Bundle or in Parameters."""
    outside, visit.root = visit.root, value
    check_resource(value, visit)
    visit.root = outside


def _contained(element: Element) -> _Handle:
    """Contained resources belong to the one they are in, so that is the root their references start from."""
    check_all = _many_objects(element.name, check_resource)

    def handle(value: JsonValue, owner: JsonObject, visit: Visit) -> None:
        check_all(value, owner, visit)
        for key in _OF_CONTAINED:
            for steps in PLACES[key](owner):
                visit.note(key, owner, *steps)

    return handle


def _reference(element: Element) -> _Item:
    def look(value: JsonObject, visit: Visit) -> None:
        visit.references.append((value, element, visit.root))
        CHECKS["Reference"](value, visit)

    return look


def _ruled(element: Element) -> _Item:
    """An object about which the element has rules or required codes of its own."""
    type_name = element.type_name
    rules = [(key, HOLDS[key]) for key in element.rules if key in HOLDS]
    codes = value_set(element.codes) if element.codes is not None else None

    def look(value: JsonObject, visit: Visit) -> None:
        CHECKS[type_name](value, visit)
        for key, holds in rules:
            if not holds(value):
                visit.note(key, value)
        if codes is not None and not _is_coded(value, codes):
            faults.not_a_coded_concept(codes, visit, value)

    return look


def _is_coded(concept: JsonObject, codes: ValueSet) -> bool:
    """Whether one of a CodeableConcept's codings is of a value set."""
    codings = ((each.get("system"), each.get("code")) for each in objects(concept.get("coding")))
    return any((str(system), str(code)) in codes.concepts for system, code in codings)
