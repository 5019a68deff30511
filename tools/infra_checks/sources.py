"""What only Bicep's text tells: secrets among parameters and outputs (items 8 and 9), modules from elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SECRET: Final = re.compile(r"secret$|password|webhook$|connectionstring$|accountkey|sharedaccesskey", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"((?:^@[^\n]*\n)*)^param (\w+) (\S+)(?: = (.+))?$", re.MULTILINE)
_OUTPUT: Final = re.compile(r"^output (\w+) .*$", re.MULTILINE)
_LISTS: Final = re.compile(r"\blist(?:Keys|Secrets|ConnectionStrings|AccountSas)?\(|\.list\w*\(", re.IGNORECASE)
_NO_SECRET: Final = frozenset({"alertsWebhook", "connectionString"})
"""An address that is shown in a setting; a connection string that opens nothing: local auth is off."""


def findings(root: Path) -> Iterator[str]:
    """What is wrong, a line each."""
    for path in sorted((root / "infra").rglob("*.bicep")):
        name, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        for decorators, parameter, _, default in _PARAMETER.findall(text):
            if _SECRET.search(parameter) and parameter not in _NO_SECRET and "@secure()" not in decorators:
                yield f"item 9: {name}: parameter {parameter} is not @secure()"
            if "@secure()" in decorators and default not in ("", "''"):
                yield f"item 9: {name}: parameter {parameter} is secret and has a default"
        for output in _OUTPUT.findall(text):
            if _SECRET.search(output) and output not in _NO_SECRET:
                yield f"item 9: {name}: output {output}: outputs are kept in plain text"
        code = "\n".join(line.partition("//")[0] for line in text.splitlines())
        if _LISTS.search(code):
            yield f"item 8: {name}: asks for keys"
        if re.search(r"'(br|ts)[:/]", code):
            yield f"item 51: {name}: a module of a registry cannot be checked here"
