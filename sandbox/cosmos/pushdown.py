"""Which parts of a WHERE SQLite may decide before a document is decoded, and how they are said in SQL.

Only what follows from the top-level ANDs, on plain paths of the document, against constants and parameters. Every
condition here is *necessary* for the query's own: the query is still evaluated on what comes through, so a condition
may let too much pass (JSON `true` is 1 to SQLite, arrays are text) but never too little. Fractions are compared with a
margin, because SQLite's reading of a decimal may differ from Python's in the last bit. Text ends at U+0000 for SQLite's
JSON functions, so that "greater" must let "equal" pass.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeGuard

from sandbox.cosmos.partition import Component, PartitionKey
from sandbox.cosmos.sql.compile import Row, path_of
from sandbox.cosmos.sql.query import Compiled
from sandbox.cosmos.sql.tree import Between, Binary, Expr, In, Literal, Logical, Parameter
from sandbox.cosmos.values import Undefined, Value

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MARGIN: Final = 1e-14

type Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Predicate:
    """`path op constant`; for `IN` any of several constants."""

    path: Path
    op: str
    constants: tuple[Literal | Parameter, ...]

    def values(self, parameters: Row) -> list[Value]:
        """What the constants stand for in this request."""
        return [parameters[one.name] if isinstance(one, Parameter) else one.value for one in self.constants]


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate in SQL, over the expression of its path."""

    path: Path
    equality: bool
    sql: str
    values: tuple[str | int | float, ...]


@lru_cache(maxsize=512)
def predicates(compiled: Compiled) -> tuple[Predicate, ...]:
    """The predicates of a query that can be looked at beforehand."""
    where, first = compiled.tree.where, compiled.tree.sources[:1]
    if where is None or not first or first[0].each or path_of(first[0].of) is None or first[0].alias != compiled.root:
        return ()
    conjuncts = where.operands if isinstance(where, Logical) and where.op == "AND" else (where,)
    return tuple(found for part in conjuncts for found in _of(part, compiled.root))


def _of(expr: Expr, root: str) -> list[Predicate]:
    match expr:
        case Binary(op=op, left=left, right=Literal() | Parameter() as constant) if op in _FLIPPED:
            return _about(left, root, op, constant)
        case Binary(op=op, left=Literal() | Parameter() as constant, right=right) if op in _FLIPPED:
            return _about(right, root, _FLIPPED[op], constant)
        case Between(value=value, low=Literal() | Parameter() as low, high=Literal() | Parameter() as high):
            return [*_about(value, root, ">=", low), *_about(value, root, "<=", high)]
        case In(value=value, choices=choices):
            constants = [choice for choice in choices if isinstance(choice, Literal | Parameter)]
            return _about(value, root, "IN", *constants) if len(constants) == len(choices) <= 200 else []
        case _:
            return []


def _about(expr: Expr, root: str, op: str, *constants: Literal | Parameter) -> list[Predicate]:
    found = path_of(expr)
    if found is None or found[0] != root or not found[1]:
        return []
    path = tuple(step for step in found[1] if isinstance(step, str) and _PLAIN.fullmatch(step))
    return [Predicate(path, op, constants)] if len(path) == len(found[1]) else []


def partition(found: tuple[Predicate, ...], parameters: Row, key: PartitionKey) -> str | None:
    """The one partition that the predicates leave, when they say every part of the key; else None."""
    components: list[Component] = []
    for path in key.paths:
        wanted = [p.values(parameters)[0] for p in found if p.path == path and p.op == "="]
        if not wanted or isinstance(wanted[0], list | dict | Undefined):
            return None
        components.append(wanted[0])
    return key.effective(tuple(components))


def conditions(found: tuple[Predicate, ...], parameters: Row) -> list[Condition]:
    """The predicates in SQL, as far as their values have an order that SQLite shares."""
    said = (_said(predicate, predicate.values(parameters)) for predicate in found)
    return [condition for condition in said if condition is not None]


def column(path: Path) -> str:
    """The SQL expression for a path. The same text is used in indexes, else SQLite would not see they fit."""
    if path in (("id",), ("_ts",)):
        return path[0].lstrip("_")
    return f"json_extract(body, '$.{'.'.join(path)}')"


def _said(predicate: Predicate, values: list[Value]) -> Condition | None:
    expression = column(predicate.path)
    fitting = [value for value in values if _fits(value)]
    if len(fitting) != len(values):
        return None
    if predicate.op in ("=", "IN"):
        return _equal(predicate, expression, fitting)
    value = fitting[0]
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        # Every number is less than every text to SQLite.
        below = predicate.op in ("<", "<=")
        sql = f"{expression} <= ? AND {expression} >= ''" if below else f"{expression} >= ?"
        return Condition(predicate.path, False, sql, (value,))
    if predicate.op in ("<", "<="):
        return Condition(predicate.path, False, f"{expression} <= ?", (_wider(value, 1),))
    return Condition(predicate.path, False, f"{expression} >= ? AND {expression} < ''", (_wider(value, -1),))


def _equal(predicate: Predicate, expression: str, values: list[str | int | float]) -> Condition | None:
    if any(isinstance(value, float) for value in values):
        if len(values) > 1:
            return None
        low, high = _wider(values[0], -1), _wider(values[0], 1)
        return Condition(predicate.path, False, f"{expression} BETWEEN ? AND ?", (low, high))
    marks = ", ".join("?" * len(values))
    sql = f"{expression} = ?" if predicate.op == "=" else f"{expression} IN ({marks})"
    return Condition(predicate.path, True, sql, tuple(values))


def _fits(value: Value) -> TypeGuard[str | int | float]:
    if isinstance(value, str):
        return "\0" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))
    return isinstance(value, int | float)


def _wider(value: str | int | float, towards: int) -> str | int | float:
    return value if isinstance(value, str) else value + towards * (abs(value) * _MARGIN + 1e-300)
