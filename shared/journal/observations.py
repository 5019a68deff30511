"""Notes of measurements: one, several at a time, a batch; blood pressure, NEWS2 and CFS in their own forms."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from shared.journal import common, datatypes, log, measurements, quantities, sections
from shared.journal.ledger import Node
from shared.journal.measurements import Measurement, Value
from shared.journal.model import Fact, Omission, Row, Table
from shared.journal.terms import capital
from shared.journal.when import When
from shared.journal.work import Draft, Work, labelled
from shared.journal.writing import NBSP

_WITHDRAWN: Final = "entered-in-error"
_HEADING: Final = 80


def read(draft: Draft, node: Node) -> Measurement:
    """Read an Observation with its components."""
    concept = node.one("code")
    kind = measurements.kind_of(concept)
    name, more = measurements.name_of(draft, concept, kind)
    status = node.raw("status") or ""
    at, until = measurements.read_time(node)
    if status == _WITHDRAWN:
        # What the sender withdrew is not repeated.
        node.leave(Omission.WITHDRAWN)
        withdrawn = draft.work.terms.codes["observation-status"][status]
        return Measurement(kind, name, Value(withdrawn), at, until, (), (), status)
    node.leave(Omission.CODE, "category")
    survey = any(code.raw("code") == "survey" for each in node.each("category") for code in each.each("coding"))
    value = measurements.value_of(draft, node, kind, name, score=survey)
    facts = [Fact(draft.label("sender-text"), f"«{text}»") for text in more]
    components = node.each("component")
    if kind is not None and kind.key == "news2":
        value = _news2(draft, value, components, facts)
    elif kind is not None and kind.key == "cfs" and value.number is not None:
        value = Value(f"{value.text} (skala{NBSP}1–9)", value.number, value.unit)
    else:
        value = _components(draft, kind.key if kind is not None else "", value, components, facts)
    for member in node.each("hasMember"):
        if (text := member.told("display")) is not None:
            facts.append(Fact(draft.label("measurement"), text))
    scored = kind is not None and kind.score
    facts += measurements.read_facts(draft, node, by="registered-by" if scored else "measured-by")
    comments = measurements.read_comments(draft, node)
    return Measurement(kind, name, value, at, until, tuple(facts), tuple(comments), status)


def _components(draft: Draft, key: str, value: Value, components: Sequence[Node], facts: list[Fact]) -> Value:
    """Systolic over diastolic as one value; everything else as facts."""
    pressures: dict[str, Value] = {}
    for each in components:
        concept = each.one("code")
        kind = measurements.kind_of(concept)
        name, more = measurements.name_of(draft, concept, kind)
        part = measurements.value_of(draft, each, kind, name)
        if key == "pressure" and kind is not None and kind.key in ("systolic", "diastolic") and part.number is not None:
            pressures[kind.key] = part
        else:
            facts.append(measurements.labelled_value(name, part))
        facts += [Fact(draft.label("sender-text"), f"«{text}»") for text in more]
        facts += [
            Fact(f"{fact.label} ({name})", fact.value) for fact in measurements.read_facts(draft, each) if fact.value
        ]
    high, low = pressures.get("systolic"), pressures.get("diastolic")
    if high is None or low is None or high.number is None or low.number is None or high.unit != low.unit:
        names = draft.work.terms.codes["observation"]
        facts[:0] = [measurements.labelled_value(names[key], part) for key, part in pressures.items()]
        return value
    if high.number < low.number:
        draft.doubt("pressure-reversed", systolic=high.text, diastolic=low.text)
    text = quantities.blood_pressure(high.number, low.number, high.unit)
    if high.unit is None:
        text = f"{text} ({draft.work.terms.word('unit-not-stated')})"
    compared = any(
        amount is not None and amount.raw("comparator") for amount in (each.one("valueQuantity") for each in components)
    )
    if compared:
        text = f"{high.text} / {low.text}"
    return Value(f"{value.text}, {text}" if value.text else text, None, high.unit)


def _news2(draft: Draft, value: Value, components: Sequence[Node], facts: list[Fact]) -> Value:
    """The sub-scores as sent. They are summed only to see whether the message contradicts itself."""
    terms = draft.work.terms
    scores: list[Decimal | int] = []
    shown: list[str] = []
    for each in components:
        concept = each.one("code")
        codes = [code.raw("code") or "" for code in concept.each("coding")] if concept is not None else []
        key = next((measurements.news2_part(code) for code in codes if measurements.news2_part(code)), None)
        if key is not None and concept is not None:
            concept.leave(Omission.CODE, "coding")
            name, more = terms.codes["news2"][key], list(filter(None, [concept.told("text")]))
        else:
            name, more = measurements.name_of(draft, concept, None)
        part = measurements.value_of(draft, each, None, name, score=True)
        if part.number is not None:
            scores.append(part.number)
        read = [text for held in each.each("interpretation") if (text := datatypes.concept(draft.work, held))]
        said = ", ".join(f"«{text}»" for text in [*more, *read])
        colon = ":" if key in ("saturation-1", "saturation-2") else ""
        shown.append(f"{name}{colon} {part.text}" + (f" ({said})" if said else ""))
    if shown:
        facts.append(Fact(draft.label("sub-scores"), ", ".join(shown)))
    complete = len(scores) == len(components) == measurements.NEWS2_PARTS
    if complete and value.number is not None and sum(scores) != value.number:
        draft.doubt("score-sum", sum=quantities.number(sum(scores, Decimal(0))), total=value.text)
    return value


def measurement_note(work: Work) -> Draft:
    """A note of one or several Observations without an alert."""
    draft = Draft(work, "measurement/1", "")
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    found = [read(draft, node) for node in work.parts.all("Observation")]
    head(draft, found)
    tell(draft, found)
    log.tell_said(draft, treatment)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_severity(draft, None)
    common.tell_equipment(draft, devices)
    return draft


def head(draft: Draft, found: Sequence[Measurement]) -> None:
    """The heading and the time of measurements."""
    work, terms = draft.work, draft.work.terms
    draft.spanned = True
    timed = [each.at for each in found if each.at is not None]
    ends = [each.until or each.at for each in found if each.at is not None]
    if len(found) == 1:
        one = found[0]
        draft.when, draft.until = one.at, one.until
        key = "score" if one.score else "measurement"
        # A score has no unit to part it from the date that follows.
        what = one.what + ("," if one.value.text and not one.value.unit else "")
        draft.type = capital(terms.heading(key, what=what))
        if one.status in ("cancelled", "registered", "unknown"):
            draft.marks.append(terms.word("status", status=terms.codes["observation-status"][one.status]))
        return
    draft.when = min(timed, key=_instant, default=None)
    draft.until = max((each for each in ends if each is not None), key=_instant, default=None)
    if draft.until == draft.when:
        draft.until = None
    names = list(dict.fromkeys(each.name for each in sorted(found, key=_order)))
    draft.type = terms.heading("measurements", what=", ".join(names))
    if len(f"{draft.type} {work.span(draft.when, draft.until, None)}") > _HEADING:
        draft.type = terms.heading("measurements-many", count=len(found))


def _instant(at: When) -> tuple[str, float]:
    return (at.day.isoformat() if at.day is not None else "", at.moment.timestamp() if at.moment is not None else 0.0)


def _order(each: Measurement) -> tuple[int, str]:
    return (each.kind.order if each.kind is not None else 1000, each.name)


def tell(draft: Draft, found: Sequence[Measurement]) -> None:
    """One measurement in sentences, several in a table."""
    if len(found) == 1:
        _tell_one(draft, found[0])
    elif found:
        _tell_series(draft, found)
    for each in found:
        for at in (each.at, each.until):
            if at is not None:
                common.doubt_written(draft, at)
    if len(found) == 1:
        return
    for each in found:
        for lead, text in each.comments:
            draft.quote(f"{capital(each.name)} – {lead[:1].lower()}{lead[1:]}", f"{lead} ({each.name})", text)


def _tell_one(draft: Draft, one: Measurement) -> None:
    work, say = draft.work, draft.work.terms.say
    first = len(draft.blocks)
    time = work.span(one.at, one.until, None)
    what = capital(one.what)
    key = "registered" if one.score else "measured"
    facts = [Fact(capital(one.name), one.value.text or work.terms.word("not-stated"))]
    if time:
        draft.say(say(key, what=what, time=time), *facts, Fact(draft.label("time"), time))
    else:
        missing = Fact(draft.label("time"), work.terms.word("not-stated"))
        draft.say(f"{say('measured-untimed', what=what)} {say('measured-time-not-stated')}", *facts, missing)
    if one.status == "cancelled":
        draft.say(say("not-done"), Fact(draft.label("status"), say("not-done")))
    for fact in one.facts:
        draft.say(labelled(fact.label, fact.value or work.terms.word("not-stated")), fact)
    draft.join(first)
    for lead, text in one.comments:
        draft.quote(lead, lead, text)


def _tell_series(draft: Draft, found: Sequence[Measurement]) -> None:
    terms = draft.work.terms
    header = (terms.label("time"), terms.label("measurement"), terms.label("value"), terms.label("remark"))
    ordered = sorted(found, key=lambda each: (_instant(each.at) if each.at is not None else ("9", 0.0), _order(each)))
    rows = tuple(_row(draft, each) for each in ordered)
    draft.blocks.append(Table(terms.label("measurements"), header, rows, run_on=False))


def _row(draft: Draft, each: Measurement) -> Row:
    work, terms = draft.work, draft.work.terms
    time = work.span(each.at, each.until, None) or terms.word("time-not-stated")
    facts = list(each.facts)
    if each.status in ("cancelled", "registered", "unknown", "preliminary"):
        facts.insert(0, Fact(terms.label("status"), terms.codes["observation-status"][each.status]))
    remark = ". ".join(f"{fact.label}: {fact.value}" for fact in facts)
    value = each.value.text or terms.word("not-stated")
    beside = work.span(each.at, each.until, draft.when) or time
    prose = f"{beside}: {each.name} {value}" + (f". {remark}" if remark else "")
    return Row(
        prose,
        capital(each.name),
        f"{value}, {time}" + (f". {remark}" if remark else ""),
        (time, capital(each.name), value, remark or "–"),
    )
