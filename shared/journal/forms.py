"""Answered questionnaires (QuestionnaireResponse): every question with its answer, as the sender wrote them."""

from dataclasses import dataclass
from typing import Final

from shared.journal import datatypes
from shared.journal.ledger import Node, extension
from shared.journal.model import Fact, Omission, Row, Table
from shared.journal.plain import quoted
from shared.journal.when import When, when
from shared.journal.work import Draft, Work, person_name

_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what was answered to it."""

    number: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """An answered questionnaire."""

    name: str
    at: When | None
    answered_by: str
    answers: tuple[Answer, ...]
    unanswered: int
    status: str


def read_form(draft: Draft, node: Node) -> Form:
    """Read a QuestionnaireResponse."""
    work = draft.work
    named = node.one("_questionnaire")
    names = [text for each in extension(named, "display") if (text := each.told("valueString"))] if named else []
    contained = [text for each in node.each("contained") if (text := each.told("title")) is not None]
    answers: list[Answer] = []
    unanswered = _read_items(draft, node, "", answers, 0)
    return Form(
        next(iter([*names, *contained]), ""),
        when(node.told_value("authored")),
        _answered_by(work, node),
        tuple(answers),
        unanswered,
        node.raw("status") or "",
    )


def _answered_by(work: Work, node: Node) -> str:
    source, author, subject = node.one("source"), node.one("author"), node.one("subject")
    by = source or author
    if by is None:
        return ""
    own, mine = by.value.get("identifier"), subject.value.get("identifier") if subject is not None else None
    if (own is not None and own == mine) or (by.raw("type") == "Patient" and own is None):
        by.leave(Omission.NAME, "display")
        return work.terms.word("patient-self", patient=work.patient)
    return person_name(by, work) or ""


def _read_items(draft: Draft, node: Node, prefix: str, found: list[Answer], depth: int) -> int:
    """Read the items below a node in their order. How many questions have no answer."""
    unanswered = 0
    if depth > _DEEPEST:
        return unanswered
    for count, item in enumerate(node.each("item"), 1):
        number = f"{prefix}{count}"
        line = draft.work.parts.ledger.cleaner.line
        link = line(item.raw("linkId") or number)
        question = item.told("text") or draft.work.terms.word("question", number=link)
        replies = item.each("answer")
        answers = [text for each in replies if (text := datatypes.choice(draft.work, each, "value")) is not None]
        nested = bool(item.each("item")) or any(each.each("item") for each in replies)
        if answers or nested:
            found.append(Answer(number, question, tuple(answers)))
        else:
            unanswered += 1
            found.append(Answer(number, question, ()))
        unanswered += _read_items(draft, item, f"{number}.", found, depth + 1)
        for each in replies:
            unanswered += _read_items(draft, each, f"{number}.", found, depth + 1)
    return unanswered


def tell_form(draft: Draft, form: Form, *, titled: bool) -> None:
    """The answers, and how many are missing. `titled`: the heading names the form and its time."""
    work, terms = draft.work, draft.work.terms
    if not titled:
        draft.fact("form", " ".join(filter(None, [form.name and quoted(form.name), work.stamp(form.at)])))
    if form.answered_by:
        draft.fact("answered-by", form.answered_by)
    if form.status in terms.codes["form-status"]:
        draft.fact("status", terms.codes["form-status"][form.status])
    groups = {each.number for each in form.answers if not each.answers}
    rows = [_row(draft, each) for each in form.answers if each.answers or _group(each, form)]
    if rows:
        draft.blocks.append(
            Table(terms.label("answers"), (terms.label("question"), terms.label("answer")), tuple(rows), run_on=False)
        )
    missing = [each for each in form.answers if each.number in groups and not _group(each, form)]
    if missing:
        key = "unanswered-one" if len(missing) == 1 else "unanswered"
        text = "; ".join(quoted(each.question) for each in missing)
        prose = terms.say(key, count=len(missing))
        draft.say(f"{prose[:-1]}: {text}.", Fact(terms.label("unanswered"), text))


def _group(answer: Answer, form: Form) -> bool:
    """Whether a question without an answer has questions below it."""
    return any(each.number.startswith(f"{answer.number}.") for each in form.answers)


def _row(draft: Draft, answer: Answer) -> Row:
    """Numbered, so that no question can pose as a line of ours."""
    said = ", ".join(answer.answers)
    question = f"{answer.number}. {answer.question}"
    prose = f"{question} {said}" if answer.question.endswith(("?", ":", ".")) else f"{question}: {said}"
    label = draft.work.terms.word("question", number=answer.number)
    value = prose.removeprefix(f"{answer.number}. ") if said else answer.question
    return Row(prose if said else question, label, value, (question, said or "–"))


def form_heading(work: Work, form: Form) -> str:
    """The heading's first words."""
    return work.terms.heading("form-what", what=form.name) if form.name else work.terms.heading("form")
