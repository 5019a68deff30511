"""Which files a check is of."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def messages_in(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as named; for a folder every .json below it, in order, but for hidden files and folders.

    Raises OSError for a folder that cannot be read.
    """
    for path in paths:
        if path.is_dir():
            yield from _below(path)
        else:
            yield path


def _below(folder: Path) -> Iterator[Path]:
    for each in sorted(folder.iterdir()):
        if each.name.startswith("."):
            continue
        if each.is_dir():
            # A link may lead back to a folder above it.
            if not each.is_symlink():
                yield from _below(each)
        elif each.suffix.lower() == ".json":
            yield each
