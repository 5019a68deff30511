"""Tokens to a tree (recursive descent). Raises QueryError for everything it does not understand."""

from collections.abc import Callable
from typing import Final

from sandbox.cosmos.errors import QueryError
from sandbox.cosmos.sql.tokens import Token, syntax_error, tokenize
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
    Order,
    Parameter,
    Projected,
    Query,
    Source,
    Subquery,
    Unary,
)
from sandbox.cosmos.values import UNDEFINED

MAX_NESTING: Final = 40
"""Levels of brackets, NOTs and subqueries. The service has limits of its own; this one keeps Python's stack safe."""
MAX_OPERATORS: Final = 200
"""Operators of a kind in one chain (`a + b + …`), and steps in one path. ANDs and ORs are not limited."""

AGGREGATES: Final = frozenset(("COUNT", "SUM", "AVG", "MIN", "MAX"))
_CONSTANTS: Final = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_COMPARISONS: Final = ("=", "!=", "<>", "<=", ">=", "<", ">")
_LEVELS: Final = (("|",), ("^",), ("&",), ("<<", ">>>", ">>"), ("+", "-", "||"), ("*", "/", "%"))
_STRENGTH: Final = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
"""Binary operators, all of them stronger than a comparison; a higher number binds more strongly."""


def parse_query(text: str) -> Query:
    """A whole query. Raises QueryError."""
    parser = _Parser(tokenize(text))
    query = parser.query()
    parser.expect_end()
    return query


