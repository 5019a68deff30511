"""A Cosmos DB account on this machine: its data in a folder, its door on 127.0.0.1."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from sandbox.cosmos.account import Account
from sandbox.cosmos.auth import Authority, account_key
from sandbox.cosmos.catalogue import Catalogue
from sandbox.cosmos.collection import Collection
from sandbox.cosmos.control import Control
from sandbox.cosmos.documents import Documents
from sandbox.cosmos.errors import CosmosError
from sandbox.cosmos.indexes import Indexes
from sandbox.cosmos.roles import AppRole, ComponentRole, Role
from sandbox.cosmos.storage import Storage
from sandbox.cosmos.wire import Connection
from sandbox.rights import Allowed
from sandbox.topology import Topology

_log = logging.getLogger(__name__)

PURGE_EVERY_S: Final = 5.0
_PURGE_AT_ONCE: Final = 500

type Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Served:
    """Where the account is and how to be let in."""

    port: int
    key: str
    app_key: str
    """Opens the same, but may not change or delete in containers that are declared append-only."""
    process_keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of the app's processes, each of which opens what its components may do and nothing else."""

    @property
    def endpoint(self) -> str:
        """The account's address."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def connection_string(self) -> str:
        """As `CosmosClient.from_connection_string` takes it."""
        return f"AccountEndpoint={self.endpoint};AccountKey={self.key};"

    @property
    def app_connection_string(self) -> str:
        """The same with the app's key."""
        return f"AccountEndpoint={self.endpoint};AccountKey={self.app_key};"

    def connection_string_of(self, process: str) -> str:
        """The same with the key of one of the app's processes. Raises KeyError."""
        return f"AccountEndpoint={self.endpoint};AccountKey={self.process_keys[process]};"

    def facts(self) -> dict[str, object]:
        """What the part tells on standard output when it is ready."""
        return {
            "port": self.port,
            "endpoint": self.endpoint,
            "key": self.key,
            "connectionString": self.connection_string,
            "appConnectionString": self.app_connection_string,
            "processes": {name: self.connection_string_of(name) for name in self.process_keys},
        }


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def serve(
    folder: Path,
    topology: Topology | None = None,
    port: int = 0,
    clock: Clock = wall_clock,
    auth_clock: Clock = wall_clock,
    processes: Mapping[str, Allowed] | None = None,
) -> AsyncIterator[Served]:
    """Serve the account whose data is in `folder` (made when missing) until the block ends.

    `clock` gives the times of documents (UTC), `auth_clock` the time that requests are dated against; `processes` says
    by name what each of the app's processes may do, with a key of its own. Nobody else may use the folder meanwhile
    (`sandbox.part` holds a lock on it). Raises OSError when the port is taken and ValueError
    when a declared container exists with another partition key.
    """
    storage = Storage(folder)
    connections: set[Connection] = set()
    try:
        catalogue = Catalogue(storage, clock)
        if topology is not None:
            await catalogue.declare(topology)
        documents = Documents(storage, clock)
        key, app_key = account_key(folder), account_key(folder, "app")
        loop = asyncio.get_running_loop()
        door = socket.create_server(("127.0.0.1", port), backlog=512)
        held_to = processes or {}
        process_keys = {name: account_key(folder, f"process-{name}") for name in held_to}
        served = Served(door.getsockname()[1], key, app_key, process_keys)
        collection = Collection(storage, documents, Indexes(storage))
        doors: tuple[tuple[Authority, Role | None], ...] = (
            # The app's own first: nearly every request comes from it, and each key that does not fit costs a look.
            *((Authority(process_keys[name], auth_clock), ComponentRole(held_to[name])) for name in held_to),
            (Authority(key, auth_clock), None),
            (Authority(app_key, auth_clock), AppRole(topology)),
        )
        account = Account(storage, catalogue, collection, doors, served.endpoint)
        control = Control(account.handle, account.requests, account.ledger)
        server = await loop.create_server(lambda: Connection(control.handle, connections), sock=door)
        async with server:
            purging = loop.create_task(_purge(storage, catalogue, documents))
            try:
                yield served
            finally:
                purging.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await purging
                server.close()
                for connection in list(connections):
                    connection.close()
    finally:
        await storage.settle()
        storage.close()


async def _purge(storage: Storage, catalogue: Catalogue, documents: Documents) -> None:
    """Remove what has expired, now and then; reads do not see it anyway."""
    while True:
        await asyncio.sleep(PURGE_EVERY_S)
        for container in catalogue.containers():
            if container.default_ttl is None:
                continue
            try:
                gone = documents.expired(storage.reader, container)
                while gone:
                    gone = await storage.write(partial(documents.purge, container=container, most=_PURGE_AT_ONCE)) > 0
            except CosmosError as error:
                _log.warning("expired documents could not be removed: %s", error)
