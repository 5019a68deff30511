"""What every template works with: the message's parts, the words, the choices; and the note as it grows."""

from dataclasses import dataclass, field
from typing import Final

from shared.journal import writing
from shared.journal.ledger import Node
from shared.journal.model import Block, Check, Fact, HumanText, Language, NoteChoices, NoteContext, Statement
from shared.journal.parts import Parts
from shared.journal.plain import quoted
from shared.journal.terms import Terms
from shared.journal.when import When
from shared.journal.writing import NBSP

_ENDINGS: Final = (".", "!", "?", "…", ".»", "!»", "?»")


@dataclass(frozen=True, slots=True)
class Work:
    """A message on its way to a note."""

    parts: Parts
    terms: Terms
    choices: NoteChoices
    context: NoteContext

    @property
    def language(self) -> Language:
        """The note's language."""
        return self.terms.language

    @property
    def patient(self) -> str:
        """What the municipality calls the person: `pasienten`."""
        return self.terms.word(f"patient.{self.choices.patient_word}")

    def date(self, when: When | None) -> str:
        """`15.01.2026`, `mars 2022` or `2022`; nothing when no date was told."""
        if when is None:
            return ""
        if when.day is not None:
            return writing.date_text(when.day)
        return writing.partial_date(when.sent) or ""

    def clock(self, when: When | None, *, seconds: bool = False) -> str:
        """`kl. 08.12`; nothing when no clock time was told."""
        if when is None:
            return ""
        if when.moment is not None:
            return writing.clock(when.moment, self.language, seconds=seconds)
        return f"kl.{NBSP}{when.clock}" if when.clock else ""

    def stamp(self, when: When | None, *, seconds: bool = False) -> str:
        """`15.01.2026 kl. 08.12`, as much as was told."""
        return " ".join(filter(None, (self.date(when), self.clock(when, seconds=seconds))))

    def at(self, when: When | None, beside: When | None, *, seconds: bool = False) -> str:
        """As `stamp`, but without the date when `beside` is of the same day and there is a clock time."""
        clock = self.clock(when, seconds=seconds)
        if clock and when is not None and beside is not None and when.day == beside.day:
            return clock
        return self.stamp(when, seconds=seconds)

    def span(self, start: When | None, end: When | None, beside: When | None, *, seconds: bool = False) -> str:
        """`kl. 02.00–02.03`, with dates where they differ; only what was told."""
        if end is None or not self.stamp(end):
            return self.at(start, beside, seconds=seconds)
        if start is None or not self.stamp(start):
            return f"–{self.at(end, beside, seconds=seconds)}"
        first, last = self.at(start, beside, seconds=seconds), self.at(end, start, seconds=seconds)
        if start.day == end.day and self.clock(start) and self.clock(end):
            return f"{first}–{last.removeprefix(f'kl.{NBSP}')}"
        return f"{first} – {last}"


@dataclass(slots=True)
class Draft:
    """A note that is being written."""

    work: Work
    template: str
    type: str
    """The first words of the heading."""
    when: When | None = None
    until: When | None = None
    untimed: bool = False
    """The heading shows no time although there is one (it cannot be right)."""
    spanned: bool = False
    """The heading shows until when."""
    dated_only: bool = False
    """The heading shows the day, not the hour."""
    state: str = ""
    """After the time: `ikke kvittert`."""
    marks: list[str] = field(default_factory=list)
    """In brackets after the time: `(foreløpig)`."""
    blocks: list[Block] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    names: tuple[str, ...] = ()
    """Other names of what the heading says, in both languages: a title that is one of them says no more."""
    footer_author: str = ""
    """Set when a person wrote all of it."""

    def say(self, prose: str, *facts: Fact) -> None:
        """Tell in our own words; a list shows the sentence too when it has no facts."""
        self.blocks.append(Statement(prose, facts or (Fact(self.label("remark"), prose),)))

    def fact(self, label: str, value: str) -> None:
        """Tell one fact, as a sentence `Label: value.` and as a line."""
        if value:
            name = self.work.terms.label(label)
            self.blocks.append(Statement(labelled(name, value), (Fact(name, value),)))

    def join(self, since: int) -> None:
        """Put the statements told since a block on one line, as sentences that belong together."""
        told = self.blocks[since:]
        joined = [block for block in told if isinstance(block, Statement) and block.prose]
        if len(joined) > 1:
            prose = " ".join(block.prose for block in joined)
            facts = tuple(fact for block in joined for fact in block.facts)
            rest = [block for block in told if block not in joined]
            self.blocks[since:] = [Statement(prose, facts), *rest]

    def quote(self, lead: str, label: str, text: str) -> None:
        """Tell in the words of who wrote it."""
        if text:
            self.blocks.append(HumanText(lead, label, text))

    def doubt(self, key: str, **values: object) -> None:
        """Ask a person to look, once."""
        text = self.work.terms.doubt(key, **values)
        if text not in self.checks:
            self.checks.append(text)

    def finish(self) -> tuple[Block, ...]:
        """All blocks, the doubts last."""
        return (*self.blocks, *(Check(text) for text in self.checks))

    def label(self, key: str) -> str:
        """What stands before a colon."""
        return self.work.terms.label(key)


def labelled(label: str, value: str) -> str:
    """`Årsak: «fallt i stua».` with a full stop unless the value has its own."""
    return f"{label}: {value}" + ("" if value.endswith(_ENDINGS) else ".")


def listed(names: list[str], work: Work) -> str:
    """`Kari, Ola og Per`, each once."""
    once = list(dict.fromkeys(names))
    return " ".join([", ".join(once[:-1]), work.terms.word("and"), once[-1]]) if len(once) > 1 else "".join(once)


def quoted_all(texts: list[str]) -> str:
    """Several quotations, each once."""
    return ", ".join(quoted(text) for text in dict.fromkeys(texts))


def person_name(reference: Node, work: Work) -> str | None:
    """How a person or a unit is named: the display, else the user name as sent; never a number of a register."""
    display = reference.told("display")
    if display is not None:
        return display
    identifier = reference.one("identifier")
    value = identifier.raw("value") if identifier is not None else None
    if identifier is None or value is None or (identifier.raw("system") or "").startswith("urn:oid:"):
        return None
    if not any(character.isalpha() for character in value):
        return None
    name = identifier.told("value")
    return work.terms.word("from-user", name=name) if name else None
