"""Conditions of patches (`from c where …`): compiled once for each shape, not for each text.

A condition names the very document it is about (`c.pending[0] = '…'`), so that hardly any text comes twice. Its text
constants are taken out and given as parameters, which mean the same; what is left is the same text every time.
"""

from functools import lru_cache
from typing import Final

from sandbox.cosmos.errors import QueryError
from sandbox.cosmos.sql.compile import Row
from sandbox.cosmos.sql.parser import parse_condition
from sandbox.cosmos.sql.query import Compiled, compile_root
from sandbox.cosmos.values import Json

_SHORT: Final = 2000
"""Longer conditions are compiled as they are."""
_UNCLEAR: Final = ('"', "--", "/*", "@")
"""With any of these outside of the constants, a quotation mark may be something else than where a constant begins."""


def holds(condition: str, document: dict[str, Json]) -> bool:
    """Whether a patch's condition holds for a document. Raises QueryError."""
    shape, constants = lifted(condition)
    try:
        compiled = _compiled(shape)
    except QueryError:
        # The refusal must speak of the text that was sent.
        compiled = _compiled(condition)
    row = compiled.bind(constants)
    if compiled.root is None or compiled.where is None or not compiled.whole_document:
        return any(True for _ in compiled.rows(document, row))
    row[compiled.root] = document
    return compiled.where(row) is True


def lifted(condition: str) -> tuple[str, Row]:
    """The condition with a parameter for every text constant that something is compared with, and their values."""
    parts = condition.split("'")
    # Between two quotation marks are the constants: every other part, if nothing else can hold a quotation mark.
    if len(parts) == 1 or len(parts) % 2 == 0 or len(condition) > _SHORT or "\\" in condition:
        return condition, {}
    outside = "'".join(parts[::2])
    if any(mark in outside for mark in _UNCLEAR):
        return condition, {}
    constants: Row = {}
    shape = parts[0]
    for at in range(1, len(parts), 2):
        # After `=` there can be nothing but an expression; elsewhere a text may be a name or a pattern's escape.
        if shape.endswith("= "):
            name = f"@{at}"
            constants[name] = parts[at]
            shape += f"{name} {parts[at + 1]}"
        else:
            shape += f"'{parts[at]}'{parts[at + 1]}"
    return shape, constants


@lru_cache(maxsize=512)
def _compiled(text: str) -> Compiled:
    return compile_root(parse_condition, text)
