"""The registry's HTTP API in the OpenAPI document: its addresses, schemas and refusals.

For `shared.api.openapi` to take in: `paths()` beside its own paths, `schemas()` beside its own component schemas, and
`ROUTES` beside those of `shared.api.routes`. Tag: `registry`; security scheme: `person`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.access.refusals import CredentialsDoubtful
from shared.api import refusals
from shared.api.refusals import CORRELATION
from shared.api.security import PERSON
from shared.errors import (
    HubError,
    NotAuthenticated,
    NotAvailable,
    TooManyCalls,
    Unexpected,
    UnknownAddress,
    WrongMethod,
)
from shared.registry.asking import ENDS_SOON
from shared.registry.entries import READERS
from shared.registry.gatekeepers import SOON
from shared.registry.keeping import MAX_PAGE, PAGE
from shared.registry.places import HISTORIES, LISTED, SEEN
from shared.registry.proposals import LASTING
from shared.registry.refusals import (
    ConditionMissing,
    EntryChanged,
    EntryInvalid,
    EntryNotJson,
    EntryUnknown,
    PageOutOfBounds,
    RoleMissing,
    SecurityLevel,
)
from shared.registry.roles import MATRIX, Do, Thing
from shared.registry.schemas import of_entry

TAG: Final = "registry"
SCHEME: Final = PERSON
_HOME: Final = "/registry/municipalities"

READ_REFUSALS: Final[tuple[type[HubError], ...]] = (
    *refusals.of(
        CredentialsDoubtful, NotAuthenticated, UnknownAddress, TooManyCalls, NotAvailable, Unexpected,
        but=(WrongMethod,),
    ),
    SecurityLevel, RoleMissing, EntryUnknown,
    PageOutOfBounds,
)  # fmt: skip
CHANGE_REFUSALS: Final[tuple[type[HubError], ...]] = (
    *READ_REFUSALS, EntryNotJson, EntryInvalid, EntryChanged, ConditionMissing,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Address:
    path: str
    thing: Thing
    is_list: bool
    summary: str


_ADDRESSES: Final = (
    _Address(_HOME, Thing.MUNICIPALITIES, True, "All municipalities"),
    _Address(f"{_HOME}/{{orgnr}}", Thing.MUNICIPALITY, False, "A municipality, less what has addresses of its own"),
    _Address(f"{_HOME}/{{orgnr}}/receivers", Thing.RECEIVERS, True, "Who gets its messages"),
    _Address(f"{_HOME}/{{orgnr}}/receivers/{{id}}", Thing.RECEIVERS, False, "A receiver, by its id"),
    _Address(
        f"{_HOME}/{{orgnr}}/proposals", Thing.PROPOSALS, True, "Receivers as proposed, until another person agrees"
    ),
    _Address(f"{_HOME}/{{orgnr}}/grants", Thing.GRANTS, True, "Which systems it lets in"),
    _Address(f"{_HOME}/{{orgnr}}/grants/{{id}}", Thing.GRANTS, False, "What it grants to a system, by its vkp-id"),
    _Address(f"{_HOME}/{{orgnr}}/partner-profile", Thing.PARTNER_PROFILE, False, "What ServiceCodes mean in its EPJ"),
    _Address(f"{_HOME}/{{orgnr}}/traffic", Thing.TRAFFIC, False, "Whether its traffic is stopped"),
    _Address(f"{_HOME}/{{orgnr}}/people", Thing.PEOPLE, True, "Its people's access"),
    _Address(f"{_HOME}/{{orgnr}}/people/{{id}}", Thing.PEOPLE, False, "A person's access, by subject"),
    _Address(f"{_HOME}/{{orgnr}}/history", Thing.HISTORY, True, "Who changed what, when and why; the latest first"),
    _Address("/registry/systems", Thing.SYSTEMS, True, "All vendors' systems"),
    _Address("/registry/systems/{id}", Thing.SYSTEMS, False, "A vendor's system, by its vkp-id"),
    _Address("/registry/systems/{id}/history", Thing.SYSTEM_HISTORY, True, "Who changed a system; the latest first"),
    _Address(
        "/registry/history", Thing.SYSTEM_HISTORY, True, "Who changed what is no municipality's; the latest first"
    ),
    _Address("/registry/revoked-keys", Thing.REVOKED_KEYS, False, "Issuers' keys that let nobody in any longer"),
)

ROUTES: Final[tuple[tuple[str, str], ...]] = tuple(
    (method, each.path.removeprefix("/"))
    for each in _ADDRESSES
    for method in (("GET",) if each.is_list else ("GET", "PUT"))
)
"""Addresses and methods, as `shared.api.routes` has them."""


def paths() -> dict[str, Any]:
    """The addresses."""
    found: dict[str, Any] = {}
    for each in _ADDRESSES:
        operations = {"get": _get(each)} if each.is_list else {"get": _get(each), "put": _put(each)}
        found[each.path] = {"parameters": _parameters(each.path), **operations}
    return found


def schemas() -> dict[str, Any]:
    """Component schemas: what each entry is, and what it consists of."""
    found: dict[str, Any] = {}
    for thing, (kind, theirs) in SEEN.items():
        entry = _moved(of_entry(kind, theirs))
        found.update(entry.pop("$defs", {}))
        found[_schema_name(thing)] = entry
    return dict(sorted(found.items()))


def _get(each: _Address) -> dict[str, Any]:
    schema = _page(each.thing) if each.is_list else _entry(each.thing)
    return {
        "operationId": _operation("get", each),
        "tags": [TAG],
        "summary": each.summary,
        "description": _roles(each.thing, Do.SEE),
        "security": [{SCHEME: []}],
        "parameters": [*_paging(), *_asking(each.thing)] if each.is_list else [],
        "responses": {
            "200": {
                "description": each.summary,
                "headers": CORRELATION if each.is_list else {**CORRELATION, **_ETAG},
                "content": {"application/json": {"schema": schema}},
            },
            **refusals.responses(READ_REFUSALS),
        },
    }


def _put(each: _Address) -> dict[str, Any]:
    done = {
        "headers": {**CORRELATION, **_ETAG},
        "content": {"application/json": {"schema": _entry(each.thing)}},
    }
    return {
        "operationId": _operation("put", each),
        "tags": [TAG],
        "summary": f"Change it: {each.summary[0].lower()}{each.summary[1:]}",
        "description": f"{_roles(each.thing, Do.CHANGE)} The whole entry, or null to withdraw it; what is the hub's "
        "own, or said by the address, cannot be sent. Effective everywhere within ten seconds.",
        "security": [{SCHEME: []}],
        "parameters": [
            _header("If-Match", "The ETag of the version that is changed"),
            _header("If-None-Match", "`*` for an entry that is not there yet"),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _change(each.thing)}},
        },
        "responses": {
            "200": {"description": "Changed, or as it was wanted already", **done},
            "201": {"description": "Made", **done},
            **({"202": {"description": _PROPOSED, **done}} if each.thing is Thing.RECEIVERS else {}),
            **refusals.responses(CHANGE_REFUSALS),
        },
    }


def _entry(thing: Thing) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "version", "entry"],
        "properties": {
            "id": {"type": "string"},
            "version": {"type": "integer", "minimum": 0, "description": "How often it has been changed"},
            # Null in the answer to a change that withdrew it.
            "entry": {"anyOf": [_ref(thing), {"type": "null"}]},
        },
    }


def _page(thing: Thing) -> dict[str, Any]:
    one = Thing.MUNICIPALITY if thing is Thing.MUNICIPALITIES else thing
    items = _HISTORY if thing in HISTORIES else _entry(one)
    if thing is Thing.PEOPLE:
        items = {**items, "required": [*items["required"], ENDS_SOON]}
        items["properties"] = {**items["properties"], ENDS_SOON: {"type": "boolean", "description": _ENDS_SOON}}
    return {
        "type": "object",
        "required": ["entries", "next"],
        "properties": {
            "entries": {"type": "array", "maxItems": MAX_PAGE, "items": items},
            "next": {"type": ["string", "null"], "description": "For `after`; null: that was all"},
        },
    }


def _change(thing: Thing) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["why", "entry"],
        "properties": {
            "why": {
                "type": "string", "minLength": 3, "maxLength": 200,
                "description": "The reason, for the audit log. Nothing about a person.",
            },
            "entry": {"anyOf": [_ref(thing), {"type": "null"}]},
        },
    }  # fmt: skip


def _roles(thing: Thing, do: Do) -> str:
    return f"For {', '.join(role.value for role in MATRIX if thing in MATRIX[role][do])}."


def _operation(verb: str, each: _Address) -> str:
    words = "".join(word.title() for word in each.thing.value.split("-"))
    single = each.thing in LISTED and not each.is_list
    if each.path == "/registry/history":
        return f"{verb}RegistryHubHistory"
    return f"{verb}Registry{words}{'Entry' if single else ''}"


def _parameters(path: str) -> list[dict[str, Any]]:
    found = []
    if "{orgnr}" in path:
        found.append(_in_path("orgnr", "The municipality's organisation number", {"pattern": "^[0-9]{9}$"}))
    if "{id}" in path:
        found.append(_in_path("id", "The entry's name", {"minLength": 1, "maxLength": 128}))
    return found


def _in_path(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string", **schema},
    }  # fmt: skip


def _paging() -> list[dict[str, Any]]:
    return [
        {
            "name": "limit", "in": "query", "description": "How many at the most",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE},
        },
        {
            "name": "after", "in": "query", "description": "Go on after this one: `next` of the answer before",
            "schema": {"type": "string", "maxLength": 1200},
        },
    ]  # fmt: skip


def _asking(thing: Thing) -> list[dict[str, Any]]:
    if thing is not Thing.PEOPLE:
        return []
    schema = {"type": "string", "enum": ["true", "false"], "default": "false"}
    return [{"name": ENDS_SOON, "in": "query", "description": "true: only those whose access ends soon",
             "schema": schema}]  # fmt: skip


def _header(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


def _schema_name(thing: Thing) -> str:
    return "Registry" + "".join(word.title() for word in thing.value.split("-"))


def _ref(thing: Thing) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{_schema_name(thing)}"}


def _moved(value: Any) -> Any:
    """References to `$defs` made references to components."""
    if isinstance(value, dict):
        return {
            name: each.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _moved(each)
            for name, each in value.items()
        }
    return [_moved(each) for each in value] if isinstance(value, list) else value


_PROPOSED: Final = (
    "Kept as a proposal, nothing is changed yet: another address or way in (url, credentials, auth, kind), or a new "
    f"receiver, counts when another person sends the same entry within {LASTING.days} days."
)
_ENDS_SOON: Final = f"Whether the access lapses within {SOON.days} days"
_ETAG: Final[Mapping[str, Any]] = {
    "ETag": {"description": "The version, for If-Match", "schema": {"type": "string"}},
}
_HISTORY: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["of", "kind", "version", "at", "who", "why", "changes"],
    "properties": {
        "of": {"type": "string", "description": "Which entry"},
        "kind": {"enum": sorted(READERS)},
        "version": {"type": "integer", "minimum": 1},
        "at": {"type": "string", "format": "date-time"},
        "who": {"type": "string"},
        "why": {"type": "string"},
        "changes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "before", "after"],
                "properties": {"field": {"type": "string"}, "before": {}, "after": {}},
            },
        },
    },
}
