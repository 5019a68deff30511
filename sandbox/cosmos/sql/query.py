"""A compiled query: how documents become rows, rows become results, and what the parts are that paging must know."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sandbox.cosmos.errors import QueryError
from sandbox.cosmos.sql.compile import Evaluate, Row, RunQuery, Scope, compile_expr, make_object, path_of
from sandbox.cosmos.sql.functions import whole
from sandbox.cosmos.sql.parser import parse_query
from sandbox.cosmos.sql.tree import Name, Query, Source
from sandbox.cosmos.values import UNDEFINED, SortKey, Undefined, Value, canonical, is_number, number, sort_key

type Expand = Callable[[Row], Iterator[Row]]


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A query ready to run. Immutable, and shared by all who send the same text."""

    tree: Query
    root: str | None
    """The alias of the document itself; None when no document is read."""
    expand: Expand
    """From the row of a document to the rows FROM and JOIN make of it."""
    where: Evaluate | None
    project: Evaluate
    whole_document: bool
    """The result is the document as it is stored."""
    keys: tuple[Evaluate, ...]
    descending: tuple[bool, ...]
    group: tuple[Evaluate, ...]
    aggregates: tuple[tuple[str, Evaluate], ...]
    parameters: frozenset[str]
    top: Evaluate | None
    offset: Evaluate | None
    limit: Evaluate | None

    @property
    def gathers(self) -> bool:
        """Needs all rows before the first result is known, other than to sort them."""
        return bool(self.group or self.aggregates or self.tree.distinct)

    def bind(self, parameters: Row) -> Row:
        """The first row: only parameters. Raises QueryError when one that the query uses is missing."""
        for name in self.parameters:
            if name not in parameters:
                raise QueryError(f"The parameter '{name}' is used in the query but has no value.")
        return parameters

    def rows(self, document: Value, parameters: Row) -> Iterator[Row]:
        """The rows of one document that pass WHERE."""
        start = dict(parameters)
        if self.root is not None:
            start[self.root] = document
        where = self.where
        for row in self.expand(start):
            if where is None or where(row) is True:
                yield row

    def sort_keys(self, row: Row) -> tuple[SortKey, ...]:
        """What ORDER BY compares."""
        return tuple(sort_key(key(row)) for key in self.keys)

    def slice_of(self, parameters: Row) -> tuple[int, int | None]:
        """How many results to skip, and how many to give at most. Raises QueryError."""
        skip = _count(self.offset, parameters) or 0
        limits = [found for part in (self.top, self.limit) if (found := _count(part, parameters)) is not None]
        return skip, min(limits) if limits else None

    def gathered(self, rows: Iterable[Row], parameters: Row) -> list[Value]:
        """All results of all rows, without OFFSET, LIMIT and TOP."""
        if self.group or self.aggregates:
            rows = self._grouped(rows, parameters)
        elif self.keys:
            rows = self._sorted(rows)
        projected = map(self.project, rows)
        results: list[Value] = [value for value in projected if not isinstance(value, Undefined)]
        return _distinct(results) if self.tree.distinct else results

    def _sorted(self, rows: Iterable[Row]) -> list[Row]:
        keyed = [(self.sort_keys(row), row) for row in rows]
        for at in reversed(range(len(self.keys))):
            keyed.sort(key=_nth(at), reverse=self.descending[at])
        return [row for _, row in keyed]

    def _grouped(self, rows: Iterable[Row], parameters: Row) -> Iterator[Row]:
        groups: dict[tuple[str, ...], tuple[Row, list[Accumulator]]] = {}
        if not self.group:
            # Without GROUP BY there is one group, also of no rows.
            nothing: Row = dict.fromkeys((source.alias for source in self.tree.sources), UNDEFINED)
            groups[()] = ({**parameters, **nothing}, [Accumulator(name) for name, _ in self.aggregates])
        for row in rows:
            key = tuple(canonical(part(row)) for part in self.group)
            if key not in groups:
                groups[key] = (row, [Accumulator(name) for name, _ in self.aggregates])
            for accumulator, (_, argument) in zip(groups[key][1], self.aggregates, strict=True):
                accumulator.add(argument(row))
        for first, accumulators in groups.values():
            yield {**first, **{f"#{at}": each.result() for at, each in enumerate(accumulators)}}


class Accumulator:
    """One aggregate over one group. A value that does not fit (a string in a SUM) makes the result undefined."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._count = 0
        self._sum: int | float = 0
        self._fits = True
        self._best: Value = UNDEFINED

    def add(self, value: Value) -> None:
        """Take one row's value in; undefined does not count."""
        if isinstance(value, Undefined):
            return
        self._count += 1
        if self._function in ("SUM", "AVG"):
            if is_number(value) and isinstance(value, int | float):
                self._sum += value
            else:
                self._fits = False
        elif self._function in ("MIN", "MAX"):
            if isinstance(value, list | dict):
                self._fits = False
            elif self._count == 1 or (sort_key(value) < sort_key(self._best)) == (self._function == "MIN"):
                self._best = value

    def result(self) -> Value:
        """The aggregate of what was taken in."""
        match self._function:
            case "COUNT":
                return self._count
            case "SUM":
                return number(self._sum) if self._fits else UNDEFINED
            case "AVG":
                return number(self._sum / self._count) if self._fits and self._count else UNDEFINED
            case _:
                return self._best if self._fits else UNDEFINED


