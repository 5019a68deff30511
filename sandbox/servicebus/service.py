"""The local Service Bus as a whole: storage, broker, AMQP server and counters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.servicebus import cbs
from sandbox.servicebus.cbs import Key
from sandbox.servicebus.clock import Clock, SystemClock
from sandbox.servicebus.http import counters
from sandbox.servicebus.server import Server
from sandbox.servicebus.storage import Storage
from sandbox.topology import Topology


@dataclass(frozen=True, slots=True)
class Service:
    """A running Service Bus."""

    port: int
    counters_port: int
    key: Key | None
    server: Server

    @property
    def connection_string(self) -> str:
        """For any Service Bus SDK. Emulator mode is what makes it plain TCP and keeps the port."""
        key = self.key or Key(cbs.KEY_NAME, "none")
        return (
            f"Endpoint=sb://127.0.0.1:{self.port};SharedAccessKeyName={key.name};"
            f"SharedAccessKey={key.secret};UseDevelopmentEmulator=true;"
        )

    @property
    def counters_url(self) -> str:
        """`GET` gives the counters, `POST …/faults` makes faults."""
        return f"http://127.0.0.1:{self.counters_port}"


@asynccontextmanager
async def serve(
    folder: Path,
    topology: Topology,
    *,
    port: int = 0,
    counters_port: int = 0,
    clock: Clock | None = None,
    check_tokens: bool = True,
) -> AsyncIterator[Service]:
    """Run the Service Bus that `topology` declares on 127.0.0.1, with its state in `folder`.

    Without `check_tokens` every token is taken, also those of an identity provider that cannot be verified here. Raises
    OSError when the port is taken and sqlite3.Error when the state cannot be read.
    """
    storage = Storage(folder)
    key = cbs.load_key(folder) if check_tokens else None
    try:
        server = Server(topology.queues, storage, clock or SystemClock(), key)
        bound = await server.start(port)
        try:
            async with counters(server, counters_port) as counting:
                yield Service(bound, counting, key, server)
        finally:
            await server.stop()
    finally:
        storage.close()
