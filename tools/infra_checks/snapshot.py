"""Snapshots of what Bicep evaluates to (`infra/evaluated/<environment>.json`), and what is different since.

They are kept so that a reviewer reads "cosmos-kp-hub: publicNetworkAccess: Disabled → Enabled" in a change, whatever
line of Bicep caused it. Long texts stand as the name of their file: what changes in them is read there.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tools.infra_checks.evaluating import Evaluated, Resource

_LONG: Final = 300
"""Characters from which on a text is named, not written."""
_SHOWN: Final = 80
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def folder(root: Path) -> Path:
    """Where the snapshots are."""
    return root / "infra" / "evaluated"


def written(root: Path, environment: Evaluated) -> str:
    """The snapshot as it is to stand in its file."""
    content = {
        "about": "Made by `python -m tools.infra_checks --write` from Bicep; <…> is known only to Azure.",
        "environment": environment.environment,
        "resources": [_plain(each) for each in _named(root, environment)],
        "outputs": environment.outputs,
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def differences(root: Path, environment: Evaluated) -> list[str]:
    """What is different from the kept snapshot, a line each, in words of the resources."""
    path = folder(root) / f"{environment.environment}.json"
    if not path.exists():
        return [f"{environment.environment}: no snapshot: run python -m tools.infra_checks --write"]
    before = json.loads(path.read_text(encoding="utf-8"))
    after = json.loads(written(root, environment))
    return [f"{environment.environment}: {line}" for line in _changed(before, after)]


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old = {each["id"]: each for each in before["resources"]}
    new = {each["id"]: each for each in after["resources"]}
    yield from (f"{label(new[id])}: added" for id in new if id not in old)
    yield from (f"{label(old[id])}: removed" for id in old if id not in new)
    for id, each in new.items():
        if id in old:
            yield from (f"{label(each)}: {line}" for line in _unlike("", old[id], each))
    yield from (f"output: {line}" for line in _unlike("", before["outputs"], after["outputs"]))


def label(resource: Mapping[str, Any]) -> str:
    """What a reviewer calls a resource."""
    about = f" on {resource['scope'].rpartition('/providers/')[2]}" if resource.get("scope") else ""
    # Assignments and workbooks are named by numbers; their own words tell more.
    own = resource.get("properties") or {}
    said = next((own[each] for each in ("description", "displayName", "roleName") if own.get(each)), "")
    if not said and "principalId" in own:
        said = f"{own['roleDefinitionId'].rpartition('/')[2]} of {own['principalId']}"
    numbered = _GUID.fullmatch(resource["name"].rpartition("/")[2])
    return f"{resource['type'].partition('/')[2]} {said if said and numbered else resource['name']}{about}"


def _unlike(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(each for each in new if each not in old)]:
            # "properties" is everywhere and says nothing.
            below = key if not path or path == "properties" else f"{path}.{key}"
            yield from _unlike(below, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _unlike(f"{path}[{_mark(other, number)}]", one, other)
    elif old != new:
        yield f"{path}: {_shown(old)} → {_shown(new)}"


def _mark(item: Any, number: int) -> str:
    return str(item["name"]) if isinstance(item, dict) and isinstance(item.get("name"), str) else str(number)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "(nothing)" if value is None else text or "(empty)"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _plain(resource: Resource) -> dict[str, Any]:
    about = {"scope": resource.scope} if resource.scope else {}
    return {
        "type": resource.type, "name": resource.name, "apiVersion": resource.api_version, "module": resource.module,
        "id": resource.id, **about, **resource.body,
    }  # fmt: skip


def _named(root: Path, environment: Evaluated) -> Iterator[Resource]:
    files = {
        each.read_text(encoding="utf-8"): each.relative_to(root).as_posix()
        for folder in ("apim", "kql", "workbooks")
        for each in sorted((root / "infra" / folder).rglob("*.*"))
        if each.is_file()
    }
    for each in environment.resources:
        body = {key: _without_texts(value, files) for key, value in each.body.items()}
        yield Resource(each.type, each.name, each.api_version, each.module, each.scope, each.id, body)


def _without_texts(value: Any, files: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if value in files:
            return f"<{files[value]}>"
        if len(value) > _LONG:
            return f"<{len(value)} characters, sha256 {hashlib.sha256(value.encode()).hexdigest()[:12]}>"
        return value
    if isinstance(value, dict):
        return {key: _without_texts(each, files) for key, each in value.items()}
    return [_without_texts(each, files) for each in value] if isinstance(value, list) else value
