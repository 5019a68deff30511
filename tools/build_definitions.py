"""Build `shared/fhir/data/r4.json`, the definitions of FHIR R4 4.0.1 that the checker compiles.

The source is HL7's own packages:

    python -m tools.build_definitions            fetches the two packages with npm, once, into a cache folder
    python -m tools.build_definitions --from DIR takes the two .tgz files from DIR, without network
    python -m tools.build_definitions --check    writes nothing; ends with 1 when the file is not what would be written

The same packages give the same file, byte for byte. It holds all concrete resource types, data types and the
backbone elements within them, one on each line:

| member of a type | what it says |
|------------------|--------------|
| `kind`           | `resource`, `datatype`, or `backbone` |
| `base`           | the type whose elements and rules come first |
| `rules`          | keys of the invariants placed on the type as a whole |
| `elements`       | its own elements in order |
| `abstract`       | true for the types that only others are based on |

| member of an element | what it says; left out when it is the usual |
|----------------------|---------------------------------------------|
| `name`               | as in the definition: `status`, `value[x]` |
| `min`, `max`         | cardinality, 0 and 1 when left out; max is 1 or * |
| `types`              | names of data types, primitives in lower case, `Resource`, a backbone element by its path |
| `to`                 | resource types that a Reference may lead to; left out when any |
| `codes`              | the value set of a required binding |
| `attribute`          | true when XML has it as an attribute or as XHTML: it has no `_name` twin in JSON |
| `rules`              | keys of invariants placed on the element itself; `sqty-1` where R4 says SimpleQuantity |
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tools.npm_packages import Json, Package, PackageUnavailable, default_cache, fetch, provenance, resources

EXAMPLES: Final = Package("hl7.fhir.r4.examples", "4.0.1")
"""Despite its name it holds every StructureDefinition of R4, beside the examples."""
EXPANSIONS: Final = Package("hl7.fhir.r4.expansions", "4.0.1")
TARGET: Final = Path(__file__).resolve().parent.parent / "shared" / "fhir" / "data" / "r4.json"

_STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"
_SIMPLE_QUANTITY: Final = _STRUCTURE + "SimpleQuantity"
_VALUE_SET: Final = "http://hl7.org/fhir/ValueSet/"
_SYSTEM: Final = "http://hl7.org/fhirpath/System."
_TOO_COSTLY: Final = "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"
_EVERYWHERE: Final = frozenset({"ele-1", "ext-1"})
"""Repeated at every element: the one is the checker's structure, the other is on Extension itself."""


class _Rules:
    """The invariants by a key that is unique: R4 gives the key inv-1 to three different ones."""

    def __init__(self, structures: Iterable[Json]) -> None:
        self.table: dict[str, Json] = {}
        meanings: dict[str, set[str]] = {}
        for structure in structures:
            for element in structure["snapshot"]["element"]:
                for constraint in element.get("constraint", ()):
                    meanings.setdefault(constraint["key"], set()).add(constraint["human"])
        self._shared = {key for key, humans in meanings.items() if len(humans) > 1}

    def keys(self, element: Json, type_name: str) -> list[str]:
        """The keys placed on an element, noted in the table."""
        found = []
        for constraint in element.get("constraint", ()):
            key = constraint["key"]
            if key in self._shared:
                key += "-" + type_name.lower()
            self.table[key] = {"severity": constraint["severity"], "human": " ".join(constraint["human"].split())}
            found.append(key)
        return found


class _ValueSets:
    """The value sets of required bindings: their codes by code system, and those that nobody can list."""

    def __init__(self, expansions: dict[str, Json]) -> None:
        self._expansions = expansions
        self.listed: dict[str, dict[str, list[str]]] = {}
        self.unlisted: dict[str, str] = {}

    def name(self, url: str) -> str:
        """The name a value set has in the file; its codes are noted."""
        url = url.partition("|")[0]
        name = url.removeprefix(_VALUE_SET)
        expansion = self._expansions.get(url, {}).get("expansion")
        if expansion is None:
            self.unlisted[name] = "The package of expansions does not hold it."
        elif any(each["url"] == _TOO_COSTLY for each in expansion.get("extension", ())):
            self.unlisted[name] = "It has no end: HL7 marks its expansion as too costly."
        else:
            systems: dict[str, list[str]] = {}
            for concept in _concepts(expansion.get("contains", ())):
                systems.setdefault(concept["system"], []).append(concept["code"])
            self.listed[name] = {system: sorted(set(codes)) for system, codes in sorted(systems.items())}
        return name


