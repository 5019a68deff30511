"""Requests to `$cbs` and `<queue>/$management`, and where their answers go."""

import uuid
from collections.abc import Iterable
from typing import Any

from sandbox.amqp import codec
from sandbox.servicebus import management
from sandbox.servicebus.cbs import NotAuthorized
from sandbox.servicebus.links import Incoming, Outgoing
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.refusals import Refusal
from sandbox.servicebus.rights import Rights


def handle(rights: Rights, links: Iterable[Outgoing | Incoming], link: Incoming, raw: bytes) -> None:
    """Do what a request on `link` asks and send the answer on one of `links`. Raises codec.Malformed."""
    request = codec.parse(raw)
    application, body = _put_token(rights, request) if link.queue is None else _manage(link.queue, link, request)
    reply_to = _reply_link(links, link, request.properties.reply_to)
    if reply_to is not None:
        reply_to.answer(
            codec.build(
                codec.Message(
                    properties=codec.Properties(correlation_id=request.properties.message_id),
                    application_properties=application,
                    value=body,
                )
            )
        )


def _manage(queue: Queue, link: Incoming, request: codec.Message) -> tuple[dict[str, Any], Any]:
    operation = request.application_properties.get("operation")
    try:
        status, body = management.answer(queue, operation, request.value, link.channel.holder)
    except Refusal as refusal:
        return {
            "statusCode": refusal.status,
            "statusDescription": refusal.description,
            "errorCondition": codec.Symbol(refusal.condition),
            "com.microsoft:tracking-id": str(uuid.uuid4()),
        }, {}
    return {"statusCode": status, "statusDescription": "OK" if status == 200 else "No Content"}, body


def _put_token(rights: Rights, request: codec.Message) -> tuple[dict[str, Any], Any]:
    asked = request.application_properties
    if asked.get("operation") != "put-token":
        return {"status-code": 400, "status-description": "BadRequest: the operation is not put-token."}, None
    try:
        rights.put_token(request.value, asked.get("name"))
    except NotAuthorized as why:
        return {
            "status-code": 401,
            "status-description": str(why),
            "error-condition": codec.Symbol("com.microsoft:auth-failed"),
        }, None
    return {"status-code": 202, "status-description": "Accepted"}, None


def _reply_link(links: Iterable[Outgoing | Incoming], link: Incoming, reply_to: object) -> Outgoing | None:
    """The link that carries the answer: the one the request names, else the one attached to the same node."""
    same_node = [other for other in links if isinstance(other, Outgoing) and other.path == link.path]
    named = [other for other in same_node if reply_to is not None and other.reply_address == reply_to]
    return next(iter(named or same_node), None)
