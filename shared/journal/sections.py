"""The texts of Compositions: what people wrote, before what systems put together.

A human's text is quoted under its author's name. A system's text stands under its own title. A section that holds
nothing but an identifier, or nothing, is left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.fhir.codes import fold
from shared.journal.ledger import Node, extension
from shared.journal.leftovers import Heard
from shared.journal.model import Language, Omission
from shared.journal.naming import same, wording
from shared.journal.plain import quoted
from shared.journal.terms import terms
from shared.journal.work import Draft, listed, person_name

_HUMAN: Final = {"1": "note", "1.1": "follow-up", "1.2": "event-description", "1.3": "comment"}
_LEADS: Final = {"note": "note", "follow-up": "note", "event-description": "event-description", "comment": "comment"}
_WORD: Final = re.compile(r"\w+")
_LABEL_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Text:
    """One section's text, ready to quote."""

    human: bool
    lead: str
    label: str
    text: str
    section: Node | None = None
    """The section, when its title and its text are all that it says."""


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of a message's compositions."""

    human: tuple[Text, ...]
    machine: tuple[Text, ...]

    def __bool__(self) -> bool:
        return bool(self.human or self.machine)


def read_texts(draft: Draft) -> Texts:
    """Read the sections of all compositions, nested ones too, and notes on Encounters."""
    identifiers = _identifiers(draft)
    found: dict[tuple[str, str], Text] = {}
    for composition in draft.work.parts.all("Composition"):
        authors = names(composition.each("author"), draft)
        for section in _sections(composition):
            text = _text(section, authors, identifiers, draft)
            if text is not None:
                found.setdefault((text.lead, text.text), text)
    for encounter in draft.work.parts.all("Encounter"):
        for note in extension(encounter, "vkp-annotation"):
            if (annotation := note.one("valueAnnotation")) is not None:
                text = _annotation(annotation, draft)
                if text is not None:
                    found.setdefault((text.lead, text.text), text)
    texts = list(found.values())
    return Texts(tuple(t for t in texts if t.human), tuple(t for t in texts if not t.human))


def _sections(node: Node) -> list[Node]:
    return [each for section in node.each("section") for each in (section, *_sections(section))]


def names(references: Sequence[Node], draft: Draft) -> str:
    """Authors, by name."""
    found = [name for each in references if (name := person_name(each, draft.work)) is not None]
    return listed(found, draft.work)


def _text(section: Node, authors: str, identifiers: frozenset[str], draft: Draft) -> Text | None:
    narrative = section.one("text")
    div = narrative.raw("div") if narrative is not None else None
    text = draft.work.parts.ledger.cleaner.block(div) if div is not None else ""
    worded = wording(section.one("code"), draft.work.language, "section")
    if narrative is not None:
        narrative.leave(Omission.TECHNICAL, "status", "id")
    if narrative is None or not text or only_identifier(text, identifiers):
        if narrative is not None:
            narrative.leave(Omission.IDENTIFIER if text else Omission.EMPTY, "div")
        title = section.raw("title")
        if title is not None and (only_identifier(title, identifiers) or not text or worded.code == "2"):
            section.leave(Omission.EMPTY, "title")
        return None
    narrative.mark("div")
    kind = _HUMAN.get(worded.code or "", "")
    title = section.told("title") or ""
    if kind and title and _is_label(title, kind, worded.code):
        section.drop(Omission.CODE, "title")
        title = ""
    title = ", ".join(dict.fromkeys(filter(None, [title, *worded.theirs])))
    own = names(section.each("author"), draft) or authors
    if not kind:
        label = title or draft.label("system-text")
        return Text(False, label, label, text, None if worded.theirs else section)
    words = draft.work.terms
    label = words.label(kind)
    if not title:
        lead = words.lead(f"{_LEADS[kind]}-from", author=own) if own else words.lead(_LEADS[kind])
    else:
        label = title
        lead = words.lead("titled-from", title=title, author=own) if own else title
    return Text(True, lead, words.lead("label-from", label=label, author=own) if own else label, text)


def _is_label(title: str, kind: str, code: str | None) -> bool:
    """Whether a title says no more than the section's code does, in either language."""
    both = [terms(language) for language in Language]
    return any(same(title, each.label(kind)) or same(title, each.code("section", code) or "") for each in both)


def _annotation(annotation: Node, draft: Draft) -> Text | None:
    raw = annotation.raw("text")
    text = draft.work.parts.ledger.cleaner.block(raw) if raw is not None else ""
    if not text:
        return None
    annotation.mark("text")
    author = annotation.told("authorString")
    reference = annotation.one("authorReference")
    if author is None and reference is not None:
        author = person_name(reference, draft.work)
    words = draft.work.terms
    lead = words.lead("observation-from", author=author) if author else words.lead("observation")
    label = words.label("observation")
    return Text(True, lead, words.lead("label-from", label=label, author=author) if author else label, text)


def tell(draft: Draft, texts: Sequence[Text]) -> None:
    """Quote texts. What a person wrote is always quoted; a system's text is not when the note has its words already."""
    heard = Heard(draft)
    for each in texts:
        if each.human or each.section is None or not heard.said(each.text):
            draft.quote(each.lead, each.label, each.text)
        else:
            each.section.drop(Omission.REPEATED, "title")
            each.section.drop(Omission.REPEATED, "text")


def _identifiers(draft: Draft) -> frozenset[str]:
    """The identifiers of the message: a text that holds nothing else is no text."""
    found: set[str] = set()
    stack: list[Node] = [draft.work.parts.root, *(n for nodes in draft.work.parts.by_kind.values() for n in nodes)]
    for node in stack:
        for identifier in node.each("identifier"):
            if value := identifier.raw("value"):
                found.add(value.strip().casefold())
        for name in ("id", "serialNumber"):
            if value := node.raw(name):
                found.add(value.strip().casefold())
    return frozenset(value for value in found if len(value) > 3)


def only_identifier(text: str, identifiers: frozenset[str]) -> bool:
    """Whether a text is one of the identifiers, with or without a label."""
    folded = text.casefold()
    for value in identifiers:
        if value in folded:
            rest = _WORD.findall(folded.replace(value, " "))
            return len(rest) <= _LABEL_WORDS and not any(character.isdigit() for word in rest for character in word)
    return False


def title_of(draft: Draft, composition: Node) -> str | None:
    """The Composition's own title, unless it is one of the message's identifiers."""
    raw = composition.raw("title")
    if raw is None:
        return None
    if only_identifier(raw, _identifiers(draft)):
        composition.leave(Omission.IDENTIFIER, "title")
        return None
    return composition.told("title")


def tell_titles(draft: Draft) -> None:
    """The Compositions' own titles and categories, where they say more than the heading and the code do."""
    for composition in draft.work.parts.all("Composition"):
        unnamed = [name for each in composition.each("author") if (name := person_name(each, draft.work)) is not None]
        heard = Heard(draft)
        draft.fact("author", listed([name for name in unnamed if not heard.said(name)], draft.work))
        for category in composition.each("category"):
            for text in wording(category, draft.work.language, "category").theirs:
                draft.fact("category", text)
        raw = composition.raw("title")
        if raw is None or (*composition.path, "title") in draft.work.parts.ledger.told:
            continue
        if any(fold(raw) in fold(each) for each in (draft.type, *draft.names)):
            composition.leave(Omission.REPEATED, "title")
        elif (title := title_of(draft, composition)) is not None:
            draft.fact("sender-title", quoted(title))
