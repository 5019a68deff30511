"""What repair has to know about each R4 type, compiled once: which values it may pass by without a closer look."""

from functools import cache
from typing import Final

from shared.fhir.r4.definitions import Element, Kind, Shape, resource_types, shape_of
from shared.fhir.repairing.moves import MOVES, Move, known_elsewhere
from shared.fhir.values import JsonObject

_TRIMMED = frozenset({("Identifier", "value"), ("Identifier", "system"), ("Coding", "system")})


class Step:
    """What one member of a type should be."""

    __slots__ = ("_resource", "_type_name", "known", "plan", "repeats", "trims", "twin")

    def __init__(
        self,
        kind: Kind | None,
        type_name: str = "",
        *,
        repeats: bool = False,
        trims: bool = False,
        twin: str | None = None,
    ) -> None:
        self.known = kind is not None
        self.repeats = repeats
        self.trims = trims
        """Whether blanks around the value are no part of it."""
        self.twin = twin
        """Of a repeating primitive, or of the member that holds its extensions: the name of the other."""
        self._type_name = type_name
        self._resource = kind == "resource"
        self.plan: Plan | None = None if kind in ("complex", "resource") else NOTHING_KNOWN
        """Of an object that stands there; None until it was asked for, and where each resource has its own."""

    def inside(self, value: JsonObject) -> "Plan":
        """The plan of an object that stands at this member."""
        if self._resource:
            return resource_plan(value)
        if self.plan is None:
            # Only now: types hold one another in circles.
            self.plan = plan_of(self._type_name)
        return self.plan


class Plan:
    """What the members of one type should be."""

    __slots__ = ("careful", "is_bundle", "moves", "moves_members", "steps", "trimmed")

    def __init__(self, steps: dict[str, Step], moves: tuple[Move, ...] = (), *, is_bundle: bool = False) -> None:
        self.steps = steps
        self.careful = frozenset(name for name, step in steps.items() if step.trims or step.repeats)
        """The members at which even a string that is not empty may need mending."""
        self.trimmed = frozenset(name for name, step in steps.items() if step.trims and not step.repeats)
        self.moves = moves
        self.is_bundle = is_bundle
        self.moves_members = is_bundle or bool(moves)


NOTHING_KNOWN: Final = Plan({})
UNKNOWN: Final = Step(None)


@cache
def plan_of(type_name: str) -> Plan:
    """The plan of a type named by the definitions themselves. Raises ValueError for a name R4 does not have."""
    shape = shape_of(type_name)
    older = known_elsewhere(type_name).items()
    steps = {name: Step("complex" if of[0].isupper() else "primitive", of) for name, of in older}
    steps |= {name: _step(shape, name, element) for name, element in shape.elements.items()}
    return Plan(steps, MOVES.get(type_name, ()), is_bundle=type_name == "Bundle")


def resource_plan(resource: JsonObject) -> Plan:
    """The plan of the type that a resource in a message claims with `resourceType`, if R4 has it."""
    claimed = resource.get("resourceType")
    return plan_of(claimed) if isinstance(claimed, str) and claimed in resource_types() else NOTHING_KNOWN


def _step(shape: Shape, name: str, element: Element) -> Step:
    trims = element.type_name == "code" or (shape.name, name) in _TRIMMED
    twin = name.removeprefix("_") if name.startswith("_") else "_" + name
    return Step(
        element.kind,
        element.type_name,
        repeats=element.repeats,
        trims=trims,
        twin=twin if element.repeats and twin in shape.elements else None,
    )
