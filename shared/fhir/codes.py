"""The code lists that VKP traffic uses, with their editions, and whether words beside a code say something else.

VKP edits its lists in place: the same url and version has meant different things, and senders of an older edition are
still about (`medicationdispense-events` code 2 was *not* handed out until 2021-11-02 and is *handed out ahead* now). So
a code is known with every meaning it has had, and what a sender wrote beside it is never replaced, only compared.

The lists are data: `data/codes/*.json` (schema `code-list.schema.json`) and `data/vkp_operation_outcome.json`. Sources
are named in each file. Moments are ISO dates, to the month where no more is known.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from shared.fhir.values import JsonValue

_DATA: Final = Path(__file__).parent / "data"
_SUFFIX = re.compile(r"-v(05|06|090)$")
_OLD_SUFFIXES: Final = ("", "-v05", "-v06")
_LONGEST_WORDING: Final = 200
"""Characters; anything longer is a text, not the words of a code."""
_WORD = re.compile(r"[^\W\d_]+")
_PLAIN_LETTERS: Final = str.maketrans({"å": "a", "ø": "o", "æ": "ae"})


class Spelling(StrEnum):
    """How a sender wrote the url of a code system."""

    CANONICAL = "canonical"
    VALUE_SET = "value-set"
    """The url of the value set with these codes, or https for http: the same list."""
    OLDER = "older"
    """With the version suffix of an older edition, or of a list that is withdrawn: codes may mean something else."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means, or meant, in some editions of its list."""

    display: str | None
    """As published; None where it is not known."""
    gloss: str | None
    """In English, where the display does not say it."""
    since: str | None = None
    until: str | None = None
    agrees: bool = False
    """An earlier wording of what the code means today."""
    wordings: frozenset[str] = field(default=frozenset(), repr=False)
    """Folded wordings that say this."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code with all it has meant under its url."""

    list_name: str
    system: str
    """Canonical url, however the sender wrote it."""
    code: str
    current: Meaning | None
    """None when the code is withdrawn from the list."""
    earlier: tuple[Meaning, ...]
    """Oldest first."""

    @property
    def ambiguous(self) -> bool:
        """Whether the code alone leaves open what is meant: it has meant something else."""
        return any(not meaning.agrees for meaning in self.earlier)


@dataclass(frozen=True, slots=True)
class CodeList:
    """The codes of one system that this hub knows."""

    name: str
    about: str
    source: str
    system: str
    also_written: tuple[str, ...]
    """Older urls of the same list, beside those that are derived."""
    withdrawn: bool
    """The whole list is of an older edition."""
    successor: str | None
    """The list that took its place."""
    part: bool
    """The system has far more codes than these."""
    codes: Mapping[str, Code]
    negations: frozenset[str] = field(repr=False)
    says: Mapping[str, frozenset[str]] = field(repr=False)
    """For each folded wording in use today, the codes it is of."""


class Otherwise(StrEnum):
    """How words contradict the code they stand beside."""

    EARLIER = "earlier"
    """They say what the code meant in an earlier edition."""
    OTHER = "other"
    """They are the words of another code of the list."""
    NEGATED = "negated"
    """They deny what the code says."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Words beside a code that say something else than the code."""

    how: Otherwise
    code: Code
    meant: Meaning | None
    """What the words mean in the list; None when only a denial is recognised."""


def lookup(system: str, code: str) -> Code | None:
    """The code of a system as a sender wrote them; None when this hub does not know the system or the code.

    The system may be in any accepted spelling. What an older spelling means for the code, `spelling` tells.
    """
    known = _systems().get(_plain(system))
    return known.codes.get(code) if known is not None else None


def spelling(system: str) -> Spelling | None:
    """How the url of a known code system is written here; None for a system that this hub does not know."""
    known = _systems().get(_plain(system))
    return known.spelling if known is not None else None


def canonical(system: str) -> str | None:
    """The canonical url of a known code system, for an index; None for a system that this hub does not know."""
    known = _systems().get(_plain(system))
    return known.canonical if known is not None else None


def member(list_name: str, system: str, code: str) -> Code | None:
    """The code in use of this list that a sender's system and code stand for; None when they stand for none.

    A code of an older list stands for the code of its successor only when both have the same words.
    """
    home = code_list(list_name)
    known = _systems().get(_plain(system))
    if known is None:
        return None
    found = home.codes.get(code)
    if found is None or found.current is None or known.canonical == home.system:
        return found if found is not None and found.current is not None else None
    older = known.codes.get(code)
    if older is None or older.current is None or code_list(older.list_name).successor != list_name:
        return None
    return found if not older.current.wordings.isdisjoint(found.current.wordings) else None


def said_otherwise(coding: JsonValue, text: JsonValue = None) -> Contradiction | None:
    """Whether a Coding's display, or the `text` beside it, says something else than its code means today.

    Only words that mean something else in the code's own list count: another code's wording, an earlier meaning, a
    denial where the list is about something done. Free wording never does. Copes with values of any shape.
    """
    if not isinstance(coding, dict):
        return None
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    found = lookup(system, code)
    if found is None:
        return None
    for wording in (coding.get("display"), text):
        if isinstance(wording, str) and (contradiction := contradicts(found, wording)) is not None:
            return contradiction
    return None


