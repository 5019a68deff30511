"""Build the package: the app's files, the lock's packages, byte code for all, in one zip."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.package import app_files, archive, bytecode, dependencies, licences, lock, release, sbom
from tools.package.target import SITE_PACKAGES, right_python

NAME: Final = "knutepunkt.zip"
BILL: Final = "knutepunkt.sbom.json"
LICENCES: Final = "knutepunkt.licences.txt"
DIGEST: Final = "knutepunkt.zip.sha256"
"""As `sha256sum --check` reads it."""


@dataclass(frozen=True, slots=True)
class Built:
    """A package that was built."""

    path: Path
    release: str
    """What `/health` will say: version and commit."""
    sha256: str
    content: str
    """Digest of what is in it, whatever compressed it."""
    size: int
    """Bytes, zipped."""
    unpacked: int
    """Bytes."""
    files: int


def build(out: Path) -> Built:
    """Build the package into a folder, with its digest, bill of materials and licences beside it.

    Raises CannotPackage.
    """
    right_python()
    pins = lock.read()
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAME
    with tempfile.TemporaryDirectory(prefix="knutepunkt-package-") as made:
        content = Path(made) / "content"
        dependencies.install(pins, content / SITE_PACKAGES)
        licensed = licences.of_all(content / SITE_PACKAGES)
        licences.check(licensed)
        app_files.copy(content)
        which = release.write(content)
        bytecode.compile_all(content)
        archive.write(content, path)
        names = archive.names(content)
        unpacked = sum((content / name).stat().st_size for name in names)
    sha256, content_sha256 = hashlib.sha256(path.read_bytes()).hexdigest(), archive.content_digest(path)
    _write(out / BILL, sbom.bill(dependencies.shipped(pins), licensed, content_sha256))
    _write(out / LICENCES, licences.table(licensed))
    _write(out / DIGEST, f"{sha256}  {NAME}\n")
    return Built(path, which, sha256, content_sha256, path.stat().st_size, unpacked, len(names))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
