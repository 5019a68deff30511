"""Profiles compiled to closures: each looks only at the elements its profile says something about.

A check copes with any shape: what is not of its R4 type has been noted by the base layer and is passed over here.
Paths are built as the walk goes down; texts are made when findings are rendered.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.fhir.definitions import Element, Shape, resource_types, shape_of
from shared.fhir.findings import Findings
from shared.fhir.profile_codes import CodeCheck, compile_codes
from shared.fhir.profile_table import Need, Profile, Row, Slice
from shared.fhir.references import entries_of, normal_reference
from shared.fhir.values import JsonObject, JsonValue, Path


class Walk:
    """What checks need of the message they walk."""

    __slots__ = ("_by_url", "extension", "message", "note")

    def __init__(self, message: JsonObject, findings: Findings, extension: Callable[[str], "Check | None"]) -> None:
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
                    self._by_url[normal_reference(url)] = resource.get("resourceType")
        known = self._by_url.get(normal_reference(literal))
        if known is not None:
            return known
        steps = literal.partition("/_history/")[0].rsplit("/", 2)
        return steps[-2] if len(steps) > 1 and steps[-2] in resource_types() else None


type Check = Callable[[JsonObject, Path, Walk], None]
"""Checks an object: a resource, a data type, an item of a list."""
type ValueCheck = Callable[[JsonValue, Path, Walk], None]
type ItemsCheck = Callable[[list[JsonValue], Path, Walk], None]

_NO_ITEMS: Final[list[JsonValue]] = []


@dataclass(slots=True)
class _Node:
    """The rows of one element and of those below it."""

    row: Row = field(default_factory=Row)
    below: dict[str, "_Node"] = field(default_factory=dict)


def compile_profile(profile: Profile, *, whole: bool) -> Check:
    """The check of a profile: the whole of it, or the minimum asked of resources that do not claim it.

    Raises KeyError for a path that R4 does not have, or an unknown code list.
    """
    return _Compiler(profile.name, whole).rows(profile.rows, shape_of(profile.type_name), "")


class _Compiler:
    def __init__(self, profile: str, whole: bool) -> None:
        self.profile = profile
        self.whole = whole

    def rows(self, rows: Mapping[str, Row], shape: Shape, above: str) -> Check:
        """The check of an object that these rows are about; `above` is what its own element is called."""
        return self.object(self.tree(rows), shape, above)

    def tree(self, rows: Mapping[str, Row]) -> _Node:
        top = _Node()
        for path, row in rows.items():
            if row.only_when_claimed and not self.whole:
                continue
            node = top
            for step in path.split(".") if path else ():
                node = node.below.setdefault(step, _Node())
            node.row = row
        return top

    def object(self, node: _Node, shape: Shape, above: str) -> Check:
        checks = [check for name, below in node.below.items() for check in self.member(name, below, shape, above)]
        checks += [self.need(need, shape, above) for need in node.row.needs]
        if len(checks) == 1:
            return checks[0]

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            for each in checks:
                each(value, path, walk)

        return check

    def member(self, name: str, node: _Node, shape: Shape, above: str) -> Iterator[Check]:
        element_name = f"{above}.{name}" if above else name
        if name == "resourceType":
            yield self.resource_type(node.row, element_name)
            return
        if name.endswith("[x]"):
            yield from self.choice(name, node.row, shape, element_name)
            return
        element = shape.elements[name]
        if node.row.least and name not in shape.required:
            yield self.least(node.row, name, (name, "_" + name), element_name)
        if node.row.most == 0:
            yield self.unused(node.row, name, (name,), element_name)
            return
        items = self.items(node, element, element_name)
        value = self.value(node, element, element_name)
        if value is not None or items is not None:
            yield _member(name, value, items)

    def choice(self, name: str, row: Row, shape: Shape, element_name: str) -> Iterator[Check]:
        members = shape.choices[name.removesuffix("[x]")]
        if row.least and name.removesuffix("[x]") not in shape.required:
            yield self.least(row, name.removesuffix("[x]"), members, element_name)
        if row.most == 0:
            yield self.unused(row, None, members, element_name)
        elif row.types:
            others = tuple(each for each in members if shape.elements[each].type_name not in row.types)
            yield self.unused(row, None, others, element_name)

    def least(self, row: Row, name: str, members: tuple[str, ...], element: str) -> Check:
        rule = row.rule_for("min", "profile-required")
        words = {"profile": self.profile, "element": element, "due": "given"}

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            for each in members:
                if each in value:
                    return
            walk.note(rule, (*path, name), **words)

        return check

    def unused(self, row: Row, name: str | None, members: tuple[str, ...], element: str) -> Check:
        rule = row.rule_for("max", "profile-not-used")
        words = {"profile": self.profile, "element": element}

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            for each in members:
                if each in value:
                    walk.note(rule, (*path, each), **words)

        return check

    def need(self, need: Need, shape: Shape, above: str) -> Check:
        members = frozenset(
            member
            for name in need.any_of
            for member in (shape.choices[name.removesuffix("[x]")] if name.endswith("[x]") else (name, "_" + name))
        )
        at = need.at.removesuffix("[x]")
        words = {"profile": self.profile, "element": above}

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            if members.isdisjoint(value):
                walk.note(need.rule, (*path, at), **words)

        return check

    def resource_type(self, row: Row, element: str) -> Check:
        words = {"profile": self.profile, "element": element, "due": _any_of(row.due)}

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            if value.get("resourceType") not in row.due:
                walk.note("profile-fixed-value", (*path, "resourceType"), **words)

        return check

    def value(self, node: _Node, element: Element, name: str) -> ValueCheck | None:
        """What is asked of each value of an element."""
        row = node.row
        checks: list[ValueCheck] = []
        if row.due or row.length:
            checks.append(self.primitive(row, name))
        if (codes := compile_codes(row, element.type_name, self.profile, name)) is not None:
            checks.append(_coded(codes))
        if row.targets:
            checks.append(self.targets(row.targets, name))
        if row.extensions:
            checks.append(_extension)
        if node.below or row.needs:
            # Of a resource in an entry only its type is asked: its own profiles ask the rest.
            shape = shape_of("DomainResource" if element.kind == "resource" else element.type_name)
            checks.append(_inside(self.object(node, shape, name)))
        if len(checks) < 2:
            return checks[0] if checks else None

        def check(value: JsonValue, path: Path, walk: Walk) -> None:
            for each in checks:
                each(value, path, walk)

        return check

    def primitive(self, row: Row, name: str) -> ValueCheck:
        due, length = frozenset(row.due), row.length
        rule = row.rule_for("fixed", "profile-fixed-value")
        words = {"profile": self.profile, "element": name, "due": _any_of(row.due)}

        def check(value: JsonValue, path: Path, walk: Walk) -> None:
            if isinstance(value, str) and ((due and value not in due) or len(value) < length):
                walk.note(rule, path, **words)

        return check

    def targets(self, targets: tuple[str, ...], name: str) -> ValueCheck:
        words = {"profile": self.profile, "element": name, "targets": _any_of(targets)}

        def check(value: JsonValue, path: Path, walk: Walk) -> None:
            if isinstance(value, dict):
                target = walk.target(value)
                if target is not None and target not in targets:
                    walk.note("profile-target", path, **words)

        return check

    def items(self, node: _Node, element: Element, name: str) -> ItemsCheck | None:
        """What is asked of all values of an element together: how many, and which slices."""
        row = node.row
        checks: list[ItemsCheck] = []
        if row.most is not None or row.least > 1:
            checks.append(self.count(row, name))
        if row.slices:
            checks.append(self.sliced(row, element, name))
        if len(checks) < 2:
            return checks[0] if checks else None

        def check(values: list[JsonValue], path: Path, walk: Walk) -> None:
            for each in checks:
                each(values, path, walk)

        return check

    def count(self, row: Row, name: str) -> ItemsCheck:
        least, most = row.least, row.most
        words = {"profile": self.profile, "element": name, "most": str(most), "due": "given"}

        def check(values: list[JsonValue], path: Path, walk: Walk) -> None:
            if len(values) < least:
                walk.note(row.rule_for("min", "profile-required"), path, **words)
            elif most is not None and len(values) > most:
                walk.note(row.rule_for("max", "profile-too-many"), path, **words)

        return check

    def sliced(self, row: Row, element: Element, name: str) -> ItemsCheck:
        shape = shape_of(element.type_name)
        parts = [self.slice(each, shape, element, name) for each in row.slices.values()]
        closed = row.closed
        keys = {tuple(each.match) for each in row.slices.values()}
        told_by = next(iter(keys)) if len(keys) == 1 else ()
        titles = _any_of(tuple(each.title for each in row.slices.values()))
        words = {"profile": self.profile, "element": name, "slices": titles}
        rule = row.rule_for("closed", "profile-slice-closed")
        single = not element.repeats

        def check(values: list[JsonValue], path: Path, walk: Walk) -> None:
            strays = set(range(len(values))) if closed else set()
            for part in parts:
                strays.difference_update(part(values, path, walk))
            for index in sorted(strays):
                where = path if single else (*path, index)
                walk.note(rule, (*where, *told_by) if len(told_by) == 1 else where, **words)

        return check

    def slice(
        self, part: Slice, shape: Shape, element: Element, name: str
    ) -> Callable[[list[JsonValue], Path, Walk], list[int]]:
        node = self.tree(part.rows)
        inside = self.object(node, shape, name) if node.below or node.row.needs else None
        targets = self.targets(node.row.targets, name) if node.row.targets else None
        words = {"profile": self.profile, "element": name, "slice": part.title}
        too_many = {"profile": self.profile, "element": part.title, "most": str(part.most)}
        least, most, single = part.least, part.most, not element.repeats
        matches = _matcher(part.match)

        def check(values: list[JsonValue], path: Path, walk: Walk) -> list[int]:
            found = [index for index, value in enumerate(values) if matches(value)]
            if len(found) < least and values:
                walk.note("profile-slice-missing", path, **words)
            if most is not None and len(found) > most:
                walk.note("profile-too-many", path, **too_many)
            for index in found:
                value, where = values[index], path if single else (*path, index)
                if inside is not None and isinstance(value, dict):
                    inside(value, where, walk)
                if targets is not None:
                    targets(value, where, walk)
            return found

        return check


def _member(name: str, value_check: ValueCheck | None, items_check: ItemsCheck | None) -> Check:
    def check(value: JsonObject, path: Path, walk: Walk) -> None:
        found = value.get(name)
        if found is None:
            return
        here = (*path, name)
        if isinstance(found, list):
            if value_check is not None:
                for index, item in enumerate(found):
                    value_check(item, (*here, index), walk)
            if items_check is not None:
                items_check(found, here, walk)
        else:
            if value_check is not None:
                value_check(found, here, walk)
            if items_check is not None:
                items_check([found], here, walk)

    return check


def _coded(codes: CodeCheck) -> ValueCheck:
    def check(value: JsonValue, path: Path, walk: Walk) -> None:
        codes(value, path, walk.note)

    return check


def _inside(inner: Check) -> ValueCheck:
    def check(value: JsonValue, path: Path, walk: Walk) -> None:
        if isinstance(value, dict):
            inner(value, path, walk)

    return check


def _extension(value: JsonValue, path: Path, walk: Walk) -> None:
    url = value.get("url") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(url, str) and (check := walk.extension(url)) is not None:
        check(value, path, walk)


def _matcher(pattern: object) -> Callable[[JsonValue], bool]:
    """Whether a value holds all that a pattern does."""
    if isinstance(pattern, Mapping):
        members = [(name, _matcher(each)) for name, each in pattern.items()]
        if len(members) == 1:
            name, only = members[0]
            return lambda value: isinstance(value, dict) and name in value and only(value[name])
        return lambda value: (
            isinstance(value, dict) and all(name in value and matches(value[name]) for name, matches in members)
        )
    if isinstance(pattern, list):
        wanted = [_matcher(each) for each in pattern]
        return lambda value: isinstance(value, list) and all(any(map(each, value)) for each in wanted)
    return lambda value: value == pattern


def _any_of(words: tuple[str | int | bool, ...]) -> str:
    """As a finding lists them: `a, b or c`."""
    *others, last = (str(word) for word in words or ("given",))
    return f"{', '.join(others)} or {last}" if others else last
