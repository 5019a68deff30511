"""Judges every query of alerts, workbooks and runbooks with Microsoft's own Kusto language service, offline.

Tables and their columns are data (`infra/kql/schemas.json`): an unknown table, an unknown column or a comparison of
what cannot be compared is a finding. Needs Node.js; the language service is an npm package, locked in
`tests/infra/kql/js`.
"""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_REPOSITORY: Final = Path(__file__).resolve().parent.parent
_JS: Final = _REPOSITORY / "tests" / "infra" / "kql" / "js"
_INSTALL_S: Final = 300
_CHECK_S: Final = 120
_PARAMETER: Final = re.compile(r"\{([A-Z][A-Za-z]*)(?::[a-zA-Z]+)?\}")
"""How a workbook writes one of its parameters into a query."""

_FENCED: Final = re.compile(r"```kql\n(.*?)```", re.DOTALL)


class NoNode(Exception):
    """Node.js, or the package, cannot be had; the message says which."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query and where it is."""

    name: str
    """File, and for a workbook the item in it."""
    text: str
    parameters: frozenset[str] = frozenset()
    """Of the workbook, that it uses."""


def queries(root: Path) -> tuple[Query, ...]:
    """Every query under `root`: the files of `infra/kql`, and what stands in workbooks and runbooks."""
    files = [Query(each.name, each.read_text(encoding="utf-8")) for each in sorted((root / "infra/kql").glob("*.kql"))]
    books = [query for each in sorted((root / "infra/workbooks").glob("*.json")) for query in _of_book(each)]
    pages = [query for each in sorted((root / "docs/runbooks").glob("*.md")) for query in _of_page(each)]
    return (*files, *books, *pages)


def findings(root: Path = _REPOSITORY) -> list[str]:
    """What is wrong with the queries under `root`, a line each. Raises NoNode."""
    asked = queries(root)
    schemas = json.loads((root / "infra/kql/schemas.json").read_text(encoding="utf-8"))["tables"]
    return [*about_parameters(root, asked), *judged(asked, {name: each["columns"] for name, each in schemas.items()})]


def judged(asked: tuple[Query, ...], schemas: dict[str, dict[str, str]]) -> list[str]:
    """What the language service says about these queries, a line each. Raises NoNode."""
    given = {"schemas": schemas, "queries": [{"name": each.name, "text": _filled(each.text)} for each in asked]}
    command = [installed(), "check.js"]
    asked_as = json.dumps(given).encode()
    done = subprocess.run(command, cwd=_JS, input=asked_as, capture_output=True, timeout=_CHECK_S, check=False)  # noqa: S603 - our own script
    if done.returncode != 0:
        raise NoNode(f"the language service did not run: {done.stderr.decode()[-300:]}")
    return [
        f"{each['name']}: {each['code']} at `{each['text']}`: {each['message']}" for each in json.loads(done.stdout)
    ]


def installed() -> str:
    """The path of node, with the locked package in place. Raises NoNode."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoNode("node and npm are needed to judge queries")
    lock = (_JS / "package-lock.json").read_bytes()
    mark, wanted = _JS / "node_modules" / ".installed", hashlib.sha256(lock).hexdigest()
    if not mark.exists() or mark.read_text(encoding="ascii") != wanted:
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=_JS, capture_output=True, timeout=_INSTALL_S, check=False)  # noqa: S603 - a fixed command
        if done.returncode != 0:
            raise NoNode(f"npm ci failed: {done.stderr.decode()[-300:]}")
        mark.write_text(wanted, encoding="ascii")
    return node


def _of_book(path: Path) -> Iterator[Query]:
    book = json.loads(path.read_text(encoding="utf-8"))
    for item in book["items"]:
        content = item["content"]
        if item["type"] == _QUERY:
            yield _query(f"{path.name} ({item['name']})", content["query"])
        for parameter in content.get("parameters", ()):
            # Those of Resource Graph (queryType 1) are another language's.
            if "query" in parameter and parameter.get("queryType") == 0:
                yield _query(f"{path.name} (parameter {parameter['name']})", parameter["query"])


def _of_page(path: Path) -> Iterator[Query]:
    for number, text in enumerate(_FENCED.findall(path.read_text(encoding="utf-8")), 1):
        yield Query(f"{path.name} (query {number})", text)


_QUERY: Final = 3
"""A workbook's item that is a query."""


def _query(name: str, text: str) -> Query:
    return Query(name, text, frozenset(_PARAMETER.findall(text)))


def _filled(text: str) -> str:
    return _PARAMETER.sub("value", text)


def about_parameters(root: Path, asked: tuple[Query, ...]) -> list[str]:
    """Parameters that a workbook's queries use and the workbook does not have."""
    found = []
    for query in asked:
        if query.parameters:
            book: dict[str, Any] = json.loads(
                (root / "infra/workbooks" / query.name.partition(" ")[0]).read_text("utf-8")
            )
            known = {each["name"] for item in book["items"] for each in item["content"].get("parameters", ())}
            found += [f"{query.name}: no such parameter: {name}" for name in sorted(query.parameters - known)]
    return found
