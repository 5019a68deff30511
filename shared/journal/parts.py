"""A message sorted into the parts that notes are written from."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.fhir.envelope.references import Found, Survey, survey
from shared.fhir.values import JsonObject, Path
from shared.journal.ledger import Ledger, Node

CLINICAL = (
    "DetectedIssue",
    "Flag",
    "MedicationDispense",
    "Encounter",
    "Observation",
    "QuestionnaireResponse",
    "Composition",
    "Communication",
    "Location",
)
"""Resources that a note can be about."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The resources of a message in the message's own order, and how its references resolve."""

    message: JsonObject
    ledger: Ledger
    by_kind: Mapping[str, tuple[Node, ...]]
    surveyed: Survey
    places: Mapping[int, Found]
    """By the identity of the resource's object."""
    by_path: Mapping[Path, Found]

    def all(self, *kinds: str) -> tuple[Node, ...]:
        """The resources of these types."""
        return tuple(node for kind in kinds for node in self.by_kind.get(kind, ()))

    def first(self, kind: str) -> Node | None:
        """The first resource of a type."""
        return next(iter(self.by_kind.get(kind, ())), None)

    @property
    def root(self) -> Node:
        """The message itself."""
        return Node(self.message, (), self.ledger)

    def target(self, reference: Node | None) -> Node | None:
        """The resource in the message that a Reference means, if it is there."""
        literal = reference.raw("reference") if reference is not None else None
        if literal is None or reference is None:
            return None
        found = self.surveyed.target(literal, self._place_of(reference))
        place = self.places.get(id(found)) if found is not None else None
        return Node(place.resource, place.path, self.ledger) if place is not None else None

    def _place_of(self, node: Node) -> Found:
        """The resource that holds a node: `#id` is looked up there."""
        path = node.path
        while path not in self.by_path:
            path = path[:-1]
        return self.by_path[path]


def sort(message: JsonObject, ledger: Ledger) -> Parts:
    """Sort a repaired message. Bundles inside bundles are looked through."""
    surveyed = survey(message)
    by_kind: dict[str, list[Node]] = {}
    for found in surveyed.resources:
        kind = found.resource.get("resourceType")
        if isinstance(kind, str) and kind != "Bundle":
            by_kind.setdefault(kind, []).append(Node(found.resource, found.path, ledger))
    places = {id(found.resource): found for found in surveyed.resources}
    by_path = {found.path: found for found in surveyed.resources}
    return Parts(message, ledger, {kind: tuple(nodes) for kind, nodes in by_kind.items()}, surveyed, places, by_path)
