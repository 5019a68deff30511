"""A note as plain text, in the three layouts: no padding, no boxes, nothing that only a monospaced font could show.

Prose is a heading and a body; a list has one `label: value` a line; a table has caption, header and ` | ` between
cells. The words are the same in all three, for they are the note's own.
"""

from shared.journal.model import Block, Check, HumanText, Layout, Note, Row, Statement, Table
from shared.journal.plain import quoted

SEPARATOR = " | "


def as_text(note: Note, layout: Layout) -> str:
    """Heading, body and footer, with line feeds between; no line feed at the end."""
    return "\n".join([note.heading, *body_lines(note, layout), note.footer])


def body_lines(note: Note, layout: Layout) -> list[str]:
    """What stands between heading and footer. A quotation keeps its own line feeds."""
    return [line for block in note.blocks for line in block_lines(block, layout)]


def block_lines(block: Block, layout: Layout) -> list[str]:
    """One block's lines; none when this layout says it elsewhere."""
    match block:
        case Statement() if layout is Layout.LIST:
            return [f"{fact.label}: {fact.value}" for fact in block.facts]
        case Statement():
            return [block.prose] if block.prose else []
        case HumanText():
            return [f"{introduction(block, layout)}: {quoted(block.text)}"]
        case Table():
            return table_lines(block, block.rows, layout)
        case Check():
            return [block.text]


def introduction(block: HumanText, layout: Layout) -> str:
    """What stands before a quotation's colon."""
    return block.label if layout is Layout.LIST else block.lead


def table_lines(table: Table, rows: tuple[Row, ...], layout: Layout) -> list[str]:
    """A log or a series, with these of its rows."""
    if not rows:
        return []
    match layout:
        case Layout.LIST:
            return [row_line(row, layout) for row in rows]
        case Layout.TABLE:
            return [table.caption, SEPARATOR.join(table.header), *(row_line(row, layout) for row in rows)]
        case Layout.PROSE if table.run_on:
            return [f"{table.caption}: {', '.join(row.prose for row in rows)}."]
        case Layout.PROSE:
            return [f"{table.caption}:", *(row_line(row, layout) for row in rows)]


def row_line(row: Row, layout: Layout) -> str:
    """One row on a line of its own. A cell's own ` | ` would make two cells of one: it becomes ` / `."""
    match layout:
        case Layout.LIST:
            return f"{row.label}: {row.value}"
        case Layout.TABLE:
            return SEPARATOR.join(cell.replace(SEPARATOR, " / ").replace("\n", " ") for cell in row.cells)
        case Layout.PROSE:
            return row.prose
