"""Deciding about an attach: which node it is for, whether it is allowed, and which session it gets."""

from typing import Any, Protocol

from sandbox.amqp import codec
from sandbox.servicebus import refusals, wire
from sandbox.servicebus.broker import Broker
from sandbox.servicebus.cbs import path_of
from sandbox.servicebus.links import CBS, MANAGEMENT, Carrier, Incoming, Outgoing
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.refusals import Refusal
from sandbox.servicebus.rights import Rights
from sandbox.servicebus.sessions import Session, Wait


class Attaching(Carrier, Protocol):
    """What is needed of the AMQP session in which a link is to be attached."""

    links: dict[int, Outgoing | Incoming]

    def attached(self, link: Outgoing | Incoming, reply: codec.Attach) -> None:
        """Answer an attach, and let messages flow."""
        ...

    def refuse(self, attach: codec.Attach, why: Refusal) -> None:
        """Refuse a link."""
        ...


def attach(channel: Attaching, asked: codec.Attach, broker: Broker, rights: Rights) -> None:
    """Attach a link, refuse it, or leave it waiting for a session."""
    try:
        link = _link(channel, asked, broker, rights)
        channel.links[link.handle] = link
        if isinstance(link, Outgoing) and link.queue is not None and link.consumes:
            wanted, session_id = _session_wanted(asked)
            _check_sessions(link.queue, wanted)
            if wanted:
                _accept_session(channel, link, link.queue, session_id)
                return
    except Refusal as refusal:
        channel.refuse(asked, refusal)
        return
    channel.attached(link, _reply(link, asked.source))


def _link(channel: Carrier, asked: codec.Attach, broker: Broker, rights: Rights) -> Outgoing | Incoming:
    end = asked.source if asked.role is codec.RECEIVER else asked.target
    if not isinstance(end, codec.Source | codec.Target) or not isinstance(end.address, str):
        raise refusals.not_implemented("A link without an address (dynamic nodes, transactions)")
    path = path_of(end.address)
    kind = Outgoing if asked.role is codec.RECEIVER else Incoming
    if path == CBS:
        return kind(channel, asked, path, None)
    rights.authorize(path)
    queue = broker.find(path.removesuffix(MANAGEMENT))
    return kind(channel, asked, path, queue)


def _session_wanted(asked: codec.Attach) -> tuple[bool, object]:
    """Whether a session is asked for, and which (None: the next available)."""
    filters: dict[Any, Any] = (isinstance(asked.source, codec.Source) and asked.source.filter) or {}
    if wire.SESSION_FILTER not in filters:
        return False, None
    wanted = filters[wire.SESSION_FILTER]
    return True, wanted.value if isinstance(wanted, codec.Described) else wanted


def _check_sessions(queue: Queue, wanted: bool) -> None:
    if wanted and queue.sessions is None:
        raise refusals.not_allowed(
            "A sessionful message receiver cannot be created on an entity that does not require sessions."
        )
    if not wanted and queue.sessions is not None:
        raise refusals.not_allowed(
            "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
        )


def _accept_session(channel: Attaching, link: Outgoing, queue: Queue, session_id: object) -> None:
    asked = link.attach

    def granted(session: Session) -> None:
        source = asked.source
        if isinstance(source, codec.Source):
            source = source._replace(filter={wire.SESSION_FILTER: session.id})
        properties = {codec.Symbol("com.microsoft:locked-until-utc"): wire.ticks(session.locked_until)}
        channel.attached(link, _reply(link, source, properties))

    if queue.sessions is None:
        return
    if session_id is not None:
        granted(queue.sessions.accept(str(session_id), link))
        return
    wait = Wait(link, granted, lambda refusal: channel.refuse(asked, refusal))
    timeout = (asked.properties or {}).get("com.microsoft:timeout")
    queue.sessions.accept_next(wait, timeout if isinstance(timeout, int) else wire.SESSION_WAIT_MS)
    queue.context.dirty.add(queue)


def _reply(
    link: Outgoing | Incoming, source: codec.Source | codec.Described | None, properties: dict[Any, Any] | None = None
) -> codec.Attach:
    asked = link.attach
    outgoing = isinstance(link, Outgoing)
    if isinstance(link, Incoming) and not link.requests:
        properties = {codec.Symbol("com.microsoft:max-message-batch-size"): codec.Long(wire.MAX_MESSAGE_BYTES)}
    return codec.Attach(
        asked.name,
        asked.handle,
        not asked.role,
        asked.snd_settle_mode,
        asked.rcv_settle_mode,
        source,
        asked.target,
        initial_delivery_count=0 if outgoing else None,
        max_message_size=wire.MAX_MESSAGE_BYTES,
        properties=properties,
    )
