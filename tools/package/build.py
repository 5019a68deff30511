"""Build the package: the app's files, the lock's packages, byte code for all, in one zip."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.package import app_files, archive, bytecode, dependencies, lock
from tools.package.target import SITE_PACKAGES, right_python

NAME: Final = "knutepunkt.zip"


@dataclass(frozen=True, slots=True)
class Built:
    """A package that was built."""

    path: Path
    sha256: str
    content: str
    """Digest of what is in it, whatever compressed it."""
    size: int
    """Bytes, zipped."""
    unpacked: int
    """Bytes."""
    files: int


def build(out: Path) -> Built:
    """Build the package into a folder. Raises CannotPackage."""
    right_python()
    pins = lock.read()
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAME
    with tempfile.TemporaryDirectory(prefix="knutepunkt-package-") as made:
        content = Path(made) / "content"
        dependencies.install(pins, content / SITE_PACKAGES)
        app_files.copy(content)
        bytecode.compile_all(content)
        archive.write(content, path)
        names = archive.names(content)
        unpacked = sum((content / name).stat().st_size for name in names)
    return Built(
        path,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        archive.content_digest(path),
        path.stat().st_size,
        unpacked,
        len(names),
    )
