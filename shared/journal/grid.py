"""A table of a narrative as lines that read well aloud: cells parted by ` | `, or named when there are many.

An empty cell is `–`. A cell over several columns is followed by empty ones; a cell over several rows stands in each. A
table of one column is its lines. More than 6 columns, or more than 50 rows under a header, become one line a row with
`header: cell`, for nobody keeps seven headings in mind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from shared.journal.markup import Element

EMPTY: Final = "–"
MAX_COLUMNS: Final = 6
MAX_ROWS: Final = 50
_MOST_SPANNED: Final = 20

type Flatten = Callable[[Element], str]


@dataclass(slots=True)
class _Row:
    cells: list[str]
    heads: bool
    """Whether all cells are headers."""


@dataclass(slots=True)
class _Spanning:
    """A cell that stands in the next rows too."""

    text: str
    rows: int


def lines(table: Element, flatten: Flatten) -> list[str]:
    """The table's caption, what stands between its rows, and its rows, in order."""
    around: list[str] = []
    rows: list[_Row] = []
    spanning: dict[int, _Spanning] = {}
    for section, part in _parts(table):
        if isinstance(part, str):
            around += [part.strip()] if part.strip() else []
        elif part.name != "tr":
            around += flatten(Element("", {}, [part])).split("\n")
        elif row := _row(part, section, flatten, spanning):
            rows.append(row)
    return [line for line in around if line] + _laid_out(rows)


def _parts(table: Element) -> Iterator[tuple[Element, Element | str]]:
    """What is in a table or a section of it, with what it is in."""
    for child in table.children:
        if isinstance(child, Element) and child.name in ("thead", "tbody", "tfoot"):
            yield from _parts(child)
        else:
            yield table, child


def _row(row: Element, section: Element, flatten: Flatten, spanning: dict[int, _Spanning]) -> _Row | None:
    cells: list[str] = []
    heads: list[bool] = []

    def carried() -> None:
        while (above := spanning.get(len(cells))) is not None:
            cells.append(above.text)
            above.rows -= 1
            if not above.rows:
                del spanning[len(cells) - 1]

    for child in row.children:
        if isinstance(child, str):
            if child.strip():
                cells.append(child.strip())
                heads.append(False)
            continue
        carried()
        # Rows and sections may be hidden or coloured as cells may.
        cell = _inline(section, [_inline(row, [_inline(child, child.children)])])
        text = flatten(Element("", {}, [cell])).strip()
        below = _span(child, "rowspan") - 1
        for column in range(_span(child, "colspan")):
            if below:
                spanning[len(cells)] = _Spanning(text if column == 0 else "", below)
            cells.append(text if column == 0 else "")
        heads.append(child.name == "th")
    carried()
    return _Row(cells, all(heads)) if any(cells) else None


def _inline(element: Element, children: list[Element | str]) -> Element:
    return Element("", element.attributes, children)


def _span(cell: Element, name: str) -> int:
    written = cell.attributes.get(name, "1").strip()
    return max(1, min(int(written), _MOST_SPANNED)) if written.isascii() and written.isdecimal() else 1


def _laid_out(rows: list[_Row]) -> list[str]:
    columns = max((len(row.cells) for row in rows), default=0)
    if columns <= 1:
        return [line for row in rows for line in "".join(row.cells).split("\n")]
    shown = [[cell.replace("\n", "; ") or EMPTY for cell in row.cells] for row in rows]
    if rows[0].heads and (columns > MAX_COLUMNS or len(rows) - 1 > MAX_ROWS):
        return [_named(shown[0], cells) for cells in shown[1:]]
    return [" | ".join(cells + [EMPTY] * (columns - len(cells))) for cells in shown]


def _named(heads: list[str], cells: list[str]) -> str:
    pairs = [f"{head}: {cell}" if head != EMPTY else cell for head, cell in zip(heads, cells, strict=False)]
    return "; ".join(pairs + cells[len(heads) :])
