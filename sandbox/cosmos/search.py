"""Queries: from a compiled query and a place to look in, one page of results and where to go on.

Three ways to page. Without an order, results come as documents are met in the order of their creation, and the token
says how far that went. With ORDER BY, the token holds the sort keys of the last result, so that documents that change
between two pages do not shift the rest. Groups, aggregates and DISTINCT are counted anew for each page.
"""

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.cosmos.catalogue import Container
from sandbox.cosmos.errors import bad_request
from sandbox.cosmos.partition import Range
from sandbox.cosmos.pushdown import Condition
from sandbox.cosmos.sql.compile import Row
from sandbox.cosmos.sql.query import Compiled
from sandbox.cosmos.values import UNDEFINED, Json, SortKey, Undefined, dump, read_back

DEFAULT_PAGE: Final = 1000
PAGE_BYTES: Final = 4 * 1024 * 1024

type Position = tuple[tuple[SortKey, ...], int, int]
"""Sort keys, the document's `seq`, and the number of the row among the document's rows."""


@dataclass(frozen=True, slots=True)
class Search:
    """Everything a page of results depends on."""

    container: Container
    compiled: Compiled
    parameters: Row
    area: str | Range | None
    """One partition, a range of them, or the whole container."""
    conditions: list[Condition]
    index: tuple[str, list[Condition]] | None
    now: float
    most: int
    continuation: str | None


@dataclass(slots=True)
class Page:
    """Results as JSON texts, the token to go on with (None: that was all), and what it took."""

    results: list[str] = field(default_factory=list)
    token: str | None = None
    examined: int = 0
    size: int = 0

    def add(self, text: str) -> None:
        """One more result."""
        self.results.append(text)
        self.size += len(text)

    def is_full(self, most: int) -> bool:
        """No room for another result."""
        return len(self.results) >= most or self.size >= PAGE_BYTES


def run(db: sqlite3.Connection, search: Search) -> Page:
    """One page. Raises CosmosError (400)."""
    state = _read_token(search.continuation)
    if search.compiled.gathers:
        return _gathered(db, search, state)
    if search.compiled.keys:
        return _ordered(db, search, state)
    return _streamed(db, search, state)


def _documents(db: sqlite3.Connection, search: Search, after: int) -> Iterator[tuple[int, str]]:
    """Candidates in the order of their creation."""
    sql, area = search.container.sql, search.area
    values: list[str | int | float] = [after, search.now]
    where: list[Condition] = search.conditions
    if isinstance(area, str):
        statement = sql.scan_partition
        values.append(area)
    elif search.index is not None:
        name, chosen = search.index
        inner = " AND ".join(condition.sql for condition in chosen)
        statement = sql.scan_chosen.replace("{index}", name).replace("{chosen}", inner)
        values.extend(value for condition in chosen for value in condition.values)
        where = [condition for condition in where if condition not in chosen]
    else:
        statement = sql.scan
    if isinstance(area, Range):
        statement += " AND epk >= ? AND epk < ?"
        values.extend((area.low, area.high))
    for condition in where:
        statement += f" AND {condition.sql}"
        values.extend(condition.values)
    return iter(db.execute(f"{statement} ORDER BY seq", values))


def _rows(db: sqlite3.Connection, search: Search, page: Page, after: int) -> Iterator[tuple[int, int, Row, str]]:
    """Rows that pass WHERE: the document's place, the row's number in it, the row, the document's text."""
    compiled, parameters = search.compiled, search.parameters
    if compiled.root is None:
        yield from ((1, at, row, "") for at, row in enumerate(compiled.rows(UNDEFINED, parameters), 1) if after < 1)
        return
    blind = compiled.whole_document and compiled.where is None and not compiled.keys
    for seq, body in _documents(db, search, after):
        page.examined += 1
        if blind:
            yield seq, 1, parameters, body
            continue
        for at, row in enumerate(compiled.rows(read_back(body), parameters), 1):
            yield seq, at, row, body


def _text(search: Search, row: Row, body: str) -> str | None:
    if search.compiled.whole_document:
        return body
    value = search.compiled.project(row)
    return None if isinstance(value, Undefined) else dump(value)


