"""Which release a package is: the project's version and the commit it is built from, written into it for `/health`."""

import json
import os
import subprocess
import tomllib
from pathlib import Path

from shared.release import FILE
from tools.package.target import FILES, FOLDERS, ROOT

_SOURCES = (*FILES, *FOLDERS, "requirements.lock", "pyproject.toml", "tools/package")
"""What decides which bytes a package has."""
UNKNOWN = "unknown"
"""Stands for the commit where git knows of none: the sources were not cloned."""
CHANGED = ".changed"
"""Follows the commit when something that goes into the package is not as that commit has it."""


def write(folder: Path, root: Path = ROOT) -> str:
    """Write the file into the package's folder; gives the release."""
    release = of(root)
    (folder / FILE).write_text(json.dumps({"release": release}) + "\n", encoding="utf-8")
    return release


def of(root: Path = ROOT) -> str:
    """The release that a package built from this checkout is: version and commit, and whether it is more."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return f"{version(root)}+{UNKNOWN}"
    changes = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *_SOURCES)
    return f"{version(root)}+{commit}{'' if changes == '' else CHANGED}"


def version(root: Path = ROOT) -> str:
    """The version of this checkout."""
    with (root / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _git(root: Path, *arguments: str) -> str | None:
    """What git says of the checkout; None where it knows nothing of it."""
    command = ("git", "--no-optional-locks", "-C", str(root), *arguments)
    # A repository that the checkout merely lies in is not its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_CEILING_DIRECTORIES"] = str(root.parent)
    try:
        # Our own command, no shell.
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
