"""What the app's key may not do: change or delete in a container that is declared append-only.

Stands for a Cosmos DB role with `items/create`, `items/read`, `executeQuery` and `readChangeFeed` and nothing else on
such a container (https://learn.microsoft.com/azure/cosmos-db/reference-data-plane-security): what a role does not list
is denied. Like every role of the data plane it gives no right over databases and containers themselves. The account's
own key stands for its administrators, whom no such role binds.
"""

import json
from typing import Final

from sandbox.cosmos.errors import CosmosError
from sandbox.cosmos.messages import Request
from sandbox.cosmos.reading import is_query
from sandbox.topology import Topology

_READS: Final = frozenset({"GET", "HEAD"})


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
