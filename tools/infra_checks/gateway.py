"""The gateway and the host: addresses, sizes, times and switches agree with the app's own."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from shared.api.routes import ROUTES
from tools.infra_checks import code
from tools.infra_checks.evaluating import Evaluated

_TEXT_AT_MOST: Final = 131_072
"""Characters that Bicep's loadTextContent took in its early versions."""
_LOADED: Final = re.compile(r"loadTextContent\('([^']+)'\)")
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_DOOR: Final = timedelta(seconds=30)
"""What a worker may need beside the time its receiver has to answer (shared/road/delivering.py)."""


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    """What does not agree, a line each."""
    yield from _addresses(root)
    yield from _host(root)
    yield from _texts(root)
    yield from _azd(root)
    for environment in evaluated.values():
        yield from _deployed(root, environment)


def _addresses(root: Path) -> Iterator[str]:
    document = code.load(root, "infra/apim/openapi.json")
    imported = {
        (method.upper(), path.strip("/"))
        for path, methods in document["paths"].items()
        for method in methods
        if method in _METHODS
    }
    answered = code.routes(root)
    stated = set(ROUTES)
    for method, path in sorted(answered - imported):
        yield f"route {method} {path}: the gateway's openapi.json has none, callers would get 404"
    for method, path in sorted(imported - answered):
        yield f"route {method} {path}: in the gateway's openapi.json, no function answers there"
    for method, path in sorted(answered ^ stated):
        yield f"route {method} {path}: functions and shared/api/routes.py do not agree"
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    yield from (
        f"operation {each}: two of this name in openapi.json" for each in sorted({n for n in ids if ids.count(n) > 1})
    )
    if not str(document["openapi"]).startswith("3.0"):
        yield f"infra/apim/openapi.json: {document['openapi']}: API Management takes 3.0 whole, 3.1 in part"


def _span(text: str) -> timedelta:
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def _host(root: Path) -> Iterator[str]:
    host: dict[str, Any] = code.load(root, "host.json")
    bus = host["extensions"]["serviceBus"]
    longest = code.minutes(root, "shared/road/delivering.py", "LONGEST_GO")
    answer = timedelta(seconds=code.default(root, "Delivery__timeout"))
    work = longest + answer + _DOOR
    renewed = _span(bus["maxAutoLockRenewalDuration"])
    if renewed < work:
        yield (
            f"host.json: maxAutoLockRenewalDuration {renewed} is shorter than a worker may be at a lane ({work}): "
            "lock × renewals must reach the delivery time-out"
        )
    if _span(host["functionTimeout"]) < work:
        yield f"host.json: functionTimeout {host['functionTimeout']} is shorter than a worker may be at a lane ({work})"
    if _span(host["functionTimeout"]) > renewed:
        yield "host.json: functionTimeout is longer than locks are renewed: a lane could get two workers"
    must: dict[str, tuple[Any, Any, str]] = {
        "version": (host["version"], "2.0", "what Functions reads"),
        "telemetryMode": (host.get("telemetryMode"), "OpenTelemetry", "the host's half of a trace"),
        "http.routePrefix": (host["extensions"]["http"].get("routePrefix"), "", "addresses are the hub's own"),
        "serviceBus.autoCompleteMessages": (
            bus.get("autoCompleteMessages"),
            True,
            "a signal is done when its function is",
        ),
        "serviceBus.maxConcurrentCallsPerSession": (bus.get("maxConcurrentCallsPerSession"), 1, "one worker a lane"),
        "serviceBus.prefetchCount": (bus.get("prefetchCount"), 0, "locks of what is fetched early run out"),
    }
    for name, (has, wanted, why) in must.items():
        if has != wanted:
            yield f"host.json: {name} is {has!r}, must be {wanted!r}: {why}"
    if not host["extensionBundle"]["version"].startswith("[4."):
        yield f"host.json: extensionBundle {host['extensionBundle']['version']} is not of the tried version 4"


