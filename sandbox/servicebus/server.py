"""The AMQP server: connections around one broker, and the moment when what they have to say may be said."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterable

from sandbox.servicebus.broker import Broker
from sandbox.servicebus.cbs import Key
from sandbox.servicebus.clock import Clock
from sandbox.servicebus.connection import Connection
from sandbox.servicebus.storage import Storage
from sandbox.topology import Queue as Rules

_log = logging.getLogger(__name__)


class Server:
    """Connections share one commit per turn of the event loop: that is the group commit.

    All clients that were heard in one turn are answered after one synchronisation to disk.
    """

    def __init__(self, rules: Iterable[Rules], storage: Storage, clock: Clock, key: Key | None) -> None:
        self.key = key
        self.connections: set[Connection] = set()
        self.outboxes: set[Connection] = set()
        self.refusing = False
        self.delay_s = 0.0
        """How long everybody waits for what was done for them, where the service is to be a slow one."""
        self._settling = self._stopped = False
        self.broker = Broker(rules, storage, clock, self.changed)
        self._listener: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1. Returns the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Connection(self), "127.0.0.1", port, reuse_address=True)
        self.changed()
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything and write what is left."""
        if self._listener is not None:
            self._listener.close()
        self.drop_connections()
        await asyncio.sleep(0)
        self._settle()
        self._stopped = True
        self.broker.stop()

    def changed(self) -> None:
        """Something happened: settle at the end of this turn of the event loop."""
        if not self._settling and not self._stopped:
            self._settling = True
            loop = asyncio.get_running_loop()
            if self.delay_s:
                loop.call_later(self.delay_s, self._settle)
            else:
                loop.call_soon(self._settle)

    def drop_connections(self) -> None:
        """Drop every open connection, once."""
        for connection in list(self.connections):
            connection.abort()

    def refuse(self, refusing: bool) -> None:
        """While refusing, open connections are dropped and new ones are reset at once."""
        self.refusing = refusing or self._stopped
        if self.refusing:
            self.drop_connections()

    def _settle(self) -> None:
        self._settling = False
        if self._stopped:
            return
        try:
            self.broker.settle()
        except sqlite3.Error:
            # Memory and disk have parted: nothing more may be promised until a restart reads the disk again.
            _log.critical("the storage failed; refusing everything until restarted", exc_info=True)
            self._stopped = True
            self.broker.stop()
            self.outboxes.clear()
            self.refuse(True)
            return
        for connection in self.outboxes:
            connection.write_out()
        self.outboxes.clear()