def _streamed(db: sqlite3.Connection, search: Search, state: dict[str, Any]) -> Page:
    skip, most = search.compiled.slice_of(search.parameters)
    seq, partial, done = _whole(state, "s"), _whole(state, "d"), _whole(state, "k")
    skipped, given = _whole(state, "o"), _whole(state, "n")
    page = Page()
    if most is not None and given >= most:
        return page
    for found, at, row, body in _rows(db, search, page, seq):
        if found == partial and at <= done:
            continue
        text = _text(search, row, body)
        if text is None:
            continue
        if skipped < skip:
            skipped += 1
        elif page.is_full(search.most):
            page.token = _token({"s": seq, "d": partial, "k": done, "o": skipped, "n": given})
            break
        else:
            page.add(text)
            given += 1
            if most is not None and given >= most:
                break
        # Rows of one document can be spread over pages: it counts as done only when the next one is met.
        if found != partial:
            seq = partial if partial > seq else seq
            partial = found
        done = at
    return page


def _ordered(db: sqlite3.Connection, search: Search, state: dict[str, Any]) -> Page:
    compiled = search.compiled
    skip, most = compiled.slice_of(search.parameters)
    skipped, given = _whole(state, "o"), _whole(state, "n")
    page = Page()
    entries: list[tuple[Position, Row, str]] = [
        ((compiled.sort_keys(row), seq, at), row, body) for seq, at, row, body in _rows(db, search, page, after=0)
    ]
    if "p" in state:
        last = _position(state["p"], len(compiled.keys))
        entries = [entry for entry in entries if _compare(entry[0], last, compiled.descending) > 0]
    for key, backwards in reversed(list(enumerate(compiled.descending))):
        entries.sort(key=_nth(key), reverse=backwards)
    position: Position | None = None
    for place, row, body in entries:
        text = _text(search, row, body)
        if text is None:
            continue
        if skipped < skip:
            skipped += 1
            position = place
            continue
        if most is not None and given >= most:
            break
        if page.is_full(search.most):
            page.token = _token({"p": position, "o": skipped, "n": given})
            break
        page.add(text)
        given += 1
        position = place
    return page


def _gathered(db: sqlite3.Connection, search: Search, state: dict[str, Any]) -> Page:
    compiled, parameters = search.compiled, search.parameters
    skip, most = compiled.slice_of(parameters)
    begin = _whole(state, "i")
    page = Page()
    rows = (row for _, _, row, _ in _rows(db, search, page, after=0))
    results = compiled.gathered(rows, parameters)
    results = results[skip : None if most is None else skip + most]
    for value in results[begin:]:
        if page.is_full(search.most):
            page.token = _token({"i": begin + len(page.results)})
            break
        page.add("null" if isinstance(value, Undefined) else dump(value))
    return page


def _nth(key: int) -> Callable[[tuple[Position, Row, str]], SortKey]:
    return lambda entry: entry[0][0][key]


def _compare(left: Position, right: Position, descending: tuple[bool, ...]) -> int:
    for at, backwards in enumerate(descending):
        if left[0][at] != right[0][at]:
            return 1 if (left[0][at] > right[0][at]) != backwards else -1
    return (left[1:] > right[1:]) - (left[1:] < right[1:])


def _token(state: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(state, separators=(",", ":")).encode()).decode()


def _read_token(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        state = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, RecursionError):
        raise _bad_token() from None
    if not isinstance(state, dict):
        raise _bad_token()
    return state


def _whole(state: dict[str, Any], name: str) -> int:
    value = state.get(name, 0)
    if not isinstance(value, int) or not 0 <= value < 2**62:
        raise _bad_token()
    return value


def _position(raw: Any, count: int) -> Position:
    match raw:
        case [list(keys), int(seq), int(at)] if len(keys) == count and all(map(_is_sort_key, keys)):
            return tuple((key[0], key[1]) for key in keys), seq, at
        case _:
            raise _bad_token()


def _is_sort_key(raw: Json) -> bool:
    kinds: dict[int, tuple[type, ...]] = {
        0: (int,),
        1: (int,),
        2: (bool,),
        3: (int, float),
        4: (str,),
        5: (str,),
        6: (str,),
    }
    match raw:
        case [int(rank), value]:
            return isinstance(value, kinds.get(rank, ()))
        case _:
            return False


def _bad_token() -> Exception:
    return bad_request("The continuation token is not one of this endpoint.")
