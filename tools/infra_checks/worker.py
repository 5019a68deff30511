"""Evaluates Bicep in a process of its own: the evaluator's modules have names as general as `check` and `syntax`.

Run as `python -m tools.infra_checks.worker FOLDER-OF-THE-EVALUATOR`. In (standard input): {"root": the tree's folder,
"jobs": [{"edits": [{"file", "old", "new"}], "environments": [...], "types": bool}]}. Out: one result for each job,
with the id alone of a resource that is as in the first job's:
{"evaluated": {environment: {"resources", "outputs"} or {"error"}}, "types": [line, ...], "not_applied": [file, ...]}.
Edits are taken back after their job. Nothing is written but those edits, so the tree is a copy wherever there are any.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code."""
    sys.path.insert(0, arguments[0])
    evaluator, checker = importlib.import_module("snapshot"), importlib.import_module("check")
    asked = json.load(sys.stdin)
    root = Path(asked["root"]).resolve()
    done = [_job(root, each, evaluator, checker) for each in asked["jobs"]]
    json.dump([done[0], *(_shortened(each, done[0]) for each in done[1:])], sys.stdout)
    return 0


def _job(root: Path, job: dict[str, Any], evaluator: Any, checker: Any) -> dict[str, Any]:
    kept: dict[Path, str] = {}
    missed = []
    for edit in job["edits"]:
        path = root / edit["file"]
        text = path.read_text(encoding="utf-8")
        kept.setdefault(path, text)
        if edit["old"] not in text:
            missed.append(edit["file"])
        path.write_text(text.replace(edit["old"], edit["new"], 1), encoding="utf-8")
        checker.FILES.pop(str(path), None)
    try:
        return {
            "evaluated": {name: _evaluated(root, name, evaluator) for name in job["environments"]},
            "types": _types(root, checker) if job["types"] else [],
            "not_applied": missed,
        }
    finally:
        for path, text in kept.items():
            path.write_text(text, encoding="utf-8")
            checker.FILES.pop(str(path), None)


def _shortened(result: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """With the id alone of each resource that is as in the first job."""
    for name, each in result["evaluated"].items():
        known = {one["id"]: one for one in first["evaluated"].get(name, {}).get("resources", ())}
        if "resources" in each:
            each["resources"] = [one["id"] if known.get(one["id"]) == one else one for one in each["resources"]]
    return result


def _evaluated(root: Path, environment: str, evaluator: Any) -> dict[str, Any]:
    try:
        resources, outputs = evaluator.snapshot(str(root / "infra" / "env" / f"{environment}.bicepparam"))
    except Exception as error:  # noqa: BLE001 - an edge: whatever the evaluator cannot do is a finding
        return {"error": f"{type(error).__name__}: {error}".replace(f"{root}/", "")}
    return {"resources": resources, "outputs": outputs}


def _types(root: Path, checker: Any) -> list[str]:
    for path, each in list(checker.FILES.items()):
        # Judged anew: what uses modules, since one of them may be another now.
        if each.param or "\nmodule " in each.src or "\nimport " in each.src:
            checker.FILES.pop(path)
    try:
        for path in sorted([*root.glob("infra/**/*.bicep"), *root.glob("infra/**/*.bicepparam")]):
            checker.check_file(checker.load(str(path)))
        for each in list(checker.FILES.values()):
            checker.check_file(each)
        return [
            f"{Path(each.path).relative_to(root).as_posix()}:{line}: {severity} {code}: {message}"
            for each in checker.FILES.values()
            for line, code, severity, message, _ in each.diags
        ]
    except Exception as error:  # noqa: BLE001 - an edge, as above
        return [f"infra: error: {type(error).__name__}: {error}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
