"""The lock: every package the app needs, its own and theirs, with the hash of the one file that is installed.

`requirements.txt` says what is wanted; pip finds out what that takes on the target, and `requirements.lock` keeps the
answer, in pip's own hash-checking form (one line for each package), which pip-audit and others read too. One hash for
each package is enough: the target is one.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.package.target import PIP_TARGET, ROOT, CannotPackage

REQUIREMENTS: Final = ROOT / "requirements.txt"
LOCK: Final = ROOT / "requirements.lock"

_HEADER: Final = """\
# What `hub package` puts beside the app, each with the hash of its file for Linux x86-64 and Python 3.13.
# Made by `./hub package --lock` from requirements.txt. Do not edit.
"""
_LINE: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})")
_WISH: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>\S+)")


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One package of the lock."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    sha256: str

    @property
    def line(self) -> str:
        """As in the lock."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def normalised(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(text: str) -> tuple[Pin, ...]:
    """The pins of a lock. Raises CannotPackage when a line is not a version with one hash."""
    pins = []
    for line in _lines(text):
        found = _LINE.fullmatch(line)
        if found is None:
            raise CannotPackage(f"requirements.lock: not a version with its hash: {line}")
        pins.append(Pin(normalised(found["name"]), found["version"], found["sha256"]))
    return tuple(sorted(pins))


def wishes(text: str) -> Mapping[str, str]:
    """Version by name of what `requirements.txt` asks for. Raises CannotPackage when one is not pinned."""
    found = {}
    for line in _lines(text):
        wish = _WISH.fullmatch(line)
        if wish is None:
            raise CannotPackage(f"requirements.txt: not pinned to one version: {line}")
        found[normalised(wish["name"])] = wish["version"]
    return found


def disagreements(wished: Mapping[str, str], pins: Iterable[Pin]) -> list[str]:
    """Where the lock is not what `requirements.txt` asks for, in words."""
    locked = {pin.name: pin.version for pin in pins}
    return [
        f"{name}: requirements.txt says {version}, requirements.lock {locked.get(name, 'nothing')}"
        for name, version in sorted(wished.items())
        if locked.get(name) != version
    ]


def read() -> tuple[Pin, ...]:
    """The lock of this checkout. Raises CannotPackage when there is none, or not the one `requirements.txt` needs."""
    if not LOCK.exists():
        raise CannotPackage("there is no requirements.lock: make it with `hub package --lock`")
    pins = parse(LOCK.read_text(encoding="utf-8"))
    wrong = disagreements(wishes(REQUIREMENTS.read_text(encoding="utf-8")), pins)
    if wrong:
        raise CannotPackage("\n".join(("the lock is out of date; renew it with `hub package --lock`:", *wrong)))
    return pins


def renew() -> tuple[Pin, ...]:
    """Ask pip anew what `requirements.txt` takes on the target, and write the lock.

    Takes network. Conditions on the platform (`; sys_platform == …`) are answered for this machine, so only Linux on
    x86-64 will do. Raises CannotPackage with pip's words.
    """
    if sys.platform != "linux":
        raise CannotPackage("the lock is made on Linux: packages may ask for others on other systems")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip(
            "install", "--dry-run", "--ignore-installed", f"--report={report}", f"--target={folder}/none", *PIP_TARGET,
            f"--requirement={REQUIREMENTS}",
        )  # fmt: skip
        pins = _pins(json.loads(report.read_text(encoding="utf-8")))
    LOCK.write_text(_HEADER + "".join(pin.line + "\n" for pin in pins), encoding="utf-8")
    return pins


def pip(*arguments: str) -> None:
    """Run pip, where it looks for packages being its own configuration. Raises CannotPackage with its words."""
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-input", "--disable-pip-version-check"]
    # Our own command, no shell.
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise CannotPackage(f"pip {arguments[0]} failed:\n{done.stderr.strip()[-4000:]}")


def _pins(report: Mapping[str, Any]) -> tuple[Pin, ...]:
    return tuple(
        sorted(
            Pin(
                normalised(each["metadata"]["name"]),
                each["metadata"]["version"],
                each["download_info"]["archive_info"]["hashes"]["sha256"],
            )
            for each in report["install"]
        )
    )


def _lines(text: str) -> list[str]:
    stripped = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in stripped if line]
