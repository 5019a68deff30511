"""What is set aside and its handling in the OpenAPI document: groups, replays, withdrawing, a receiver's words."""

from typing import Any, Final

from shared.access.refusals import CredentialsDoubtful
from shared.api import refusals
from shared.api.operations_paths import TAG
from shared.api.refusals import CORRELATION
from shared.api.registry_paths import SCHEME
from shared.errors import (
    HubError,
    MessageBusy,
    MessageElsewhere,
    NotAuthenticated,
    NotAvailable,
    OrderInvalid,
    OrderNotJson,
    PayloadGone,
    TooManyCalls,
    Unexpected,
    UnknownAddress,
    UnknownMessage,
    UnknownOperation,
    WrongMethod,
)
from shared.messages.lifecycle import State
from shared.messages.replays import MOST_IDS, Verdict
from shared.messages.replays import State as ReplayState
from shared.registry.refusals import RoleMissing, SecurityLevel
from shared.road import orders
from shared.road.permission import MAY, Act
from shared.trail.looking import Purpose

ROUTES: Final[tuple[tuple[str, str], ...]] = (
    ("GET", "operations/set-aside"),
    ("GET", "operations/set-aside/messages"),
    ("POST", "operations/set-aside/words"),
    ("POST", "operations/replays"),
    ("GET", "operations/replays/{id}"),
    ("POST", "operations/replays/{id}/stop"),
    ("POST", "operations/messages/{id}/withdraw"),
    ("POST", "operations/messages/{id}/restore"),
)

_ALWAYS: Final[tuple[type[HubError], ...]] = (
    CredentialsDoubtful, NotAuthenticated, SecurityLevel, RoleMissing, UnknownAddress, TooManyCalls, NotAvailable,
    Unexpected,
)  # fmt: skip
_LOOKING: Final = (*_ALWAYS, UnknownOperation, OrderInvalid)
_ORDERING: Final = (*_ALWAYS, UnknownOperation, OrderNotJson, OrderInvalid, PayloadGone)
_STOPPING: Final = (*_LOOKING, OrderNotJson)
_ABOUT_ONE: Final = (*_ALWAYS, UnknownMessage, OrderNotJson, OrderInvalid)
_HANDLING: Final = (*_ABOUT_ONE, MessageBusy, MessageElsewhere)

_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_MAYBE: Final[dict[str, Any]] = {"type": ["string", "null"]}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Final[dict[str, Any]] = {"type": ["string", "null"], "format": "date-time"}
_STATE: Final[dict[str, Any]] = {"enum": [state.value for state in State]}
_WHY: Final[dict[str, Any]] = {
    "type": "string", "minLength": orders.SHORTEST_WHY, "maxLength": orders.LONGEST_WHY,
    "description": "The reason, for the audit log. Nothing about a person.",
}  # fmt: skip
_ORGNR: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9]{9}$"}
_RECEIVER: Final[dict[str, Any]] = {
    "type": "string", "pattern": f"^$|{orders.RECEIVER}",
    "description": "The receiver's id; empty: messages that have none",
}  # fmt: skip
_CAUSE: Final[dict[str, Any]] = {"type": "string", "pattern": orders.CAUSE}


def paths() -> dict[str, Any]:
    """The addresses."""
    return {
        "/operations/set-aside": {"get": _groups()},
        "/operations/set-aside/messages": {"get": _messages()},
        "/operations/set-aside/words": {"post": _words()},
        "/operations/replays": {"post": _order()},
        "/operations/replays/{id}": {"get": _replay()},
        "/operations/replays/{id}/stop": {"post": _stop()},
        "/operations/messages/{id}/withdraw": {"post": _withdraw()},
        "/operations/messages/{id}/restore": {"post": _restore()},
    }


def _groups() -> dict[str, Any]:
    return {
        "operationId": "getSetAside",
        **_common("What is set aside, in groups: one cause at one receiver each", Act.SEE),
        "parameters": _filter("Whose; without it the person's own, or everybody's for an operator"),
        "responses": {
            "200": _answer("The groups", _closed(groups=_list(_group()), next=_MAYBE)),
            **_refused(_LOOKING),
        },
    }


def _messages() -> dict[str, Any]:
    message = _closed(
        id=_TEXT, message=_TEXT, receiver=_MAYBE, cause=_TEXT, status={"type": ["integer", "null"]}, at=_TIME,
        accepted=_TIME,
    )  # fmt: skip
    return {
        "operationId": "getSetAsideMessages",
        **_common("What is set aside at one receiver, message by message, the longest ago first", Act.SEE),
        "parameters": _filter("Whose", needed=True),
        "responses": {
            "200": _answer("Ids, causes and times", _closed(messages=_list(message), next=_MAYBE)),
            **_refused(_LOOKING),
        },
    }


def _words() -> dict[str, Any]:
    body = _body(
        ("id", "purpose", "reference"),
        id={**_TEXT, "description": "Of the delivery, as the list of messages has it"},
        purpose={"enum": [each.value for each in Purpose], "description": "Why: a code of v3-ActReason"},
        reference={
            "type": "string", "pattern": orders.REFERENCE,
            "description": "The decision or case that the look is based on. Nothing about a person.",
        },
    )  # fmt: skip
    return {
        "operationId": "postSetAsideWords",
        **_common("What the receiver said when it refused a message", Act.HANDLE),
        "requestBody": body,
        "responses": {
            "200": _answer(
                "Its words, or null where it said nothing or they are no longer kept. They may tell of the patient: "
                "the look is in the audit log before they are shown.",
                _closed(id=_TEXT, attempt=_COUNT, words=_MAYBE),
            ),
            **_refused(_ABOUT_ONE),
        },
    }


