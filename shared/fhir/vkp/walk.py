"""What the compiled checks of profiles share: the kinds of check, and what they need of the message they walk."""

from collections.abc import Callable

from shared.fhir.envelope.references import entries_of
from shared.fhir.findings import Findings
from shared.fhir.r4.definitions import resource_types
from shared.fhir.values import JsonObject, JsonValue, Path

type Check = Callable[[JsonObject, Path, Walk], None]
"""Checks an object: a resource, a data type, an item of a list."""
type ValueCheck = Callable[[JsonValue, Path, Walk], None]
"""Checks one value of an element."""
type Plain = Callable[[JsonValue], bool]
"""Says that a value is plainly in order: quicker than its check, which need not be asked then."""
type ItemsCheck = Callable[[list[JsonValue], Path, Walk], None]
"""Checks all values of an element together."""


class Walk:
    """One walk over one message."""

    __slots__ = ("_by_url", "extension", "message", "note")

    def __init__(self, message: JsonObject, findings: Findings, extension: Callable[[str], Check | None]) -> None:
        self.note = findings.add
        self.message = message
        self.extension = extension
        """The check of an extension by its url."""
        self._by_url: dict[str, JsonValue] | None = None

    def target(self, reference: JsonObject) -> JsonValue:
        """The type of resource that a Reference leads to, as far as the message tells: its own word, or its form."""
        if "type" in reference:
            return reference["type"]
        literal = reference.get("reference")
        if not isinstance(literal, str):
            return None
        if self._by_url is None:
            self._by_url = {}
            for _, entry in entries_of(self.message):
                url, resource = entry.get("fullUrl"), entry.get("resource")
                if isinstance(url, str) and isinstance(resource, dict):
                    self._by_url[url] = resource.get("resourceType")
        known = self._by_url.get(literal)
        if known is not None:
            return known
        steps = literal.partition("/_history/")[0].rsplit("/", 2)
        return steps[-2] if len(steps) > 1 and steps[-2] in resource_types() else None


def any_of(words: tuple[str | int | bool, ...]) -> str:
    """As a finding lists them: `a, b or c`."""
    *others, last = (str(word) for word in words or ("the profile's",))
    return f"{', '.join(others)} or {last}" if others else last