def _texts(root: Path) -> Iterator[str]:
    for path in sorted((root / "infra").rglob("*.json")):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            yield f"{path.relative_to(root).as_posix()}: not JSON: {error}"
    used: set[Path] = set()
    for path in sorted((root / "infra").rglob("*.bicep")):
        for name in _LOADED.findall(path.read_text(encoding="utf-8")):
            loaded = (path.parent / name).resolve()
            used.add(loaded)
            if not loaded.exists():
                yield f"{path.relative_to(root).as_posix()}: loads {name}, which is not there"
            elif len(loaded.read_text(encoding="utf-8")) > _TEXT_AT_MOST:
                yield f"{path.relative_to(root).as_posix()}: loads {name}, longer than {_TEXT_AT_MOST} characters"
    for folder, kind in (("kql", "*.kql"), ("workbooks", "*.json"), ("apim", "*.xml"), ("apim/fragments", "*.xml")):
        for path in sorted((root / "infra" / folder).glob(kind)):
            if path.resolve() not in used:
                yield f"infra/{folder}/{path.name}: nothing deploys it"
    for path in sorted((root / "infra/workbooks").glob("*.json")):
        book = json.loads(path.read_text(encoding="utf-8"))
        if book.get("version") != "Notebook/1.0" or not book.get("items"):
            yield f"infra/workbooks/{path.name}: not a workbook"


def _azd(root: Path) -> Iterator[str]:
    text = (root / "azure.yaml").read_text(encoding="utf-8")
    for each in code.load(root, "infra/components.json")["components"]:
        if not re.search(rf"^  {each['name']}:", text, re.MULTILINE) or f"deploy {each['name']} " not in text:
            yield f"azure.yaml: component {each['name']} is not deployed"


def _deployed(root: Path, environment: Evaluated) -> Iterator[str]:
    kept = {
        path.read_text(encoding="utf-8"): path.relative_to(root / "infra/apim").as_posix()
        for path in (root / "infra/apim").rglob("*.xml")
    }
    kept[(root / "infra/apim/openapi.json").read_text(encoding="utf-8")] = "openapi.json"
    where = f"{environment.environment}: gateway"
    service = "Microsoft.ApiManagement/service"
    for each in environment.of(f"{service}/apis"):
        if kept.get(str(each.at("value"))) != "openapi.json":
            yield f"{where}: the API's description is not infra/apim/openapi.json"
        if each.at("path") != "":
            yield f"{where}: the API's path is {each.at('path')!r}: callers' addresses would not be the app's"
        if each.at("protocols") != ["https"]:
            yield f"item 20: {where}: the API is answered over {each.at('protocols')}"
        if each.at("subscriptionRequired") is not True:
            yield f"{where}: the API needs no product: its limits would not hold"
    if [kept.get(str(each.at("value"))) for each in environment.of(f"{service}/policies")] != ["global.xml"]:
        yield f"{where}: the whole service's policy is not infra/apim/global.xml"
    products = {each["name"]: each for each in code.load(root, "infra/apim/products.json")}
    made = {each.last: each for each in environment.of(f"{service}/products")}
    linked = {each.name.split("/")[1] for each in environment.of(f"{service}/products/apiLinks")}
    policies = {
        each.name.split("/")[1]: kept.get(str(each.at("value")))
        for each in environment.of(f"{service}/products/policies")
    }
    for name, product in products.items():
        if name not in made or name not in linked:
            yield f"{where}: product {name} is not made, or not for the API"
        if policies.get(name) != product["policy"]:
            yield f"{where}: product {name} has the policy {policies.get(name)}, not {product['policy']}"
    fragments = {each.last for each in environment.of(f"{service}/policyFragments")}
    for path in sorted((root / "infra/apim/fragments").glob("*.xml")):
        if path.stem not in fragments:
            yield f"{where}: fragment {path.stem} is not made"
    api = next((each for each in environment.of("Microsoft.Web/sites") if each.module.endswith("-api")), None)
    urls = {each.at("url") for each in environment.of(f"{service}/backends")}
    if api is None or urls != {f"https://{api.last}.azurewebsites.net"}:
        yield f"{where}: its backend {', '.join(map(str, urls))} is not the app `api`"
