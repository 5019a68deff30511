"""The operators' addresses in the OpenAPI document: the numbers people look at."""

from typing import Any, Final

from shared.access.refusals import CredentialsDoubtful
from shared.api import refusals
from shared.api.refusals import CORRELATION
from shared.api.registry_paths import SCHEME
from shared.errors import HubError, NotAuthenticated, NotAvailable, TooManyCalls, Unexpected
from shared.messages.urgency import Urgency
from shared.registry.refusals import EntryUnknown, SecurityLevel
from shared.watch.alerts import Kind
from shared.watch.measured import QUANTILES

TAG: Final = "operations"
ROUTES: Final[tuple[tuple[str, str], ...]] = (("GET", "operations/summary"),)

_REFUSALS: Final[tuple[type[HubError], ...]] = (
    CredentialsDoubtful, NotAuthenticated, SecurityLevel, EntryUnknown, TooManyCalls, NotAvailable, Unexpected,
)  # fmt: skip
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_AGE: Final[dict[str, Any]] = {
    "type": ["number", "null"], "minimum": 0, "description": "Seconds since the oldest was accepted; null: none",
}  # fmt: skip
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_MAYBE: Final[dict[str, Any]] = {"type": ["string", "null"]}
_AT_LEAST: Final[dict[str, Any]] = {"type": "boolean", "description": "Whether there may be more than is told"}


def summary() -> dict[str, Any]:
    """`GET /operations/summary`."""
    return {
        "operationId": "getSummary",
        "tags": [TAG],
        "summary": "How it goes: what waits, since when, and what is wrong",
        "description": "Operators see everything; whoever has monitoring or administration at the municipality they "
        "are logged in for sees its own. The age of the oldest undelivered message stands first, and those that have "
        "waited longest come first. Where too much waits to be counted, numbers are at least what is told (atLeast); "
        "ages are not. The last hour's measurements are added up over instances, twenty seconds late.",
        "security": [{SCHEME: []}],
        "responses": {
            "200": {
                "description": "At this moment",
                "headers": CORRELATION,
                "content": {"application/json": {"schema": _summary()}},
            },
            **refusals.responses(refusals.of(*_REFUSALS)),
        },
    }


def _summary() -> dict[str, Any]:
    waiting = _closed(oldestSeconds=_AGE, waiting=_COUNT, parked=_COUNT, blocked=_COUNT)
    receiver = _closed(
        orgnr=_TEXT,
        receiver={**_MAYBE, "description": "null: put back after it had no receiver, and not routed yet"},
        oldestSeconds=_AGE,
        classes=_closed(**{urgency.value: waiting for urgency in Urgency}),
        lanes=_COUNT,
        setAside=_COUNT,
        tries={**_COUNT, "description": "The most that a message waiting here has been tried"},
        atLeast=_AT_LEAST,
    )
    aside = _closed(orgnr=_TEXT, receiver=_MAYBE, cause=_TEXT, messages=_COUNT, oldestSeconds=_AGE)
    measured = _closed(
        orgnr=_TEXT,
        receiver=_TEXT,
        **{"class": {"enum": [urgency.value for urgency in Urgency]}},
        attempts=_COUNT,
        taken=_COUNT,
        later=_COUNT,
        refused=_COUNT,
        endToEndSeconds=_closed(**{f"p{round(part * 100)}": {"type": ["number", "null"]} for part in QUANTILES}),
    )
    hour = _closed(
        since=_TIME,
        accepted=_closed(**{urgency.value: _COUNT for urgency in Urgency}),
        receivers=_list(measured),
    )
    hour["properties"]["refused"] = {
        "type": "object", "additionalProperties": _COUNT, "description": "Calls, by code; for operators",
    }  # fmt: skip
    alert = _closed(
        kind={"enum": [kind.value for kind in Kind]}, since=_TIME, told={**_MAYBE, "format": "date-time"},
        orgnr=_MAYBE, receiver=_MAYBE, sender=_MAYBE, code=_MAYBE, waiting=_COUNT,
    )  # fmt: skip
    return _closed(
        at=_TIME, atLeast=_AT_LEAST, receivers=_list(receiver), setAside=_list(aside), lastHour=hour,
        alerts=_list(alert),
    )  # fmt: skip


def _closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "required": list(properties), "properties": properties, "additionalProperties": False,
    }  # fmt: skip


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}
