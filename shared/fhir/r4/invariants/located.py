"""Rules whose breach has a place of its own inside the object they are placed on.

Each gives the paths, from that object, of what breaks it. R4's own keys where R4 has one; the `fhir-` rules are R4's in
prose only: Bundle.entry.fullUrl (http://hl7.org/fhir/R4/bundle.html#references), Bundle.link, Attachment.size.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from shared.fhir.r4.invariants.facts import has, inside, referred_type
from shared.fhir.r4.primitives import base64_length
from shared.fhir.values import JsonObject, JsonValue, Path

_REQUESTS: Final = ("batch", "transaction", "history")
_RESPONSES: Final = ("batch-response", "transaction-response", "history")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_FULL_URL: Final[tuple[Path, ...]] = (("fullUrl",),)
_RESTFUL: Final = re.compile(r"https?://\S+/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


def _each(owner: JsonObject, name: str) -> Iterator[tuple[int, JsonObject]]:
    value = owner.get(name)
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield index, item


def _total(bundle: JsonObject) -> Iterable[Path]:
    return (("total",),) if has(bundle, "total") and bundle.get("type") not in ("searchset", "history") else ()


def _search(bundle: JsonObject) -> Iterator[Path]:
    if bundle.get("type") != "searchset":
        yield from (("entry", index, "search") for index, entry in _each(bundle, "entry") if "search" in entry)


def _request(bundle: JsonObject) -> Iterator[Path]:
    due = bundle.get("type") in _REQUESTS
    yield from (("entry", at, "request") for at, entry in _each(bundle, "entry") if ("request" in entry) != due)


def _response(bundle: JsonObject) -> Iterator[Path]:
    due = bundle.get("type") in _RESPONSES
    yield from (("entry", at, "response") for at, entry in _each(bundle, "entry") if ("response" in entry) != due)


def _links_twice(bundle: JsonObject) -> Iterator[Path]:
    seen: set[str] = set()
    for index, link in _each(bundle, "link"):
        relation = link.get("relation")
        if isinstance(relation, str):
            if relation in seen:
                yield ("link", index, "relation")
            seen.add(relation)


def _empty_entry(entry: JsonObject) -> Iterable[Path]:
    return () if "resource" in entry or "request" in entry or "response" in entry else ((),)


def _of_one_version(entry: JsonObject) -> Iterable[Path]:
    url = entry.get("fullUrl")
    return _FULL_URL if isinstance(url, str) and "/_history/" in url else ()


def _relative(entry: JsonObject) -> Iterable[Path]:
    url = entry.get("fullUrl")
    return _FULL_URL if isinstance(url, str) and _ABSOLUTE.fullmatch(url) is None else ()


def _of_another(entry: JsonObject) -> Iterable[Path]:
    """A fullUrl that names the resource must name this one."""
    url = entry.get("fullUrl")
    if not isinstance(url, str) or not url.startswith("http"):
        return ()
    resource, named = inside(entry, "resource"), _RESTFUL.fullmatch(url)
    identity = resource.get("id")
    if named is None or not isinstance(identity, str) or named.group(1) != resource.get("resourceType"):
        return ()
    return () if named.group(2) == identity else _FULL_URL


def _size(attachment: JsonObject) -> Iterator[Path]:
    size, data = attachment.get("size"), attachment.get("data")
    if isinstance(size, int) and isinstance(data, str):
        length = base64_length(data)
        if length is not None and length != size:
            yield ("size",)


def _nested(resource: JsonObject) -> Iterator[Path]:
    yield from (("contained", at, "contained") for at, each in _each(resource, "contained") if "contained" in each)


def _versioned(resource: JsonObject) -> Iterator[Path]:
    for index, each in _each(resource, "contained"):
        for name in ("versionId", "lastUpdated"):
            if has(inside(each, "meta"), name):
                yield ("contained", index, "meta", name)


def _labelled(resource: JsonObject) -> Iterator[Path]:
    for index, each in _each(resource, "contained"):
        if "security" in inside(each, "meta"):
            yield ("contained", index, "meta", "security")


def _not_referred_to(resource: JsonObject) -> Iterator[Path]:
    referred = {text for text in _texts(resource) if text.startswith("#")}
    for index, each in _each(resource, "contained"):
        identity = each.get("id")
        is_named = isinstance(identity, str) and "#" + identity in referred
        if not is_named and "#" not in _texts(each):
            yield ("contained", index)


def _texts(value: JsonValue) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _on_behalf(team_member: JsonObject) -> Iterator[Path]:
    kind = referred_type(inside(team_member, "member"))
    if has(team_member, "onBehalfOf") and kind not in (None, "Practitioner"):
        yield ("onBehalfOf",)


LOCATED: Final[dict[str, Callable[[JsonObject], Iterable[Path]]]] = {
    "bdl-1": _total,
    "bdl-2": _search,
    "bdl-3": _request,
    "bdl-4": _response,
    "bdl-5": _empty_entry,
    "bdl-8": _of_one_version,
    "ctm-1": _on_behalf,
    "dom-2": _nested,
    "dom-3": _not_referred_to,
    "dom-4": _versioned,
    "dom-5": _labelled,
    "fhir-attachment-size": _size,
    "fhir-full-url-other-id": _of_another,
    "fhir-full-url-relative": _relative,
    "fhir-link-twice": _links_twice,
}

IN_PROSE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Attachment": ("fhir-attachment-size",),
        "Bundle": ("fhir-link-twice",),
        "Bundle.entry": ("fhir-full-url-relative", "fhir-full-url-other-id"),
    }
)
"""Rules that R4 states in prose and gives no key, by the type they are placed on."""
