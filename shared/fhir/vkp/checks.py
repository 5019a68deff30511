"""Profiles compiled to closures: each looks only at the elements its profile says something about.

A check copes with any shape: what is not of its R4 type has been noted by the base layer and is passed over here.
Paths are built as the walk goes down; texts are made when findings are rendered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.fhir.r4.definitions import Element, Shape, shape_of
from shared.fhir.values import JsonObject, JsonValue, Path
from shared.fhir.vkp.bound_codes import compile_codes
from shared.fhir.vkp.slices import Part, compile_slices
from shared.fhir.vkp.table import Need, Primitive, Profile, Row, Slice
from shared.fhir.vkp.walk import Check, ItemsCheck, Plain, ValueCheck, Walk, any_of


@dataclass(slots=True)
class _Node:
    """The rows of one element and of those below it."""

    row: Row = field(default_factory=Row)
    below: dict[str, "_Node"] = field(default_factory=dict)


@dataclass(slots=True)
class _Parts:
    """What is asked of the elements of one object, sorted by what it takes to look."""

    needed: list[tuple[str, frozenset[str], Check]] = field(default_factory=list)
    """The usual member, all members any of which will do, and what to do when none is there."""
    checks: list[Check] = field(default_factory=list)


def compile_profile(profile: Profile, *, whole: bool) -> Check:
    """The check of a profile: the whole of it, or the minimum asked of resources that do not claim it.

    Raises KeyError for a path that R4 does not have, or an unknown code list.
    """
    compiler = _Compiler(profile.name, whole)
    return compiler.object(compiler.tree(profile.rows), shape_of(profile.type_name), "")


class _Compiler:
    def __init__(self, profile: str, whole: bool) -> None:
        self.profile = profile
        self.whole = whole

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
        """The check of an object of this shape; `above` is what its own element is called in findings."""
        parts = _Parts()
        for name, below in node.below.items():
            self.member(name, below, shape, f"{above}.{name}" if above else name, parts)
        for need in node.row.needs:
            parts.needed.append(self.need(need, shape, above))
        return _object_check(parts)

    def member(self, name: str, node: _Node, shape: Shape, called: str, parts: _Parts) -> None:
        row, stem = node.row, name.removesuffix("[x]")
        if name == "resourceType":
            parts.checks.append(self.resource_type(row, called))
            return
        members = (name, "_" + name) if stem == name else shape.choices[stem]
        if row.least and stem not in shape.required:
            rule = row.rule_for("min", "profile-required")
            usual = name if stem == name else _member_of(stem, row.types, shape)
            parts.needed.append((usual, frozenset(members), self.missing(rule, usual, called, row.due)))
        if row.most == 0:
            parts.checks.append(self.unused(row, members, called))
        elif stem != name:
            if row.types:
                others = tuple(each for each in members if shape.elements[each].type_name not in row.types)
                parts.checks.append(self.unused(row, others, called))
        else:
            element = shape.elements[name]
            parts.checks += self.below(name, node, element, called)

    def below(self, name: str, node: _Node, element: Element, called: str) -> Iterator[Check]:
        """What is asked of an element that is there: each value itself, what is inside it, and all values together."""
        plain, value = self.value(node.row, element, called)
        inside, items = self.inside(node, element, called), self.items(node, element, called)
        if value is not None:
            yield _of_values(name, plain, value)
        if inside is not None and items is not None:
            yield _of_insides_and_items(name, inside, items)
        elif inside is not None:
            yield _of_insides(name, inside)
        elif items is not None:
            yield _of_items(name, items)

    def missing(self, rule: str, name: str, called: str, due: tuple[Primitive, ...]) -> Check:
        words = {"profile": self.profile, "element": called, "due": any_of(due)}

        def check(_: JsonObject, path: Path, walk: Walk) -> None:
            walk.note(rule, (*path, name), **words)

        return check

    def need(self, need: Need, shape: Shape, above: str) -> tuple[str, frozenset[str], Check]:
        members: set[str] = set()
        for name in need.any_of:
            stem = name.removesuffix("[x]")
            members |= set(shape.choices[stem]) if stem != name else {name, "_" + name}
        return need.at, frozenset(members), self.missing(need.rule, need.at, above, ())

    def unused(self, row: Row, members: tuple[str, ...], called: str) -> Check:
        rule = row.rule_for("max", "profile-not-used")
        words = {"profile": self.profile, "element": called}
        any_member = frozenset(members)

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            if not any_member.isdisjoint(value):
                for each in members:
                    if each in value:
                        walk.note(rule, (*path, each), **words)

        return check

    def resource_type(self, row: Row, called: str) -> Check:
        words = {"profile": self.profile, "element": called, "due": any_of(row.due)}

        def check(value: JsonObject, path: Path, walk: Walk) -> None:
            if value.get("resourceType") not in row.due:
                walk.note("profile-fixed-value", (*path, "resourceType"), **words)

        return check

    def value(self, row: Row, element: Element, called: str) -> tuple[Plain | None, ValueCheck | None]:
        """What is asked of each value of an element itself."""
        plain: Plain | None = None
        checks: list[ValueCheck] = []
        if row.due or row.length:
            due = frozenset(row.due)
            plain = (lambda value: isinstance(value, str) and value in due) if due and not row.length else None
            checks.append(self.primitive(row, called))
        if (codes := compile_codes(row, element.type_name, self.profile, called)) is not None:
            plain = codes.plain
            checks.append(codes.check)
        if row.targets:
            checks.append(self.targets(row.targets, called))
        if row.extensions:
            checks.append(_extension)
        if len(checks) < 2:
            return plain, checks[0] if checks else None

        def check(value: JsonValue, path: Path, walk: Walk) -> None:
            for each in checks:
                each(value, path, walk)

        return None, check

    def inside(self, node: _Node, element: Element, called: str) -> Check | None:
        """What is asked of the elements of each value."""
        if not node.below and not node.row.needs:
            return None
        # Of a resource in an entry only its type is asked: its own profiles ask the rest.
        shape = shape_of("DomainResource" if element.kind == "resource" else element.type_name)
        return self.object(node, shape, called)

    def primitive(self, row: Row, called: str) -> ValueCheck:
        due, length = frozenset(row.due), row.length
        rule = row.rule_for("fixed", "profile-fixed-value")
        words = {"profile": self.profile, "element": called, "due": any_of(row.due)}

        def check(value: JsonValue, path: Path, walk: Walk) -> None:
            if isinstance(value, str) and ((due and value not in due) or len(value) < length):
                walk.note(rule, path, **words)

        return check

    def targets(self, targets: tuple[str, ...], called: str) -> ValueCheck:
        words = {"profile": self.profile, "element": called, "targets": any_of(targets)}

        def check(value: JsonValue, path: Path, walk: Walk) -> None:
            if isinstance(value, dict) and ("reference" in value or "type" in value):
                target = walk.target(value)
                if target is not None and target not in targets:
                    walk.note("profile-target", path, **words)

        return check

    def items(self, node: _Node, element: Element, called: str) -> ItemsCheck | None:
        """What is asked of all values of an element together: how many, and which slices."""
        row = node.row
        counted = self.count(row, called) if (row.most is not None and element.repeats) or row.least > 1 else None
        if not row.slices:
            return counted
        shape = shape_of(element.type_name)
        parts = [self.part(each, shape, called) for each in row.slices.values()]
        sliced = compile_slices(row, parts, self.profile, called, repeats=element.repeats)
        if counted is None:
            return sliced

        def check(values: list[JsonValue], path: Path, walk: Walk) -> None:
            counted(values, path, walk)
            sliced(values, path, walk)

        return check

    def count(self, row: Row, called: str) -> ItemsCheck:
        least, most = row.least, row.most
        too_few, too_many = row.rule_for("min", "profile-required"), row.rule_for("max", "profile-too-many")
        words = {"profile": self.profile, "element": called, "most": str(most)}

        def check(values: list[JsonValue], path: Path, walk: Walk) -> None:
            if len(values) < least:
                walk.note(too_few, path, **words)
            elif most is not None and len(values) > most:
                walk.note(too_many, path, **words)

        return check

    def part(self, part: Slice, shape: Shape, called: str) -> Part:
        node = self.tree(part.rows)
        inside = self.object(node, shape, called) if node.below or node.row.needs else None
        return Part(part, inside, self.targets(node.row.targets, called) if node.row.targets else None)


def _member_of(choice: str, types: tuple[str, ...], shape: Shape) -> str:
    """The member to name when a choice is missing: of the first type asked for."""
    members = shape.choices[choice]
    return next((each for name in types for each in members if shape.elements[each].type_name == name), members[0])


def _object_check(parts: _Parts) -> Check:
    needed, checks = tuple(parts.needed), tuple(parts.checks)
    if not needed and len(checks) == 1:
        return checks[0]

    def check(value: JsonObject, path: Path, walk: Walk) -> None:
        for usual, any_member, missing in needed:
            if usual not in value and any_member.isdisjoint(value):
                missing(value, path, walk)
        for each in checks:
            each(value, path, walk)

    return check


def _of_values(name: str, plain: Plain | None, value_check: ValueCheck) -> Check:
    """Asks each value of an element, but for those plainly in order: their path is not even built."""
    is_plain = plain or (lambda _: False)

    def check(value: JsonObject, path: Path, walk: Walk) -> None:
        found = value.get(name)
        if isinstance(found, list):
            for index, item in enumerate(found):
                if not is_plain(item):
                    value_check(item, (*path, name, index), walk)
        elif found is not None and not is_plain(found):
            value_check(found, (*path, name), walk)

    return check


def _of_insides(name: str, inside: Check) -> Check:
    def check(value: JsonObject, path: Path, walk: Walk) -> None:
        found = value.get(name)
        if isinstance(found, dict):
            inside(found, (*path, name), walk)
        elif isinstance(found, list):
            for index, item in enumerate(found):
                if isinstance(item, dict):
                    inside(item, (*path, name, index), walk)

    return check


def _of_items(name: str, items_check: ItemsCheck) -> Check:
    def check(value: JsonObject, path: Path, walk: Walk) -> None:
        found = value.get(name)
        if found is not None:
            items_check(found if isinstance(found, list) else [found], (*path, name), walk)

    return check


def _of_insides_and_items(name: str, inside: Check, items_check: ItemsCheck) -> Check:
    def check(value: JsonObject, path: Path, walk: Walk) -> None:
        found = value.get(name)
        if found is None:
            return
        here = (*path, name)
        if isinstance(found, dict):
            inside(found, here, walk)
            items_check([found], here, walk)
        elif isinstance(found, list):
            for index, item in enumerate(found):
                if isinstance(item, dict):
                    inside(item, (*here, index), walk)
            items_check(found, here, walk)

    return check


def _extension(value: JsonValue, path: Path, walk: Walk) -> None:
    url = value.get("url") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(url, str) and (check := walk.extension(url)) is not None:
        check(value, path, walk)
