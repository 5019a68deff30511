"""Write `infra/apim/openapi.json`: the API as API Management is to import it.

The gateway forwards addresses and methods and judges nothing else by this document, so it gets the skeleton: paths,
methods, parameters, statuses, in OpenAPI 3.0.3 (Microsoft's import takes 3.1 in part only). The whole document, with
schemas and examples, is what the app serves (`GET /openapi.json`); it is larger than Bicep's loadTextContent takes.

Run as `python -m tools.apim_openapi [--check]`; ends with 1 when a check finds the file stale.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from shared.api import openapi

FILE: Final = Path(__file__).resolve().parent.parent / "infra" / "apim" / "openapi.json"
_VERSION: Final = "3.0.3"


def document() -> dict[str, Any]:
    """The skeleton, made from the app's own document."""
    whole = openapi.document(None)
    parameters = whole.get("components", {}).get("parameters", {})
    return {
        "openapi": _VERSION,
        "info": {"title": whole["info"]["title"], "version": whole["info"]["version"]},
        "servers": [{"url": "/"}],
        "paths": {
            path: {
                method: _operation(path, each, methods.get("parameters", []), parameters)
                for method, each in _of(methods)
            }
            for path, methods in whole["paths"].items()
        },
    }


def text() -> str:
    """The file as it should be."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.apim_openapi", description="Write infra/apim/openapi.json")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when it is stale")
    if parser.parse_args(arguments).check:
        return 0 if FILE.exists() and FILE.read_text(encoding="utf-8") == text() else 1
    FILE.write_text(text(), encoding="utf-8", newline="\n")
    return 0


def _of(methods: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(method, each) for method, each in methods.items() if method in ("get", "post", "put", "patch", "delete")]


def _operation(
    path: str, operation: dict[str, Any], shared: list[dict[str, Any]], known: dict[str, Any]
) -> dict[str, Any]:
    given = [_resolved(each, known) for each in (*shared, *operation.get("parameters", []))]
    kept = [_parameter(each) for each in given if each["in"] in ("path", "query")]
    named = {each["name"] for each in kept}
    missing = [name for name in _in_path(path) if name not in named]
    kept += [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in missing]
    body = operation.get("requestBody")
    return {
        "operationId": operation["operationId"],
        "summary": operation.get("summary", operation["operationId"]),
        "tags": operation.get("tags", []),
        **({"parameters": kept} if kept else {}),
        **({"requestBody": {"content": {kind: {} for kind in body["content"]}}} if body else {}),
        "responses": {status: {"description": "See GET /openapi.json"} for status in operation["responses"]},
    }


def _resolved(parameter: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = known[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter
    return found


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    required = given["in"] == "path" or given.get("required", False)
    return {"name": given["name"], "in": given["in"], "required": required, "schema": {"type": "string"}}


def _in_path(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
