"""A hub whose app runs from an unpacked package: both its processes, under Microsoft's worker, on the zip alone."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from sandbox.hub_parts import GROUPS
from sandbox.process import ROOT, Part

HOST_NEEDS: Final = ("croniter", "python-dateutil", "six")
"""What the stand-in of Azure's host uses itself, for timers; the app must not need it."""


def lay_out_host(folder: Path) -> None:
    """Fill a new folder with links to the sandbox, to what its host needs and to `inside`; to nothing else."""
    folder.mkdir(parents=True)
    (folder / "sandbox").symlink_to(ROOT / "sandbox")
    (folder / "inside.py").symlink_to(ROOT / "tools" / "package" / "inside.py")
    for name in HOST_NEEDS:
        found = importlib.metadata.distribution(name)
        for top in {each.parts[0] for each in found.files or ()} - {"__pycache__"}:
            (folder / top).symlink_to(Path(str(found.locate_file(top))))


def from_package(package: Path, host: Path) -> Callable[[Part], Part]:
    """How the app's processes start from an unpacked package; all others as ever. For `sandbox.running.Wishes`."""

    def started_as(part: Part) -> Part:
        if part.name not in GROUPS:
            return part
        arguments = list(part.arguments)
        arguments[arguments.index("--app") + 1] = str(package)
        launched = ("--package", str(package), "--beside", str(host))
        return replace(part, module="tools.package.launch", arguments=(*launched, *arguments))

    return started_as
