"""Containers: the code's, those of `infra/topology.json` (the sandbox's) and those in Azure are the same; what the code
searches by is indexed, and nothing else is: each indexed path is paid for at every write."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox import topology
from tools.infra_checks import code
from tools.infra_checks.evaluating import Evaluated, Resource

_CONTAINER: Final = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers"


@dataclass(frozen=True, slots=True)
class Searched:
    """Where a module of the code searches."""

    containers: tuple[str, ...]
    fragments: bool = False
    """Whether its queries are put together from pieces."""


_OUTBOXES: Final = ("messages", "refusals", "registry")
"""Those that the audit log is written from (`shared.azure.trail_parts`)."""
SEARCHED: Final[Mapping[str, Searched]] = {
    "shared/azure/trail_parts.py": Searched(("checkpoints",)),
    "shared/delivery/standing.py": Searched(("operations",)),
    "shared/delivery/waking.py": Searched(("messages",), fragments=True),
    "shared/messages/proving.py": Searched(("messages",)),
    "shared/messages/events.py": Searched(("messages",)),
    "shared/messages/replays.py": Searched(("operations",)),
    "shared/messages/returning.py": Searched(("messages",)),
    "shared/messages/set_aside.py": Searched(("messages",), fragments=True),
    "shared/messages/worklist.py": Searched(("messages",)),
    "shared/registry/keeping.py": Searched(("registry",)),
    "shared/trail/copying.py": Searched(("checkpoints",)),
    "shared/trail/desk.py": Searched(("trail",)),
    "shared/trail/purging.py": Searched(("trail",)),
    "shared/trail/reconciling.py": Searched((*_OUTBOXES, "trail")),
    "shared/trail/sealing.py": Searched(("checkpoints", "trail")),
    "shared/trail/searching.py": Searched(("trail",), fragments=True),
    "shared/trail/verifying.py": Searched((*_OUTBOXES, "trail")),
    "shared/trail/writing.py": Searched(("trail",)),
    "shared/watch/alert_store.py": Searched(("operations",)),
    "shared/watch/desk.py": Searched(("operations",)),
    "shared/watch/heard.py": Searched(("operations",)),
    "shared/watch/looking.py": Searched(("messages",), fragments=True),
    "shared/watch/observing.py": Searched(("operations", "registry")),
}
"""Every module with a query: which containers it asks."""

_BESIDE: Final[Mapping[tuple[str, str], str]] = {
    ("messages", "/lane"): "beside /names, /aside/at or ids, each of which leaves few",
    ("messages", "/state"): "beside some minutes of /receivedAt",
    ("messages", "/aside/orgnr"): "beside /aside/at",
    ("messages", "/recorded"): "asked of the trail alone (shared/trail/reconciling.py)",
    ("messages", "/chain"): "asked of the trail alone (shared/trail/verifying.py)",
    ("messages", "/kind"): "asked of the trail alone",
    ("trail", "/type"): "asked of the outboxes alone (shared/trail/reconciling.py, verifying.py)",
    ("trail", "/series"): "asked of the checkpoints alone (shared/trail/sealing.py)",
    ("trail", "/number"): "asked of the checkpoints alone",
    ("checkpoints", "/chain"): "asked of the trail alone (shared/trail/sealing.py)",
    ("checkpoints", "/seq"): "asked of the trail alone",
}
"""What is filtered by without an index, and why that costs nothing: container and path, and the reason."""
_BY_ITSELF: Final = frozenset({"/id", "/_ts"})
"""Always indexed (https://learn.microsoft.com/azure/cosmos-db/index-policy)."""

PARTITIONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "messages": ("/partition", "shared/messages/partitions.py", 'KEY: Final = "partition"'),
    "operations": ("/id", "shared/delivery/standing.py", "read(id, id)"),
    "proofs": ("/id", "shared/azure/proofs.py", "read(key, key)"),
    "registry": ("/orgnr", "shared/registry/register.py", "read(id, orgnr)"),
    "refusals": ("/period", "shared/trail/refusals.py", 'create([document], document["period"])'),
    "trail": ("/chain", "shared/azure/trail.py", "delete_item(id, chain)"),
    "positions": ("/id", "shared/azure/trail.py", "read(feed, feed)"),
    "checkpoints": ("/series", "shared/trail/sealing.py", "c.series = @series"),
}
"""How the code addresses each container's partitions: by which path, where that is seen, and what stands there."""

