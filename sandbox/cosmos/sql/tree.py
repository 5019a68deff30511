"""The parsed form of a query. Plain immutable data; nothing here knows how to evaluate."""

from dataclasses import dataclass

from sandbox.cosmos.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant written in the query."""

    value: Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """`@name`, with its at-sign."""

    name: str


@dataclass(frozen=True, slots=True)
class Name:
    """An alias: of the container, of a JOIN, of a subquery's source."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`of.step`, `of["step"]` or `of[3]`."""

    of: "Expr"
    step: str | int


@dataclass(frozen=True, slots=True)
class Index:
    """`of[expression]` where the expression is not a constant."""

    of: "Expr"
    by: "Expr"


@dataclass(frozen=True, slots=True)
class Unary:
    """`-`, `+`, `~` or `NOT` before an operand."""

    op: str
    operand: "Expr"


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, bits, `||` and comparisons."""

    op: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Logical:
    """`AND` or `OR` over two or more operands."""

    op: str
    operands: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class In:
    """`value IN (choices)`."""

    value: "Expr"
    choices: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Between:
    """`value BETWEEN low AND high`, both ends included."""

    value: "Expr"
    low: "Expr"
    high: "Expr"


@dataclass(frozen=True, slots=True)
class Like:
    """`value LIKE pattern ESCAPE 'x'`."""

    value: "Expr"
    pattern: "Expr"
    escape: str | None


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : otherwise`."""

    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"


@dataclass(frozen=True, slots=True)
class Coalesce:
    """`first ?? second`: the second when the first is undefined."""

    first: "Expr"
    second: "Expr"


@dataclass(frozen=True, slots=True)
class Call:
    """A built-in function; the name is in upper case."""

    name: str
    arguments: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """COUNT, SUM, AVG, MIN or MAX."""

    function: str
    argument: "Expr"


@dataclass(frozen=True, slots=True)
class ArrayLiteral:
    """`[a, b]`; undefined elements fall out."""

    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    """`{"a": b}`; undefined members fall out."""

    members: tuple[tuple[str, "Expr"], ...]


@dataclass(frozen=True, slots=True)
class Subquery:
    """A query in an expression: kind `EXISTS`, `ARRAY` or `VALUE` (the first result)."""

    kind: str
    query: "Query"


type Expr = (
    Literal
    | Parameter
    | Name
    | Member
    | Index
    | Unary
    | Binary
    | Logical
    | In
    | Between
    | Like
    | Conditional
    | Coalesce
    | Call
    | Aggregate
    | ArrayLiteral
    | ObjectLiteral
    | Subquery
)


@dataclass(frozen=True, slots=True)
class Source:
    """One input of FROM or JOIN: `of AS alias`, or with `each` one row per element (`alias IN of`)."""

    of: Expr
    alias: str
    each: bool


@dataclass(frozen=True, slots=True)
class Projected:
    """One item of SELECT and the name it gets; None: it has none and is called `$1`, `$2` …"""

    value: Expr
    name: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """One item of ORDER BY."""

    by: Expr
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole SELECT. `select` is empty for `SELECT *`; `value` for `SELECT VALUE`, which has exactly one item."""

    select: tuple[Projected, ...]
    value: bool
    distinct: bool
    top: Expr | None
    sources: tuple[Source, ...]
    where: Expr | None
    group: tuple[Expr, ...]
    order: tuple[Order, ...]
    offset: Expr | None
    limit: Expr | None
