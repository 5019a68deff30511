"""One walk over one message: what was met on the way, and where.

Checks know the object they look at, not the way to it: most messages have no fault, and keeping track of the way would
cost every message. Only when something is noted is the message searched, once, for the way to each of its objects.
"""

from shared.fhir.findings import Findings
from shared.fhir.r4.definitions import Element
from shared.fhir.values import JsonObject, JsonValue, Path

_BATCH = 64


class Enough(Exception):
    """No more findings are wanted: the walk may end."""


class Visit:
    """What the checks of one message share. The message must be a tree: no object in it in two places."""

    __slots__ = ("_findings", "_message", "_met", "_ways", "element_ids", "guesses", "references", "root")

    def __init__(self, message: JsonObject, findings: Findings) -> None:
        self._message = message
        self._findings = findings
        self._met: list[tuple[str, JsonObject, Path, dict[str, str]]] = []
        self._ways: dict[int, tuple[int, Path]] = {}
        self.root = message
        """The resource being walked; a contained one belongs to the one it is in."""
        self.element_ids: list[tuple[str, JsonObject]] = []
        """Ids of elements in the resource being walked, each with its element."""
        self.references: list[tuple[JsonObject, Element, JsonObject]] = []
        """Each Reference, the element it is at, and the resource it is in."""
        self.guesses = 0
        """How many unknown names were compared with the known ones, which takes time."""

    def note(self, key: str, owner: JsonObject, *steps: str | int, **words: str) -> None:
        """Note a breach of a rule in `owner`, an object of the message, at `steps` from it. Raises Enough."""
        self._met.append((key, owner, steps, words))
        if len(self._met) >= _BATCH:
            self.tell()
            if self._findings.full:
                raise Enough

    def tell(self) -> None:
        """Hand what was noted to the findings."""
        for key, owner, steps, words in self._met:
            self._findings.add(key, (*self._way_to(owner), *steps), **words)
        self._met.clear()

    def _way_to(self, owner: JsonObject) -> Path:
        if not self._ways:
            self._ways = _ways(self._message)
        way: list[Path] = []
        here = id(owner)
        while here != id(self._message):
            here, steps = self._ways[here]
            way.append(steps)
        return tuple(step for steps in reversed(way) for step in steps)


def _ways(message: JsonObject) -> dict[int, tuple[int, Path]]:
    """For each object in a message, by identity: the object it is in, and the steps from there."""
    found: dict[int, tuple[int, Path]] = {id(message): (id(message), ())}
    waiting: list[tuple[JsonValue, int, Path]] = [(message, id(message), ())]
    while waiting:
        value, owner, steps = waiting.pop()
        if isinstance(value, dict):
            if steps:
                found[id(value)] = (owner, steps)
            waiting += ((each, id(value), (name,)) for name, each in value.items() if isinstance(each, dict | list))
        elif isinstance(value, list):
            waiting += (
                (each, owner, (*steps, index)) for index, each in enumerate(value) if isinstance(each, dict | list)
            )
    return found
