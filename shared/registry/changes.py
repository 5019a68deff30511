"""A change of the register: what is written, as one transactional batch, and what is told of it afterwards.

The new document and the history document stand or fall together. The history document is what the audit trail is made
of: which fields changed, from what to what, by whom, why and when. No secret is in an entry (a receiver's credentials
are the name of a secret in Key Vault), so none is in a history; people's names are left out of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared import clock
from shared.messages.documents import Change as Set
from shared.messages.documents import Create, Document, Operation, Patch
from shared.registry.entries import HISTORY, VERSION, WITHDRAWN, Entry, entry_of, version_of
from shared.registry.rules import telling
from shared.registry.shapes import Fault, Invalid

_SERVER: Final = frozenset({"id", "orgnr", "type", VERSION, WITHDRAWN})
_UNTOLD: Final = frozenset({("person", "name")})
"""Fields by the type of document whose values no history tells."""
UNTOLD: Final = "(not told)"

MOST_AT_ONCE: Final = 10
"""Changes in one patch (Azure Cosmos DB, limits of partial document update)."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after; None: it was not there."""

    field: str
    """Names with dots between; a receiver by its id: `receivers.epj.url`."""
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A change, ready to be written."""

    orgnr: str
    """The partition: a municipality's number, or `systems`."""
    id: str
    kind: str
    version: int
    """The one that it makes."""
    fields: tuple[FieldChange, ...]
    operations: tuple[Operation, ...]
    """One transactional batch: fails as a whole when somebody else changed the entry meanwhile."""

    @property
    def withdraws(self) -> bool:
        """Whether the entry is no longer there afterwards."""
        return any(each.field == WITHDRAWN and each.after for each in self.fields)


def change(current: Document | None, wanted: Entry | None, who: str, why: str, now: datetime) -> Change | None:
    """What has to be written so that what is kept is what is wanted (None: no entry); None when it is so already.

    `current` is the document as it was read, or None. `who` is a person's subject with its issuer, or the name of
    what applied a file. Whether the entry may be as it is wanted is asked before (`rules.faults`).

    Raises Invalid when who or why is not told as it must be, ValueError when the two are not the same entry.
    """
    _check(who, why)
    wished = None if wanted is None else {**wanted.document(), WITHDRAWN: False}
    if wished is not None and current is not None and (wished["id"], wished["orgnr"]) != (
        current["id"], current["orgnr"],
    ):  # fmt: skip
        raise ValueError("another entry")
    if wished is None:
        if current is None:
            return None
        wished = {**current, WITHDRAWN: True}
    was = _normal(current)
    fields = tuple(_differences(was, wished))
    if not fields:
        return None
    version = version_of(current) + 1
    history = _history(wished, fields, version, who, why, now)
    return Change(
        orgnr=wished["orgnr"],
        id=wished["id"],
        kind=wished["type"],
        version=version,
        fields=fields,
        operations=(*_written(current, wished, version), Create(history)),
    )


def _check(who: str, why: str) -> None:
    faults = []
    if not who or not who.isprintable():
        faults.append(Fault("who", "must say who changes it"))
    found = telling(why)
    if found:
        faults.append(Fault("why", found))
    if faults:
        raise Invalid(tuple(faults))


def _normal(current: Document | None) -> Document | None:
    """As it would be written today: what an earlier version of the hub did not know has its default."""
    entry = entry_of(current)
    return current if entry is None else {**entry.document(), WITHDRAWN: False}


def _written(current: Document | None, wished: Document, version: int) -> tuple[Operation, ...]:
    if current is None:
        return (Create({**wished, VERSION: version}),)
    sets = [Set("set", f"/{name}", value) for name, value in wished.items() if name not in _SERVER]
    differing = [each for each in sets if current.get(each.path[1:], _MISSING) != each.value]
    known = version_of(current)
    condition = f"FROM c WHERE c.version = {known}" if known else "FROM c WHERE NOT IS_DEFINED(c.version)"
    ends = [Set("set", f"/{WITHDRAWN}", wished[WITHDRAWN]), Set("set", f"/{VERSION}", version)]
    first = MOST_AT_ONCE - len(ends)
    rest = (
        # In the same batch: they see the version that the first one has written.
        Patch(wished["id"], tuple(differing[at : at + MOST_AT_ONCE]), f"FROM c WHERE c.version = {version}")
        for at in range(first, len(differing), MOST_AT_ONCE)
    )
    return (Patch(wished["id"], (*differing[:first], *ends), condition), *rest)


_MISSING: Final = object()


def _history(
    wished: Document, fields: tuple[FieldChange, ...], version: int, who: str, why: str, now: datetime
) -> Document:
    return {
        "id": f"{HISTORY}.{wished['id']}.{version}",
        "orgnr": wished["orgnr"],
        "type": HISTORY,
        "of": wished["id"],
        "kind": wished["type"],
        "version": version,
        "at": clock.written(now),
        "place": f"{clock.written(now)} {wished['id']} {version}",
        "who": who,
        "why": why,
        "changes": [{"field": each.field, "before": each.before, "after": each.after} for each in fields],
    }


def _differences(before: Document | None, after: Document) -> Iterator[FieldChange]:
    kind = after["type"]
    old = dict(_flat(before or {}))
    new = dict(_flat(after))
    for name in sorted(old.keys() | new.keys()):
        was, becomes = old.get(name), new.get(name)
        # Made anew, an entry is told by what it has, not by what it lacks.
        if was == becomes or (before is None and becomes in (None, False, "", [])):
            continue
        if (kind, name) in _UNTOLD:
            was, becomes = (None if each is None else UNTOLD for each in (was, becomes))
        yield FieldChange(name, was, becomes)


def _flat(document: Document) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        # What Cosmos adds to a document begins with an underscore.
        if name not in _SERVER - {WITHDRAWN} and not name.startswith("_"):
            yield from _leaves(name, value)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(f"{name}.{key}", each)
    elif isinstance(value, list) and value and all(isinstance(each, dict) and "id" in each for each in value):
        for each in value:
            yield from _leaves(f"{name}.{each['id']}", {key: one for key, one in each.items() if key != "id"})
    else:
        yield name, value
