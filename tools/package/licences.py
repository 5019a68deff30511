"""The licence of every package that goes along, as SPDX names it; what is unknown or not allowed stops the build.

A package says its licence in one of three ways, newest first: `License-Expression` (PEP 639), `License`, a classifier.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from tools.package.lock import normalised
from tools.package.target import CannotPackage

ALLOWED: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"}
)
"""May be shipped by anyone to anyone with their texts beside them. MPL-2.0 binds changes to its own files alone."""

_NAMED: Final[Mapping[str, str]] = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
"""SPDX names of what packages call their licence in `License` and in classifiers."""

_TEXTS: Final = ("licen", "copying", "notice")


@dataclass(frozen=True, slots=True)
class Licensed:
    """One package and its licence."""

    name: str
    version: str
    licence: str
    """An SPDX expression; empty when it is not known."""
    texts: tuple[str, ...]
    """Files of the package that hold its words."""


def of_all(site_packages: Path) -> tuple[Licensed, ...]:
    """The licences of all packages installed in a folder, by name."""
    found = [_of(each) for each in distributions(path=[str(site_packages)])]
    return tuple(sorted(found, key=lambda each: each.name))


def check(packages: Iterable[Licensed]) -> None:
    """Raises CannotPackage naming every package whose licence is unknown or not allowed."""
    wrong = [
        f"{each.name} {each.version}: {each.licence or 'unknown'}" for each in packages if not allowed(each.licence)
    ]
    if wrong:
        raise CannotPackage(
            "\n".join(("licences that are unknown or not allowed (tools/package/licences.py):", *wrong))
        )


def allowed(expression: str) -> bool:
    """Whether an SPDX expression of AND and OR leaves a choice that is allowed; brackets and WITH are not taken."""
    return any(all(part.strip() in ALLOWED for part in choice.split(" AND ")) for choice in expression.split(" OR "))


def said(expression: str, words: Iterable[str]) -> str:
    """The SPDX expression a package means: its own, or what the first known of its other words stands for.

    Empty when none is known.
    """
    if expression:
        return expression
    named = (_NAMED.get(each, each) for each in words)
    return next((each for each in named if each in ALLOWED), "")


def table(packages: Iterable[Licensed]) -> str:
    """The list for people: one line each, the texts lying in the package's own folder in the zip."""
    lines = [
        f"{each.name} {each.version}: {each.licence} ({', '.join(each.texts) or 'no text in the package'})"
        for each in packages
    ]
    return "\n".join((*lines, ""))


def _of(found: Distribution) -> Licensed:
    texts = sorted({Path(str(each)).name for each in found.files or () if _is_text(Path(str(each)))})
    expression, *words = (
        str(value)
        for name in ("License-Expression", "License", "Classifier")
        for value in found.metadata.get_all(name) or [""]
    )
    return Licensed(normalised(found.name), found.version, said(expression, words), tuple(texts))


def _is_text(path: Path) -> bool:
    return ".dist-info" in str(path) and any(part in path.name.lower() for part in _TEXTS)
