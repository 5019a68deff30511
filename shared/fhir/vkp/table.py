"""The curated facts of the profiles, as records: `data/profiles.json` (schema `profiles.schema.json`).

A row is what one profile asks of one element beyond base R4. Paths are JSON member names from the resource, joined by
dots; `value[x]` is a choice in any of its types and the empty path is the resource (or extension, or item) itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

_FILE: Final = Path(__file__).parents[1] / "data" / "profiles.json"

type Strength = Literal["required", "extensible", "preferred", "example"]
type Primitive = str | int | bool


@dataclass(frozen=True, slots=True)
class Need:
    """One of several elements must be there."""

    any_of: tuple[str, ...]
    at: str
    """The element that a finding names."""
    rule: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Those items of an element that are recognised by some of their content."""

    name: str
    """As in the profile."""
    title: str
    """As a finding calls it."""
    match: Mapping[str, Any]
    """A pattern: every member in it is in the item, lists hold an item that matches."""
    least: int
    most: int | None
    rows: Mapping[str, "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """What a profile asks of one element. Whatever is None or empty is not asked."""

    least: int = 0
    most: int | None = None
    due: tuple[Primitive, ...] = ()
    """The values allowed."""
    length: int = 0
    """Characters that a value has at least."""
    types: tuple[str, ...] = ()
    """The types allowed of a choice."""
    targets: tuple[str, ...] = ()
    """The types of resource that a Reference may lead to."""
    codes: str | None = None
    """Name of a code list."""
    strength: Strength = "example"
    text_is_content: bool = False
    """CodeableConcept.text tells more than the code, so it is not compared with it."""
    extensions: bool = False
    """Extensions known by their url are checked."""
    closed: bool = False
    """Only items of the slices may be there."""
    slices: Mapping[str, Slice] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[Need, ...] = ()
    only_when_claimed: bool = False
    """Not part of the minimum asked of a resource that claims no profile."""
    rule: str | None = None
    """The rule that every finding of this row is of, instead of the usual one of its kind."""
    rules: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The same by kind of finding: `min`, `codes`, `words`, `ambiguous`."""

    def rule_for(self, kind: str, usual: str) -> str:
        """The key of the rule that a finding of this kind is of."""
        return self.rules.get(kind) or self.rule or usual


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of a resource or an extension, with the rows of those it rests on."""

    name: str
    canonical: str
    also_claimed_as: tuple[str, ...]
    type_name: str
    source: str
    withdrawn: str | None
    """The day it was withdrawn; None while it is in use."""
    rows: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Kind:
    """Resources of which the minimum of some profiles is asked, whatever they claim."""

    type_name: str
    bundle_type: str | None
    coding: tuple[str, str] | None
    """A system and code among those of `code`; None for the kind of all others of the type."""
    profiles: tuple[str, ...]


@cache
def profiles() -> Mapping[str, Profile]:
    """The profiles of resources by name."""
    return _section("profiles")


@cache
def extensions() -> Mapping[str, Profile]:
    """The profiles of extensions by name."""
    return _section("extensions")


@cache
def kinds() -> tuple[Kind, ...]:
    """The kinds of resource, the special before the general."""
    return tuple(
        Kind(
            row["type"],
            row.get("bundleType"),
            (row["code"]["system"], row["code"]["code"]) if "code" in row else None,
            tuple(row["profiles"]),
        )
        for row in _file()["kinds"]
    )


def _file() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(_FILE.read_bytes())
    return read


def _section(section: str) -> Mapping[str, Profile]:
    found: dict[str, Profile] = {}
    for name, row in _file()[section].items():
        rows = _rows(row["elements"])
        if "on" in row:
            rows = _over(found[row["on"]].rows, rows)
        found[name] = Profile(
            name,
            row["canonical"],
            tuple(row.get("alsoClaimedAs", ())),
            row.get("type", "Extension"),
            row["source"],
            row.get("removed"),
            rows,
        )
    return MappingProxyType(found)


def _rows(elements: dict[str, Any]) -> Mapping[str, Row]:
    return MappingProxyType({path: _row(facts) for path, facts in elements.items()})


def _row(facts: dict[str, Any]) -> Row:
    return Row(
        least=facts.get("min", 0),
        most=facts.get("max"),
        due=(facts["fixed"],) if "fixed" in facts else tuple(facts.get("oneOf", ())),
        length=facts.get("atLeast", 0),
        types=tuple(facts.get("types", ())),
        targets=tuple(facts.get("targets", ())),
        codes=facts.get("codes"),
        strength=facts.get("strength", "example"),
        text_is_content=facts.get("text") == "content",
        extensions=facts.get("extensions", False),
        closed=facts.get("closed", False),
        slices=MappingProxyType({name: _slice(name, each) for name, each in facts.get("slices", {}).items()}),
        needs=tuple(Need(tuple(each["anyOf"]), each["at"], each["rule"]) for each in facts.get("needs", ())),
        only_when_claimed=facts.get("claimed", False),
        rule=facts.get("rule"),
        rules=MappingProxyType(dict(facts.get("rules", {}))),
    )


def _slice(name: str, facts: dict[str, Any]) -> Slice:
    match = MappingProxyType(dict(facts.get("match", {})))
    rows = _rows(facts.get("elements", {}))
    return Slice(name, facts.get("title", name), match, facts.get("min", 0), facts.get("max"), rows)


def _over(base: Mapping[str, Row], own: Mapping[str, Row]) -> Mapping[str, Row]:
    """The rows of a profile laid over those of the one it rests on."""
    merged = dict(base)
    for path, row in own.items():
        under = base.get(path)
        merged[path] = row if under is None else _joined(under, row)
    return MappingProxyType(merged)


def _joined(under: Row, row: Row) -> Row:
    slices = dict(under.slices)
    for name, each in row.slices.items():
        below = slices.get(name)
        slices[name] = each if below is None or each.match else replace(below, rows=_over(below.rows, each.rows))
    return replace(
        row,
        least=max(under.least, row.least),
        most=row.most if row.most is not None else under.most,
        due=row.due or under.due,
        length=max(under.length, row.length),
        types=row.types or under.types,
        targets=row.targets or under.targets,
        codes=row.codes or under.codes,
        strength=row.strength if row.codes else under.strength,
        extensions=row.extensions or under.extensions,
        closed=row.closed or under.closed,
        slices=MappingProxyType(slices),
        needs=(*under.needs, *row.needs),
        rule=row.rule or under.rule,
        rules=MappingProxyType({**under.rules, **row.rules}),
    )
