"""Looks through everything that a hub has left behind for what may only be in payloads (P6).

Every hub that a test starts is swept when it has ended (`tests.flow.hub.world`): its logs, traces and metrics, its bus,
every document that is no payload (work lists, registers, audit log, checkpoints), the journal's account of how it was
called, and the answers that its callers got. Looked for are the people, numbers and tokens sent, in every form that
`tests.flow.marks` knows, and anything shaped as a token or that is some person's number, whoever sent it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.hub_parts import TELEMETRY
from tests.flow.marks import forms, rows
from tests.flow.watch import SECRETS
from tests.leaks import numbers, shapes

_CALLS: Final = "the journal's calls"
_IN_EVERY_FORM: Final = 60
_AS_THEY_ARE: Final = 600
"""So many marks are looked for in every form, and so many more as they are: a sweep must stay quick. People come first;
tokens have a shape by which they are found anyway."""
_AROUND: Final = 60


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that should not be there: what, where, and what stands around it."""

    what: str
    where: str
    around: bytes


def sweep(
    folder: Path, marks: Mapping[str, str], answers: Iterable[bytes] = (), calls: Iterable[str] = ()
) -> list[Hit]:
    """Everything found in the folder of a hub that has ended, in what it answered and in how it called the journal."""
    places = {
        "a log": _lines(folder / "logs"),
        "a trace or metric": _lines(folder / TELEMETRY),
        "the bus": (each.read_bytes() for each in _files(folder / "servicebus")),
        "a document": _documents(folder),
        _CALLS: (*_calls(folder), *(each.encode("utf-8", "surrogateescape") for each in calls)),
        "an answer": answers,
    }
    wanted = _wanted(marks)
    hits: list[Hit] = []
    for where, texts in places.items():
        # The same line or row comes often; it need only be looked at once.
        text = b"\n".join(dict.fromkeys(texts))
        hits += _marked(where, text, wanted)
        hits += _shaped(where, text)
    return hits


def _wanted(marks: Mapping[str, str]) -> dict[bytes, str]:
    wanted: dict[bytes, str] = {}
    people_first = sorted(marks.items(), key=lambda each: each[0].startswith(SECRETS))
    for place, (name, mark) in enumerate(people_first[:_AS_THEY_ARE]):
        for form in forms(mark) if place < _IN_EVERY_FORM else {mark.encode()}:
            wanted.setdefault(form.lower(), name)
    return wanted


def _marked(where: str, text: bytes, wanted: Mapping[bytes, str]) -> Iterator[Hit]:
    lower = text.lower()
    for form, name in wanted.items():
        at = lower.find(form)
        if at >= 0:
            yield Hit(name, where, text[max(0, at - _AROUND) : at + len(form) + _AROUND])


def _shaped(where: str, text: bytes) -> Iterator[Hit]:
    # The journal is called with credentials of the hub's own.
    found_here = ((found, "a person's number") for found in numbers(text)) if where == _CALLS else shapes(text)
    for found, what in found_here:
        yield Hit(what, where, text[max(0, found.start() - _AROUND) : found.start() + _AROUND])


def _files(folder: Path) -> Iterator[Path]:
    return (each for each in sorted(folder.rglob("*")) if each.is_file())


def _lines(folder: Path) -> Iterator[bytes]:
    for each in _files(folder):
        yield from each.read_bytes().splitlines()


def _documents(folder: Path) -> Iterator[bytes]:
    for database in _files(folder / "cosmos"):
        if database.suffix == ".sqlite3":
            yield from (text for name, text in rows(database) if not name.startswith("payload "))


def _calls(folder: Path) -> Iterator[bytes]:
    """What came with a message to the journal: all that its table has but the message."""
    for database in _files(folder / "epj"):
        if database.suffix == ".sqlite":
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
                found = connection.execute("SELECT * FROM received")
                names = [column[0] for column in found.description]
                for row in found:
                    told = zip(names, row, strict=True)
                    yield " ".join(f"{name}={cell}" for name, cell in told if name != "body").encode()


def assert_clean(hits: Iterable[Hit]) -> None:
    """Fails with what was found."""
    found = [f"{each.what} in {each.where}: {each.around!r}" for each in hits]
    assert not found, "what only payloads may hold was found elsewhere:\n" + "\n".join(found[:20])
