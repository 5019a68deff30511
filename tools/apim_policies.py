"""Holds API Management's policies to what they must be, offline.

Which steps a call passes in which order is data (`infra/apim/order.json`); what a refusal says is the app's own word
(`shared/errors.py`); which element may stand where is Microsoft's policy reference. C# expressions are looked at for
what they must not touch and for balanced brackets, not compiled: that happens when a policy is saved.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from functions.http import _ONLY_HTTPS, _SAFE
from shared.api import refusals
from shared.fhir.json_text import MAX_BYTES

_REPOSITORY: Final = Path(__file__).resolve().parent.parent
_SECTIONS: Final = ("inbound", "backend", "outbound", "on-error")
_EVERYWHERE: Final = frozenset(
    {"choose", "when", "otherwise", "set-variable", "set-header", "include-fragment", "return-response"}
)
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    "inbound": _EVERYWHERE
    | {"base", "set-query-parameter", "set-backend-service", "validate-jwt", "rate-limit-by-key", "quota-by-key"},
    "backend": frozenset({"base", "forward-request"}),
    "outbound": _EVERYWHERE | {"base"},
    "on-error": _EVERYWHERE | {"base"},
    "fragment": _EVERYWHERE | {"validate-jwt", "set-status", "set-body"},
}
"""What the hub uses, where the reference lets it stand. `trace`, `cors`, `log-to-eventhub`, `send-request`: nowhere."""
_OPAQUE: Final = frozenset({"validate-jwt", "return-response", "set-header", "rate-limit-by-key", "quota-by-key"})
_NAMED: Final = re.compile(r"\{\{([a-z0-9-]+)\}\}")
_GATEWAYS_OWN: Final = frozenset({"SEND_SUBSCRIPTION"})
"""Refusals that only the gateway gives."""
_NEVER: Final = ("Request.Body", "Response.Body", "Request.Certificate", "context.Trace")
_TOLD_OF_SELF: Final = ("Server", "X-Powered-By", "Request-Context")
_CLAIMED: Final = (
    "Forwarded", "X-Forwarded-Host", "X-Original-URL", "X-HTTP-Method-Override", "X-MS-CLIENT-PRINCIPAL",
    "X-MS-CLIENT-PRINCIPAL-ID", "X-ARR-ClientCert", "X-Functions-Key", "Ocp-Apim-Subscription-Key",
)  # fmt: skip


def findings(root: Path = _REPOSITORY) -> list[str]:
    """What is wrong with the policies under `root`, a line each."""
    home = root / "infra" / "apim"
    parsed: dict[str, ElementTree.Element] = {}
    found: list[str] = []
    for path in sorted([*home.glob("*.xml"), *home.glob("fragments/*.xml")]):
        name = path.relative_to(home).as_posix()
        try:
            parsed[name] = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own files
        except ElementTree.ParseError as error:
            found.append(f"{name}: not well-formed XML: {error}")
    for name, policy in parsed.items():
        found += [*_shape(name, policy), *_expressions(name, policy), *_tokens(name, policy), *_refusals(name, policy)]
        found += _included(name, policy, parsed)
    order = json.loads((home / "order.json").read_text(encoding="utf-8"))["steps"]
    products = json.loads((home / "products.json").read_text(encoding="utf-8"))
    found += [line for name, sections in order.items() for line in _ordered(name, sections, parsed.get(name))]
    return [*found, *_whole(parsed), *_products(products, parsed), *_provided(root, parsed)]


def _shape(name: str, policy: ElementTree.Element) -> Iterator[str]:
    if name.startswith("fragments/"):
        if policy.tag != "fragment":
            yield f"{name}: begins with {policy.tag}, not with fragment"
        yield from _allowed(name, "fragment", policy)
        return
    sections = tuple(each.tag for each in policy)
    if policy.tag != "policies" or sections != _SECTIONS:
        yield f"{name}: has {', '.join(sections)}, not {', '.join(_SECTIONS)}"
    for section in policy:
        yield from _allowed(name, section.tag, section)
        inherits = any(each.tag == "base" for each in section)
        if name == "global.xml" and inherits:
            yield f"{name}: {section.tag}: nothing stands above this policy, so there is no base"
        if name != "global.xml" and (not inherits or section[0].tag != "base"):
            yield f"{name}: {section.tag}: does not begin with base, so the service's own policy does not hold"


def _allowed(name: str, section: str, within: ElementTree.Element) -> Iterator[str]:
    for each in within:
        if each.tag not in _ALLOWED.get(section, frozenset()):
            yield f"{name}: {section}: {each.tag} does not belong there"
        elif each.tag not in _OPAQUE:
            yield from _allowed(name, section, each)


def _texts(policy: ElementTree.Element) -> Iterator[str]:
    for each in policy.iter():
        yield from each.attrib.values()
        yield each.text or ""


def _expressions(name: str, policy: ElementTree.Element) -> Iterator[str]:
    for text in _texts(policy):
        if not text.strip().startswith("@"):
            continue
        for never in _NEVER:
            if never in text:
                yield f"{name}: an expression uses {never}"
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        for opening, closing in ("()", "{}", "[]"):
            if bare.count(opening) != bare.count(closing):
                yield f"{name}: {opening}{closing} do not match in {text.strip()[:60]}"


def _tokens(name: str, policy: ElementTree.Element) -> Iterator[str]:
    for each in policy.iter("validate-jwt"):
        if each.get("require-signed-tokens") != "true" or each.get("require-expiration-time") != "true":
            yield f"{name}: validate-jwt takes tokens that are unsigned or never expire"
        if not any((one.text or "").strip() for one in each.iter("audience")):
            yield f"{name}: validate-jwt: any audience"
        if not any((one.text or "").strip() for one in each.iter("issuer")):
            yield f"{name}: validate-jwt: any issuer"
        if not any(one.get("url", "").startswith(("https://", "{{")) for one in each.iter("openid-config")):
            yield f"{name}: validate-jwt: keys from nowhere, or without TLS"
        if each.get("failed-validation-httpcode", "401") != "401":
            yield f"{name}: validate-jwt: a refused token is answered with {each.get('failed-validation-httpcode')}"


def _refusals(name: str, policy: ElementTree.Element) -> Iterator[str]:
    kinds = {kind.code: kind for kind in refusals.kinds()}
    for text in _texts(policy):
        for said in re.findall(r"(?<![0-9])([45][0-9]{2}\|[A-Z_]+\|[^\"|]*\|[^\"|]*\|[^\"|]*\|[^\"|]*)", text):
            status, code, issue, vkp, what, advice = said.split("|")
            kind = kinds.get(code)
            if kind is None:
                if code not in _GATEWAYS_OWN:
                    yield f"{name}: no such refusal: {code}"
                continue
            told = (str(kind.status), kind.issue_type, kind.vkp_code, kind.text(), kind.advice())
            if (status, issue, vkp, what, advice) != told:
                yield f"{name}: {code} is not said as the app says it: {'|'.join(told)}"


def _included(name: str, policy: ElementTree.Element, parsed: dict[str, ElementTree.Element]) -> Iterator[str]:
    for each in policy.iter("include-fragment"):
        if f"fragments/{each.get('fragment-id')}.xml" not in parsed:
            yield f"{name}: no such fragment: {each.get('fragment-id')}"


def _ordered(name: str, sections: dict[str, list[dict[str, str]]], policy: ElementTree.Element | None) -> Iterator[str]:
    if policy is None:
        yield f"{name}: not there"
        return
    for section, steps in sections.items():
        within = policy if section == "fragment" else policy.find(section)
        if within is None:
            continue
        walked = list(within.iter())
        at = -1
        for step in steps:
            place = next((n for n, each in enumerate(walked) if _is(step, each)), None)
            if place is None:
                yield f"{name}: {section}: no step \u201c{step['what']}\u201d"
            elif place < at:
                yield f"{name}: {section}: \u201c{step['what']}\u201d comes before what must come first (order.json)"
            else:
                at = place


def _is(step: dict[str, str], element: ElementTree.Element) -> bool:
    if element.tag != step["element"]:
        return False
    if any(element.get(key) != step[key] for key in ("name", "fragment-id") if key in step):
        return False
    return "holds" not in step or any(step["holds"] in text for text in _texts(element))


def _whole(parsed: dict[str, ElementTree.Element]) -> Iterator[str]:
    everywhere, refusal = parsed.get("global.xml"), parsed.get("fragments/refusal.xml")
    if everywhere is None or refusal is None:
        return
    safe = {**_SAFE, _ONLY_HTTPS[0]: _ONLY_HTTPS[1]}
    places = [("global.xml: outbound", everywhere.find("outbound"))]
    places += [("fragments/refusal.xml: an answer", each) for each in refusal.iter("return-response")]
    for where, place in places:
        sent = _headers(place)
        yield from (f"{where}: {head} is not {value}" for head, value in safe.items() if sent.get(head) != value)
        if "Correlation-Id" not in sent:
            yield f"{where}: no Correlation-Id"
    gone = {each.get("name") for each in everywhere.iter("set-header") if each.get("exists-action") == "delete"}
    yield from (f"global.xml: {head} is not taken away" for head in (*_CLAIMED, *_TOLD_OF_SELF) if head not in gone)
    if re.search(rf"\b{MAX_BYTES}\b", " ".join(_texts(everywhere))) is None:
        yield f"global.xml: the size of a body is not bounded by {MAX_BYTES}, as in the app"
    for each in everywhere.iter("forward-request"):
        if each.get("follow-redirects") != "false":
            yield "global.xml: follows redirects of the app"


def _headers(place: ElementTree.Element | None) -> dict[str, str]:
    if place is None:
        return {}
    return {
        each.get("name", ""): (each.findtext("value") or "").strip()
        for each in place.iter("set-header") if each.get("exists-action") == "override"
    }  # fmt: skip


def _products(products: list[dict[str, Any]], parsed: dict[str, ElementTree.Element]) -> Iterator[str]:
    if sum(not each["subscriptionRequired"] for each in products) != 1:
        yield "products.json: exactly one product is open: an API can be in no more than one such"
    for each in products:
        policy = parsed.get(each["policy"])
        if policy is None:
            yield f"products.json: {each['name']}: no such policy: {each['policy']}"
            continue
        inbound = policy.find("inbound")
        for limit in ("rate-limit-by-key", "quota-by-key"):
            if inbound is None or inbound.find(f".//{limit}") is None:
                yield f"{each['policy']}: no {limit}"
        for one in policy.iter("rate-limit-by-key"):
            if not 0 < int(one.get("renewal-period", "0")) <= 300 or one.get("retry-after-variable-name") != "wait":
                yield f"{each['policy']}: rate-limit-by-key: 1 to 300 seconds, and the wait in the variable `wait`"


def _provided(root: Path, parsed: dict[str, ElementTree.Element]) -> Iterator[str]:
    module = root / "infra/modules/api-management.bicep"
    places = [each for each in (module, root / "infra/main.bicep") if each.exists()]
    text = "\n".join(each.read_text(encoding="utf-8") for each in places)
    for name, policy in parsed.items():
        said = "\n".join(_texts(policy))
        yield from (
            f"{name}: no such named value in {module.name}: {each}"
            for each in sorted(set(_NAMED.findall(said))) if f"'{each}'" not in text
        )  # fmt: skip
        for each in policy.iter("set-backend-service"):
            if f"'{each.get('backend-id')}'" not in text:
                yield f"{name}: no such backend in {module.name}: {each.get('backend-id')}"