def contradicts(code: Code, wording: str) -> Contradiction | None:
    """Whether a wording says something else than this code means today."""
    current = code.current
    if current is None or wording == current.display or len(wording) > _LONGEST_WORDING:
        return None
    folded = fold(wording)
    if not folded or folded in current.wordings or any(folded in each.wordings for each in code.earlier if each.agrees):
        return None
    for meaning in reversed(code.earlier):
        if folded in meaning.wordings:
            return Contradiction(Otherwise.EARLIER, code, meaning)
    home = code_list(code.list_name)
    others = home.says.get(folded, frozenset())
    if others:
        if any(_related(code.code, other) for other in others):
            return None
        return Contradiction(Otherwise.OTHER, code, home.codes[min(others)].current)
    if not home.negations.isdisjoint(folded.split()) and not any(own in folded for own in _own_wordings(code, home)):
        return Contradiction(Otherwise.NEGATED, code, None)
    return None


def _own_wordings(code: Code, home: CodeList) -> Iterator[str]:
    """What a wording may hold to say what the code says: its own words, or those of the wider codes above it."""
    for other in home.codes.values():
        if other.current is not None and (code.code == other.code or code.code.startswith(other.code + ".")):
            yield from other.current.wordings


def fold(wording: str) -> str:
    """Words in lower case with plain letters and nothing between them but blanks: `300 - Dør_åpnet` is `dor apnet`."""
    plain = wording.casefold().translate(_PLAIN_LETTERS).replace("aa", "a")
    return " ".join(_WORD.findall(plain))


def code_list(name: str) -> CodeList:
    """The list of this name. Raises KeyError."""
    return code_lists()[name]


@cache
def code_lists() -> Mapping[str, CodeList]:
    """Every list by its name."""
    files = [path for path in sorted((_DATA / "codes").glob("*.json")) if not path.name.endswith(".schema.json")]
    lists = [_list(json.loads(path.read_text(encoding="utf-8"))) for path in files]
    outcome = json.loads((_DATA / "vkp_operation_outcome.json").read_text(encoding="utf-8"))
    about = {"name": "operation-outcome", "about": "What is wrong with a message.", "source": outcome["system"]}
    lists.append(_list(outcome | about))
    return MappingProxyType({each.name: each for each in lists})


@dataclass(frozen=True, slots=True)
class _System:
    """What one spelling of a system's url stands for."""

    canonical: str
    spelling: Spelling
    codes: Mapping[str, Code]


def _plain(system: str) -> str:
    """Without what never changes which list is meant: a version, blanks around, a slash at the end."""
    return system if system in _systems() else system.partition("|")[0].strip().rstrip("/")


@cache
def _systems() -> Mapping[str, _System]:
    """Every accepted spelling of every system; a spelling with a list of its own is that list's."""
    codes: dict[str, dict[str, Code]] = {}
    older: set[str] = set()
    for each in code_lists().values():
        codes.setdefault(each.system, {}).update(each.codes)
        if each.withdrawn:
            older.add(each.system)
    found = {
        system: _System(system, Spelling.OLDER if system in older else Spelling.CANONICAL, known)
        for system, known in codes.items()
    }
    own = dict(found)
    for each in code_lists().values():
        for url in each.also_written:
            for written, _ in _spellings(url):
                found.setdefault(written, _System(each.system, Spelling.OLDER, codes[each.system]))
    for system, home in own.items():
        for url, how in _spellings(system):
            kind = Spelling.OLDER if home.spelling is Spelling.OLDER else how
            found.setdefault(url, _System(system, kind, home.codes))
    return MappingProxyType(found)


def _spellings(system: str) -> Iterator[tuple[str, Spelling]]:
    """Other ways to write the url of a system that senders are known to use."""
    for url, how in _editions(system):
        for written in (url, url.replace("/CodeSystem/", "/ValueSet/").replace(".codesystem", ".valueset")):
            same = Spelling.VALUE_SET if how is Spelling.CANONICAL else how
            yield written, how if written == system else same
            if written.startswith("http://"):
                yield "https://" + written.removeprefix("http://"), same


def _editions(system: str) -> Iterator[tuple[str, Spelling]]:
    yield system, Spelling.CANONICAL
    if _SUFFIX.search(system):
        stem = _SUFFIX.sub("", system)
        for suffix in _OLD_SUFFIXES:
            if stem + suffix != system:
                yield stem + suffix, Spelling.OLDER


def _related(one: str, other: str) -> bool:
    """Whether one code is the other, or narrower than it: `1.1` is a kind of `1`."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def _list(row: dict[str, Any]) -> CodeList:
    codes = {code: _code(row, code, facts) for code, facts in row["codes"].items()}
    says: dict[str, set[str]] = {}
    for each in codes.values():
        for wording in each.current.wordings if each.current is not None else ():
            says.setdefault(wording, set()).add(each.code)
    return CodeList(
        name=row["name"],
        about=row["about"],
        source=row["source"],
        system=row["system"],
        also_written=tuple(row.get("alsoWritten", ())),
        withdrawn=row.get("withdrawn", False),
        successor=row.get("successor"),
        part=row.get("partOfSystem", False),
        codes=MappingProxyType(codes),
        negations=frozenset(row.get("negations", ())),
        says=MappingProxyType({wording: frozenset(of) for wording, of in says.items()}),
    )


def _code(row: dict[str, Any], code: str, facts: str | dict[str, Any]) -> Code:
    if isinstance(facts, str):
        facts = {"display": facts}
    current = _meaning(facts) if "display" in facts else None
    earlier = tuple(_meaning(each) for each in facts.get("earlier", ()))
    return Code(row["name"], row["system"], code, current, earlier)


def _meaning(facts: dict[str, Any]) -> Meaning:
    display = facts.get("display")
    wordings = frozenset(fold(each) for each in (display, *facts.get("alsoCalled", ())) if each)
    return Meaning(
        display, facts.get("meaning"), facts.get("since"), facts.get("until"), facts.get("agrees", False), wordings
    )