def _order() -> dict[str, Any]:
    body = _body(
        ("orgnr",),
        orgnr=_ORGNR,
        receiver=_RECEIVER,
        cause=_CAUSE,
        since={**_TIME, "description": "Set aside then or later"},
        until={**_TIME, "description": "Set aside before then"},
        ids={
            "type": "array", "maxItems": MOST_IDS, "items": {"type": "string", "pattern": orders.ID},
            "description": "Of messages or deliveries: these alone, as far as they fit the rest",
        },
        dryRun={"type": "boolean", "default": True, "description": "Only tell what would be replayed"},
        why={**_WHY, "description": _WHY["description"] + " Needed unless it is a dry run."},
    )  # fmt: skip
    tried = _closed(
        dryRun={"const": True}, orgnr=_TEXT, count=_COUNT, atLeast={"type": "boolean"}, oldest=_MAYBE_TIME,
        payloadGone={"type": ["integer", "null"]}, groups=_list(_group()),
    )  # fmt: skip
    begun = _answer("It will be worked on", _job())
    location = {"description": "Where to see how it goes", "schema": {"type": "string", "format": "uri-reference"}}
    return {
        "operationId": "postReplay",
        **_common("Replay what is set aside, in order, throttled; a dry run unless told otherwise", Act.HANDLE),
        "requestBody": body,
        "responses": {
            "200": _answer("What would be replayed", tried),
            "202": {**begun, "headers": {**CORRELATION, "Location": location}},
            **_refused(_ORDERING),
        },
    }


def _replay() -> dict[str, Any]:
    return {
        "operationId": "getReplay",
        **_common("How a replay goes", Act.SEE),
        "parameters": [_id("The replay's id")],
        "responses": {"200": _answer("At this moment", _job()), **_refused((*_ALWAYS, UnknownOperation))},
    }


def _stop() -> dict[str, Any]:
    return {
        "operationId": "postReplayStop",
        **_common("Stop a replay: what is back in line is delivered, the rest stays set aside", Act.HANDLE),
        "parameters": [_id("The replay's id")],
        "requestBody": _body(("why",), why=_WHY),
        "responses": {
            "200": _answer("As it stands now; one that had ended before is as it was", _job()),
            **_refused(_STOPPING),
        },
    }


def _withdraw() -> dict[str, Any]:
    return {
        "operationId": "postWithdraw",
        **_common("Withdraw a message at every receiver that has not got it", Act.HANDLE),
        "parameters": [_id("The message's id")],
        "requestBody": _body(("why",), why=_WHY),
        "responses": {"200": _answer("Where it is now", _handled()), **_refused(_HANDLING)},
    }


def _restore() -> dict[str, Any]:
    return {
        "operationId": "postRestore",
        **_common("Put a message that was withdrawn back where it belongs by the order of acceptance", Act.HANDLE),
        "parameters": [_id("The message's id")],
        "requestBody": _body(("why",), why=_WHY),
        "responses": {"200": _answer("Where it is now", _handled()), **_refused((*_HANDLING, PayloadGone))},
    }


def _common(summary: str, act: Act) -> dict[str, Any]:
    roles = ", ".join(role.value for role in MAY if act in MAY[role])
    return {"tags": [TAG], "summary": summary, "description": f"For {roles}.", "security": [{SCHEME: []}]}


def _filter(whose: str, *, needed: bool = False) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 1, "maximum": orders.MOST, "default": orders.PAGE}
    return [
        _query("orgnr", whose, _ORGNR) | {"required": needed},
        _query("receiver", "At which receiver", _RECEIVER) | {"required": needed},
        _query("cause", "For which cause", _CAUSE),
        _query("since", "Set aside then or later", _TIME),
        _query("until", "Set aside before then", _TIME),
        _query("limit", "How many at the most", number),
        _query("after", "Where to go on: `next` of the answer before", {**_TEXT, "maxLength": orders.LONGEST_ID}),
    ]


def _query(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _id(text: str) -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, "description": text, "schema": _TEXT}


def _body(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object", "additionalProperties": False, "required": list(required), "properties": properties,
    }  # fmt: skip
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _group() -> dict[str, Any]:
    return _closed(
        orgnr=_TEXT, receiver=_MAYBE, cause=_TEXT, count=_COUNT, atLeast={"type": "boolean"}, oldest=_TIME, newest=_TIME
    )


def _job() -> dict[str, Any]:
    group = _closed(receiver=_MAYBE, cause=_TEXT, first=_COUNT, verdict={"enum": [each.value for each in Verdict]})
    return _closed(
        id=_TEXT, state={"enum": [each.value for each in ReplayState]}, code=_MAYBE, orgnr=_TEXT, receiver=_MAYBE,
        cause=_MAYBE, since=_MAYBE_TIME, until=_MAYBE_TIME, ids=_list(_TEXT), who=_TEXT, why=_TEXT, asked=_TIME,
        ended=_MAYBE_TIME, replayed=_COUNT, payloadGone=_COUNT, leftAside=_COUNT, groups=_list(group),
    )  # fmt: skip


def _handled() -> dict[str, Any]:
    return _closed(id=_TEXT, state=_STATE, receivers=_list(_closed(receiver=_TEXT, state=_STATE)))


def _closed(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "required": list(properties), "additionalProperties": False, "properties": properties,
    }  # fmt: skip


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "headers": CORRELATION, "content": {"application/json": {"schema": schema}}}


def _refused(bases: tuple[type[HubError], ...]) -> dict[str, Any]:
    return refusals.responses(refusals.of(*bases, but=(WrongMethod,)))
