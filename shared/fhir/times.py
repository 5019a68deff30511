"""When what a message tells of happened."""

from datetime import UTC, datetime

from shared.fhir.envelope.references import Survey, objects
from shared.fhir.values import JsonObject, JsonValue

# Types of resource, the most telling first, and of each the elements that tell when: an alert happened when it was
# raised, whenever the measurement behind it was made or the supervision after it began.
_EVENT_TIMES: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("DetectedIssue", (("identifiedDateTime",), ("identifiedPeriod", "start"))),
    ("Flag", (("period", "start"),)),
    ("MedicationDispense", (("whenHandedOver",), ("whenPrepared",))),
    ("Encounter", (("period", "start"),)),
    ("QuestionnaireResponse", (("authored",),)),
    ("Observation", (("effectiveDateTime",), ("effectiveInstant",), ("effectivePeriod", "start"))),
    ("Communication", (("sent",), ("received",))),
)
_WRITTEN = (("Composition", (("date",),)), ("Bundle", (("timestamp",),)))
_REPORTED = "0"
"""Code of vkp-composition-event: the event was reported."""


def occurred_at(surveyed: Survey) -> datetime | None:
    """The moment of the event, in UTC; else when it was reported; else when the note or the Bundle was written.

    Of several events of the most telling type, the first that happened. A date without a time of day is no moment:
    None if there is nothing better.
    """
    for type_name, paths in _EVENT_TIMES:
        moments = [moment for each in surveyed.of(type_name) if (moment := _moment(each, paths)) is not None]
        if moments:
            return min(moments)
    return _reported(surveyed) or _written(surveyed)


def utc(written: JsonValue) -> datetime | None:
    """An R4 dateTime or instant in UTC, to the microsecond; None for a date without time and for anything else."""
    if not isinstance(written, str) or "T" not in written:
        return None
    try:
        # Python has no leap seconds; what happened in one is put into the second before.
        moment = datetime.fromisoformat(written.replace(":60", ":59"))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _reported(surveyed: Survey) -> datetime | None:
    """When the treatment log says the event was reported."""
    moments = [
        moment
        for note in surveyed.of("Composition")
        for step in objects(note.get("event"))
        if any(
            coding.get("code") == _REPORTED
            for concept in objects(step.get("code"))
            for coding in objects(concept.get("coding"))
        )
        and (moment := _moment(step, (("period", "start"),))) is not None
    ]
    return min(moments, default=None)


def _written(surveyed: Survey) -> datetime | None:
    for type_name, paths in _WRITTEN:
        for each in surveyed.of(type_name):
            if (moment := _moment(each, paths)) is not None:
                return moment
    return None


def _moment(value: JsonObject, paths: tuple[tuple[str, ...], ...]) -> datetime | None:
    for path in paths:
        here: JsonValue = value
        for name in path:
            here = here.get(name) if isinstance(here, dict) else None
        moment = utc(here)
        if moment is not None:
            return moment
    return None
