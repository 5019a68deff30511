"""A month's bill of an environment: fixed, with so many events, what another million adds, and what zones cost."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.cost import parts
from sandbox.cost.parts import Basis, Cost
from sandbox.cost.prices import Measured, Prices, measured, prices
from sandbox.cost.template import Template, template

_MILLION: Final = 1_000_000
_PARTS: Final[tuple[Callable[[Basis, float], Iterator[Cost]], ...]] = (
    parts.gateway, parts.service_bus, parts.functions, parts.cosmos, parts.logs, parts.network, parts.watching,
    parts.defender,
)  # fmt: skip

BILLED: Final = frozenset({
    "ApiManagement/service", "ServiceBus/namespaces", "Web/serverfarms", "Web/sites", "Web/sites/config",
    "DocumentDB/databaseAccounts", "DocumentDB/databaseAccounts/sqlDatabases", "OperationalInsights/workspaces",
    "Network/privateEndpoints", "Network/privateDnsZones", "Network/natGateways", "Network/publicIPAddresses",
    "Insights/metricAlerts", "Insights/scheduledQueryRules", "Insights/webtests", "Security/pricings",
})  # fmt: skip
"""Types of resources that are in the bill."""
SMALL: Final = frozenset({
    "KeyVault/vaults", "KeyVault/vaults/keys", "Storage/storageAccounts", "Storage/storageAccounts/blobServices",
    "Storage/storageAccounts/blobServices/containers", "Insights/actionGroups",
})  # fmt: skip
"""Types that cost by use, here less than a dollar or two a month each: left out."""
FREE: Final = frozenset({
    "Resources/resourceGroups", "Authorization/policyAssignments", "Authorization/roleAssignments",
    "Authorization/roleDefinitions", "Authorization/locks", "ManagedIdentity/userAssignedIdentities",
    "Insights/components", "Insights/diagnosticSettings", "Insights/activityLogAlerts", "Insights/workbooks",
    "Consumption/budgets", "ServiceBus/namespaces/queues", "DocumentDB/databaseAccounts/sqlDatabases/containers",
    "DocumentDB/databaseAccounts/sqlRoleDefinitions", "DocumentDB/databaseAccounts/sqlRoleAssignments",
    "Storage/storageAccounts/blobServices/containers/immutabilityPolicies", "ApiManagement/service/namedValues",
    "ApiManagement/service/backends", "ApiManagement/service/policyFragments", "ApiManagement/service/policies",
    "ApiManagement/service/apis", "ApiManagement/service/products", "ApiManagement/service/products/policies",
    "ApiManagement/service/products/apiLinks", "ApiManagement/service/loggers", "ApiManagement/service/diagnostics",
    "ApiManagement/service/apis/diagnostics", "Web/sites/basicPublishingCredentialsPolicies",
    "Network/networkSecurityGroups", "Network/virtualNetworks", "Network/privateDnsZones/virtualNetworkLinks",
    "Network/privateEndpoints/privateDnsZoneGroups",
})  # fmt: skip
"""Types that cost nothing, or nothing beside what they belong to."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: US dollars a month with no event, with so many, and for the next million after those."""

    service: str
    what: str
    fixed: float
    usd: float
    next_million: float
    how: str


@dataclass(frozen=True, slots=True)
class Zones:
    """What being spread over zones costs or would cost, US dollars a month."""

    here: bool
    functions: float
    """Instances that Azure keeps because of zones."""
    gateway: float
    """What as many units of Premium v2 cost more: the gateway's only tier with zones."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A month of an environment."""

    environment: str
    events: int
    lines: tuple[Line, ...]
    zones: Zones

    @property
    def fixed(self) -> float:
        """With no event."""
        return sum(line.fixed for line in self.lines)

    @property
    def usd(self) -> float:
        """With its events."""
        return sum(line.usd for line in self.lines)

    @property
    def next_million(self) -> float:
        """What another million of events adds."""
        return sum(line.next_million for line in self.lines)

    @property
    def dominates(self) -> tuple[tuple[str, float], ...]:
        """Services and their part of the bill, the dearest first."""
        services: dict[str, float] = {}
        for line in self.lines:
            services[line.service] = services.get(line.service, 0.0) + line.usd
        return tuple(sorted(services.items(), key=lambda each: -each[1]))


def bill(
    environment: str, events: int, *, listed: Prices | None = None, taken: Measured | None = None
) -> Bill:  # fmt: skip
    """The bill. Raises OSError or LookupError when there is no such environment or it has parts without a price."""
    basis = Basis(template(environment), taken or measured(), listed or prices())
    _all_known(basis.template)
    none, some, more = (_costs(basis, float(count)) for count in (0, events, events + _MILLION))
    lines = tuple(
        Line(now.service, now.what, before.usd, now.usd, then.usd - now.usd, now.how)
        for before, now, then in zip(none, some, more, strict=True)
        if then.usd > 0
    )
    return Bill(environment, events, lines, _zones(basis))


def _costs(basis: Basis, events: float) -> list[Cost]:
    return [cost for part in _PARTS for cost in part(basis, events)]


def _all_known(of: Template) -> None:
    unknown = sorted({kind for kind in _kinds(of.resources) if kind not in BILLED | SMALL | FREE})
    if unknown:
        raise LookupError(f"{of.environment}: nothing is known of what these cost: {', '.join(unknown)}")


def _kinds(resources: Iterable[object]) -> Iterator[str]:
    for each in resources:
        if isinstance(each, dict):
            yield str(each["type"]).removeprefix("Microsoft.")


def _zones(basis: Basis) -> Zones:
    groups, listed = basis.template.groups(), basis.prices
    ready = listed.usd("functions.ready.gbSecond") * listed.seconds
    more = sum((max(group.ready, 2) - group.ready) * group.memory_gb for group in groups) * ready
    sku = basis.template.one("ApiManagement/service")["sku"]
    each = listed.usd("gateway.PremiumV2.unit") - listed.usd(f"gateway.{sku['name']}.unit")
    return Zones(any(group.zones for group in groups), more, each * int(sku["capacity"]))
