"""When what a message tells of happened."""

from datetime import UTC, datetime

from shared.fhir.references import Survey
from shared.fhir.values import JsonObject, JsonValue

# Per type of resource the elements that tell when, the most telling first.
_EVENT_TIMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "DetectedIssue": (("identifiedDateTime",), ("identifiedPeriod", "start")),
    "Encounter": (("period", "start"),),
    "MedicationDispense": (("whenHandedOver",), ("whenPrepared",)),
    "Observation": (("effectiveDateTime",), ("effectiveInstant",), ("effectivePeriod", "start")),
    "Communication": (("sent",), ("received",)),
    "QuestionnaireResponse": (("authored",),),
}
_WRITTEN: dict[str, tuple[tuple[str, ...], ...]] = {"Composition": (("date",),), "Bundle": (("timestamp",),)}


def occurred_at(surveyed: Survey) -> datetime | None:
    """The first moment any event in the message tells of, in UTC; else when the note or the Bundle was written.

    A date without a time of day is no moment: None if there is nothing better.
    """
    moments = [moment for found in surveyed.resources if (moment := _moment(found.resource, _EVENT_TIMES)) is not None]
    if moments:
        return min(moments)
    for kind in ("Composition", "Bundle"):
        for found in surveyed.resources:
            if found.resource.get("resourceType") == kind and (moment := _moment(found.resource, _WRITTEN)) is not None:
                return moment
    return None


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


def _moment(resource: JsonObject, table: dict[str, tuple[tuple[str, ...], ...]]) -> datetime | None:
    for path in table.get(str(resource.get("resourceType")), ()):
        value: JsonValue = resource
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        moment = utc(value)
        if moment is not None:
            return moment
    return None
