"""Security's rules on what Bicep evaluates to. Numbers are those of the list of 56 items (docs/security-items.md)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.infra_checks.evaluating import Evaluated
from tools.infra_checks.kinds import BUS, COSMOS, DIAGNOSTICS, GATEWAY, INSIGHTS, SITE, STORAGE, VAULT, WORKSPACE
from tools.infra_checks.rules_of_network import endpoints, gateway, gateway_logs, private, subnets
from tools.infra_checks.rules_of_watching import logs, people, trail

_STATEFUL: Final = (BUS, COSMOS, STORAGE, VAULT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A property that every resource of a type must have with this value."""

    item: int
    type: str
    path: tuple[str, ...]
    value: Any


WANTED: Final = (
    Wanted(1, BUS, ("disableLocalAuth",), True),
    Wanted(3, COSMOS, ("disableLocalAuth",), True),
    Wanted(3, COSMOS, ("disableKeyBasedMetadataWriteAccess",), True),
    Wanted(4, STORAGE, ("allowSharedKeyAccess",), False),
    Wanted(4, STORAGE, ("allowBlobPublicAccess",), False),
    Wanted(4, STORAGE, ("allowCrossTenantReplication",), False),
    Wanted(5, INSIGHTS, ("DisableLocalAuth",), True),
    Wanted(5, WORKSPACE, ("features", "disableLocalAuth"), True),
    Wanted(18, BUS, ("minimumTlsVersion",), "1.2"),
    Wanted(18, COSMOS, ("minimalTlsVersion",), "Tls12"),
    Wanted(18, STORAGE, ("minimumTlsVersion",), "TLS1_2"),
    Wanted(18, STORAGE, ("supportsHttpsTrafficOnly",), True),
    Wanted(18, SITE, ("siteConfig", "minTlsVersion"), "1.2"),
    Wanted(18, SITE, ("siteConfig", "scmMinTlsVersion"), "1.2"),
    Wanted(19, SITE, ("httpsOnly",), True),
    Wanted(19, SITE, ("siteConfig", "ftpsState"), "Disabled"),
    Wanted(19, f"{SITE}/basicPublishingCredentialsPolicies", ("allow",), False),
    Wanted(23, VAULT, ("enableRbacAuthorization",), True),
    Wanted(23, VAULT, ("enableSoftDelete",), True),
    Wanted(23, VAULT, ("softDeleteRetentionInDays",), 90),
    Wanted(23, VAULT, ("enablePurgeProtection",), True),
    Wanted(23, f"{VAULT}/keys", ("attributes", "exportable"), False),
    Wanted(35, SITE, ("siteConfig", "remoteDebuggingEnabled"), False),
    Wanted(35, SITE, ("siteConfig", "cors", "allowedOrigins"), []),
    Wanted(43, INSIGHTS, ("DisableIpMasking",), False),
    Wanted(47, COSMOS, ("backupPolicy", "type"), "Continuous"),
)  # fmt: skip


