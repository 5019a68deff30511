"""A note cut into the pieces that may be parted when it is too long for one field, each with what it must keep.

A sentence stays whole, a row stays whole, a quotation has its introduction and its marks in each part. What is cut is
said in the layout's own way; how much goes into which part is decided in `shared.journal.length`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from shared.journal.model import Block, HumanText, Layout, Row, Table
from shared.journal.plain import quoted
from shared.journal.text import SEPARATOR, block_lines, introduction, row_line

KEPT_AT_EACH_END: Final = 5
"""Rows of a shortened log, first and last."""

_SENTENCE: Final = re.compile(r"[^\n]+?(?:[.!?…]+[»”\"]?(?= )|(?=\n)|$)")
_BREAK: Final = re.compile(r"[ \n]*")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never parted while it fits into a part of its own, and what stands between it and the one before."""

    text: str
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Units that belong together. `before` and `after` are repeated in each part that has some of them."""

    units: tuple[Unit, ...]
    before: str = ""
    after: str = ""
    cut: str = ""
    """Stands where a quotation is broken off and taken up again."""

    def fitted(self, fit: Callable[[str], str]) -> "Piece":
        """The piece in the receiver's character set."""
        units = tuple(Unit(fit(unit.text), unit.gap) for unit in self.units)
        return Piece(units, fit(self.before), fit(self.after), fit(self.cut))


@dataclass(frozen=True, slots=True)
class Pieces:
    """A note's pieces for the first parts, and whole logs for the last."""

    main: tuple[Piece, ...]
    logs: tuple[Piece, ...] = ()


def whole(blocks: tuple[Block, ...], layout: Layout) -> Pieces:
    """All of a note."""
    return Pieces(tuple(piece for block in blocks for piece in _of_block(block, layout)))


def shortened(blocks: tuple[Block, ...], layout: Layout, parts: str) -> Pieces:
    """Long logs with their middle left out and said so; they stand whole in `logs`. `parts`: in which parts."""
    main: list[Piece] = []
    logs: list[Piece] = []
    for block in blocks:
        if isinstance(block, Table) and (kept := _kept(block)) is not None:
            main += _short(block, kept, layout, parts)
            logs += _of_block(block, layout)
        else:
            main += _of_block(block, layout)
    return Pieces(tuple(main), tuple(logs))


def halves(unit: Unit, room: Callable[[str], bool]) -> tuple[Unit, Unit]:
    """A unit too long for any part, parted at the last space of what fits, else inside a word. `room`: what fits."""
    low, high = 1, len(unit.text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if room(unit.text[:middle]) else (low, middle - 1)
    space = max(unit.text.rfind(" ", 1, low + 1), unit.text.rfind("\n", 1, low + 1))
    at = space if space > 0 else low
    rest = unit.text[at:]
    gap = rest[:1] if space > 0 else ""
    return replace(unit, text=unit.text[:at]), Unit(rest[len(gap) :], gap)


def _of_block(block: Block, layout: Layout) -> list[Piece]:
    match block:
        case HumanText():
            inner = quoted(block.text)[1:-1]
            return [Piece(_sentences(inner), f"{introduction(block, layout)}: «", "»", "…")]
        case Table():
            return [_rows(block, block.rows, layout)] if block.rows else []
        case _:
            return [Piece(_sentences(line)) for line in block_lines(block, layout)]


def _rows(table: Table, rows: tuple[Row, ...], layout: Layout) -> Piece:
    if layout is Layout.PROSE and table.run_on:
        return Piece(_joined([row.prose for row in rows], ", "), f"{table.caption}: ", ".")
    lines = _joined([row_line(row, layout) for row in rows], "\n")
    match layout:
        case Layout.LIST:
            return Piece(lines)
        case Layout.TABLE:
            return Piece(lines, f"{table.caption}\n{SEPARATOR.join(table.header)}\n")
        case Layout.PROSE:
            return Piece(lines, f"{table.caption}:\n")


def _joined(texts: list[str], gap: str) -> tuple[Unit, ...]:
    return tuple(Unit(text, gap if index else "") for index, text in enumerate(texts))


def _kept(table: Table) -> list[bool] | None:
    """Which rows a shortened log keeps; None when it is not to be shortened."""
    last = len(table.rows) - KEPT_AT_EACH_END
    kept = [index < KEPT_AT_EACH_END or index >= last or row.essential for index, row in enumerate(table.rows)]
    return kept if table.gap and kept.count(False) > 1 else None


def _short(table: Table, kept: list[bool], layout: Layout, parts: str) -> list[Piece]:
    cut = kept.index(False)
    gap = table.gap.format(count=kept.count(False), parts=parts)
    rest = tuple(row for row, keep in zip(table.rows[cut:], kept[cut:], strict=True) if keep)
    return [_rows(table, table.rows[:cut], layout), Piece((Unit(gap),)), _rows(table, rest, layout)]


def _sentences(text: str) -> tuple[Unit, ...]:
    units: list[Unit] = []
    at = 0
    while at < len(text):
        gap = _BREAK.match(text, at)
        start = gap.end() if gap is not None else at
        found = _SENTENCE.match(text, start)
        end = found.end() if found is not None else len(text)
        units.append(Unit(text[start:end], text[at:start]))
        at = end
    return tuple(unit for unit in units if unit.text)
