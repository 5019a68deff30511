"""FHIRPath expressions to places in a message, made of names from the FHIR definitions only.

A member name is the sender's text as much as a value is: it may hold a person's name or number. So a name appears only
where R4 has an element of that name; anything else becomes `*`, and the expression ends there. The form is the one
the official validator uses (engineering/fhir.md 4): 0-based indices, `value.ofType(Quantity)` for `valueQuantity`.
"""

from shared.fhir.definitions import Element, Shape, resource_shape, shape_for
from shared.fhir.values import JsonValue, Path

UNKNOWN = "*"
ROOT = "Resource"
"""Stands for the root of a message whose `resourceType` is missing or unknown."""


def expression(message: JsonValue, path: Path) -> str:
    """Render `path`, which need not exist in `message` to its end: the last step may be a missing element.

    `path` may come from a repaired copy, where one value became an array of one or the other way round: an index into
    what is no array is left out, and an array of one is passed through.
    """
    shape: Shape | None = resource_shape(message)
    steps = [str(message["resourceType"]) if shape is not None and isinstance(message, dict) else ROOT]
    here: JsonValue = message
    element: Element | None = None
    for step in path:
        if isinstance(step, int):
            if isinstance(here, list):
                steps[-1] += f"[{step}]"
                here = here[step] if step < len(here) else None
        else:
            if isinstance(here, list) and len(here) == 1:
                here = here[0]
            if element is not None:
                shape = shape_for(element, here)
            element = shape.elements.get(step) if shape is not None else None
            if element is None:
                known = step == "resourceType" or (shape is not None and step in shape.required)
                steps.append(step if known else UNKNOWN)
                break
            steps.append(element.expression)
            here = here.get(step) if isinstance(here, dict) else None
    return ".".join(steps)