@lru_cache(maxsize=512)
def compile_text(text: str) -> Compiled:
    """A query from its text. Raises QueryError."""
    return compile_root(parse_query, text)


def compile_root(parse: Callable[[str], Query], text: str) -> Compiled:
    """A query, or what stands for one, as read by `parse`. Raises QueryError."""
    try:
        return compile_query(parse(text), Scope(frozenset(), _compile_subquery))
    except RecursionError:
        raise QueryError("The query is nested too deeply.") from None


def compile_query(tree: Query, outer: Scope) -> Compiled:
    """A query within the names of an outer one. Raises QueryError."""
    aggregates: list[tuple[str, Evaluate]] = []
    root, names, expand = _compile_sources(tree.sources, outer)
    scope = Scope(outer.names | names, outer.compile_query, aggregates, outer.parameters)
    plain = scope.without_aggregates()
    where = compile_expr(tree.where, plain) if tree.where else None
    group = tuple(compile_expr(part, plain) for part in tree.group)
    if not tree.select and len(tree.sources) != 1:
        raise QueryError("'SELECT *' is only valid with a single input set.")
    project = _compile_select(tree, scope)
    if tree.order and (group or aggregates):
        raise QueryError("'ORDER BY' is not supported together with 'GROUP BY' or aggregates.")
    if not tree.select and (group or aggregates):
        raise QueryError("'SELECT *' is not valid together with 'GROUP BY'.")
    only = tree.sources[0] if len(tree.sources) == 1 else None
    is_document = only is not None and root == only.alias and isinstance(only.of, Name) and not only.each
    is_whole = not tree.select or (tree.value and tree.select[0].value == Name(root or ""))
    return Compiled(
        tree=tree,
        root=root,
        expand=expand,
        where=where,
        project=project,
        whole_document=is_document and is_whole,
        keys=tuple(compile_expr(order.by, plain) for order in tree.order),
        descending=tuple(order.descending for order in tree.order),
        group=group,
        aggregates=tuple(aggregates),
        top=compile_expr(tree.top, plain) if tree.top else None,
        offset=compile_expr(tree.offset, plain) if tree.offset else None,
        limit=compile_expr(tree.limit, plain) if tree.limit else None,
        parameters=frozenset(scope.parameters),
    )


def _compile_select(tree: Query, scope: Scope) -> Evaluate:
    if not tree.select:
        return compile_expr(Name(tree.sources[0].alias), scope)
    if tree.value:
        return compile_expr(tree.select[0].value, scope)
    unnamed, members = 0, list[tuple[str, Evaluate]]()
    for item in tree.select:
        unnamed += item.name is None
        members.append((item.name or f"${unnamed}", compile_expr(item.value, scope)))
    return make_object(members)


def _compile_sources(sources: tuple[Source, ...], outer: Scope) -> tuple[str | None, frozenset[str], Expand]:
    """The document's alias, the aliases that are made, and how a row is spread over the sources."""
    root: str | None = None
    names: set[str] = set()
    steps: list[tuple[str, Callable[[Row], Iterable[Value]]]] = []
    for at, source in enumerate(sources):
        if source.alias in names:
            raise QueryError(f"The input alias '{source.alias}' is specified more than once in the FROM clause.")
        base = path_of(source.of)
        visible = outer.names | names
        if at == 0 and base is not None and base[0] not in visible:
            root = source.alias if not base[1] and not source.each else base[0]
            visible |= {root}
            if root == source.alias and not base[1]:
                names.add(root)
                continue
        scope = Scope(visible, outer.compile_query, None, outer.parameters)
        steps.append((source.alias, _spread(compile_expr(source.of, scope), source.each)))
        names.add(source.alias)
    return root, frozenset(names), _expander(steps)


def _spread(of: Evaluate, each: bool) -> Callable[[Row], Iterable[Value]]:
    def elements(row: Row) -> Iterable[Value]:
        value = of(row)
        return value if isinstance(value, list) else ()

    def itself(row: Row) -> Iterable[Value]:
        value = of(row)
        return () if isinstance(value, Undefined) else (value,)

    return elements if each else itself


def _expander(steps: list[tuple[str, Callable[[Row], Iterable[Value]]]]) -> Expand:
    def expand(row: Row, at: int = 0) -> Iterator[Row]:
        if at == len(steps):
            yield row
            return
        alias, values = steps[at]
        for value in values(row):
            yield from expand({**row, alias: value}, at + 1)

    return expand


def _compile_subquery(tree: Query, outer: Scope) -> RunQuery:
    compiled = compile_query(tree, outer)
    if compiled.root is not None:
        raise QueryError(f"Identifier '{compiled.root}' could not be resolved.")

    def run(row: Row) -> Iterable[Value]:
        skip, most = compiled.slice_of(row)
        results = compiled.gathered((found for found in compiled.rows(UNDEFINED, row)), row)
        return results[skip : None if most is None else skip + most]

    return run


def _nth(at: int) -> Callable[[tuple[tuple[SortKey, ...], Row]], SortKey]:
    return lambda entry: entry[0][at]


def _count(of: Evaluate | None, parameters: Row) -> int | None:
    if of is None:
        return None
    value = whole(of(parameters))
    if value is None or value < 0:
        raise QueryError("TOP, OFFSET and LIMIT take a whole number that is not negative.")
    return value


def _distinct(values: list[Value]) -> list[Value]:
    seen: dict[str, Value] = {}
    for value in values:
        seen.setdefault(canonical(value), value)
    return list(seen.values())
