"""FHIRPath expressions to places in a message, made of names from the FHIR definitions only.

A member name is the sender's text as much as a value is: it may hold a person's name or number. So a name appears only
where R4 has an element of that name, or an older FHIR had one that we move (moves.py); at anything else the expression
ends with the object that holds it, as the official validator's does. The form is the official validator's too
(engineering/fhir.md 4): 0-based indices, `value.ofType(Quantity)` for `valueQuantity`.
"""

from shared.fhir.r4.definitions import Element, Shape, resource_shape, shape_for, shape_of
from shared.fhir.repairing.moves import known_elsewhere
from shared.fhir.values import JsonValue, Path

ROOT = "Resource"
"""Stands for the root of a message whose `resourceType` is missing or unknown."""

_OPERATORS = frozenset({"div"})
"""Elements of R4 that FHIRPath takes for an operator unless they stand in backticks (Narrative.div)."""


def expression(message: JsonValue, path: Path) -> str:
    """Render `path`, which need not exist in `message` to its end: the last steps may be of a missing element.

    An index into what is no array is left out. The expression ends with an array that is within an array: FHIRPath
    knows none.
    """
    shape: Shape | None = resource_shape(message)
    steps = [shape.name if shape is not None else ROOT]
    here: JsonValue = message
    element: Element | None = None
    in_resource = True
    for step in path:
        if isinstance(step, int):
            if isinstance(here, list):
                if steps[-1].endswith("]"):
                    break
                steps[-1] += f"[{step}]"
                here = here[step] if step < len(here) else None
            continue
        if element is not None:
            shape, in_resource = shape_for(element, here), element.kind == "resource"
        sent = isinstance(here, dict) and step in here
        name, shape, element = _named(step, shape, in_resource=in_resource, sent=sent)
        if name is None:
            break
        steps.append(name)
        in_resource = False
        here = here.get(step) if isinstance(here, dict) else None
    return ".".join(steps)


def _named(
    step: str, shape: Shape | None, *, in_resource: bool, sent: bool
) -> tuple[str | None, Shape | None, Element | None]:
    """How FHIRPath names a member of a type, and what stands there: a shape, or an element that has one."""
    element = shape.elements.get(step) if shape is not None else None
    if element is not None:
        name = element.expression
        return f"`{name}`" if name in _OPERATORS else name, shape, element
    if shape is not None and (moved := known_elsewhere(shape.name).get(step)) is not None:
        return step, shape_of(moved) if moved[0].isupper() else None, None
    # A choice of types that is missing has a name, `medication`; a member that was sent by that name is none of R4's.
    missing = not sent and shape is not None and step in shape.required
    known = missing or (step == "resourceType" and in_resource)
    return step if known else None, None, None
