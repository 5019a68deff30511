"""Pictures of the hub in Azure (mermaid), drawn from the evaluated template and the components' rights."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sandbox.cost.template import Template, components

_STORES: Final = {
    "hub": "Cosmos DB: the hub's documents",
    "trail": "Cosmos DB: audit log",
    "checkpoints": "Cosmos DB: checkpoints",
}
_RIGHTS: Final = ("edit", "append", "read")


def network(of: Template) -> str:
    """Subnets, what is in them, private endpoints and what they lead to, and the ways in and out."""
    lines = [
        "```mermaid",
        "flowchart LR",
        '  vendors(["vendors, municipalities, operators"])',
        '  partners(["receivers, HelseID, Entra ID"])',
    ]
    gateway = of.one("ApiManagement/service")
    lines.append(f'  gateway["API Management<br/>{gateway["sku"]["name"]} × {gateway["sku"]["capacity"]}"]')
    lines.append("  vendors -- https --> gateway")
    (net,) = of.of("Network/virtualNetworks")
    inside = {str(each["name"]): list(_apps_in(of, str(each["name"]))) for each in net["properties"]["subnets"]}
    lines.append(f'  subgraph vnet["virtual network {net["properties"]["addressSpace"]["addressPrefixes"][0]}"]')
    for subnet in net["properties"]["subnets"]:
        name, prefix = str(subnet["name"]), subnet["properties"]["addressPrefix"]
        lines.append(f'    subgraph net_{name}["{name} {prefix}"]')
        if name == "endpoints":
            lines.extend(f'      pe_{_id(target)}["{_plain(target)}"]' for target, _ in _endpoints(of))
        elif inside[name]:
            lines.extend(f'      app_{app}["function app {app}"]' for app in inside[name])
        else:
            lines.append(f'      out_{name}["the gateway\'s way in"]')
        lines.append("    end")
    lines.append("  end")
    lines.append("  gateway --> out_gateway --> pe_app_api")
    for app in (app for apps in inside.values() for app in apps):
        lines.append(f"  pe_app_{app} -.-> app_{app}")
        lines.append(f"  app_{app} -- private --> net_endpoints")
    for target, kind in _endpoints(of):
        if not target.startswith("app-"):
            lines.append(f'  pe_{_id(target)} -.-> to_{_id(target)}[("{kind}<br/>public network off")]')
    lines.append('  nat["NAT, one address out"]')
    lines.extend(f"  app_{app} --> nat" for apps in inside.values() for app in apps)
    return "\n".join([*lines, "  nat -- https --> partners", "```"])


def flow() -> str:
    """Which component sends, receives, reads and writes what (`infra/components.json`)."""
    lines = [
        "```mermaid", "flowchart LR", '  vendor(["vendor"]) -- FHIR --> gateway["API Management"] --> api',
        '  people(["municipality, operator"]) --> gateway',
    ]  # fmt: skip
    for each in components():
        name = str(each["name"])
        lines.append(f'  {name}["{name}<br/>{len(each["functions"])} functions"]')
        if each["sends"]:
            lines.append(f"  {name} -- send --> bus")
        if each["receives"]:
            lines.append(f"  bus -- receive --> {name}")
        for store, rights in _by_store(each["containers"]).items():
            lines.append(f'  {name} -- "{rights}" --> {store}')
    lines.append(f'  bus[["Service Bus: {_queues(components()[0]["sends"])}"]]')
    lines.extend(f'  {name}[("{label}")]' for name, label in _STORES.items())
    lines += [
        '  road -- FHIR --> epj(["receiver, EPJ"])',
        '  upkeep -- sign --> vault["Key Vault"]',
        '  upkeep -- copies --> witness[("storage that cannot be changed")]',
        '  upkeep -- notices --> duty(["duty"])',
        "```",
    ]
    return "\n".join(lines)


def _apps_in(of: Template, subnet: str) -> Iterator[str]:
    for site in of.of("Web/sites"):
        if str(site["properties"].get("virtualNetworkSubnetId", "")).endswith(f"/subnets/{subnet}"):
            yield str(site["tags"]["azd-service-name"])


def _endpoints(of: Template) -> Iterator[tuple[str, str]]:
    """Each private endpoint's name in the template, and what kind of resource it leads to."""
    for each in of.of("Network/privateEndpoints"):
        (link,) = each["properties"]["privateLinkServiceConnections"]
        target = str(link["properties"]["privateLinkServiceId"]).split("/")
        name = re.sub(rf"^pe-(.+)-{of.environment}-\w+$", r"\1", str(each["name"]))
        yield name, f"{target[-2]}<br/>{name}"


def _by_store(containers: Mapping[str, Any]) -> dict[str, str]:
    homes = {"trail": "trail", "positions": "trail", "checkpoints": "checkpoints"}
    found: dict[str, dict[str, list[str]]] = {}
    for container, right in containers.items():
        found.setdefault(homes.get(container, "hub"), {}).setdefault(str(right), []).append(container)
    return {
        store: "<br/>".join(f"{right}: {', '.join(rights[right])}" for right in _RIGHTS if right in rights)
        for store, rights in found.items()
    }


def _queues(names: Iterable[str]) -> str:
    return ", ".join(names)


def _id(name: str) -> str:
    return name.replace("-", "_")


def _plain(name: str) -> str:
    return name.replace("-", " ")
