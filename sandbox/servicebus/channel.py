"""One AMQP session of a connection: its links, its windows, and the deliveries in it."""

from collections import deque
from typing import Protocol

from sandbox.amqp import codec
from sandbox.servicebus import attaching, message, refusals, requests, wire
from sandbox.servicebus.broker import Broker
from sandbox.servicebus.links import Incoming, Outgoing
from sandbox.servicebus.refusals import Refusal
from sandbox.servicebus.rights import Rights
from sandbox.servicebus.settling import settle


class Peer(Protocol):
    """What a session needs of its connection."""

    broker: Broker
    rights: Rights
    peer_max_frame: int
    """The largest frame, in bytes, that the client takes."""

    def send(self, data: bytes) -> None:
        """Have bytes sent after the next commit."""
        ...


class Channel:
    """The server's end of a session."""

    def __init__(self, connection: Peer, number: int, begin: codec.Begin) -> None:
        self.connection, self.number = connection, number
        self.links: dict[int, Outgoing | Incoming] = {}
        self._next_incoming = begin.next_outgoing_id
        self._next_outgoing = 0
        self._next_delivery = 0
        self._window = begin.incoming_window
        self._backlog: deque[tuple[Outgoing, bytes]] = deque()
        self._unsettled: dict[int, Outgoing] = {}
        self._send(codec.Begin(number, 0, wire.WINDOW, wire.WINDOW, wire.HANDLE_MAX))

    @property
    def holder(self) -> object:
        """The connection: what is locked through one of its sessions may be renewed through another."""
        return self.connection

    # From the client

    def on_attach(self, attach: codec.Attach) -> None:
        """Raises codec.Malformed for a handle that is in use or too high."""
        if attach.handle in self.links or attach.handle > wire.HANDLE_MAX:
            raise codec.Malformed("a handle that is in use or beyond handle-max")
        attaching.attach(self, attach, self.connection.broker, self.connection.rights)

    def on_flow(self, flow: codec.Flow) -> None:
        if flow.next_incoming_id is not None:
            self._window = flow.next_incoming_id + flow.incoming_window - self._next_outgoing
        else:
            self._window = flow.incoming_window - self._next_outgoing
        self._send_backlog()
        if flow.handle is None:
            if flow.echo:
                self._send(codec.Flow(self._next_incoming, wire.WINDOW, self._next_outgoing, wire.WINDOW))
            return
        link = self.links.get(flow.handle)
        if link is not None:
            link.on_flow(flow)

    def on_transfer(self, transfer: codec.Transfer, payload: bytes) -> None:
        self._next_incoming += 1
        link = self.links.get(transfer.handle)
        if not isinstance(link, Incoming):
            return  # a link that was just detached from here: the client does not know yet
        try:
            whole = link.on_transfer(transfer, payload)
        except codec.TooLarge:
            self.detach(link, refusals.too_large(wire.MAX_ASSEMBLED_BYTES, wire.MAX_MESSAGE_BYTES))
            return
        if whole is None:
            return
        first, raw = whole
        outcome = self._received(link, first, raw)
        if not first.settled and first.delivery_id is not None:
            self._send(codec.Disposition(codec.RECEIVER, first.delivery_id, first.delivery_id, True, outcome))

    def on_disposition(self, disposition: codec.Disposition) -> None:
        if disposition.role is not codec.RECEIVER:
            return
        first, last = disposition.first, disposition.last if disposition.last is not None else disposition.first
        known = self._unsettled
        ids = range(first, last + 1) if last - first <= len(known) else sorted(i for i in known if first <= i <= last)
        for delivery_id in ids:
            self._settle(delivery_id, disposition)

    def on_detach(self, detach: codec.Detach) -> None:
        link = self.links.get(detach.handle)
        if link is not None:
            self._forget(link)
            self._send(codec.Detach(detach.handle, True))

    def closed(self) -> None:
        """The session or its connection has ended."""
        for link in list(self.links.values()):
            self._forget(link)

    # To the client

    def attached(self, link: Outgoing | Incoming, reply: codec.Attach) -> None:
        """Answer an attach, and let messages flow."""
        self._send(reply)
        if isinstance(link, Incoming):
            link.give_credit()
            return
        link.attached = True
        if link.queue is not None and link.consumes and link.credit > 0:
            link.queue.wants(link)

    def refuse(self, attach: codec.Attach, why: Refusal) -> None:
        """Refuse a link: attach it to nothing, and detach it (AMQP part 2, 2.6.3)."""
        self.links.pop(attach.handle, None)
        count = 0 if attach.role is codec.RECEIVER else None
        self._send(codec.Attach(attach.name, attach.handle, not attach.role, initial_delivery_count=count))
        self._send(codec.Detach(attach.handle, True, wire.error(why)))

    def detach(self, link: Outgoing | Incoming, why: Refusal) -> None:
        """End a link from here."""
        if self.links.get(link.handle) is link:
            self._forget(link)
            self._send(codec.Detach(link.handle, True, wire.error(why)))

    def flow(self, handle: int, delivery_count: int, credit: int, drain: bool = False) -> None:
        """Tell a link's state."""
        self._send(
            codec.Flow(
                self._next_incoming, wire.WINDOW, self._next_outgoing, wire.WINDOW,
                handle, delivery_count, max(0, credit), 0, drain, False,
            )
        )  # fmt: skip

    def transfer(self, link: Outgoing, tag: bytes, payload: bytes, settled: bool) -> None:
        """Send a message, as far as the client's window allows."""
        delivery_id = self._next_delivery
        self._next_delivery = (delivery_id + 1) & 0xFFFFFFFF
        if not settled:
            self._unsettled[delivery_id] = link
            link.deliveries[delivery_id] = tag
        head = codec.Transfer(link.handle, delivery_id, tag, 0, settled, False)
        frames = codec.transfer_frames(self.number, head, payload, self.connection.peer_max_frame)
        self._backlog.extend((link, frame) for frame in frames)
        self._send_backlog()

    # Inside

    def _send(self, performative: codec.Performative) -> None:
        self.connection.send(codec.frame(self.number, performative))

    def _send_backlog(self) -> None:
        while self._backlog and self._window > 0:
            self.connection.send(self._backlog.popleft()[1])
            self._window -= 1
            self._next_outgoing = (self._next_outgoing + 1) & 0xFFFFFFFF

    def _received(self, link: Incoming, first: codec.Transfer, raw: bytes) -> codec.DeliveryState:
        try:
            if link.requests or link.queue is None:
                requests.handle(self.connection.rights, self.links.values(), link, raw)
                return codec.Accepted()
            if len(raw) > wire.MAX_MESSAGE_BYTES:
                raise refusals.too_large(len(raw), wire.MAX_MESSAGE_BYTES)
            self.connection.broker.take_in()
            link.queue.send(message.read_all(raw, first.message_format or 0))
        except Refusal as refusal:
            return wire.rejected(refusal)
        except codec.Malformed as malformed:
            return codec.Rejected(codec.Error("amqp:decode-error", f"The message cannot be read: {malformed}."))
        return codec.Accepted()

    def _settle(self, delivery_id: int, disposition: codec.Disposition) -> None:
        link = self._unsettled.get(delivery_id)
        if link is None or link.queue is None:
            if not disposition.settled:
                self._tell(delivery_id, wire.rejected(refusals.message_lock_lost()))
            return
        if disposition.state is None:
            return  # nothing said about the message: its lock will tell
        outcome = settle(link.queue, link.deliveries[delivery_id], disposition.state)
        del self._unsettled[delivery_id], link.deliveries[delivery_id]
        if not disposition.settled:
            self._tell(delivery_id, outcome)

    def _tell(self, delivery_id: int, outcome: codec.DeliveryState) -> None:
        self._send(codec.Disposition(codec.SENDER, delivery_id, delivery_id, True, outcome))

    def _forget(self, link: Outgoing | Incoming) -> None:
        self.links.pop(link.handle, None)
        if isinstance(link, Incoming):
            return
        for delivery_id in link.deliveries:
            self._unsettled.pop(delivery_id, None)
        link.deliveries.clear()
        link.attached = False
        if self._backlog:
            self._backlog = deque(entry for entry in self._backlog if entry[0] is not link)
        if link.queue is not None and link.consumes:
            link.queue.gone(link)
