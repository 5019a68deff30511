"""Single things that could be broken in what the hub is in Azure, or in the code that must agree with it: as data."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.infra_checks.evaluating import Edit

_DATA: Final = Path(__file__).parent / "breakages.json"


@dataclass(frozen=True, slots=True)
class Breakage:
    """One thing broken, and what a check must say of it."""

    name: str
    edits: tuple[Edit, ...]
    named: str
    """What one of the findings must hold."""
    types: bool = False
    """Whether it is for the types' check to find."""

    @property
    def infra(self) -> bool:
        """Whether it changes what is evaluated."""
        return any(each.file.startswith("infra/") for each in self.edits)


def _breakage(given: dict[str, Any]) -> Breakage:
    edits = tuple(Edit(each["file"], each["old"], each["new"]) for each in given["edits"])
    return Breakage(given["name"], edits, given["named"], given.get("types", False))


def load() -> tuple[Breakage, ...]:
    """All of them, in the order of the file. Raises OSError, ValueError or KeyError."""
    groups = json.loads(_DATA.read_text(encoding="utf-8"))["groups"]
    return tuple(_breakage(each) for found in groups.values() for each in found)


ALL: Final = load()

COLUMNS: Final = {
    "slow.kql": ("Sum", "Summe"),
    "vault-denied.kql": ("CallerIpAddress", "CallerAddress"),
    "exceptions.kql": ("AppExceptions", "AppException"),
}
"""Queries, a column or table of each, and how it is misspelt (tests/infra/kql)."""
