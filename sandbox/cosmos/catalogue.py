"""Databases and containers: what is declared, what the API creates, and what a definition must be."""

import base64
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sandbox.cosmos.errors import (
    SUBSTATUS_OWNER_MISSING,
    bad_request,
    conflict,
    not_found,
    not_supported,
)
from sandbox.cosmos.partition import PartitionKey, read_path
from sandbox.cosmos.statements import Statements
from sandbox.cosmos.storage import Storage, create_tables, drop_tables
from sandbox.cosmos.terms import Indexing
from sandbox.cosmos.values import Json, dump, parse
from sandbox.topology import Container as Declared
from sandbox.topology import Topology

_FORBIDDEN: Final = frozenset("/\\?#")
_NOT_HERE: Final = ("vectorEmbeddingPolicy", "fullTextPolicy", "computedProperties", "materializedViewDefinition")
_INDEXING: Final[Json] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}


@dataclass(frozen=True, slots=True)
class Database:
    """A database."""

    id: str
    rid: str
    ts: int

    def resource(self) -> dict[str, Json]:
        """As the API shows it."""
        return {
            "id": self.id,
            "_rid": self.rid,
            "_self": f"dbs/{self.rid}/",
            "_etag": f'"{self.rid}-{self.ts:x}"',
            "_colls": "colls/",
            "_users": "users/",
            "_ts": self.ts,
        }


@dataclass(frozen=True, slots=True)
class Container:
    """A container, with what every request needs of its definition already read."""

    number: int
    database: Database
    id: str
    definition: dict[str, Json]
    key: PartitionKey
    default_ttl: int | None
    """Seconds; -1: items may have a time to live of their own; None: nothing expires."""
    unique_keys: tuple[tuple[tuple[str, ...], ...], ...]
    indexing: Indexing
    """What of a document its writes pay for."""
    rid: str
    sql: Statements

    @property
    def self_link(self) -> str:
        """Its address by resource ids."""
        return f"dbs/{self.database.rid}/colls/{self.rid}/"

    def resource(self) -> dict[str, Json]:
        """As the API shows it."""
        return {
            **self.definition,
            "id": self.id,
            "_rid": self.rid,
            "_self": self.self_link,
            "_docs": "docs/",
            "_sprocs": "sprocs/",
            "_triggers": "triggers/",
            "_udfs": "udfs/",
            "_conflicts": "conflicts/",
        }


