"""Who may do what: the roles that components get in Azure are those of `infra/components.json`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox import topology
from tools.infra_checks import code
from tools.infra_checks.evaluating import GROUPS, Evaluated, Resource

_ASSIGNMENT: Final = "Microsoft.Authorization/roleAssignments"
_COSMOS_ROLE: Final = "Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions"
_COSMOS_ASSIGNMENT: Final = "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"
_PREFIX: Final = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/"
_READ_METADATA: Final = "Microsoft.DocumentDB/databaseAccounts/readMetadata"
_HOLDER: Final = re.compile(r"<id-kp-([a-z]+)-")


@dataclass(frozen=True, slots=True)
class Role:
    """A role that somebody may have."""

    name: str
    scope: str
    """How the scope's type ends."""
    holders: frozenset[str]


_ALL: Final = frozenset({"api", "road", "upkeep"})
_SEND: Final = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"
_RECEIVE: Final = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"
_ROLES: Final[Mapping[str, Role]] = {
    _SEND: Role("Service Bus Data Sender", "queues", _ALL),
    _RECEIVE: Role("Service Bus Data Receiver", "queues", frozenset({"road"})),
    "4633458b-17de-408a-b874-0445c86b69e6": Role("Key Vault Secrets User", "vaults", _ALL | {"gateway"}),
    "12338af0-0e69-4776-bea7-57ae8d297424": Role("Key Vault Crypto User", "keys", frozenset({"upkeep"})),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": Role("Storage Blob Data Owner", "storageAccounts", _ALL),
    "3913510d-42f4-4e42-8a64-420c390055eb": Role("Monitoring Metrics Publisher", "components", _ALL | {"gateway"}),
}
_FORBIDDEN: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "090c5cfd-751d-490a-894a-3ce6f1109419": "Azure Service Bus Data Owner",
    "00000000-0000-0000-0000-000000000002": "Cosmos DB Built-in Data Contributor",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
}
_OF_PEOPLE: Final = {
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "KNUTEPUNKT_OPERATORS_GROUP",  # Monitoring Reader
    "73c42c96-874c-492b-b04d-ab87d138a893": "KNUTEPUNKT_OPERATORS_GROUP",  # Log Analytics Reader
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "KNUTEPUNKT_SECRET_KEEPERS_GROUP",  # Key Vault Secrets Officer
}
"""Roles that people may have, and by which group."""
_MAY: Final = {
    "read": frozenset({"containers/executeQuery", "containers/readChangeFeed", "containers/items/read"}),
    "append": frozenset({"containers/items/create"}),
    "edit": frozenset({"containers/items/replace", "containers/items/upsert"}),
}
"""The most that a component's role may do: what each has more than the one before it. To delete is nobody's."""


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    """What does not agree, a line each."""
    given = code.load(root, "infra/components.json")
    components = {each["name"]: each for each in given["components"]}
    yield from _of_code(root, components)
    yield from _of_roles(given["cosmosRoles"])
    yield from _of_containers(root, components)
    for each in given["people"]:
        for container in sorted(each["containers"].keys() - {"trail"}):
            role = each["containers"][container]
            yield f"item 10: {each['name']} may {role} container {container}: people purge the audit log alone"
    for environment in evaluated.values():
        yield from _roles(environment)
        yield from _queues(environment, components)
        yield from _documents(environment, components, given["cosmosRoles"], given["people"])


def _of_code(root: Path, components: Mapping[str, Any]) -> Iterator[str]:
    functions = {each.name: each for each in code.functions(root)}
    queues = frozenset(code.queues(root).values())
    for name, component in components.items():
        wanted = {functions[each].queue for each in component["functions"] if each in functions} - {""}
        yield from (
            f"component {name}: may not receive from {each}, its function does"
            for each in sorted(wanted - set(component["receives"]))
        )
        yield from (
            f"component {name}: may receive from {each}, none of its functions does"
            for each in sorted(set(component["receives"]) - wanted)
        )
        # Whoever works on lanes signals them again, and the orphan check all of them.
        yield from (
            f"component {name}: may not send to {each}, the code does"
            for each in sorted(queues - set(component["sends"]))
        )
        yield from (
            f"component {name}: may send to {each}, which is no queue"
            for each in sorted(set(component["sends"]) - queues)
        )


def _of_roles(roles: Mapping[str, list[str]]) -> Iterator[str]:
    may: frozenset[str] = frozenset()
    for name, more in _MAY.items():
        may = may | more
        has = frozenset(roles.get(name, ()))
        yield from (f"item 10: role {name} (components.json): may {each}" for each in sorted(has - may))
        yield from (f"role {name} (components.json): may not {each}, the code does" for each in sorted(may - has))


def _of_containers(root: Path, components: Mapping[str, Any]) -> Iterator[str]:
    whole = topology.load(root / "infra/topology.json")
    declared = {each.name: each for found in (whole.containers, *(d.containers for d in whole.apart)) for each in found}
    for name, component in components.items():
        for container, role in component["containers"].items():
            if container not in declared:
                yield f"component {name}: has a right to {container}, which is no container"
            elif declared[container].append_only and role not in ("read", "append"):
                yield f"items 41, 44: component {name}: may {role} container {container}, which is appended to alone"
            if role not in _MAY:
                yield f"item 10: component {name}: role {role} of container {container} is people's alone"
    reached = {container for each in components.values() for container in each["containers"]}
    yield from (f"container {each}: no component has a right to it" for each in sorted(declared.keys() - reached))
    for name in ("trail", "checkpoints"):
        if not declared[name].append_only if name in declared else True:
            yield f"item 41: container {name} is not appendOnly in topology.json"