def _concepts(contains: Iterable[Json]) -> Iterator[Json]:
    for concept in contains:
        if "code" in concept and not concept.get("abstract"):
            yield concept
        yield from _concepts(concept.get("contains", ()))


class _Types:
    """Every type as the file has it."""

    def __init__(self, structures: list[Json], rules: _Rules, value_sets: _ValueSets) -> None:
        self._structures = {each["type"]: each for each in structures}
        self._rules = rules
        self._value_sets = value_sets
        self.table: dict[str, Json] = {}

    def add(self, name: str) -> None:
        """Add a type after the type it is based on."""
        if name in self.table:
            return
        structure = self._structures[name]
        base = structure.get("baseDefinition", "").removeprefix(_STRUCTURE)
        if base:
            self.add(base)
        by_path = {element["path"]: element for element in structure["snapshot"]["element"]}
        parents = {path.rpartition(".")[0] for path in by_path}
        kind = "resource" if structure["kind"] == "resource" else "datatype"
        self._add(name, kind, base, by_path, parents)
        if structure["abstract"]:
            self.table[name]["abstract"] = True
        for path, definition in by_path.items():
            if path != name and path in parents:
                backbone = definition["type"][0]["code"]
                self.add(backbone)
                self._add(path, "backbone", backbone, by_path, parents)

    def _add(self, path: str, kind: str, base: str, by_path: dict[str, Json], parents: set[str]) -> None:
        root = path.partition(".")[0]
        inherited = self._inherited(base)
        own = [key for key in self._rules.keys(by_path[path], root) if key not in self._inherited_rules(base)]
        row: Json = {"kind": kind}
        if base:
            row["base"] = base
        if rules := [key for key in own if path in ("Element", "Extension") or key not in _EVERYWHERE]:
            row["rules"] = rules
        elements = []
        for child, definition in by_path.items():
            parent, _, name = child.rpartition(".")
            if parent == path:
                element = self._element(name, definition, parents, root)
                if inherited.get(name, element) != element:
                    raise ValueError(f"{child} is not what its base type {base} says")
                if name not in inherited:
                    elements.append(element)
        row["elements"] = elements
        self.table[path] = row

    def _inherited(self, base: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while base:
            found |= {each["name"]: each for each in self.table[base]["elements"]}
            base = self.table[base].get("base", "")
        return found

    def _inherited_rules(self, base: str) -> set[str]:
        found: set[str] = set()
        while base:
            found |= set(self.table[base].get("rules", ()))
            base = self.table[base].get("base", "")
        return found

    def _element(self, name: str, definition: Json, parents: set[str], root: str) -> Json:
        path = definition["path"]
        element: Json = {"name": name}
        if definition["min"]:
            element["min"] = definition["min"]
        if definition["base"]["max"] != definition["max"] or definition["max"] not in ("1", "*"):
            raise ValueError(f"{path} narrows or ends its repetition: the file has no words for that")
        if definition["max"] == "*":
            element["max"] = "*"
        types = definition.get("type", [])
        rules = [] if path in parents else [k for k in self._rules.keys(definition, root) if k not in _EVERYWHERE]
        if "contentReference" in definition:
            element["types"] = [definition["contentReference"].removeprefix("#")]
        elif path in parents:
            element["types"] = [path]
        elif definition["base"]["path"] == "Resource.id":
            element["types"] = ["id"]  # the definition says string, the page of Resource and the examples say id
        else:
            element["types"] = [_type_name(each) for each in types]
            if any(_SIMPLE_QUANTITY in each.get("profile", ()) for each in types):
                rules.append("sqty-1")
        to = {target.removeprefix(_STRUCTURE) for each in types for target in _targets(each)}
        if to and "Resource" not in to:
            element["to"] = sorted(to)
        binding = definition.get("binding", {})
        if binding.get("strength") == "required":
            element["codes"] = self._value_sets.name(binding["valueSet"])
        if rules:
            element["rules"] = rules
        if _is_attribute(definition):
            element["attribute"] = True
        return element


def _targets(type_of: Json) -> list[str]:
    return type_of.get("targetProfile", []) if type_of["code"] == "Reference" else []


def _type_name(type_of: Json) -> str:
    """FHIR's name of an element's type; R4 writes those that XML has as attributes as types of FHIRPath."""
    code = str(type_of["code"])
    if not code.startswith(_SYSTEM):
        return code
    named = next(each["valueUrl"] for each in type_of["extension"] if each["url"].endswith("-fhir-type"))
    return str(named)


def _is_attribute(definition: Json) -> bool:
    """Whether XML has the element as an attribute, or as XHTML, so that it takes no extensions and has no `_` twin."""
    return any(each["code"].startswith(_SYSTEM) or each["code"] == "xhtml" for each in definition.get("type", ()))


def _codes_of(codes: list[Json]) -> dict[str, Json]:
    return {each["url"]: each for each in codes}


def build(examples: Path, expansions: Path) -> str:
    """The text of the file, from the two packages."""
    structures = [json.loads(content) for _, content in resources(examples, ("StructureDefinition-",))]
    structures = [each for each in structures if each["kind"] in ("resource", "complex-type")]
    simple_quantity = next(each for each in structures if each["url"] == _SIMPLE_QUANTITY)
    structures = [each for each in structures if each.get("derivation") != "constraint"]
    rules = _Rules(structures)
    rules.keys(simple_quantity["snapshot"]["element"][0], "Quantity")
    value_sets = _ValueSets(_codes_of([json.loads(content) for _, content in resources(expansions, ("ValueSet-",))]))
    types = _Types(structures, rules, value_sets)
    for name in sorted(each["type"] for each in structures):
        types.add(name)
    return _rendered(
        {
            "about": {
                "what": "FHIR R4 4.0.1: types, elements, required code lists, keys of invariants (CC0, HL7)",
                "built_by": "python -m tools.build_definitions",
                "definitions_dated": max(each["date"] for each in structures if "date" in each),
                "from": [provenance(EXAMPLES, examples), provenance(EXPANSIONS, expansions)],
            },
            "rules": dict(sorted(rules.table.items())),
            "value_sets": dict(sorted(value_sets.listed.items())),
            "value_sets_not_listed": dict(sorted(value_sets.unlisted.items())),
            "types": types.table,
        }
    )


def _rendered(content: dict[str, Json]) -> str:
    """JSON with one line for each member of each part, so that a diff shows what changed."""
    parts = []
    for part, members in content.items():
        lines = (f"{json.dumps(name)}:{json.dumps(each, separators=(',', ':'))}" for name, each in members.items())
        parts.append(f"{json.dumps(part)}:{{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _found(package: Package, folder: Path | None, cache: Path) -> Path:
    if folder is None:
        return fetch(package, cache)
    path = folder / package.file_name
    if not path.exists():
        raise PackageUnavailable(f"There is no {package.file_name} in the folder given with --from.")
    return path


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build_definitions",
        description="Build shared/fhir/data/r4.json from HL7's npm packages of FHIR R4 4.0.1.",
    )
    parser.add_argument("--from", dest="folder", type=Path, help="take the .tgz files from this folder, fetch nothing")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where fetched packages are kept")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    chosen = parser.parse_args(arguments)
    try:
        text = build(*(_found(each, chosen.folder, chosen.cache) for each in (EXAMPLES, EXPANSIONS)))
    except PackageUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stale = not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text
    if stale and not chosen.check:
        TARGET.write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{'stale' if stale and chosen.check else 'written' if stale else 'unchanged'}: {TARGET.name}\n")
    return 1 if stale and chosen.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
