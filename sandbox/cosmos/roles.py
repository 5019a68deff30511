"""What keys other than the account's own may not do.

The app's key: change or delete in a container that is declared append-only. A component's key: anything that its
identity is not given in Azure (`sandbox.rights`).

Stands for a Cosmos DB role with `items/create`, `items/read`, `executeQuery` and `readChangeFeed` and nothing else on
such a container (https://learn.microsoft.com/azure/cosmos-db/reference-data-plane-security): what a role does not list
is denied. Like every role of the data plane it gives no right over databases and containers themselves. The account's
own key stands for its administrators, whom no such role binds.
"""

import json
from typing import Final, Protocol

from sandbox.cosmos.errors import CosmosError
from sandbox.cosmos.messages import Request
from sandbox.cosmos.reading import is_query
from sandbox.rights import Allowed
from sandbox.topology import Topology

_READS: Final = frozenset({"GET", "HEAD"})
_QUERY: Final = "containers/executeQuery"
_FEED: Final = "containers/readChangeFeed"
_READ: Final = "containers/items/read"
_CREATE: Final = "containers/items/create"
_REPLACE: Final = "containers/items/replace"
_UPSERT: Final = "containers/items/upsert"
_DELETE: Final = "containers/items/delete"
_OF_METHOD: Final = {"PUT": _REPLACE, "PATCH": _REPLACE, "DELETE": _DELETE}
_OF_STEP: Final = {
    "Create": _CREATE, "Read": _READ, "Replace": _REPLACE, "Patch": _REPLACE, "Upsert": _UPSERT, "Delete": _DELETE,
}  # fmt: skip


class Role(Protocol):
    """What requests signed with one key are held to."""

    def check(self, request: Request) -> None:
        """Raises CosmosError (403)."""


class ComponentRole:
    """What requests signed with a component's key are held to: its data actions on each container, no other."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    def check(self, request: Request) -> None:
        """Raises CosmosError (403)."""
        match request.parts:
            case ("dbs", _, "colls", name, "docs", *rest):
                if not _needed(request, bool(rest)) <= self._allowed.get(name, frozenset()):
                    raise _denied()
            case ("dbs", _, "colls", name, *_):
                if request.method not in _READS or name not in self._allowed:
                    raise _denied()
            case _:
                if request.method not in _READS:
                    raise _denied()


def _needed(request: Request, single: bool) -> frozenset[str]:
    """The data actions that a request for documents takes."""
    if request.flag("x-ms-cosmos-is-query-plan-request") or is_query(request):
        return frozenset({_QUERY})
    if request.method in _READS:
        return frozenset({_READ if single or "a-im" not in request.headers else _FEED})
    if request.method != "POST" or single:
        return frozenset({_OF_METHOD.get(request.method, "")})
    if request.flag("x-ms-cosmos-is-batch-request"):
        return _of_batch(request.body)
    return frozenset({_UPSERT if request.flag("x-ms-documentdb-is-upsert") else _CREATE})


def _of_batch(body: bytes) -> frozenset[str]:
    try:
        return frozenset(_OF_STEP[each["operationType"]] for each in json.loads(body))
    except (ValueError, TypeError, KeyError):
        return frozenset({""})


class AppRole:
    """What requests signed with the app's key are held to."""

    def __init__(self, topology: Topology | None) -> None:
        named = () if topology is None else [(topology.database, topology.containers)]
        apart = () if topology is None else [(each.name, each.containers) for each in topology.apart]
        self._append_only = frozenset(
            (database, container.name)
            for database, containers in [*named, *apart]
            for container in containers
            if container.append_only
        )

    def check(self, request: Request) -> None:
        """Raises CosmosError (403)."""
        match request.parts:
            case ("dbs", database, "colls", name, "docs", *rest):
                if (database, name) in self._append_only and not _appends(request, bool(rest)):
                    raise _denied()
            case _:
                if request.method not in _READS and not is_query(request):
                    raise _denied()


def _appends(request: Request, single: bool) -> bool:
    if request.method in _READS or request.flag("x-ms-cosmos-is-query-plan-request") or is_query(request):
        return True
    if request.method != "POST" or single or request.flag("x-ms-documentdb-is-upsert"):
        return False
    return not request.flag("x-ms-cosmos-is-batch-request") or _creates_alone(request.body)


def _creates_alone(body: bytes) -> bool:
    try:
        operations = json.loads(body)
        return all(each["operationType"] in ("Create", "Read") for each in operations)
    except (ValueError, TypeError, KeyError):
        return False


def _denied() -> CosmosError:
    return CosmosError(403, "Forbidden", "The role of this key does not allow this operation.")
