"""Packages of the npm registry, fetched by name into a cache folder and read without unpacking.

HL7 publishes the definitions of FHIR as npm packages; `npm pack` is the ordinary client for them and takes the registry
that the machine is set up with.
"""

import base64
import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

type Json = dict[str, Any]


class PackageUnavailable(Exception):
    """The package is in no cache and could not be fetched; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one package."""

    name: str
    version: str

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.tgz"


def default_cache() -> Path:
    """Where packages are kept between runs: in the user's cache folder (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "knutepunkt" / "npm"


def fetch(package: Package, cache: Path) -> Path:
    """The package's file in `cache`, fetched there with `npm pack` if it is not. Raises PackageUnavailable."""
    kept = cache / package.file_name
    if kept.exists():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", f"{package.name}@{package.version}", "--silent", "--pack-destination", str(cache)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageUnavailable(f"npm could not fetch {package.name}@{package.version}: {error}") from error
    if done.returncode != 0 or not kept.exists():
        raise PackageUnavailable(f"npm could not fetch {package.name}@{package.version}: {done.stderr.strip()}")
    return kept


def resources(path: Path, prefixes: tuple[str, ...] = ("",)) -> Iterator[tuple[str, bytes]]:
    """The JSON files in a package whose names begin with one of `prefixes`: name without suffix, and bytes."""
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if member.isfile() and name.suffix == ".json" and name.name.startswith(prefixes):
                content = archive.extractfile(member)
                if content is not None:
                    yield name.stem, content.read()


def provenance(package: Package, path: Path) -> Json:
    """What a file was: name, version, SHA-256, and npm's integrity string (the SHA-512 the registry publishes)."""
    content = path.read_bytes()
    return {
        "package": package.name,
        "version": package.version,
        "licence": _licence(path),
        "sha256": hashlib.sha256(content).hexdigest(),
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode(),
    }


def _licence(path: Path) -> str:
    for name, content in resources(path, ("package.json",)):
        if name == "package":
            return str(json.loads(content).get("license", ""))
    return ""