def _roles(environment: Evaluated) -> Iterator[str]:
    custom = {each.id for each in environment.of("Microsoft.Authorization/roleDefinitions")}
    for each in environment.of(_ASSIGNMENT):
        definition = str(each.at("roleDefinitionId"))
        id, holder = definition.rpartition("/")[2].rstrip(">"), _holder(each)
        where = (
            f"{environment.environment}: {holder or each.at('principalId')} on {_scope(each) or 'the resource group'}"
        )
        if each.at("principalType") not in ("ServicePrincipal", "Group"):
            yield f"item 12: {where}: given to a {each.at('principalType')}, not to a component or a group"
        if id in _FORBIDDEN:
            yield f"item 10: {where}: {_FORBIDDEN[id]}"
            continue
        if each.at("principalType") == "Group":
            if id not in _OF_PEOPLE:
                yield f"item 12: {where}: role {id} is not among those that people may have"
            elif each.at("principalId") != GROUPS[_OF_PEOPLE[id]]:
                yield f"item 12: {where}: given to another group"
            continue
        if definition in custom:
            if holder != "upkeep" or _kind(each) != "containers":
                yield f"item 11: {where}: the witness's role is upkeep's on one container"
            continue
        role = _ROLES.get(id)
        if role is None:
            yield f"item 10: {where}: role {id} is not among those that a component may have"
        elif holder not in role.holders:
            yield f"item 10: {where}: {role.name} is for {', '.join(sorted(role.holders))}"
        elif _kind(each) != role.scope:
            yield f"item 11: {where}: {role.name} is given on one of {role.scope}, no wider"
        elif role.scope == "storageAccounts" and f"{holder}" not in _scope(each):
            yield f"item 11: {where}: {role.name} on another component's account"


def _holder(assignment: Resource) -> str:
    found = _HOLDER.match(str(assignment.at("principalId")))
    return found[1] if found else ""


def _people(assignment: Resource) -> str:
    return "trailKeepers" if assignment.at("principalId") == GROUPS["KNUTEPUNKT_TRAIL_KEEPERS_GROUP"] else ""


def _scope(assignment: Resource) -> str:
    return assignment.scope.rpartition("/")[2] if "/providers/" in assignment.scope else ""


def _kind(assignment: Resource) -> str:
    return assignment.scope.split("/")[-2] if "/providers/" in assignment.scope else ""


def _queues(environment: Evaluated, components: Mapping[str, Any]) -> Iterator[str]:
    made = {
        (_holder(each), str(each.at("roleDefinitionId")).rpartition("/")[2], _scope(each))
        for each in environment.of(_ASSIGNMENT)
        if _kind(each) == "queues"
    }
    wanted = {
        (name, role, queue)
        for name, each in components.items()
        for role, queues in ((_SEND, each["sends"]), (_RECEIVE, each["receives"]))
        for queue in queues
    }
    word = {_SEND: "send to", _RECEIVE: "receive from"}
    for name, role, queue in sorted(wanted - made):
        yield f"{environment.environment}: component {name} may not {word[role]} queue {queue} in Azure"
    for name, role, queue in sorted(made - wanted):
        what = word.get(role, role)
        yield f"{environment.environment}: component {name} may {what} queue {queue} in Azure, not by components.json"


def _documents(
    environment: Evaluated,
    components: Mapping[str, Any],
    roles: Mapping[str, list[str]],
    people: list[dict[str, Any]],
) -> Iterator[str]:
    names: dict[str, str] = {}
    for each in environment.of(_COSMOS_ROLE):
        name = str(each.at("roleName")).removeprefix("Knutepunkt ")
        names[each.last] = name
        has = {action for one in each.at("permissions") or () for action in one["dataActions"]}
        wanted = {_READ_METADATA, *(_PREFIX + action for action in roles.get(name, ()))}
        yield from (
            f"{environment.environment}: role {name}: may {action} in Azure, not by components.json"
            for action in sorted(has - wanted)
        )
        yield from (
            f"{environment.environment}: role {name}: may not {action} in Azure" for action in sorted(wanted - has)
        )
    made = set()
    for each in environment.of(_COSMOS_ASSIGNMENT):
        role = str(each.at("roleDefinitionId")).rpartition("/")[2]
        scope = str(each.at("scope"))
        if "/colls/" not in scope:
            wide = scope.rpartition("/")[2]
            yield f"item 11: {environment.environment}: a right to documents is not on one container: {wide}"
        if role in _FORBIDDEN or role not in names:
            yield f"item 10: {environment.environment}: {_FORBIDDEN.get(role, role)} on {scope.rpartition('/')[2]}"
        made.add((_holder(each) or _people(each), names.get(role, role), scope.rpartition("/")[2]))
    holders = {**components, **{each["name"]: each for each in people}}
    wanted_rights = {(name, role, c) for name, each in holders.items() for c, role in each["containers"].items()}
    for name, role, container in sorted(wanted_rights - made):
        yield f"{environment.environment}: component {name} may not {role} container {container} in Azure"
    for name, role, container in sorted(made - wanted_rights):
        where = f"{environment.environment}: component {name}"
        yield f"{where} may {role} container {container} in Azure, not by components.json"
