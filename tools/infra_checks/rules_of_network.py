"""Security's rules on who can reach what: networks, the gateway (items 14 to 17, 20, 43)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tools.infra_checks.evaluating import Evaluated
from tools.infra_checks.kinds import BUS, COSMOS, ENDPOINT, GATEWAY, NETWORK, RULES_OF_NETWORK, SITE, STORAGE, VAULT

_PRIVATE: Final = (BUS, COSMOS, STORAGE, VAULT, SITE)


def private(environment: Evaluated) -> Iterator[str]:
    """Nothing but the gateway is reached from the internet; dev, which has no data, excepted."""
    private = environment.environment != "dev"
    for type in _PRIVATE:
        for each in environment.of(type):
            has = each.at("publicNetworkAccess")
            if private and has != "Disabled":
                yield f"item 14: {each}: publicNetworkAccess is {has}, must be Disabled"
            if private and type in (STORAGE, VAULT) and each.at("networkAcls", "defaultAction") != "Deny":
                yield f"item 14: {each}: networkAcls.defaultAction is {each.at('networkAcls', 'defaultAction')}"
    for each in environment.of(SITE):
        if each.at("siteConfig", "ipSecurityRestrictionsDefaultAction") != "Deny":
            yield f"item 14: {each}: ipSecurityRestrictionsDefaultAction is not Deny"
        if private and not each.at("virtualNetworkSubnetId"):
            yield f"item 14: {each}: is in no network"
    for each in environment.of(COSMOS):
        if each.at("networkAclBypass") not in (None, "None"):
            yield f"item 14: {each}: networkAclBypass is {each.at('networkAclBypass')}"


def endpoints(environment: Evaluated) -> Iterator[str]:
    """What has no public network is reached by a private endpoint with a name."""
    if environment.environment == "dev":
        return
    reached = {
        link["properties"]["privateLinkServiceId"].lower()
        for each in environment.of(ENDPOINT)
        for link in each.at("privateLinkServiceConnections") or ()
    }
    named = {each.name.rpartition("/")[0] for each in environment.of(f"{ENDPOINT}/privateDnsZoneGroups")}
    for type in _PRIVATE:
        for each in environment.of(type):
            if each.id.lower() not in reached:
                yield f"item 15: {each}: no private endpoint"
    for each in environment.of(ENDPOINT):
        if each.name not in named:
            yield f"item 15: {each}: no DNS zone"


def subnets(environment: Evaluated) -> Iterator[str]:
    """What may go in and out of the networks."""
    for network in environment.of(NETWORK):
        for each in network.at("subnets") or ():
            about = each["properties"]
            if not about.get("networkSecurityGroup"):
                yield f"item 16: {network}: subnet {each['name']} has no networkSecurityGroup"
            if about.get("defaultOutboundAccess") is not False:
                yield f"item 17: {network}: subnet {each['name']}: defaultOutboundAccess is not off"
            if each["name"] != "endpoints" and not about.get("natGateway"):
                yield f"item 17: {network}: subnet {each['name']} has no NAT gateway"
    for group in environment.of(RULES_OF_NETWORK):
        shut = {
            rule["properties"]["direction"] for rule in group.at("securityRules") or () if _shuts(rule["properties"])
        }
        if shut != {"Inbound", "Outbound"}:
            yield f"item 16: {group}: does not refuse everything else both ways"
        for rule in group.at("securityRules") or ():
            about = rule["properties"]
            anywhere = {"*", "Internet", "0.0.0.0/0"}
            source = about.get("sourceAddressPrefix")
            ports = about.get("destinationPortRanges") or [about.get("destinationPortRange")]
            if about["access"] == "Allow" and about["direction"] == "Inbound" and source in anywhere:
                yield f"item 16: {group}: rule {rule['name']} lets anybody in"
            if about["access"] == "Allow" and ("*" in ports or about.get("destinationAddressPrefix") == "*"):
                yield f"item 16: {group}: rule {rule['name']} allows any port or any destination"


def _shuts(rule: Mapping[str, Any]) -> bool:
    return bool(rule["access"] == "Deny" and rule["protocol"] == "*" and rule["destinationPortRange"] == "*")


def gateway(environment: Evaluated) -> Iterator[str]:
    """The gateway speaks TLS alone."""
    for each in environment.of(GATEWAY):
        options = each.at("customProperties") or {}
        for side in ("Gateway.Security.Protocols", "Gateway.Security.Backend.Protocols"):
            for version in ("Tls10", "Tls11"):
                if options.get(f"Microsoft.WindowsAzure.ApiManagement.{side}.{version}") != "False":
                    yield f"item 20: {each}: {side}.{version} is not off"
    for each in environment.of(f"{GATEWAY}/backends"):
        if not str(each.at("url")).startswith("https://"):
            yield f"item 20: {each}: url {each.at('url')} is without TLS"
        if (
            each.at("tls", "validateCertificateChain") is not True
            or each.at("tls", "validateCertificateName") is not True
        ):
            yield f"item 20: {each}: the app's certificate is not validated"
    for each in environment.of(f"{GATEWAY}/namedValues"):
        if re.search(r"secret|password|key$", each.last) and each.at("secret") is not True:
            yield f"item 8: {each}: not marked as secret"


def gateway_logs(environment: Evaluated) -> Iterator[str]:
    """The gateway writes down no body, no token, no address."""
    for type in (f"{GATEWAY}/diagnostics", f"{GATEWAY}/apis/diagnostics"):
        if not environment.of(type):
            yield f"item 43: {type.partition('/')[2]}: not made: its defaults log headers"
        for each in environment.of(type):
            for end in ("frontend", "backend"):
                for way in ("request", "response"):
                    part = each.at(end, way) or {}
                    if (part.get("body") or {}).get("bytes") != 0:
                        yield f"item 43: {each}: logs the body of the {end}'s {way}"
                    if set(part.get("headers") or ()) - {"Correlation-Id"}:
                        yield f"item 43: {each}: logs headers of the {end}'s {way}"
            if each.at("logClientIp") is not False:
                yield f"item 43: {each}: logs callers' addresses"
            if each.at("alwaysLog") != "allErrors":
                yield f"item 40: {each}: does not log every error"
