"""What of a document an indexing policy puts into the index: counted only, because each entry is paid for at a write.

The sandbox finds documents by SQLite's indexes (`sandbox.cosmos.indexes`), whatever the policy says. Rules of paths:
https://learn.microsoft.com/azure/cosmos-db/index-policy ("include/exclude paths"). Left out: that of two paths that
both fit the more precise wins; an excluded path takes everything below it out, unless it is the whole document.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.cosmos.values import Json

type Path = tuple[str, ...]
type Terms = frozenset[tuple[Path, object]]

_WHOLE: Final = "*"
_ANY: Final = "[]"
_SCALAR: Final = "?"
_SYSTEM: Final = frozenset(("id", "_rid", "_self", "_etag", "_ts", "_attachments"))
_NOTHING: Final[Terms] = frozenset()


@dataclass(frozen=True, slots=True)
class Indexing:
    """A container's indexing policy, as far as it decides how many terms a document has."""

    everything: bool
    included: tuple[Path, ...] = ()
    excluded: frozenset[Path] = frozenset()

    @classmethod
    def of(cls, policy: Json) -> "Indexing":
        """Read a container's `indexingPolicy`; one that says nothing indexes everything."""
        if not isinstance(policy, dict):
            return cls(everything=True)
        if str(policy.get("indexingMode", "consistent")).lower() == "none":
            return cls(everything=False)
        included = _paths(policy.get("includedPaths"))
        excluded = frozenset(path[:-1] for path in _paths(policy.get("excludedPaths")))
        if (_WHOLE,) in included or (not included and () not in excluded):
            return cls(everything=True, excluded=excluded - {()})
        return cls(everything=False, included=included)

    @property
    def any(self) -> bool:
        """Whether anything is indexed."""
        return self.everything or bool(self.included)

    def terms(self, document: dict[str, Json]) -> Terms:
        """Each indexed value with its path, once."""
        if self.everything:
            return frozenset(self._all(document))
        if not self.included:
            return _NOTHING
        return frozenset(term for path in self.included for term in _at(document, path, ()))

    def _all(self, document: dict[str, Json]) -> Iterator[tuple[Path, object]]:
        for name, value in document.items():
            if name not in _SYSTEM and (name,) not in self.excluded:
                yield from (term for term in _below(value, (name,)) if term[0] not in self.excluded)


def _paths(entries: Json) -> tuple[Path, ...]:
    listed = entries if isinstance(entries, list) else []
    texts = (entry.get("path") for entry in listed if isinstance(entry, dict))
    return tuple(
        tuple(step.strip('"') for step in text.strip("/").split("/")) for text in texts if isinstance(text, str)
    )


def _at(value: Json, path: Path, before: Path) -> Iterator[tuple[Path, object]]:
    step, rest = path[0], path[1:]
    if step == _WHOLE:
        yield from _below(value, before)
    elif step == _SCALAR:
        if not isinstance(value, dict | list):
            yield before, value
    elif step == _ANY:
        for each in value if isinstance(value, list) else ():
            yield from _at(each, rest, (*before, step))
    elif isinstance(value, dict) and step in value:
        yield from _at(value[step], rest, (*before, step))


def _below(value: Json, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _below(each, (*path, name))
    elif isinstance(value, list):
        for each in value:
            yield from _below(each, (*path, _ANY))
    else:
        yield path, value
