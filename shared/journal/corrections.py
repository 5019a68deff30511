"""Corrections and withdrawals: new notes that point at the old one, which stays as it is.

Helsepersonelloven § 42: a journal is corrected by a new entry or a dated correction, never by deleting. What was wrong
is not repeated when a note is withdrawn; deleting (§ 43) is a person's decision in the journal system.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from shared.journal import common
from shared.journal.ledger import Node
from shared.journal.model import Block, Earlier, Fact, HumanText, Omission, Statement, Table
from shared.journal.plain import quoted
from shared.journal.when import When
from shared.journal.work import Draft, Work

_CORRECTED: Final = ("amended", "corrected")
_WITHDRAWN: Final = "entered-in-error"
_MAIN: Final = ("Composition", "DetectedIssue", "MedicationDispense", "Encounter", "QuestionnaireResponse", "Flag")


class Standing(Enum):
    """What a message is to an earlier one."""

    NEW = "new"
    PRELIMINARY = "preliminary"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"


def standing(work: Work) -> Standing:
    """Whether a message is new, corrects an earlier one, or withdraws it."""
    parts = work.parts
    main = parts.all(*_MAIN)
    measured = parts.all("Observation")
    compositions = parts.all("Composition")
    leading = compositions or main or measured
    if leading and all(node.raw("status") == _WITHDRAWN for node in leading):
        return Standing.WITHDRAWAL
    if any(node.raw("status") == _WITHDRAWN for node in main):
        return Standing.WITHDRAWAL
    if work.context.corrects is not None or any(node.raw("status") in _CORRECTED for node in (*main, *measured)):
        return Standing.CORRECTION
    if any(relation.raw("code") == "replaces" for node in compositions for relation in node.each("relatesTo")):
        return Standing.CORRECTION
    if any(node.raw("status") == "preliminary" for node in (*main, *measured)):
        return Standing.PRELIMINARY
    return Standing.NEW


def withdrawn_note(work: Work) -> Draft:
    """That the sender withdrew a note, and which; nothing of what it said."""
    terms, earlier = work.terms, work.context.corrects
    draft = Draft(work, "withdrawn/1", terms.heading("withdrawn"))
    draft.when = _time_of(work, draft, earlier)
    which = {"date": work.date(draft.when), "time": work.clock(draft.when)}
    reference = earlier.reference if earlier is not None else ""
    if earlier is None:
        prose = terms.say("withdrawn-unknown")
    elif which["date"] and which["time"]:
        prose = terms.say("withdrawn", reference=reference, **which)
    else:
        prose = terms.say("withdrawn-undated", reference=reference)
    draft.say(prose, Fact(draft.label("withdrawn"), prose.partition(": ")[2]))
    draft.say(terms.say("withdrawn-kept"))
    work.parts.ledger.told.clear()
    work.parts.ledger.left_out[()] = Omission.WITHDRAWN
    return draft


def _time_of(work: Work, draft: Draft, earlier: Earlier | None) -> When | None:
    if earlier is not None and earlier.occurred_at is not None:
        return common.of_moment(earlier.occurred_at)
    issues: Sequence[Node] = work.parts.all("DetectedIssue", "Flag")
    return common.event_time(draft, next(iter(issues), None))[0]


def tell_correction(draft: Draft, before: tuple[Block, ...] | None) -> None:
    """Before all else: which note is corrected, and what changed in it. `before`: that note's blocks, when known."""
    work, terms, earlier = draft.work, draft.work.terms, draft.work.context.corrects
    if earlier is None:
        prose = terms.say("corrects-unknown")
    elif earlier.occurred_at is None:
        prose = terms.say("corrects-undated", reference=earlier.reference)
    else:
        at = common.of_moment(earlier.occurred_at)
        prose = terms.say("corrects", date=work.date(at), time=work.clock(at), reference=earlier.reference)
    told: list[Block] = [Statement(prose, (Fact(terms.label("corrects"), prose.partition(" ")[2]),))]
    if before is not None:
        told += _changes(draft, before)
    draft.blocks[:0] = told


def _changes(draft: Draft, before: tuple[Block, ...]) -> list[Block]:
    terms = draft.work.terms
    old, new = facts_of(before), facts_of(tuple(draft.blocks))
    gone = [fact for fact in old if fact not in new]
    come = [fact for fact in new if fact not in old]
    told: list[Block] = []
    for fact in come:
        was = next((each for each in gone if each.label == fact.label), None)
        if was is not None:
            gone.remove(was)
            prose = terms.say("changed", label=fact.label, old=quoted(was.value)[1:-1], new=quoted(fact.value)[1:-1])
        else:
            prose = terms.say("added", label=fact.label, new=quoted(fact.value)[1:-1])
        prose = prose.replace(".».", ".»")
        told.append(Statement(prose, (Fact(terms.label("changed"), prose.partition(": ")[2]),)))
    for fact in gone:
        prose = terms.say("removed", label=fact.label, old=quoted(fact.value)[1:-1]).replace(".».", ".»")
        told.append(Statement(prose, (Fact(terms.label("changed"), prose),)))
    if not told:
        prose = terms.say("unchanged")
        told.append(Statement(prose, (Fact(terms.label("changed"), prose),)))
    return told


def facts_of(blocks: tuple[Block, ...]) -> list[Fact]:
    """All that blocks say, as labels and values."""
    found: list[Fact] = []
    for block in blocks:
        if isinstance(block, Statement):
            found += block.facts
        elif isinstance(block, HumanText):
            found.append(Fact(block.label, block.text))
        elif isinstance(block, Table):
            found += [Fact(row.label, row.value) for row in block.rows]
    return found
