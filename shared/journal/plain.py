"""A sender's narrative, titles and displays as plain text, safe to put in a note.

Text that people wrote is kept whole: what cannot be kept as it was is marked in the text and named in `actions`. What
comes out holds no markup, no invisible characters and no national number. It is data: nothing in it is decoded or run
again, and each output escapes it for itself.
"""

import re
from dataclasses import dataclass
from typing import Final

from shared.journal.cleaning import clean, decode_references, mask_numbers, tidy, tidy_lines
from shared.journal.flatten import Seen, Setting, flatten
from shared.journal.markup import MAX_CHARACTERS, Element, TooMuch, has_markup, read_tree
from shared.journal.model import Language

NUMBER_MASKED: Final = "national-number-masked"
DROPPED: Final = "code-dropped"
"""Scripts, styles, embedded objects: gone with their content."""
BROKEN: Final = "not-well-formed"
UNREADABLE: Final = "not-shown"
"""Too large, too deep or too divided: the note says that the text is in the original message."""

_UNREADABLE_TEXT: Final = {
    Language.BOKMAL: "Teksten kunne ikke vises. Se originalmeldingen.",
    Language.NYNORSK: "Teksten kunne ikkje visast. Sjå originalmeldinga.",
}
_OUR_LINES: Final = re.compile(
    r"(?im)^(?P<lead>[ \u00a0]*(?:- |[0-9]+\. )?)"
    r"(?P<line>(?:Automatisk notat|Kontroller|Rettelse|Retting|Retter notat|Rettar notat|Trukket tilbake|"
    r"Trekt tilbake|Skrevet av|Skrive av|Overført automatisk|Behandlingslogg)\b.*)$"
)


@dataclass(frozen=True, slots=True)
class Plain:
    """Plain text, and what was done to get it (sorted, each once)."""

    text: str
    actions: tuple[str, ...] = ()


def plain_text(source: str, language: Language, *, links: bool = False) -> Plain:
    """A narrative's `div`, or text that a sender put where one belongs, as lines of plain text. Never raises.

    `links`: whether an address that is the text of its own link may be shown.
    """
    actions: set[str] = set()
    if len(source) > MAX_CHARACTERS:
        return Plain(_UNREADABLE_TEXT[language], (UNREADABLE,))
    if has_markup(source):
        try:
            text = _of_markup(source, Setting(language, links, set()), actions)
        except TooMuch:
            return Plain(_UNREADABLE_TEXT[language], (UNREADABLE,))
    else:
        text = tidy(clean(decode_references(source)))
    masked = mask_numbers(text, language)
    if masked.count:
        actions.add(NUMBER_MASKED)
    return Plain(masked.text, tuple(sorted(actions)))


def plain_line(source: str, language: Language) -> Plain:
    """A title, a display or another short text on one line, by the same rules. Never raises."""
    plain = plain_text(source, language)
    line = " ".join(part for each in plain.text.split("\n") if (part := each.strip(" ")))
    masked = mask_numbers(line, language)
    actions = {*plain.actions, NUMBER_MASKED} if masked.count else plain.actions
    return Plain(masked.text, tuple(sorted(actions)))


def quoted(text: str) -> str:
    """Text that is not ours, in « ». Quotation marks inside become “ ”, so that only the last » ends it.

    A line that begins as one of our own lines does stands in “ ” too: it cannot pose as ours.
    """
    inner = text.replace("«", "“").replace("»", "”")
    return f"«{_OUR_LINES.sub(lambda line: f'{line["lead"]}“{line["line"]}”', inner)}»" if inner else ""


def _of_markup(source: str, setting: Setting, actions: set[str]) -> str:
    tree = read_tree(source)
    if tree.dropped:
        actions.add(DROPPED)
    if tree.broken:
        actions.add(BROKEN)
    root = tree.root
    if _is_plain(root):
        # Text with its own lines, in one element: senders put what a person typed there as it is.
        return tidy("".join(_texts(root)))
    text = flatten(root, setting)
    actions |= {str(each) for each in setting.seen}
    return tidy_lines(text)


def _is_plain(root: Element) -> bool:
    elements = [child for child in root.children if isinstance(child, Element)]
    if len(elements) != 1 or elements[0].name != "div" or elements[0].attributes:
        return False
    outside = (child for child in root.children if isinstance(child, str))
    return not any(text.strip() for text in outside) and all(isinstance(child, str) for child in elements[0].children)


def _texts(root: Element) -> list[str]:
    inside = next(child for child in root.children if isinstance(child, Element))
    return [child for child in inside.children if isinstance(child, str)]


__all__ = ["BROKEN", "DROPPED", "NUMBER_MASKED", "UNREADABLE", "Plain", "Seen", "plain_line", "plain_text", "quoted"]
