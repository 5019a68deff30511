"""The register's forms as JSON Schema (2020-12): of the files of `hub registry`, and of the bodies of the HTTP API."""

from typing import Any, Final

from shared.registry.files import LISTS, PARTNER
from shared.registry.model import Municipality, System
from shared.registry.partner import PartnerProfile
from shared.registry.people import Access
from shared.registry.revoked import RevokedKeys
from shared.registry.shapes import schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def of_entry(kind: type[Any], without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """An entry's form, less the fields that its place says. Its parts are in `$defs`."""
    found: dict[str, Any] = _plain(schema(kind))
    found["properties"] = {name: each for name, each in found["properties"].items() if name not in without}
    found["required"] = [name for name in found.get("required", []) if name not in without]
    return found


def of_file() -> dict[str, Any]:
    """The form of a file of `hub registry`."""
    definitions: dict[str, Any] = {}
    orgnr = frozenset({"orgnr"})
    municipality = _taken_in(Municipality, definitions)
    for name, kind in LISTS.items():
        municipality["properties"][name] = {
            "type": "array",
            "description": f"All of its {name}; left out: they stay as they are.",
            "items": _taken_in(kind, definitions, orgnr),
        }
    municipality["properties"][PARTNER] = _taken_in(PartnerProfile, definitions, orgnr)
    return {
        "$schema": DIALECT,
        "title": "Knutepunkt's register",
        "description": "Municipalities and vendors' systems, as they are to be: hub registry diff|apply FILE.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "$schema": {"type": "string"},
            "systems": {"type": "array", "items": _taken_in(System, definitions)},
            "operators": {
                "type": "array",
                "description": "All of the hub's operators; left out: they stay as they are.",
                "items": _taken_in(Access, definitions, orgnr),
            },
            "revokedKeys": {
                "type": "array",
                "description": "All ids of keys that must not count any longer; left out: they stay as they are.",
                "items": of_entry(RevokedKeys)["properties"]["kids"]["items"],
            },
            "municipalities": {"type": "array", "items": municipality},
        },
        "$defs": dict(sorted(definitions.items())),
    }


def _taken_in(kind: type[Any], definitions: dict[str, Any], without: frozenset[str] = frozenset()) -> dict[str, Any]:
    found = of_entry(kind, without)
    definitions.update(found.pop("$defs", {}))
    return found


def _plain(value: Any) -> Any:
    """Without the titles that only repeat names."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name != "title"}
    return [_plain(each) for each in value] if isinstance(value, list) else value