_UNIQUE: Final[Mapping[str, tuple[str, ...]]] = {"trail": ("/source",)}
"""What the code takes to be refused a second time within a partition (shared/trail/writing.py)."""
_DATABASES: Final = ("Cosmos__database", "Trail__database", "Checkpoints__database")


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    """What does not agree, a line each."""
    whole = topology.load(root / "infra/topology.json")
    databases = {whole.database: whole.containers, **{each.name: each.containers for each in whole.apart}}
    declared = {each.name: (database, each) for database, found in databases.items() for each in found}
    named = code.containers(root) | code.outboxes(root)
    yield from (
        f"container {each}: the code uses it, topology.json has none" for each in sorted(named - declared.keys())
    )
    yield from (f"container {each}: in topology.json, the code does not use it" for each in declared.keys() - named)
    taken = tuple(code.default(root, each) for each in _DATABASES)
    if tuple(databases) != taken:
        yield f"databases {', '.join(databases)} of topology.json: the code and so the sandbox take {', '.join(taken)}"
    yield from _partitions(root, {name: each for name, (_, each) in declared.items()})
    yield from _indexes(root, {name: each for name, (_, each) in declared.items()})
    for environment in evaluated.values():
        made = {each.last: each for each in environment.of(_CONTAINER)}
        for name in sorted(declared.keys() - made.keys()):
            yield f"{environment.environment}: container {name}: not made in Azure"
        for name in sorted(made.keys() - declared.keys()):
            yield f"{environment.environment}: container {name}: made in Azure, not in topology.json"
        for name in sorted(made.keys() & declared.keys()):
            yield from _alike(environment.environment, made[name], *declared[name])


def _partitions(root: Path, declared: Mapping[str, topology.Container]) -> Iterator[str]:
    for name, container in declared.items():
        path, file, seen = PARTITIONS.get(name, ("", "", ""))
        if container.partition_key != path:
            yield f"container {name}: partitionKey is {container.partition_key}, the code addresses it by {path or '?'}"
        if container.unique_keys != _UNIQUE.get(name, ()):
            wanted = list(_UNIQUE.get(name, ()))
            yield f"container {name}: uniqueKeys are {list(container.unique_keys)}, the code counts on {wanted}"
        if file and seen not in (root / file).read_text(encoding="utf-8"):
            yield f"container {name}: {file} no longer has `{seen}`: is its partition key still {path}?"


def _indexes(root: Path, declared: Mapping[str, topology.Container]) -> Iterator[str]:
    asking = code.querying(root)
    yield from (
        f"{each}: has a query; which containers does it ask? (SEARCHED)" for each in sorted(asking - SEARCHED.keys())
    )
    yield from (f"{each}: has no query any more (SEARCHED)" for each in sorted(SEARCHED.keys() - asking))
    used: dict[str, set[str]] = {name: set() for name in declared}
    for file in sorted(asking & SEARCHED.keys()):
        searched = SEARCHED[file]
        query = code.query(root, file, fragments=searched.fragments)
        for name in searched.containers:
            if name not in declared:
                continue
            used[name] |= query.filtered | query.ordered
            yield from _of_query(query, declared[name])
    for name, container in declared.items():
        for path in container.indexed_paths or ():
            if _plain(path) not in used[name]:
                yield f"container {name}: index {path}: nothing in the code searches by it, every write pays for it"


def _of_query(query: code.Query, container: topology.Container) -> Iterator[str]:
    if container.indexed_paths is None:
        return
    indexed = {_plain(each) for each in container.indexed_paths} | _BY_ITSELF
    excused = {path for name, path in _BESIDE if name == container.name}
    for path in sorted(query.ordered - indexed - excused):
        yield f"container {container.name}: no index {path}: {query.file} sorts by it, Cosmos DB would refuse the query"
    for path in sorted(query.filtered - indexed - excused - query.ordered):
        yield f"container {container.name}: no index {path}: {query.file} searches by it, everything would be read"


def _plain(path: str) -> str:
    return path.removesuffix("/?").removesuffix("/[]").removesuffix("/*")


def _alike(environment: str, made: Resource, database: str, declared: topology.Container) -> Iterator[str]:
    where = f"{environment}: container {made.last}"
    keys = made.at("resource", "partitionKey", "paths") or []
    if keys != [declared.partition_key]:
        yield f"{where}: partitionKey is {keys} in Azure, {declared.partition_key} in the sandbox (topology.json)"
    if made.name.split("/")[1] != database:
        yield f"{where}: in database {made.name.split('/')[1]} in Azure, {database} in the sandbox"
    if made.at("resource", "defaultTtl") != declared.default_ttl:
        there = made.at("resource", "defaultTtl")
        yield f"{where}: defaultTtl is {there} in Azure, {declared.default_ttl} in the sandbox (topology.json)"
    policy = made.at("resource", "indexingPolicy") or {}
    included = [each["path"] for each in policy.get("includedPaths", ())]
    wanted = ["/*"] if declared.indexed_paths is None else list(declared.indexed_paths)
    if included != wanted:
        yield f"{where}: indexed are {included} in Azure, {wanted} in topology.json"
    if declared.indexed_paths is not None and {"path": "/*"} not in policy.get("excludedPaths", ()):
        yield f"{where}: excludedPaths has no /*: everything is indexed"
    if policy.get("indexingMode") != "consistent" or policy.get("automatic") is not True:
        yield f"{where}: indexing is not automatic and consistent: the code's searches would miss what is new"
    unique = [path for each in made.at("resource", "uniqueKeyPolicy", "uniqueKeys") or () for path in each["paths"]]
    if unique != list(declared.unique_keys):
        yield f"{where}: uniqueKeys are {unique} in Azure, {list(declared.unique_keys)} in the sandbox (topology.json)"
