"""A folder as a zip, the same bytes whenever and wherever it is made."""

import hashlib
import zipfile
from pathlib import Path
from typing import Final

_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The first time a zip can name: no file's own."""
_MODE: Final = 0o100644
_UNIX: Final = 3
_LEVEL: Final = 6


def write(folder: Path, path: Path) -> None:
    """Zip all files of a folder: in order of their names, with one time and one mode for all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in names(folder):
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = _UNIX
            info.external_attr = _MODE << 16
            archive.writestr(info, (folder / name).read_bytes())


def names(folder: Path) -> list[str]:
    """The files of a folder as the zip names them."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def unpack(path: Path, folder: Path) -> None:
    """Lay out the zip's content in an empty folder."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)


def content_digest(path: Path) -> str:
    """SHA-256 over all names and contents: stays the same when another zlib compresses differently."""
    whole = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            whole.update(f"{info.filename}\0{info.file_size}\0".encode())
            whole.update(archive.read(info))
    return whole.hexdigest()
