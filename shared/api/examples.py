"""Examples in the API's description: own, synthetic, and accepted by the hub as they are (a test posts them)."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.fhir import outcome
from shared.messages import lanes
from shared.messages.lifecycle import State

_DATA: Final = Path(__file__).parent / "data" / "messages.json"

ORGNR: Final = "999999999"
RESOURCE: Final = "bundle"
EVENT_ID: Final = lanes.event_id(
    lanes.inbound(ORGNR, "example"),
    sender="example",
    orgnr=ORGNR,
    resource=RESOURCE,
    business_identifier=None,
    sha256="example",
)


@cache
def messages() -> dict[str, Any]:
    """A small message for each address. Not to be changed by those who get it."""
    found: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return found


def location() -> str:
    """Where the accepted example's state is asked for."""
    return f"/epj/r4/{ORGNR}/{RESOURCE}/{EVENT_ID}/$status"


def accepted() -> dict[str, Any]:
    """The answer to an accepted message."""
    return outcome.accepted_outcome(EVENT_ID)


def waiting() -> dict[str, Any]:
    """The status of a message whose receiver was not there at the first try."""
    return {
        "id": EVENT_ID,
        "state": State.WAITING.value,
        "registered": "2026-01-15T08:36:38.104000Z",
        "routed": "2026-01-15T08:36:38.131000Z",
        "delivered": None,
        "journaled": None,
        "failed": None,
        "receivers": [
            {
                "receiver": "epj",
                "state": State.WAITING.value,
                "delivered": None,
                "attempts": 1,
                "nextAttempt": "2026-01-15T08:36:43.160000Z",
                "reason": "REC_HTTP_503",
            }
        ],
    }


def healthy() -> dict[str, Any]:
    """The hub with all it depends on."""
    return {
        "status": "ok",
        "dependencies": {"cosmos": "ok", "servicebus": "ok"},
        "release": "0.1.0+5f0c8a2e7d9b41630c5a8e9f2d7b6a1c3e4f5061",
    }
