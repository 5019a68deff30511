"""The app's own files: what goes in, and that nothing else does."""

import shutil
from pathlib import Path

from tools.package.target import FILES, FOLDERS, ROOT, SUFFIXES, CannotPackage


def own_files(root: Path = ROOT) -> tuple[Path, ...]:
    """The app's files, relative to the checkout, in order.

    Raises CannotPackage for a file that does not look like a part of the app: what is left lying about (a settings
    file, a key, an editor's copy) must not travel.
    """
    found = [Path(name) for name in FILES]
    for folder in FOLDERS:
        found += [path.relative_to(root) for path in (root / folder).rglob("*") if path.is_file() and not _cache(path)]
    strange = [str(path) for path in found if path.suffix not in SUFFIXES or path.name == "local.settings.json"]
    if strange:
        raise CannotPackage(f"not known to be a part of the app: {', '.join(sorted(strange))}")
    return tuple(sorted(found))


def copy(folder: Path, root: Path = ROOT) -> None:
    """Copy the app's files into a folder. Raises CannotPackage as `own_files` does."""
    for path in own_files(root):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target)


def _cache(path: Path) -> bool:
    return "__pycache__" in path.parts