def findings(evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    """What breaks a rule, a line each: its item, the environment, the resource, the value."""
    for environment in evaluated.values():
        where = environment.environment
        if environment.error:
            yield f"{where}: cannot be evaluated: {environment.error}"
            continue
        for wanted in WANTED:
            of_type = environment.of(wanted.type)
            if not of_type:
                yield f"item {wanted.item}: {where}: there is no {wanted.type.partition('/')[2]}"
            for each in of_type:
                has = each.at(*wanted.path)
                if has != wanted.value:
                    yield f"item {wanted.item}: {where}: {each}: {wanted.path[-1]} is {has!r}, must be {wanted.value!r}"
        for rule in RULES:
            yield from (line.replace(":", f": {where}:", 1) for line in rule(environment))


def _secrets(environment: Evaluated) -> Iterator[str]:
    for each in environment.resources:
        if each.type.lower().endswith("authorizationrules"):
            yield f"item 2: {each}: a key that opens Service Bus"
    for name, value in environment.outputs.items():
        if re.search(r"AccountKey=|SharedAccessKey=|InstrumentationKey=|password", str(value), re.IGNORECASE):
            yield f"item 8: output {name}: looks like a secret"


def _identities(environment: Evaluated) -> Iterator[str]:
    used: list[str] = []
    for each in environment.of(SITE):
        given = each.body.get("identity") or {}
        if given.get("type") != "UserAssigned" or len(given.get("userAssignedIdentities") or {}) != 1:
            yield f"item 6: {each}: has not exactly one identity of its own"
        used += list(given.get("userAssignedIdentities") or {})
        how = each.at("functionAppConfig", "deployment", "storage", "authentication", "type")
        if how != "UserAssignedIdentity":
            yield f"item 7: {each}: deployment storage is reached by {how}"
    if len(set(used)) != len(used):
        yield "item 6: sites: two components have the same identity"
    for each in environment.of(f"{SITE}/config"):
        for name, value in each.properties.items():
            if re.search(r"AccountKey=|SharedAccessKey", str(value)) or name in (
                "AzureWebJobsStorage",
                "ServiceBus",
                "Cosmos",
            ):
                yield f"item 7: {each}: setting {name} is a connection string"


def _lasting(environment: Evaluated) -> Iterator[str]:
    if environment.environment != "prod":
        return
    for each in environment.of(COSMOS):
        if each.at("backupPolicy", "continuousModeProperties", "tier") != "Continuous30Days":
            yield f"item 47: {each}: backup tier is not Continuous30Days"
        if not all(place.get("isZoneRedundant") for place in each.at("locations") or [{}]):
            yield f"item 48: {each}: not zone redundant"
    for each in environment.of(BUS):
        if each.at("zoneRedundant") is not True or (each.body.get("sku") or {}).get("name") != "Premium":
            yield f"item 48: {each}: not Premium in zones"
    for each in environment.of("Microsoft.Web/serverfarms"):
        if each.at("zoneRedundant") is not True:
            yield f"item 48: {each}: zoneRedundant is off"
    for each in environment.of(STORAGE):
        if "ZRS" not in (each.body.get("sku") or {}).get("name", ""):
            yield f"item 48: {each}: {(each.body.get('sku') or {}).get('name')} is in one zone"


def _locked(environment: Evaluated) -> Iterator[str]:
    if environment.environment != "prod":
        return
    locked = {
        each.scope for each in environment.of("Microsoft.Authorization/locks") if each.at("level") == "CanNotDelete"
    }
    for type in _STATEFUL:
        for each in environment.of(type):
            # A host's own storage holds nothing that cannot be made again.
            if each.id not in locked and "host-storage" not in each.module:
                yield f"item 47: {each}: no lock against deletion"


_PLACES: Final = frozenset({"norwayeast", "norwaywest", "global"})
_TAGS: Final = frozenset({"application", "environment", "owner", "dataClass"})
_UNTAGGED: Final = ("Microsoft.Authorization/", "Microsoft.Consumption/", "Microsoft.Security/", DIAGNOSTICS)


def _places(environment: Evaluated) -> Iterator[str]:
    for each in environment.resources:
        place = str(each.body.get("location", "global"))
        if place not in _PLACES:
            yield f"item 54: {each}: location is {place}"
        for one in each.at("locations") or ():
            if isinstance(one, Mapping) and one.get("locationName") not in (None, *_PLACES):
                yield f"item 54: {each}: {one['locationName']}"
        if "location" in each.body and not each.type.startswith(_UNTAGGED):
            missing = _TAGS - (each.body.get("tags") or {}).keys()
            if missing:
                yield f"item 54: {each}: no tag {', '.join(sorted(missing))}"
            elif each.body["tags"]["environment"] != environment.environment:
                yield f"item 53: {each}: tag environment is {each.body['tags']['environment']}"
    allowed = [
        each.at("parameters", "listOfAllowedLocations", "value")
        for each in environment.of("Microsoft.Authorization/policyAssignments")
        if each.at("parameters") and each.at("enforcementMode") == "Default"
    ]
    if not allowed or any(set(each) - _PLACES for each in allowed):
        yield f"item 54: policyAssignments: allowed locations are {allowed}"


_LONGEST: Final = {STORAGE: 24, VAULT: 24, SITE: 60, GATEWAY: 50, BUS: 50, COSMOS: 44}


def _names(environment: Evaluated) -> Iterator[str]:
    for type, longest in _LONGEST.items():
        for each in environment.of(type):
            if len(each.name) > longest:
                yield f"item 52: {each}: name is longer than {longest}"
    seen: set[str] = set()
    for each in environment.resources:
        if each.id in seen:
            yield f"item 52: {each}: two resources have this name"
        seen.add(each.id)


def _runtime(environment: Evaluated) -> Iterator[str]:
    for each in environment.of(SITE):
        runtime = each.at("functionAppConfig", "runtime") or {}
        if runtime != {"name": "python", "version": "3.13"}:
            yield f"item 52: {each}: runtime is {runtime}, the code needs Python 3.13"


RULES: Final[tuple[Callable[[Evaluated], Iterator[str]], ...]] = (
    _secrets, _identities, private, endpoints, subnets, gateway, gateway_logs, logs, trail,
    people, _lasting, _locked, _places, _names, _runtime,
)  # fmt: skip
