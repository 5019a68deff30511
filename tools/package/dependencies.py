"""The packages of the lock, installed into a folder for the target, every file by its hash."""

import csv
import hashlib
import io
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tools.package.lock import Pin, pip
from tools.package.target import LEFT_OUT, PIP_TARGET, UNUSED_SUFFIXES

WHEELS: Final = Path(sys.prefix) / "package-wheels"
"""Files fetched before: with all of them there, a package is built without a network."""

_UNUSED: Final = ("bin",)
"""What pip adds beside the packages: scripts that name this machine's Python."""


def shipped(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """The packages that go along."""
    return tuple(pin for pin in pins if pin.name not in LEFT_OUT)


def install(pins: Iterable[Pin], folder: Path, wheels: Path = WHEELS) -> None:
    """Install exactly these packages into a folder. Raises CannotPackage when one cannot be had with its hash."""
    wanted = shipped(pins)
    wheels.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True)
    lock = folder.parent / "lock.txt"
    lock.write_text("".join(pin.line + "\n" for pin in wanted), encoding="utf-8")
    exactly = ("--no-deps", "--require-hashes", *PIP_TARGET, f"--requirement={lock}")
    if not {pin.sha256 for pin in wanted} <= _there(wheels):
        pip("download", f"--dest={wheels}", *exactly)
    pip("install", "--no-index", f"--find-links={wheels}", "--no-compile", f"--target={folder}", *exactly)
    lock.unlink()
    _tidy(folder)


def _there(wheels: Path) -> set[str]:
    return {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels.glob("*.whl")}


def _tidy(folder: Path) -> None:
    for name in _UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in folder.rglob("*"):
        if path.suffix in UNUSED_SUFFIXES and path.is_file():
            path.unlink()
    for info in folder.glob("*.dist-info"):
        # Written by pip about this installation, not by the package.
        for name in ("REQUESTED", "INSTALLER", "direct_url.json"):
            (info / name).unlink(missing_ok=True)
        tidy_record(info / "RECORD")


def tidy_record(record: Path) -> None:
    """Leave in a package's list of files those that are there.

    It holds their hashes, so a script that names this machine's Python would make every checkout's package another one.
    """
    folder = record.parent.parent
    rows = csv.reader(io.StringIO(record.read_text(encoding="utf-8"), newline=""))
    kept = sorted(row for row in rows if row and (folder / row[0]).is_file())
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(kept)
    record.write_text(text.getvalue(), encoding="utf-8", newline="\n")
