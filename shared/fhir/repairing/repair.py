"""A mended copy of a message, for the checks to read; what is kept and delivered are always the bytes as sent.

Senders are used to a hub that takes empty strings and single objects where arrays belong (domain/leniency.md,
domain/vkp-api.md 6.2), so this one takes them too and says so: each repair is a warning with its own rule name. A
repair never changes what a message says:

| rule                     | repair |
|--------------------------|--------|
| `repair-empty-string`    | `""` is dropped; an array or object it leaves empty goes with it |
| `repair-empty-array`     | `[]` is dropped |
| `repair-empty-object`    | `{}` is dropped |
| `repair-null`            | `null` is dropped, unless it is a placeholder in an array beside its `_name` twin |
| `repair-trimmed`         | blanks around identifier values and systems, coding systems and codes are cut |
| `repair-wrapped`         | one value where R4 says array becomes an array of one |
| `repair-unwrapped`       | an array of one where R4 says one value becomes that value |
| `repair-receiver`, `repair-event`, `repair-timestamp` | members with an older name go where R4 has them: moves.py |

Wrapping and unwrapping follow the R4 shape of the type, so they stop at elements R4 does not know; the checks refuse
those anyway. A time without a zone is not mended: which zone was meant is not in the message.

The copy shares with the message all that needs no mending, and is the message itself when nothing does: neither may be
changed by anybody.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import zip_longest

from shared.fhir.findings import Findings
from shared.fhir.repairing.moves import TIMESTAMP_RULE, with_timestamp
from shared.fhir.repairing.origins import Origins
from shared.fhir.repairing.plans import UNKNOWN, Plan, Step, resource_plan
from shared.fhir.values import JsonObject, JsonValue, Path


@dataclass(frozen=True, slots=True)
class Repaired:
    """A mended copy and what was mended."""

    message: JsonObject
    origins: Origins

    def as_sent(self, path: Path) -> Path:
        """Where the sender wrote what is at `path` in the copy."""
        return self.origins.as_sent(self.message, path)


def repair(message: JsonObject, findings: Findings) -> Repaired:
    """Mend a copy of `message`, which stays as it is. Repairing the copy again finds nothing more to mend."""
    mending = _Mending(findings)
    copy = mending.members(message, resource_plan(message))
    return Repaired(copy, mending.origins)


# An escape may stand for a blank, and so may the bytes of some letters: a closer look tells.
_BLANKS_AROUND_VALUE = re.compile(rb'"value"\s*:\s*"(?:[\s\xc2\xe1-\xe3]|[^"\\]*+(?:\\|(?<=[\s\x80-\xff])"))')


def may_have_blanks(body: bytes) -> bool:
    """Whether an identifier's value among these bytes may have blanks around it: what R4 allows and is mended all the
    same. True also where only a longer look could tell."""
    return b"\\u" in body or _BLANKS_AROUND_VALUE.search(body) is not None


class _Mending:
    """One walk over one message. Each method returns the very value it was given when nothing in it needs mending,
    and None when nothing is left of it."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.origins = Origins()
        self.at: list[str | int] = []
        """Where the walk is, in the message as sent."""
        self.lifted: dict[int, dict[str, int]] = {}
        """By the id of an object as sent: its members that are taken out of arrays, and their indices there."""

    def note(self, rule: str, *steps: str | int) -> None:
        self.findings.add(rule, (*self.at, *steps))

    def members(self, value: JsonObject, plan: Plan) -> JsonObject:
        steps, careful, trimmed, at = plan.steps, plan.careful, plan.trimmed, self.at
        changed: dict[str, JsonValue] = {}
        for name, member in value.items():
            # What nearly always stands there is passed by here or gone into at once; the rest is for `member`.
            if (
                type(member) is str
                and member
                and (name not in careful or (name in trimmed and member == member.strip()))
            ):
                continue
            step = steps.get(name, UNKNOWN)
            if step.twin is not None and step.twin in value:
                if name[0] != "_":
                    changed |= self.twins(value, name, steps)
                continue
            mended: JsonValue
            at.append(name)
            if type(member) is dict and member and not step.repeats:
                mended = self.members(member, step.plan or step.inside(member)) or None
            elif type(member) is list and step.repeats:
                mended = self.items(member, step) or None
            else:
                mended = self.member(value, name, step)
            at.pop()
            if mended is not member or mended is None:
                changed[name] = mended
        if changed:
            value = self.copied(value, changed)
        return self.moved(value, plan) if plan.moves_members else value

    def member(self, holder: JsonObject, name: str, step: Step) -> JsonValue:
        """The member `name` of the object `holder`, whatever it is."""
        value = holder[name]
        if step.repeats:
            return (self.items(value, step) or None) if isinstance(value, list) else self.wrapped(value, step)
        if isinstance(value, list) and step.known:
            mended, index = self.unwrapped(value, step)
            if index is not None:
                self.lifted.setdefault(id(holder), {})[name] = index
            return mended
        return self.one(value, step)

    def copied(self, value: JsonObject, changed: dict[str, JsonValue]) -> JsonObject:
        copy: JsonObject = {}
        for name, member in value.items():
            mended = changed.get(name, member)
            if mended is not None:
                copy[name] = mended
        if lifted := self.lifted.pop(id(value), None):
            self.origins.lifted(copy, lifted)
        return copy

    def one(self, value: JsonValue, step: Step) -> JsonValue:
        """One value of any JSON type, of which `step` says what it should be."""
        if isinstance(value, str):
            kept = value.strip() if step.trims else value
            if not kept:
                self.note("repair-empty-string")
                return None
            if kept != value:
                self.note("repair-trimmed")
                return kept
        elif isinstance(value, dict):
            if not value:
                self.note("repair-empty-object")
                return None
            return self.members(value, step.inside(value)) or None
        elif isinstance(value, list):
            # An array where no array can be is kept, mended within, for the checks to refuse.
            return self.items(value, UNKNOWN) or None
        elif value is None:
            self.note("repair-null")
        return value

    def items(self, value: list[JsonValue], step: Step) -> list[JsonValue]:
        if not value:
            self.note("repair-empty-array")
        at = self.at
        kept: list[JsonValue] | None = None
        indices: list[int] = []
        for index, item in enumerate(value):
            at.append(index)
            if type(item) is dict and item:
                mended: JsonValue = self.members(item, step.plan or step.inside(item)) or None
            else:
                mended = self.one(item, step)
            at.pop()
            if kept is None:
                if mended is item and item is not None:
                    continue
                kept, indices = value[:index], list(range(index))
            if mended is not None:
                kept.append(mended)
                indices.append(index)
        if kept is None:
            return value
        if kept and len(kept) < len(value):
            self.origins.items_left(kept, indices)
        return kept

    def wrapped(self, value: JsonValue, step: Step) -> JsonValue:
        mended = self.one(value, step)
        if mended is None:
            return None
        self.note("repair-wrapped")
        wrapped: list[JsonValue] = [mended]
        self.origins.wrapped(wrapped)
        return wrapped

    def unwrapped(self, value: list[JsonValue], step: Step) -> tuple[JsonValue, int | None]:
        """The value, and the index it had when it was alone in an array."""
        kept = self.items(value, step)
        if len(kept) != 1 or isinstance(kept[0], list):
            return kept or None, None
        self.note("repair-unwrapped")
        return kept[0], self.origins.index_as_sent(kept, 0)

    def twins(self, value: JsonObject, name: str, steps: dict[str, Step]) -> dict[str, JsonValue]:
        """An array of primitives beside the array of their extensions: what is at one index belongs together.

        Returns those of the two members that need mending, mended.
        """
        other = "_" + name
        values, extensions = self.column(value[name], name), self.column(value[other], other)
        kept_values: list[JsonValue] = []
        kept_extensions: list[JsonValue] = []
        indices: list[int] = []
        for index, (of_value, of_extension) in enumerate(zip_longest(values, extensions)):
            mended_value = None if of_value is None else self.paired(of_value, steps[name], name, index)
            mended_extension = None if of_extension is None else self.paired(of_extension, steps[other], other, index)
            if mended_value is not None or mended_extension is not None:
                kept_values.append(mended_value)
                kept_extensions.append(mended_extension)
                indices.append(index)
            elif of_value is None and of_extension is None:
                self.note("repair-null", name, index)
        changed: dict[str, JsonValue] = {}
        for each, sent, kept in ((name, values, kept_values), (other, extensions, kept_extensions)):
            # Where one array is longer than the other, the other ends where it was sent to end.
            length = bisect_left(indices, len(sent))
            copy = self.column_left(value[each], kept[:length], indices[:length])
            if copy is not value[each] or copy is None:
                changed[each] = copy
        return changed

    def column(self, value: JsonValue, name: str) -> list[JsonValue]:
        self.at.append(name)
        items: list[JsonValue] = value if isinstance(value, list) else []
        if value is None or value == []:
            self.one(value, UNKNOWN)
        elif not isinstance(value, list):
            self.note("repair-wrapped")
            items = [value]
        self.at.pop()
        return items

    def paired(self, item: JsonValue, step: Step, name: str, index: int) -> JsonValue:
        if type(item) is str and item and not step.trims:
            return item
        self.at += (name, index)
        mended = self.one(item, step)
        del self.at[-2:]
        return mended

    def column_left(self, sent: JsonValue, items: list[JsonValue], indices: list[int]) -> JsonValue:
        if not items:
            return None
        if not isinstance(sent, list):
            self.origins.wrapped(items)
        elif len(items) < len(sent):
            self.origins.items_left(items, indices)
        elif all(one is other for one, other in zip(items, sent, strict=True)):
            return sent
        return items

    def moved(self, copy: JsonObject, plan: Plan) -> JsonObject:
        """The object with its members of older names where R4 has them."""
        for move in plan.moves:
            name = move.name
            if name in copy:
                rest = {each: member for each, member in copy.items() if each != name}
                sent = self.origins.as_sent(copy, (name,), tuple(self.at))
                placed = move.place(self.origins.inherit(rest, copy), copy[name], self.origins, sent)
                if placed is not None:
                    self.findings.add(move.rule, sent)
                    copy = placed
        if plan.is_bundle and (timed := with_timestamp(copy, self.origins, tuple(self.at))) is not None:
            copy, sent = timed
            self.findings.add(TIMESTAMP_RULE, sent)
        return copy
