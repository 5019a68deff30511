"""Security's rules on what is logged, kept and told (items 24, 39 to 46)."""

import re
from collections.abc import Iterator
from typing import Final

from tools.infra_checks.evaluating import Evaluated
from tools.infra_checks.kinds import (
    BUS,
    COSMOS,
    DIAGNOSTICS,
    GATEWAY,
    NETWORK,
    RULES_OF_NETWORK,
    STORAGE,
    VAULT,
    WORKSPACE,
)  # fmt: skip

_LOGGED: Final = (BUS, COSMOS, VAULT, GATEWAY, NETWORK, RULES_OF_NETWORK, WORKSPACE, f"{STORAGE}/blobServices",
                  "Microsoft.Network/publicIPAddresses")  # fmt: skip
_CATEGORIES: Final = {
    VAULT: "AuditEvent", GATEWAY: "GatewayLogs", BUS: "OperationalLogs", COSMOS: "ControlPlaneRequests",
    WORKSPACE: "Audit",
}  # fmt: skip


def logs(environment: Evaluated) -> Iterator[str]:
    """Everything is logged to the workspace, for long enough."""
    settings = {each.scope: each for each in environment.of(DIAGNOSTICS)}
    for type in _LOGGED:
        for each in environment.of(type):
            found = settings.get(each.id)
            if found is None or not found.at("workspaceId"):
                yield f"item 39: {each}: no diagnostic setting to the workspace"
                continue
            kept = [one for one in found.at("logs") or () if one.get("enabled")]
            on = {one.get("category") or one.get("categoryGroup") for one in kept}
            if not on or (type in _CATEGORIES and _CATEGORIES[type] not in on):
                yield f"item 39: {each}: does not log {_CATEGORIES.get(type, 'anything')}"
    for each in environment.of(WORKSPACE):
        if int(each.at("retentionInDays") or 0) < (90 if environment.environment != "dev" else 30):
            yield f"item 40: {each}: retentionInDays is {each.at('retentionInDays')}"
        if float(each.at("workspaceCapping", "dailyQuotaGb") or -1) <= 0:
            yield f"item 40: {each}: no daily cap"
    names = {each.at("displayName") for each in environment.of("Microsoft.Insights/scheduledQueryRules")}
    for alert in ("log-cap", "log-volume", "key-expiry", "vault-purged", "trail-broken"):
        if alert not in names:
            yield f"items 24, 40: alert {alert}: not made"


def trail(environment: Evaluated) -> Iterator[str]:
    """The audit log stays, apart, and cannot be changed."""
    for each in environment.of(f"{COSMOS}/sqlDatabases/containers"):
        if each.last in ("trail", "checkpoints") and each.at("resource", "defaultTtl") is not None:
            yield f"item 42: {each}: defaultTtl is {each.at('resource', 'defaultTtl')}: the audit log would vanish"
    accounts = [each.name.partition("/")[0] for each in environment.of(f"{COSMOS}/sqlDatabases")]
    if len(set(accounts)) != 3 or len(accounts) != 3:
        yield "item 44: databaseAccounts: the audit log and its checkpoints are not in an account each"
    kept = environment.of(f"{STORAGE}/blobServices/containers/immutabilityPolicies")
    least = {"prod": 3653}.get(environment.environment, 1)
    if not kept:
        yield "item 44: storageAccounts: no immutability policy on checkpoints' copies"
    for each in kept:
        days = each.at("immutabilityPeriodSinceCreationInDays")
        if int(days or 0) < least:
            yield f"item 44: {each}: immutabilityPeriodSinceCreationInDays is {days}"
    for each in environment.of("Microsoft.Authorization/roleDefinitions"):
        for permission in each.at("permissions") or ():
            for action in (*permission.get("actions", ()), *permission.get("dataActions", ())):
                if re.search(r"/(write|delete)(/|$)|\*", action):
                    yield f"item 44: {each}: may {action}"
    for each in environment.of(f"{STORAGE}/blobServices/containers"):
        if each.at("publicAccess") != "None":
            yield f"item 4: {each}: publicAccess is {each.at('publicAccess')}"


def people(environment: Evaluated) -> Iterator[str]:
    """Somebody is told."""
    groups = environment.of("Microsoft.Insights/actionGroups")
    if not groups:
        yield "item 46: actionGroups: nobody is told"
    for each in groups:
        if each.at("enabled") is not True or not [
            *(each.at("emailReceivers") or ()),
            *(each.at("webhookReceivers") or ()),
        ]:
            yield f"item 46: {each}: tells nobody"
    for type in ("metricAlerts", "scheduledQueryRules", "activityLogAlerts"):
        for each in environment.of(f"Microsoft.Insights/{type}"):
            actions = each.at("actions")
            if not actions or actions == {"actionGroups": []}:
                yield f"item 46: {each}: no action group"
            if each.at("enabled") is not True:
                yield f"item 46: {each}: is off"
            if ".md" not in str(each.at("description")):
                yield f"item 46: {each}: links no runbook"
    if environment.environment == "prod":
        on = {
            each.last for each in environment.of("Microsoft.Security/pricings") if each.at("pricingTier") == "Standard"
        }
        for plan in ("Arm", "KeyVaults", "StorageAccounts", "CosmosDbs", "Api"):
            if plan not in on:
                yield f"item 45: pricings {plan}: not on"