class Catalogue:
    """All databases and containers, in memory and on disk."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        self._databases: dict[str, Database] = {}
        self._containers: dict[tuple[str, str], Container] = {}
        for name, number, ts in storage.reader.execute("SELECT id, number, ts FROM databases").fetchall():
            self._databases[name] = Database(name, _rid(number.to_bytes(4, "big")), ts)
        for number, owner, text in storage.reader.execute("SELECT number, database, definition FROM containers"):
            container = _read(number, self._databases[owner], parse(text))
            self._containers[owner, container.id] = container

    async def declare(self, topology: Topology) -> None:
        """Create what is declared and missing. Raises ValueError when a container exists with another partition key."""
        await self._declare(topology.database, topology.containers)
        for apart in topology.apart:
            await self._declare(apart.name, apart.containers)

    async def _declare(self, name: str, containers: tuple[Declared, ...]) -> None:
        if name not in self._databases:
            await self.create_database({"id": name})
        database = self.database(name)
        for declared in containers:
            wanted: dict[str, Json] = {
                "id": declared.name,
                "partitionKey": {"paths": [declared.partition_key], "kind": "Hash", "version": 2},
            }
            if declared.default_ttl is not None:
                wanted["defaultTtl"] = declared.default_ttl
            if declared.unique_keys:
                wanted["uniqueKeyPolicy"] = {"uniqueKeys": [{"paths": [path]} for path in declared.unique_keys]}
            wanted["indexingPolicy"] = _indexing(declared.indexed_paths)
            known = self._containers.get((database.id, declared.name))
            if known is None:
                await self.create_container(database, wanted)
            elif known.key != PartitionKey.of(wanted["partitionKey"]):
                raise ValueError(f"container {declared.name!r} exists with another partition key than the declared one")
            elif known.default_ttl != declared.default_ttl or known.indexing != Indexing.of(wanted["indexingPolicy"]):
                await self.replace_container(known, wanted)

    def databases(self) -> list[Database]:
        """All of them."""
        return list(self._databases.values())

    def containers(self, database: Database | None = None) -> list[Container]:
        """Those of one database, or all."""
        return [found for found in self._containers.values() if database is None or found.database == database]

    def database(self, name: str) -> Database:
        """By id or resource id. Raises CosmosError (404)."""
        found = self._databases.get(name) or next((d for d in self._databases.values() if d.rid == name), None)
        if found is None:
            raise not_found(SUBSTATUS_OWNER_MISSING)
        return found

    def container(self, database: str, name: str) -> Container:
        """By ids or resource ids. Raises CosmosError (404)."""
        found = self._containers.get((database, name))
        if found is None:
            owner = self.database(database)
            matches = (c for c in self.containers(owner) if name in (c.id, c.rid))
            found = next(matches, None)
        if found is None:
            raise not_found(SUBSTATUS_OWNER_MISSING)
        return found

    async def create_database(self, body: Json) -> Database:
        """Raises CosmosError (400, 409)."""
        name = _name(body)
        ts = int(self._clock().timestamp())

        def work(connection: sqlite3.Connection) -> int:
            number: int = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM databases").fetchone()[0]
            _insert(connection, "INSERT INTO databases VALUES (?, ?, ?)", (name, number, ts))
            return number

        number = await self._storage.write(work)
        self._databases[name] = Database(name, _rid(number.to_bytes(4, "big")), ts)
        return self._databases[name]

    async def delete_database(self, database: Database) -> None:
        """With all its containers."""
        for container in self.containers(database):
            await self.delete_container(container)
        await self._storage.write(lambda db: db.execute("DELETE FROM databases WHERE id = ?", (database.id,)))
        self._databases.pop(database.id, None)

    async def create_container(self, database: Database, body: Json) -> Container:
        """Raises CosmosError (400, 409)."""
        definition = self._definition(body)
        _read(0, database, definition)

        def work(connection: sqlite3.Connection) -> int:
            statement = "INSERT INTO containers (database, id, definition) VALUES (?, ?, ?)"
            number = _insert(connection, statement, (database.id, definition["id"], dump(definition)))
            create_tables(connection, number)
            return number

        container = _read(await self._storage.write(work), database, definition)
        self._containers[database.id, container.id] = container
        return container

    async def replace_container(self, container: Container, body: Json) -> Container:
        """A new definition; id, partition key and unique keys must stay. Raises CosmosError (400)."""
        definition = self._definition(body)
        replaced = _read(container.number, container.database, definition)
        if (replaced.id, replaced.key) != (container.id, container.key):
            raise bad_request("The id and the partition key of a container cannot be changed.")
        if definition.get("uniqueKeyPolicy") and replaced.unique_keys != container.unique_keys:
            raise bad_request("The unique keys of a container cannot be changed.")
        text, number = dump(definition), container.number
        await self._storage.write(
            lambda db: db.execute("UPDATE containers SET definition = ? WHERE number = ?", (text, number))
        )
        self._containers[container.database.id, container.id] = replaced
        return replaced

    async def delete_container(self, container: Container) -> None:
        """With all its documents."""

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute("DELETE FROM containers WHERE number = ?", (container.number,)).rowcount:
                drop_tables(connection, container.number)

        await self._storage.write(work)
        self._containers.pop((container.database.id, container.id), None)

    def _definition(self, body: Json) -> dict[str, Json]:
        name = _name(body)
        given = body if isinstance(body, dict) else {}
        for feature in _NOT_HERE:
            if given.get(feature):
                raise not_supported(feature)
        ts = int(self._clock().timestamp())
        defaults: dict[str, Json] = {
            "indexingPolicy": _INDEXING,
            "conflictResolutionPolicy": {"mode": "LastWriterWins", "conflictResolutionPath": "/_ts"},
            "geospatialConfig": {"type": "Geography"},
        }
        kept = {key: value for key, value in given.items() if not key.startswith("_")}
        return {**defaults, **kept, "id": name, "_etag": f'"{ts:x}-{self._storage.lsn:x}"', "_ts": ts}


def _indexing(paths: tuple[str, ...] | None) -> Json:
    if paths is None:
        return _INDEXING
    included: Json = [{"path": path} for path in paths]
    return {"indexingMode": "consistent", "automatic": True, "includedPaths": included,
            "excludedPaths": [{"path": "/*"}]}  # fmt: skip


def _rid(number: bytes) -> str:
    return base64.b64encode(number, altchars=b"+-").decode()


def _name(body: Json) -> str:
    name = body.get("id") if isinstance(body, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= 255 or _FORBIDDEN & set(name) or name.endswith(" "):
        raise bad_request("The id must be 1 to 255 characters long, without '/', '\\', '?', '#' or a space at its end.")
    return name


def _insert(connection: sqlite3.Connection, statement: str, values: tuple[Json, ...]) -> int:
    try:
        return connection.execute(statement, values).lastrowid or 0
    except sqlite3.IntegrityError:
        raise conflict() from None


def _read(number: int, database: Database, definition: Json) -> Container:
    """Raises CosmosError (400) for a definition that does not hold."""
    if not isinstance(definition, dict):
        raise bad_request("A container's definition must be an object.")
    if "partitionKey" not in definition:
        raise bad_request("The partitionKey of a container must be given.")
    default_ttl = definition.get("defaultTtl")
    if default_ttl is not None and not valid_ttl(default_ttl):
        raise bad_request("The defaultTtl must be -1 or a positive whole number of seconds.")
    return Container(
        number=number,
        database=database,
        id=str(definition["id"]),
        definition=definition,
        key=PartitionKey.of(definition["partitionKey"]),
        default_ttl=default_ttl if isinstance(default_ttl, int) else None,
        unique_keys=_unique_keys(definition.get("uniqueKeyPolicy")),
        indexing=Indexing.of(definition.get("indexingPolicy")),
        rid=_rid(number.to_bytes(8, "big")),
        sql=Statements.of(number),
    )


def valid_ttl(value: Json) -> bool:
    """Whether a time to live is one: -1 or a positive whole number of seconds, at most 2147483647."""
    return isinstance(value, int) and not isinstance(value, bool) and (value == -1 or 0 < value < 2**31)


def _unique_keys(policy: Json) -> tuple[tuple[tuple[str, ...], ...], ...]:
    rules = policy.get("uniqueKeys", []) if isinstance(policy, dict) else []
    found = []
    for rule in rules if isinstance(rules, list) else [None]:
        paths = rule.get("paths") if isinstance(rule, dict) else None
        if not isinstance(paths, list) or not paths:
            raise bad_request("The uniqueKeyPolicy must be a list of rules with paths.")
        found.append(tuple(read_path(path) for path in paths))
    return tuple(found)
