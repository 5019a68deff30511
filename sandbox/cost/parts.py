"""What each kind of resource costs in a month with so many events: plain functions, one for each service."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from croniter import croniter

from sandbox.cost.prices import Measured, Prices
from sandbox.cost.template import HTTP, Group, Template

_MILLION: Final = 1e6
_GB: Final = 1e9
_TIMERS: Final[Mapping[str, str]] = {
    "orphan_check": "OrphanCheckSchedule", "waking": "WakingSchedule", "replaying": "ReplaySchedule",
    "expiry": "ExpirySchedule", "trail_sequencer": "TrailSchedule", "trail_checkpoint": "CheckpointSchedule",
    "trail_reconcile": "ReconcileSchedule", "watch": "WatchSchedule", "notices": "NoticesSchedule",
    "numbers": "NumbersSchedule",
}  # fmt: skip
"""Timers and the settings that say when they run."""
_MOST_RUNS_AT_ONCE: Final = 100
"""Of a queue function on one instance (host.json, `maxConcurrentSessions`)."""
_BILLED_QUEUES: Final = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the bill."""

    service: str
    what: str
    usd: float
    how: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a bill is made from."""

    template: Template
    measured: Measured
    prices: Prices

    def taken(self, counter: str, events: float) -> float:
        """How much of something a month takes with so many events, what the timers take included."""
        quiet = self.measured.quiet.get(counter, 0.0) * self.prices.hours
        return quiet + self.measured.events.get(counter, 0.0) * events


def gateway(basis: Basis, events: float) -> Iterator[Cost]:
    """API Management: units, and calls above those that are included."""
    sku = basis.template.one("ApiManagement/service")["sku"]
    name, units = str(sku["name"]), int(sku["capacity"])
    usd = basis.prices.usd(f"gateway.{name}.unit") * units
    yield Cost("API Management", f"{name}, {units} unit{'s' * (units > 1)}", usd, "each unit a month")
    above = events * basis.prices.assume("callsPerEvent") / _MILLION
    above -= basis.prices.included[f"gateway.{name}.millions"]
    yield Cost(
        "API Management", "calls above those included", max(0.0, above) * basis.prices.usd("gateway.million"), ""
    )


def service_bus(basis: Basis, events: float) -> Iterator[Cost]:
    """Service Bus: messaging units of Premium, or operations of Standard."""
    sku = basis.template.one("ServiceBus/namespaces")["sku"]
    if sku["name"] == "Premium":
        units = int(sku["capacity"])
        usd = basis.prices.usd("serviceBus.premium.hour") * basis.prices.hours * units
        yield Cost("Service Bus", f"Premium, {units} messaging unit", usd, "operations are not billed")
        return
    yield Cost("Service Bus", "Standard", basis.prices.usd("serviceBus.standard.month"), "")
    millions = basis.taken("serviceBusOperations", events) / _MILLION
    free = basis.prices.included["serviceBus.standard.millions"]
    usd = max(0.0, min(millions, 100) - free) * basis.prices.usd("serviceBus.standard.million")
    usd += max(0.0, millions - 100) * basis.prices.usd("serviceBus.standard.million.above100")
    each = basis.measured.events["serviceBusOperations"]
    yield Cost("Service Bus", "operations", usd, f"{each:.1f} an event; {free:.0f} million are included")


def functions(basis: Basis, events: float) -> Iterator[Cost]:
    """Flex Consumption: instances that are kept, time they work, and runs."""
    prices, groups = basis.prices, basis.template.groups()
    ready = prices.usd("functions.ready.gbSecond") * prices.seconds
    by_zones = sum((group.kept - group.ready) * group.memory_gb for group in groups)
    by_choice = sum(group.ready * group.memory_gb for group in groups)
    kept = sum(group.ready for group in groups)
    yield Cost("Functions", "instances kept ready, as the template says", by_choice * ready, f"{kept} instances")
    forced = sum(group.kept for group in groups) - kept
    yield Cost("Functions", "instances kept ready, because of zones", by_zones * ready, f"{forced} more instances")
    runs, on_demand, on_ready = 0.0, 0.0, 0.0
    for group in groups:
        made, seconds = _work(basis, group, events)
        runs += made
        if group.kept:
            on_ready += seconds * group.memory_gb
        else:
            on_demand += seconds * group.memory_gb
    free = prices.included["functions.onDemand.gbSeconds"]
    usd = on_ready * prices.usd("functions.ready.working.gbSecond")
    usd += max(0.0, on_demand - free) * prices.usd("functions.onDemand.gbSecond")
    yield Cost("Functions", "time that instances work", usd, f"{(on_ready + on_demand) / _MILLION:.2f} million GB-s")
    included = prices.included["functions.onDemand.runs"] if on_demand else 0.0
    yield Cost(
        "Functions", "runs", max(0.0, runs - included) / _MILLION * prices.usd("functions.million"),
        f"{runs / _MILLION:.2f} million",
    )  # fmt: skip


def _work(basis: Basis, group: Group, events: float) -> tuple[float, float]:
    """Runs of a group in a month, and instance seconds in which it works.

    Runs that overlap on one instance are billed once. Runs come at random, on as many instances as there are: the part
    of time in which an instance works is then 1 - e^(-runs a second and instance × the seconds of a run).
    """
    settings = basis.template.settings(group.component)
    timers = sum(_runs_in_month(settings[_TIMERS[each]]) for each in group.functions if each in _TIMERS)
    # A timer's runs do not depend on events, and were counted with them only because they went on.
    called = sum(
        basis.measured.events.get(f"runs/{each}", 0.0) for each in group.functions if each not in _TIMERS
    ) * events  # fmt: skip
    runs = timers + called
    each_s, seconds = basis.prices.assume("runSeconds"), basis.prices.seconds
    at_once = group.concurrency if group.name == HTTP else _MOST_RUNS_AT_ONCE
    instances: int = max(group.kept, math.ceil(runs / seconds * each_s / at_once), 1)
    return runs, seconds * instances * (1 - math.exp(-runs / seconds / instances * each_s))


@cache
def _runs_in_month(schedule: str) -> float:
    """How often a schedule of six fields, the first the second, comes in 30.4 days: by its first hour or day.

    Ours are alike in every hour or once a day; one for some hours only would be counted wrong.
    """
    ahead = croniter(schedule, 0.0, second_at_beginning=True)
    first, times = float(ahead.get_next(float)), 0
    last = first
    while last - first < 3600:
        last, times = float(ahead.get_next(float)), times + 1
    return float(times / (last - first) * 86_400 * 365 / 12)


def cosmos(basis: Basis, events: float) -> Iterator[Cost]:
    """Cosmos DB: request units, what is stored, and being able to restore 30 days."""
    prices, stored = basis.prices, 0.0
    for each in basis.template.of("DocumentDB/databaseAccounts/sqlDatabases"):
        database = str(each["name"]).partition("/")[2]
        units = basis.taken(f"requestUnits/{database}", events)
        scale = each["properties"]["options"].get("autoscaleSettings")
        if scale is None:
            usd = units / _MILLION * prices.usd("cosmos.serverless.million")
            yield Cost(
                "Cosmos DB", f"`{database}`, by the request", usd, f"{units / _MILLION:.1f} million request units"
            )
        else:
            yield _autoscale(prices, database, units, float(scale["maxThroughput"]))
        size = basis.measured.events.get(f"storedBytes/{database}", 0.0) * prices.assume("indexed")
        stored += size * events * prices.assume("monthsStored") / _GB
    how = f"{prices.assume('monthsStored'):.0f} months of events: {stored:.1f} GB"
    yield Cost("Cosmos DB", "storage", stored * prices.usd("cosmos.storage.gb"), how)
    accounts = basis.template.of("DocumentDB/databaseAccounts")
    tiers = {each["properties"]["backupPolicy"]["continuousModeProperties"]["tier"] for each in accounts}
    if "Continuous30Days" in tiers:
        yield Cost("Cosmos DB", "30 days to restore from", stored * prices.usd("cosmos.backup30.gb"), "7 days are free")


def _autoscale(prices: Prices, database: str, units: float, most: float) -> Cost:
    mean = units / prices.seconds
    busiest = mean * prices.assume("busiestHour")
    paid = min(max(busiest, most / 10), most)
    usd = paid / 100 * prices.usd("cosmos.autoscale.hour") * prices.hours
    tight = "; **more than that is needed**" if busiest > most else ""
    how = (
        f"{mean:.0f} request units a second, busiest hour {busiest:.0f}; {most / 10:.0f} to {most:.0f} are paid{tight}"
    )
    return Cost("Cosmos DB", f"`{database}`, autoscale", usd, how)


def logs(basis: Basis, events: float) -> Iterator[Cost]:
    """Log Analytics: spans that are kept, log lines, numbers, the host's own rows, and the gateway's log."""
    prices, row = basis.prices, basis.prices.assume("logRowBytes")
    share = float(basis.template.settings("api")["Telemetry__sampling"]) / 100
    rows = basis.taken("telemetry/span", events) * share + basis.taken("telemetry/log", events)
    # The sandbox exports numbers every five seconds.
    rows += basis.taken("telemetry/metric", 0.0) * (5 / 60) / prices.assume("metricMinutes")
    runs = sum(_work(basis, group, events)[0] for group in basis.template.groups())
    host = runs * prices.assume("hostRowsPerRun")
    size = (rows + host) * row + events * prices.assume("callsPerEvent") * prices.assume("gatewayRowBytes")
    cap = float(basis.template.one("OperationalInsights/workspaces")["properties"]["workspaceCapping"]["dailyQuotaGb"])
    month = cap * 365 / 12
    tight = f"; **the cap of {cap:.0f} GB a day cuts it**" if size / _GB > month else ""
    how = f"{size / _GB:.1f} GB, the host's own rows {host * row / _GB:.1f} of them; {share:.0%} of traces kept{tight}"
    yield Cost("Log Analytics", "logs, traces and numbers", min(size / _GB, month) * prices.usd("logs.gb"), how)


def watching(basis: Basis, _: float) -> Iterator[Cost]:
    """Alert rules and the test from outside."""
    series = 0
    for rule in basis.template.of("Insights/metricAlerts"):
        for each in rule["properties"]["criteria"].get("allOf", ()):
            split = any(name["name"] == "EntityName" and name["values"] == ["*"] for name in each.get("dimensions", ()))
            series += _BILLED_QUEUES if split else 1
    yield Cost("Alerts", "on metrics", series * basis.prices.usd("alerts.metric"), f"{series} series")
    rules = [each for each in basis.template.of("Insights/scheduledQueryRules") if each["properties"]["enabled"]]
    often = sum(each["properties"]["evaluationFrequency"] == "PT5M" for each in rules)
    usd = often * basis.prices.usd("alerts.log.PT5M") + (len(rules) - often) * basis.prices.usd("alerts.log.PT15M")
    yield Cost("Alerts", "on logs", usd, f"{len(rules)} rules, {often} of them every 5 minutes")
    runs = sum(
        len(each["properties"]["Locations"]) * basis.prices.seconds / each["properties"]["Frequency"]
        for each in basis.template.of("Insights/webtests")
    )
    yield Cost("Alerts", "the test from outside", runs * basis.prices.usd("webTest.run"), f"{runs:,.0f} runs")


def network(basis: Basis, _: float) -> Iterator[Cost]:
    """Private endpoints, DNS zones, the way out."""
    for kind, price, what, times in (
        ("Network/privateEndpoints", "network.privateEndpoint", "private endpoints", 1.0),
        ("Network/privateDnsZones", "network.dnsZone", "private DNS zones", 1.0),
        ("Network/natGateways", "network.nat.hour", "the way out (NAT)", basis.prices.hours),
        ("Network/publicIPAddresses", "network.address.hour", "its address", basis.prices.hours),
    ):
        count = len(basis.template.of(kind))
        yield Cost("Network", what, count * basis.prices.usd(price) * times, f"{count}")


def defender(basis: Basis, events: float) -> Iterator[Cost]:
    """Defender for Cloud: the plans that the environment switches on."""
    prices = basis.prices
    for each in basis.template.of("Security/pricings"):
        name = str(each["name"])
        if name == "CosmosDbs":
            ready = [
                each["properties"]["options"].get("autoscaleSettings", {"maxThroughput": 0})["maxThroughput"] / 10
                for each in basis.template.of("DocumentDB/databaseAccounts/sqlDatabases")
            ]
            usd, how = (
                sum(ready) / 100 * prices.usd("defender.CosmosDbs.hour") * prices.hours,
                "at the least throughput",
            )
        elif name == "Api":
            above = max(0.0, events / _MILLION - prices.included["defender.Api.millions"])
            usd, how = prices.usd("defender.Api") + above * prices.usd("defender.Api.million"), "by calls"
        elif name == "StorageAccounts":
            count = len(basis.template.of("Storage/storageAccounts"))
            usd, how = prices.usd("defender.StorageAccounts") * count, f"{count} accounts"
        else:
            usd, how = prices.usd(f"defender.{name}"), ""
        yield Cost("Defender", name, usd, how)
