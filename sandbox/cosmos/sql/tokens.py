"""Query text to tokens."""

import json
import re
from dataclasses import dataclass
from typing import Final

from sandbox.cosmos.errors import QueryError
from sandbox.cosmos.values import Undefined, number

MAX_TEXT: Final = 512 * 1024
"""Longest query text in characters (https://learn.microsoft.com/azure/cosmos-db/concepts-limits)."""

_CLAUSES: Final = ("SELECT", "TOP", "DISTINCT", "VALUE", "AS", "FROM", "JOIN", "WHERE", "GROUP", "ORDER", "BY")
_ENDINGS: Final = ("ASC", "DESC", "OFFSET", "LIMIT")
_OPERATORS: Final = ("AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ESCAPE", "EXISTS", "ARRAY")
_NAMED_VALUES: Final = ("TRUE", "FALSE", "NULL", "UNDEFINED")
KEYWORDS: Final = frozenset((*_CLAUSES, *_ENDINGS, *_OPERATORS, *_NAMED_VALUES))

_TOKEN: Final = re.compile(
    r"""(?:\s|--[^\n]*|/\*.*?\*/)*(?:
        (?P<number>(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?![\w]))
      | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<parameter>@\w+)
      | (?P<word>[^\W\d]\w*)
      | (?P<mark>\?\?|<=|>=|!=|<>|\|\||<<|>>>|>>|[-+*/%=<>()\[\]{},.:?&|^~])
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `kind` is number, string, parameter, word, keyword, mark or end; `text` is upper case for keywords."""

    kind: str
    text: str
    value: int | float | str = ""
    raw: str = ""


def tokenize(text: str) -> list[Token]:
    """All tokens, the last of kind `end`. Raises QueryError."""
    if len(text) > MAX_TEXT:
        raise QueryError("The query text is too long.")
    found: list[Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise syntax_error(text[at : at + 20].strip())
        found.append(_token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def syntax_error(near: str) -> QueryError:
    """The service's own wording for text it cannot parse."""
    return QueryError(f"Syntax error, incorrect syntax near '{near}'.")


def _token(kind: str, text: str) -> Token:
    if kind == "word" and text.upper() in KEYWORDS:
        return Token("keyword", text.upper(), raw=text)
    if kind == "number":
        return Token(kind, text, _number(text))
    if kind == "string":
        return Token(kind, text, _string(text))
    return Token(kind, text, raw=text)


def _number(text: str) -> int | float:
    if len(text) > 400:
        raise syntax_error(text[:20])
    value = number(int(text, 16) if text[:2] in ("0x", "0X") else float(text))
    if isinstance(value, Undefined):
        raise QueryError("A number in the query is outside the range of a double.")
    return value


def _string(text: str) -> str:
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    replaced = _ESCAPE.sub(_unescaped, inner)
    # Two escapes that make one character outside the basic plane become that character, as in JSON.
    return replaced.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) == 5:
        return str(json.loads(f'"\\{escape}"'))
    return _ESCAPES.get(escape, escape)