def parse_condition(text: str) -> Query:
    """A patch's condition (`from c where …`), as a query that gives the document when it holds. Raises QueryError."""
    return parse_query(f"SELECT * {text}")


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    # Moving through the tokens.

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _is(self, *texts: str) -> bool:
        return self._now.kind in ("keyword", "mark") and self._now.text in texts

    def _take(self, *texts: str) -> str | None:
        if not self._is(*texts):
            return None
        self._at += 1
        return self._tokens[self._at - 1].text

    def _need(self, text: str) -> None:
        if self._take(text) is None:
            raise self._unexpected()

    def _unexpected(self) -> QueryError:
        return syntax_error(self._now.raw or self._now.text)

    def expect_end(self) -> None:
        if self._now.kind != "end":
            raise self._unexpected()

    def _word(self, *, keywords: bool = False) -> str:
        token = self._now
        if token.kind == "word" or (keywords and token.kind == "keyword"):
            self._at += 1
            return token.raw
        raise self._unexpected()

    def _nested[T](self, parse: Callable[[], T]) -> T:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise QueryError("The query is nested too deeply.")
        result = parse()
        self._depth -= 1
        return result

    def _list[T](self, parse: Callable[[], T], end: str) -> tuple[T, ...]:
        if self._take(end):
            return ()
        items = [parse()]
        while self._take(","):
            items.append(parse())
        self._need(end)
        return tuple(items)

    def _several[T](self, parse: Callable[[], T]) -> tuple[T, ...]:
        items = [parse()]
        while self._take(","):
            items.append(parse())
        return tuple(items)

    # Clauses.

    def query(self) -> Query:
        return self._nested(self._query)

    def _query(self) -> Query:
        self._need("SELECT")
        distinct = self._take("DISTINCT") is not None
        top = self._postfix() if self._take("TOP") else None
        value, select = False, tuple[Projected, ...]()
        if not self._take("*"):
            value = self._take("VALUE") is not None
            select = (Projected(self._expr(), None),) if value else self._several(self._projected)
        sources = self._sources() if self._take("FROM") else ()
        where = self._expr() if self._take("WHERE") else None
        group = self._by(self._expr) if self._take("GROUP") else ()
        order = self._by(self._order) if self._take("ORDER") else ()
        offset = limit = None
        if self._take("OFFSET"):
            offset = self._postfix()
            self._need("LIMIT")
            limit = self._postfix()
        return Query(select, value, distinct, top, sources, where, group, order, offset, limit)

    def _by[T](self, parse: Callable[[], T]) -> tuple[T, ...]:
        self._need("BY")
        return self._several(parse)

    def _projected(self) -> Projected:
        value = self._expr()
        if self._take("AS"):
            return Projected(value, self._alias())
        if self._now.kind == "word":
            return Projected(value, self._word())
        match value:
            case Member(step=str(name)) | Name(name=name):
                return Projected(value, name)
            case _:
                return Projected(value, None)

    def _alias(self) -> str:
        if self._now.kind == "string":
            self._at += 1
            return str(self._tokens[self._at - 1].value)
        return self._word(keywords=True)

    def _order(self) -> Order:
        by = self._expr()
        return Order(by, (self._take("ASC", "DESC") or "ASC") == "DESC")

    def _sources(self) -> tuple[Source, ...]:
        found = [self._source()]
        while self._take("JOIN"):
            found.append(self._source())
        return tuple(found)

    def _source(self) -> Source:
        if self._now.kind == "word" and self._tokens[self._at + 1].text == "IN":
            alias = self._word()
            self._need("IN")
            return Source(self._postfix(), alias, each=True)
        of = self._postfix()
        if self._take("AS") or self._now.kind == "word":
            if isinstance(of, Subquery):
                return Source(Subquery("ARRAY", of.query), self._word(), each=True)
            return Source(of, self._word(), each=False)
        match of:
            case Name(name=name) | Member(step=str(name)):
                return Source(of, name, each=False)
            case _:
                raise self._unexpected()

    # Expressions, weakest first.

    def _expr(self) -> Expr:
        return self._nested(self._conditional)

    def _conditional(self) -> Expr:
        condition = self._coalesce()
        if not self._take("?"):
            return condition
        then = self._expr()
        self._need(":")
        return Conditional(condition, then, self._expr())

    def _coalesce(self) -> Expr:
        first = self._or()
        return Coalesce(first, self._nested(self._coalesce)) if self._take("??") else first

    def _or(self) -> Expr:
        return self._logical("OR", self._and)

    def _and(self) -> Expr:
        return self._logical("AND", self._not)

    def _logical(self, op: str, parse: Callable[[], Expr]) -> Expr:
        operands = [parse()]
        while self._take(op):
            operands.append(parse())
        return Logical(op, tuple(operands)) if len(operands) > 1 else operands[0]

    def _not(self) -> Expr:
        return Unary("NOT", self._nested(self._not)) if self._take("NOT") else self._comparison()

    def _comparison(self) -> Expr:
        left = self._binary()
        operator = self._take(*_COMPARISONS)
        if operator:
            return Binary("!=" if operator == "<>" else operator, left, self._binary())
        negated = self._is("NOT") and self._tokens[self._at + 1].text in ("IN", "LIKE", "BETWEEN")
        if negated:
            self._at += 1
        found = self._special(left)
        return Unary("NOT", found) if negated else found

    def _special(self, left: Expr) -> Expr:
        if self._take("IN"):
            self._need("(")
            choices = self._list(self._expr, ")")
            if not choices:
                raise self._unexpected()
            return In(left, choices)
        if self._take("BETWEEN"):
            low = self._binary()
            self._need("AND")
            return Between(left, low, self._binary())
        if self._take("LIKE"):
            pattern = self._binary()
            return Like(left, pattern, self._escape() if self._take("ESCAPE") else None)
        return left

    def _escape(self) -> str:
        token = self._now
        if token.kind != "string" or len(str(token.value)) != 1:
            raise QueryError("The ESCAPE of LIKE must be a string of one character.")
        self._at += 1
        return str(token.value)

    def _binary(self, weakest: int = 0) -> Expr:
        """Operators at least as strong as `weakest` (precedence climbing: one frame of stack, not one per level)."""
        left, chain = self._unary(), 0
        while self._is(*_STRENGTH) and _STRENGTH[self._now.text] >= weakest:
            chain += 1
            if chain > MAX_OPERATORS:
                raise QueryError("The query has too many operators in a row.")
            operator = self._now.text
            self._at += 1
            left = Binary(operator, left, self._binary(_STRENGTH[operator] + 1))
        return left

    def _unary(self) -> Expr:
        operator = self._take("-", "+", "~")
        return Unary(operator, self._nested(self._unary)) if operator else self._postfix()

    def _postfix(self) -> Expr:
        found, steps = self._primary(), 0
        while mark := self._take(".", "["):
            steps += 1
            if steps > MAX_OPERATORS:
                raise QueryError("A path in the query has too many steps.")
            if mark == ".":
                found = Member(found, self._word(keywords=True))
                continue
            by = self._expr()
            self._need("]")
            match by:
                case Literal(value=str(step)) | Literal(value=int(step)) if not isinstance(step, bool):
                    found = Member(found, step)
                case _:
                    found = Index(found, by)
        return found

    def _primary(self) -> Expr:
        token = self._now
        self._at += 1
        if token.kind in ("number", "string"):
            return Literal(token.value)
        if token.kind == "parameter":
            return Parameter(token.text)
        if token.kind == "word":
            return self._call(token.raw) if self._take("(") else self._named(token.raw)
        if token.kind == "keyword" and token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text])
        if token.kind in ("keyword", "mark"):
            match token.text:
                case "(":
                    return self._bracketed()
                case "[":
                    return ArrayLiteral(self._list(self._expr, "]"))
                case "{":
                    return ObjectLiteral(self._list(self._member, "}"))
                case "EXISTS" | "ARRAY" as kind if self._take("("):
                    inner = self.query()
                    self._need(")")
                    return Subquery(kind, inner)
        self._at -= 1
        raise self._unexpected()

    def _bracketed(self) -> Expr:
        inner: Expr = Subquery("VALUE", self.query()) if self._is("SELECT") else self._expr()
        self._need(")")
        return inner

    def _member(self) -> tuple[str, Expr]:
        name = self._alias()
        self._need(":")
        return name, self._expr()

    def _named(self, name: str) -> Expr:
        if name.lower() == "udf" and self._is("."):
            raise QueryError("The sandbox's Cosmos endpoint does not do this: user defined functions.")
        return Name(name)

    def _call(self, name: str) -> Expr:
        arguments = self._list(self._expr, ")")
        function = name.upper()
        if function not in AGGREGATES:
            return Call(function, arguments)
        if len(arguments) != 1:
            raise QueryError(f"The {function} function requires 1 argument(s).")
        return Aggregate(function, arguments[0])
