"""A note as an XHTML narrative that R4 takes (http://hl7.org/fhir/R4/narrative.html), for journals that show rich text.

Only elements, never attributes from a message; all text is escaped. A table has caption and headers with their scope,
so that a screen reader can say which column a cell is in; a list is a description list.
"""

import html
from typing import Final

from shared.journal.model import Block, Check, HumanText, Language, Layout, Note, Statement, Table
from shared.journal.plain import quoted
from shared.journal.text import block_lines, introduction

_LANGUAGES: Final = {Language.BOKMAL: "nb-NO", Language.NYNORSK: "nn-NO"}


def language_tag(language: Language) -> str:
    """BCP 47: `nb-NO` or `nn-NO`."""
    return _LANGUAGES[language]


def as_xhtml(note: Note, layout: Layout) -> str:
    """One `div`, ready to be `Narrative.div`."""
    tag = language_tag(note.language)
    inside = [f"<p><b>{escaped(note.heading)}</b></p>"]
    listed: list[tuple[str, str]] = []
    for block in note.blocks:
        if layout is Layout.LIST and (pairs := _pairs(block)) is not None:
            listed += pairs
            continue
        inside += [*_list(listed), *_block(block, layout)]
        listed = []
    inside += [*_list(listed), f"<p><i>{escaped(note.footer)}</i></p>"]
    opening = f'<div xmlns="http://www.w3.org/1999/xhtml" lang="{tag}" xml:lang="{tag}">'
    return f"{opening}{''.join(inside)}</div>"


def escaped(text: str) -> str:
    """Text for XHTML: line feeds as `<br/>`. It is never read as markup again."""
    return html.escape(text, quote=False).replace("\n", "<br/>")


def _pairs(block: Block) -> list[tuple[str, str]] | None:
    match block:
        case Statement():
            return [(fact.label, fact.value) for fact in block.facts]
        case HumanText():
            return [(introduction(block, Layout.LIST), quoted(block.text))]
        case Table():
            return [(row.label, row.value) for row in block.rows]
        case Check():
            return None


def _list(pairs: list[tuple[str, str]]) -> list[str]:
    if not pairs:
        return []
    return ["<dl>", *(f"<dt>{escaped(label)}</dt><dd>{escaped(value)}</dd>" for label, value in pairs), "</dl>"]


def _block(block: Block, layout: Layout) -> list[str]:
    if isinstance(block, Table) and layout is Layout.TABLE:
        return _table(block)
    return [f"<p>{escaped(line)}</p>" for line in block_lines(block, layout)]


def _table(table: Table) -> list[str]:
    if not table.rows:
        return []
    header = "".join(f'<th scope="col">{escaped(name)}</th>' for name in table.header)
    rows = ("".join(f"<td>{escaped(cell)}</td>" for cell in row.cells) for row in table.rows)
    return [
        f"<table><caption>{escaped(table.caption)}</caption><thead><tr>{header}</tr></thead><tbody>",
        *(f"<tr>{cells}</tr>" for cells in rows),
        "</tbody></table>",
    ]
