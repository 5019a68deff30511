"""Generated pages about the hub in Azure: pictures, resources, cost, what is stored where, the security list."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sandbox.cli.cost import zones
from sandbox.cost.bill import Bill, bill
from sandbox.cost.prices import INFRA, measured, prices
from sandbox.cost.template import ENVIRONMENTS, Template, components, template
from tools import infra_pictures
from tools.markdown import page, table

_EVENTS: Final = {"dev": 20_000, "test": 200_000, "prod": 1_000_000}
"""Events a month that the page reckons with."""
_LARGE: Final = (1_000_000, 10_000_000, 50_000_000)
_CHECKS: Final = INFRA.parent / "tools" / "infra_checks"

CONTAINERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "messages": (
        "each accepted message: payload document (the bytes as they came), event document (ids, codes, stations); each "
        "receiver's line of deliveries that it has not got yet; each delivery that has waited or ended: state, "
        "attempts, stations, and the receiver's own words when it refused",
        "payload: health data. A receiver's words may hold some, and are shown only as a logged look. The rest: ids, a "
        "keyed pseudonym of the patient",
        "payload and words: `retentionDays` of the municipality, 90 unless it says otherwise, then deleted by the "
        "database. The rest: no end is set",
    ),
    "operations": (
        "alerts, replays, receivers' standings, numbers of each hour",
        "no",
        "alerts and numbers end by themselves",
    ),
    "proofs": (
        "fingerprints of DPoP proofs that were used",
        "no",
        "as long as the proof could be used: seconds to minutes",
    ),
    "registry": (
        "municipalities, systems, grants, receivers, people with a role, and every change",
        "names and ids of employees with a role",
        "no end is set; earlier versions prove who changed what",
    ),
    "refusals": (
        "calls that were refused: who, when, why",
        "no (ids of systems and organisations)",
        "400 days (`defaultTtl`)",
    ),
    "trail": (
        "the audit log: who did what with which message",
        "pseudonyms of patients; names of employees who looked at a payload",
        "by the municipality's policy (`Trail__retention`); bodies can be purged by two persons, headers stay",
    ),
    "positions": ("how far the audit log has been written", "no", "no end is set"),
    "checkpoints": (
        "signed sizes and roots of the audit log",
        "no",
        "no end is set; copies in storage cannot be changed",
    ),
}
"""What is in each container, whether it is about persons, and how long it stays."""

_ELSEWHERE: Final = (
    (
        "Service Bus, all queues",
        "names of lanes that have work, ids of receivers and messages: no payload, no id of a person",
        "pseudonym in the lane's name",
        "14 days at most, then the dead-letter queue",
        "road receives; api, road, upkeep send",
    ),
    (
        "Log Analytics, Application Insights",
        "log lines of a closed list of fields, traces, numbers, the gateway's log without bodies",
        "no",
        "see below",
        "the operators' group; the team by the portal",
    ),
    (
        "Key Vault",
        "pseudonym key, receivers' secrets, the checkpoints' key",
        "no",
        "until removed; 90 days after that",
        "each app its own secrets; the secret keepers' group sets them",
    ),
    (
        "storage of the apps",
        "the package, the host's own locks",
        "no",
        "until replaced",
        "each app its own",
    ),
    (
        "storage of the witness",
        "copies of checkpoints",
        "no",
        "see below: cannot be deleted before",
        "upkeep adds and reads",
    ),
    (
        "memory of the apps",
        "messages while they are worked on",
        "health data",
        "seconds",
        "nobody",
    ),
)


def infrastructure() -> str:
    """infrastructure.md"""
    prod = template("prod")
    return page(
        "The hub in Azure",
        "Drawn from the template as it is evaluated (`infra/evaluated/prod.json`) and from "
        "`infra/components.json`. How it "
        "is deployed: [deploy.md](deploy.md). Every resource: [resources.md](resources.md). What it costs: "
        "[cost.md](cost.md). What was decided, and why: [infra/README.md](../infra/README.md).",
        "## Network, in `prod`",
        "Every store and every app has its public network off; only the gateway answers the internet. "
        "`dev` alone has no "
        "network of its own: everything is reached by identity over the internet, and there are no real data.",
        infra_pictures.network(prod),
        "## Who may do what with which data",
        "One identity for each component. `edit`: read, create and replace, never delete. `append`: read and create.",
        infra_pictures.flow(),
        "## How the environments differ",
        table(("", *ENVIRONMENTS), _differences()),
    )


def resources() -> str:
    """resources.md"""
    parts: list[str] = []
    for environment in ENVIRONMENTS:
        of = template(environment)
        kinds: dict[str, list[str]] = {}
        for each in of.resources:
            kinds.setdefault(str(each["type"]), []).append(_short(str(each["name"]), environment))
        parts += [
            f"## {environment}: {len(of.resources)} resources",
            table(
                ("type", "number", "names"),
                ((f"`{kind}`", str(len(names)), _names(names)) for kind, names in kinds.items()),
            ),
        ]
    return page(
        "Every resource",
        "From the template as it is evaluated (`infra/evaluated`). Names that Azure sees end with the "
        "environment and a "
        "token, left out here; ids made by a hash are counted only.",
        *parts,
    )


def costs() -> str:
    """cost.md"""
    listed = prices()
    unsure = sum(price.sure == "K" for price in listed.known.values())
    parts: list[str] = []
    for environment, events in _EVENTS.items():
        found = bill(environment, events)
        parts += [
            f"## {environment}, {events:,} events a month",
            table(("", "fixed", f"{events:,} events", "next million", "how"), _lines(found)),
            f"Dominates: {_parts(found)}. {zones(found)}",
        ]
    larger = [bill("prod", events) for events in _LARGE]
    rows = ((f"{each.events:,}", f"{each.usd:,.0f}", f"{each.usd / each.events:.5f}", _tight(each)) for each in larger)
    return page(
        "What it costs",
        f"US dollars a month, **list prices** ({listed.basis}), written down {listed.date}; {unsure} of "
        f"{len(listed.known)} prices are not confirmed. Norway East is about {listed.more[0]:.0%} to "
        f"{listed.more[1]:.0%} "
        f"dearer. Look them up again before anything is decided: `infra/prices.json` names each price's "
        f"source, `{listed.check}` "
        "has today's. Any other number of events: `./hub cost --env prod --events N`.",
        *parts,
        "## prod with more events",
        table(("events a month", "dollars", "an event", "what must be made larger first"), rows),
        "## What an event takes",
        f"Counted {measured().date} on a hub on one machine (`./hub cost --measure`) with alarms of about "
        f"3 KB to one receiver, "
        "by the published prices of each operation; never measured in Azure. *alone*: with time between "
        "events; *busy*: as "
        "fast as answers come; *quiet*: what the timers take in an hour without events.",
        table(("", "alone", "busy", "quiet, an hour"), _taken()),
        "## What is assumed",
        table(
            ("", "value", "why"), ((f"`{name}`", f"{value:g}", why) for name, (value, why) in listed.assumed.items())
        ),
        "Left out, since each is small here: storage accounts, Key Vault's operations, mails of alerts, "
        "traffic between zones "
        "and out of the region. Not in it at all: people, support plans, a second region, WAF or Front "
        "Door before the gateway.",
    )


def data_kept() -> str:
    """data-kept.md"""
    topology: dict[str, Any] = json.loads((INFRA / "topology.json").read_text(encoding="utf-8"))
    databases = [topology["cosmos"], *topology["cosmos"]["apart"]]
    rows = (
        (f"`{each['name']}` ({database['database']})", *CONTAINERS[each["name"]], _who(each["name"]))
        for database in databases
        for each in database["containers"]
    )
    days = [
        (
            environment,
            f"{_of(environment, 'OperationalInsights/workspaces', 'retentionInDays')}",
            f"{_of(environment, _POLICIES, 'immutabilityPeriodSinceCreationInDays')}",
            _restore(environment),
            str(template(environment).one("Resources/resourceGroups")["location"]),
        )
        for environment in ENVIRONMENTS
    ]
    head = ("where", "what", "about persons", "how long", "who can read or write it")
    return page(
        "What is stored where",
        "Containers, lifetimes and rights are those of `infra/topology.json` and `infra/components.json`; what law and "
        "agreements ask: [data-protection.md](data-protection.md).",
        "## Documents",
        table(head, rows),
        "## Elsewhere",
        table(head, _ELSEWHERE),
        "## Days",
        table(("environment", "logs", "copies of checkpoints", "can be restored", "region"), days),
        "What was deleted is in backups until the days to restore have passed.",
    )


def security_items() -> str:
    """security-items.md"""
    found: dict[str, Any] = json.loads((INFRA / "security-items.json").read_text(encoding="utf-8"))
    by_rule = rules_by_item()
    rows = (
        (
            str(item["number"]), item["what"], item.get("answer", ""),
            "<br/>".join((
                *(f"`{each}`" for each in by_rule.get(item["number"], ())),
                *(f"`{each}`" for each in item.get("checks", ())),
                *(f"[{each}]({_from_docs(each)})" for each in item.get("documents", ())),
            )),
            item.get("open", ""),
        )
        for item in found["items"]
    )  # fmt: skip
    open_items = sum(bool(item.get("open")) for item in found["items"])
    return page(
        "The security list",
        f"{len(found['items'])} items, after {found['after']}. Each with the check or document that "
        f"answers it; files of "
        "`tools/infra_checks` hold rules on the evaluated template and name the item in what they say (`item 14: …`). "
        f"{open_items} are answered in part or wait for the customer: see the last column.",
        table(("#", "item", "answer", "check or document", "left to do, or to be done by the customer"), rows),
    )


def rules_by_item() -> dict[int, tuple[str, ...]]:
    """Files of `tools/infra_checks` by the items they say something of."""
    found: dict[int, list[str]] = {}
    for path in sorted(_CHECKS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for number in sorted({int(each) for each in re.findall(r"\b(?:item |Wanted\()(\d+)\b", text)}):
            found.setdefault(number, []).append(f"tools/infra_checks/{path.name}")
    return {number: tuple(paths) for number, paths in found.items()}


PAGES: Final = {
    "infrastructure.md": infrastructure,
    "resources.md": resources,
    "cost.md": costs,
    "data-kept.md": data_kept,
    "security-items.md": security_items,
}

_POLICIES: Final = "Storage/storageAccounts/blobServices/containers/immutabilityPolicies"


def _differences() -> Iterator[tuple[str, ...]]:
    all_of = [template(environment) for environment in ENVIRONMENTS]

    def row(name: str, *values: object) -> tuple[str, ...]:
        return (name, *map(str, values))

    yield row(
        "public network of stores",
        *(each.one("ServiceBus/namespaces")["properties"]["publicNetworkAccess"] for each in all_of),
    )
    yield row("private endpoints", *(len(each.of("Network/privateEndpoints")) for each in all_of))
    yield row("gateway", *(_sku(each, "ApiManagement/service") for each in all_of))
    yield row("Service Bus", *(_sku(each, "ServiceBus/namespaces") for each in all_of))
    yield row("Cosmos DB", *(_throughput(each) for each in all_of))
    yield row("days to restore", *(_restore(each) for each in ENVIRONMENTS))
    yield row("zones of the apps", *(any(group.zones for group in each.groups()) for each in all_of))
    yield row("instances always ready", *(sum(group.kept for group in each.groups()) for each in all_of))
    yield row("locks", *(len(each.of("Authorization/locks")) for each in all_of))
    yield row(
        "days of logs", *(_of(each, "OperationalInsights/workspaces", "retentionInDays") for each in ENVIRONMENTS)
    )
    yield row("traces kept, %", *(each.settings("api")["Telemetry__sampling"] for each in all_of))
    yield row("persons", *(each.settings("api")["Hub__environment"] for each in all_of))


def _sku(of: Template, kind: str) -> str:
    sku = of.one(kind)["sku"]
    return f"{sku['name']}{' × ' + str(sku['capacity']) if 'capacity' in sku else ''}"


def _throughput(of: Template) -> str:
    most = [
        each["properties"]["options"].get("autoscaleSettings", {}).get("maxThroughput")
        for each in of.of("DocumentDB/databaseAccounts/sqlDatabases")
    ]
    return "by the request" if None in most else f"autoscale to {', '.join(map(str, most))} RU/s"


def _of(environment: str, kind: str, name: str) -> object:
    found = template(environment).of(kind)
    return found[0]["properties"][name] if found else "not set"


def _restore(environment: str) -> str:
    accounts = template(environment).of("DocumentDB/databaseAccounts")
    tiers = {str(each["properties"]["backupPolicy"]["continuousModeProperties"]["tier"]) for each in accounts}
    return ", ".join(sorted(re.sub(r"\D", "", tier) for tier in tiers))


def _lines(found: Bill) -> Iterator[tuple[str, ...]]:
    for line in found.lines:
        yield (f"{line.service}: {line.what}", _usd(line.fixed), _usd(line.usd), _usd(line.next_million), line.how)
    yield ("**all**", *(f"**{_usd(each)}**" for each in (found.fixed, found.usd, found.next_million)), "")


def _parts(found: Bill) -> str:
    return ", ".join(f"{name} {usd / found.usd:.0%}" for name, usd in found.dominates[:4])


def _usd(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"


def _tight(found: Bill) -> str:
    return "; ".join(f"{line.service} {line.what}" for line in found.lines if "**" in line.how)


def _taken() -> Iterator[tuple[str, ...]]:
    counted = measured()
    for name in sorted({*counted.events, *counted.busy}):
        yield (
            f"`{name}`",
            *(f"{which.get(name, 0.0):,.2f}" for which in (counted.events, counted.busy, counted.quiet)),
        )


def _who(container: str) -> str:
    return ", ".join(
        f"{each['name']}: {each['containers'][container]}" for each in components() if container in each["containers"]
    )


def _short(name: str, environment: str) -> str:
    return re.sub(rf"-{environment}-\w{{6}}\b", "", name)


def _names(names: Iterable[str]) -> str:
    shown = sorted({name for name in names if not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", name)})
    return ", ".join(shown)


def _from_docs(path: str) -> str:
    return path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"
