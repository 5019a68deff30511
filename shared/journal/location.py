"""Notes of localisation: an alarm from a GPS unit, a last known place, a position.

Coordinates are about where somebody goes: they are left out unless the municipality asks for them.
"""

from decimal import Decimal

from shared.journal import alerts, common, datatypes, log, quantities, sections
from shared.journal.alerts import Alert
from shared.journal.ledger import Node, extension
from shared.journal.model import Fact, Omission
from shared.journal.when import When, when
from shared.journal.work import Draft, Work


def location_note(work: Work, alert: Alert) -> Draft:
    """A note of a localisation alarm, or of a position alone."""
    terms = work.terms
    heading = terms.heading("location" if alert.issue is not None or alert.code else "position")
    draft = alerts.begin(work, alert, "location/1", heading)
    treatment = log.read_log(draft)
    texts = sections.read_texts(draft)
    devices = common.equipment(draft)
    positions = [_position(location) for location in work.parts.all("Location")]
    if draft.when is None:
        draft.when = next((at for at, _ in positions if at is not None), None)
    alerts.tell_event(draft)
    common.tell_untimed(draft)
    draft.say(terms.say("location-alert"))
    alerts.tell_theirs(draft, alert)
    alerts.tell_detail(draft, alert.issue)
    _tell_positions(draft, positions)
    log.tell_said(draft, treatment)
    alerts.tell_other_alerts(draft, alert)
    common.tell_severity(draft, alert.issue)
    sections.tell(draft, texts.human)
    sections.tell(draft, texts.machine)
    log.tell_log(draft, treatment)
    log.tell_others(draft, treatment)
    common.tell_equipment(draft, devices)
    return draft


def _position(location: Node) -> tuple[When | None, Decimal | int | None]:
    """When a position was taken and how exact it is said to be."""
    for data in extension(location, "vkp-additionalpositiondata"):
        at: When | None = None
        accuracy: Decimal | int | None = None
        for each in data.each("extension"):
            if each.raw("url") == "timestamp":
                at = when(each.told_value("valueDateTime"))
            elif each.raw("url") == "horizontalAccuracy":
                accuracy = datatypes.number_of(each.told_value("valueDecimal"))
            else:
                each.leave(Omission.ADDRESS)
        return at, accuracy
    return None, None


def _tell_positions(draft: Draft, positions: list[tuple[When | None, Decimal | int | None]]) -> None:
    work, terms = draft.work, draft.work.terms
    first = len(draft.blocks)
    places = "; ".join(common.places(draft))
    at, accuracy = positions[0] if positions else (None, None)
    stamp = work.at(at, draft.when)
    if places:
        key = "place-known-at" if stamp else "place-known"
        value = f"{places}, {stamp}" if stamp else places
        draft.say(terms.say(key, place=places, time=stamp), Fact(draft.label("last-place"), value))
    if accuracy is not None:
        number = quantities.number(accuracy)
        draft.say(terms.say("accuracy", value=number))
    for location in work.parts.all("Location"):
        _tell_coordinates(draft, location)
    draft.join(first)


def _tell_coordinates(draft: Draft, location: Node) -> None:
    position = location.one("position")
    if position is None:
        return
    numbers = [datatypes.number_of(position.peek(name)) for name in ("latitude", "longitude")]
    if draft.work.choices.coordinates and all(number is not None for number in numbers):
        position.mark()
        shown = " / ".join(quantities.number(number) for number in numbers if number is not None)
        draft.fact("coordinates", shown)
    else:
        position.leave(Omission.SETTING)
        draft.say(draft.work.terms.say("position-kept-out"))
