"""One message's spans and log lines, out of all that was collected, as a tree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.telemetry import kept
from sandbox.telemetry.kept import Line


@dataclass(slots=True)
class Node:
    """A span with what happened in it: log lines, and the spans that go on from it. In the order of time."""

    span: Line
    inside: list["Node | Line"] = field(default_factory=list)

    @property
    def at(self) -> str:
        """When it began: ISO 8601, UTC."""
        return str(self.span["start"])

    def json(self) -> dict[str, Any]:
        """For programs."""
        return {**self.span, "inside": [each.json() if isinstance(each, Node) else each for each in self.inside]}


@dataclass(frozen=True, slots=True)
class Story:
    """All that is told of a message. Empty where nothing is."""

    traces: tuple[str, ...]
    """Ids; one, as a rule."""
    roots: tuple[Node | Line, ...]
    """Spans that no other one here leads to, and lines that belong to no span here."""


def of_message(folder: Path, id: str) -> Story:
    """What was collected of a message: by its id, a delivery's, a correlation id or a trace's."""
    named = [each for each in kept.lines(folder, (id,)) if _tells_of(each, id)]
    traces = tuple(dict.fromkeys(each["traceId"] for each in named if each.get("traceId")))
    events = {each["attributes"]["event_id"] for each in named if "event_id" in each["attributes"]}
    in_them = kept.lines(folder, traces) if traces else ()
    found = {_key(each): each for each in (*named, *(each for each in in_them if each.get("traceId") in traces))}
    # A sender may put several messages into one trace; the others are told of by their own ids.
    mine = [each for each in found.values() if not events or each["attributes"].get("event_id") in (None, *events)]
    return Story(traces, tuple(_tree(mine)))


def _tells_of(line: Line, id: str) -> bool:
    return line["signal"] != "metric" and (line.get("traceId") == id or id in line["attributes"].values())


def _key(line: Line) -> tuple[Any, ...]:
    if line["signal"] == "span":
        return "span", line["spanId"]
    return "log", line["at"], line["text"], line["spanId"]


def _tree(lines: Sequence[Line]) -> Iterable[Node | Line]:
    nodes = {each["spanId"]: Node(each) for each in lines if each["signal"] == "span"}
    roots: list[Node | Line] = []
    for node in nodes.values():
        above = nodes.get(node.span["parentSpanId"])
        (roots if above is None else above.inside).append(node)
    for each in lines:
        if each["signal"] == "log":
            within = nodes.get(each["spanId"])
            (roots if within is None else within.inside).append(each)
    for node in nodes.values():
        node.inside.sort(key=at)
    return sorted(roots, key=at)


def at(each: Node | Line) -> str:
    """When it was or began: ISO 8601, UTC."""
    return each.at if isinstance(each, Node) else str(each["at"])
