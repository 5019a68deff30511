"""What an entry of the audit log looks like in plain JSON, for the OpenAPI document."""

from typing import Any, Final

from shared.trail.entry import Family, Kind
from shared.trail.plain import OUTCOMES, TEXTS

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time", "description": "UTC"}
_MEANINGS: Final = {
    "reason": "A code: why it ended so",
    "system": "The system that acted: a vkp-id, or a part of the hub",
    "message": "The message's id",
    "original": "The message or entry that this one answers, repeats or takes back",
    "sender": "The vkp-id of the message's sender",
    "receiver": "The receiver's id, or the municipality's orgnr",
    "trace": "W3C traceparent",
    "correlation": "The caller's id for the exchange, or the hub's",
    "purpose": "A code of v3-ActReason",
    "why": "The reason that a person gave for a change of the register",
}

_PERSON: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Who did it; `subject` is `withheld` for those who may not see people",
    "required": ["subject"],
    "additionalProperties": False,
    "properties": {"subject": _TEXT, "name": _TEXT, "role": _TEXT, "orgnr": _TEXT},
}
_CHANGE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["field", "before", "after"],
    "additionalProperties": False,
    "properties": {"field": _TEXT, "before": _TEXT, "after": _TEXT},
}
_HEADER: Final[dict[str, dict[str, Any]]] = {
    "id": {**_TEXT, "description": "For `GET /trail/{id}`", "examples": ["310000019-2026-11-0000000042"]},
    "chain": {**_TEXT, "description": "The municipality and month it stands in: `310000019:2026-11`"},
    "seq": {"type": "integer", "minimum": 0, "description": "Its number in the chain, without gaps"},
    "hash": {**_TEXT, "description": "SHA-256 of its header"},
    "kind": {"type": "string", "enum": [each.value for each in Kind]},
    "family": {"type": "string", "enum": [each.value for each in Family]},
    "outcome": {"type": "string", "enum": list(OUTCOMES.values())},
    "occurred": _TIME,
    "recorded": _TIME,
    "observer": {**_TEXT, "description": "The part of the hub that wrote it, with version and deployment"},
    "purged": {"type": "boolean", "description": "Its time was over: nothing but what stands above is left"},
}

ENTRY: Final[dict[str, Any]] = {
    "type": "object",
    "required": list(_HEADER),
    "additionalProperties": False,
    "properties": {
        **_HEADER,
        "ended": _TIME,
        **{name: {**_TEXT, "description": _MEANINGS[name]} for name in TEXTS},
        "patient": {**_TEXT, "description": "A keyed pseudonym; `withheld` for those who may not see patients"},
        "person": _PERSON,
        "details": {
            "type": "object",
            "description": "What only some kinds have: codes, numbers, a host's name",
            "additionalProperties": _TEXT,
        },
        "changes": {"type": "array", "items": _CHANGE},
    },
}
"""An entry, whole or purged."""

PAGE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["entries", "leftOut", "next"],
    "additionalProperties": False,
    "properties": {
        "entries": {"type": "array", "items": ENTRY},
        "leftOut": {
            "type": "integer",
            "minimum": 0,
            "description": "Entries that are not what was written. Have the log verified",
        },
        "next": {"type": ["string", "null"], "description": "`page` of the next search; null: that was all"},
    },
}
"""A page of entries."""
