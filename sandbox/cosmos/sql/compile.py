"""A tree to closures: each expression becomes a function of the row's names (aliases, parameters, aggregates).

Undefined follows the service: an operator whose operands do not fit gives undefined, and only `true` passes WHERE.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sandbox.cosmos.errors import QueryError
from sandbox.cosmos.sql.functions import FUNCTIONS, like, whole
from sandbox.cosmos.sql.tree import (
    Aggregate,
    ArrayLiteral,
    Between,
    Binary,
    Call,
    Coalesce,
    Conditional,
    Expr,
    In,
    Index,
    Like,
    Literal,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Parameter,
    Query,
    Subquery,
    Unary,
)
from sandbox.cosmos.values import UNDEFINED, Json, Undefined, Value, equal, is_number, member, number, rank

type Row = dict[str, Value]
"""What is known about one row: aliases, parameters (`@name`) and, after grouping, aggregates (`#0` …)."""
type Evaluate = Callable[[Row], Value]
type RunQuery = Callable[[Row], Iterable[Value]]


@dataclass(slots=True)
class Scope:
    """The names an expression may use, and where its aggregates are collected (None: none allowed here)."""

    names: frozenset[str]
    compile_query: Callable[[Query, "Scope"], RunQuery]
    aggregates: list[tuple[str, Evaluate]] | None = None
    parameters: set[str] = field(default_factory=set)

    def without_aggregates(self) -> "Scope":
        """The same names where an aggregate has no meaning."""
        return Scope(self.names, self.compile_query, None, self.parameters)


def compile_expr(expr: Expr, scope: Scope) -> Evaluate:  # noqa: PLR0912 - one branch for each kind of node
    """Raises QueryError for unknown names and functions."""
    match expr:
        case Literal(value=constant):
            return lambda row: constant
        case Parameter(name=name):
            scope.parameters.add(name)
            return lambda row: row[name]
        case Name() | Member():
            return _path(expr, scope)
        case Index(of=of, by=by):
            return _index(compile_expr(of, scope), compile_expr(by, scope))
        case Unary(op=op, operand=operand):
            return _unary(op, compile_expr(operand, scope))
        case Binary(op=op, left=left, right=right):
            return _binary(op, compile_expr(left, scope), compile_expr(right, scope))
        case Logical(op=op, operands=operands):
            return _logical(op == "OR", [compile_expr(operand, scope) for operand in operands])
        case In(value=value, choices=choices):
            return _in(compile_expr(value, scope), [compile_expr(choice, scope) for choice in choices])
        case Between(value=value, low=low, high=high):
            value_of = compile_expr(value, scope)
            above = _binary(">=", value_of, compile_expr(low, scope))
            return _logical(False, [above, _binary("<=", value_of, compile_expr(high, scope))])
        case Like(value=value, pattern=pattern, escape=escape):
            return _like(compile_expr(value, scope), compile_expr(pattern, scope), escape)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return _conditional(*(compile_expr(part, scope) for part in (condition, then, otherwise)))
        case Coalesce(first=first, second=second):
            return _coalesce(compile_expr(first, scope), compile_expr(second, scope))
        case Call(name=name, arguments=arguments):
            return _call(name, [compile_expr(argument, scope) for argument in arguments])
        case Aggregate(function=function, argument=argument):
            return _aggregate(function, argument, scope)
        case ArrayLiteral(items=items):
            return _array([compile_expr(item, scope) for item in items])
        case ObjectLiteral(members=members):
            return make_object([(name, compile_expr(child, scope)) for name, child in members])
        case Subquery(kind=kind, query=query):
            return _subquery(kind, scope.compile_query(query, scope.without_aggregates()))


def path_of(expr: Expr) -> tuple[str, tuple[str | int, ...]] | None:
    """The alias and the steps of a plain path such as `c.a.b[0]`; None for any other expression."""
    steps: list[str | int] = []
    while isinstance(expr, Member):
        steps.append(expr.step)
        expr = expr.of
    return (expr.name, tuple(reversed(steps))) if isinstance(expr, Name) else None


def _path(expr: Name | Member, scope: Scope) -> Evaluate:
    found = path_of(expr)
    if found is None:
        return _member(expr, scope)
    alias, steps = found
    if alias not in scope.names:
        raise QueryError(f"Identifier '{alias}' could not be resolved.")
    match steps:
        case ():
            return lambda row: row[alias]
        case (str(name),):
            return lambda row: value.get(name, UNDEFINED) if isinstance(value := row[alias], dict) else UNDEFINED
        case _:
            return lambda row: member(row[alias], steps)


def _member(expr: Name | Member, scope: Scope) -> Evaluate:
    if isinstance(expr, Name):
        return _path(expr, scope)
    of, step = compile_expr(expr.of, scope), expr.step
    return lambda row: member(of(row), (step,))


def _index(of: Evaluate, by: Evaluate) -> Evaluate:
    def index(row: Row) -> Value:
        step = by(row)
        fits = isinstance(step, str | int) and not isinstance(step, bool)
        return member(of(row), (step,)) if fits and isinstance(step, str | int) else UNDEFINED

    return index


def _unary(op: str, operand: Evaluate) -> Evaluate:
    def negated(row: Row) -> Value:
        value = operand(row)
        return not value if isinstance(value, bool) else UNDEFINED

    def signed(row: Row) -> Value:
        value = operand(row)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return UNDEFINED
        if op == "~":
            return ~value if isinstance(value, int) else UNDEFINED
        return number(-value) if op == "-" else value

    return negated if op == "NOT" else signed


def _less(left: Value, right: Value) -> bool | None:
    """None when the two have no order."""
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if rank(left) == rank(right) and isinstance(left, int | float) and isinstance(right, int | float):
        return left < right
    return None


def compare(op: str, left: Value, right: Value) -> Value:
    """A comparison operator. Values of different types are not equal, and have no order."""
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        return UNDEFINED
    if op == "=":
        return equal(left, right)
    if op == "!=":
        return not equal(left, right)
    if left is None and right is None:
        return op in ("<=", ">=")
    swapped = op in (">", "<=")
    less = _less(right, left) if swapped else _less(left, right)
    if less is None:
        return UNDEFINED
    return less if op in ("<", ">") else not less


def calculate(op: str, left: Value, right: Value) -> Value:
    """An arithmetic, bit or string operator."""
    if op == "||":
        return left + right if isinstance(left, str) and isinstance(right, str) else UNDEFINED
    if not is_number(left) or not is_number(right):
        return UNDEFINED
    try:
        return _bits(op, left, right) if op in ("|", "&", "^", "<<", ">>", ">>>") else _sum(op, left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return UNDEFINED


def _sum(op: str, left: float, right: float) -> Value:
    match op:
        case "+":
            return number(left + right)
        case "-":
            return number(left - right)
        case "*":
            return number(left * right)
        case "/":
            return number(left / right)
        case _:
            return number(math.fmod(left, right))


def _bits(op: str, left: float, right: float) -> Value:
    """Bit operators on 32-bit integers, as in JavaScript."""
    a, b = whole(left), whole(right)
    if a is None or b is None:
        return UNDEFINED
    a, shift = a & 0xFFFFFFFF, b & 31
    signed = a - 2**32 if a >= 2**31 else a
    results = {
        "|": a | b & 0xFFFFFFFF,
        "&": a & b,
        "^": a ^ b & 0xFFFFFFFF,
        "<<": a << shift,
        ">>": signed >> shift,
        ">>>": a >> shift,
    }
    result = results[op] & 0xFFFFFFFF
    return result - 2**32 if op != ">>>" and result >= 2**31 else result


def _binary(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if op == "=":
        return lambda row: compare("=", left(row), right(row))
    if op in ("!=", "<", "<=", ">", ">="):
        return lambda row: compare(op, left(row), right(row))
    return lambda row: calculate(op, left(row), right(row))


def _logical(decisive: bool, operands: list[Evaluate]) -> Evaluate:
    """AND (decided by the first false) and OR (decided by the first true)."""

    def logical(row: Row) -> Value:
        result: Value = not decisive
        for operand in operands:
            value = operand(row)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                result = UNDEFINED
        return result

    return logical


def _in(value: Evaluate, choices: list[Evaluate]) -> Evaluate:
    def within(row: Row) -> Value:
        found = value(row)
        if isinstance(found, Undefined):
            return UNDEFINED
        return any(equal(found, choice(row)) for choice in choices)

    return within


def _like(value: Evaluate, pattern: Evaluate, escape: str | None) -> Evaluate:
    def matches(row: Row) -> Value:
        text, form = value(row), pattern(row)
        return like(text, form, escape) if isinstance(text, str) and isinstance(form, str) else UNDEFINED

    return matches


def _conditional(condition: Evaluate, then: Evaluate, otherwise: Evaluate) -> Evaluate:
    return lambda row: then(row) if condition(row) is True else otherwise(row)


def _coalesce(first: Evaluate, second: Evaluate) -> Evaluate:
    return lambda row: second(row) if isinstance(value := first(row), Undefined) else value


def _call(name: str, arguments: list[Evaluate]) -> Evaluate:
    function = FUNCTIONS.get(name)
    if function is None:
        raise QueryError(f"'{name}' is not a recognized built-in function name.")
    if not function.least <= len(arguments) <= function.most:
        raise QueryError(f"The {name} function requires {function.least} argument(s).")
    call = function.call
    if len(arguments) == 1:
        only = arguments[0]
        return lambda row: call(only(row))
    return lambda row: call(*[argument(row) for argument in arguments])


def _aggregate(function: str, argument: Expr, scope: Scope) -> Evaluate:
    if scope.aggregates is None:
        raise QueryError("An aggregate function is not allowed here.")
    slot = f"#{len(scope.aggregates)}"
    scope.aggregates.append((function, compile_expr(argument, scope.without_aggregates())))
    return lambda row: row[slot]


def _array(items: list[Evaluate]) -> Evaluate:
    def array(row: Row) -> Value:
        return [value for item in items if not isinstance(value := item(row), Undefined)]

    return array


def make_object(members: list[tuple[str, Evaluate]]) -> Evaluate:
    """An object of what is defined among the members."""

    def build(row: Row) -> Value:
        built: dict[str, Json] = {}
        for name, child in members:
            value = child(row)
            if not isinstance(value, Undefined):
                built[name] = value
        return built

    return build


def _subquery(kind: str, run: RunQuery) -> Evaluate:
    def array(row: Row) -> Value:
        return [value for value in run(row) if not isinstance(value, Undefined)]

    def exists(row: Row) -> Value:
        return next(_defined(run(row)), None) is not None

    def first(row: Row) -> Value:
        return next(iter(run(row)), UNDEFINED)

    return {"ARRAY": array, "EXISTS": exists}.get(kind, first)


def _defined(values: Iterable[Value]) -> Iterator[tuple[Value]]:
    return ((value,) for value in values if not isinstance(value, Undefined))
