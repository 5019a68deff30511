"""Write the generated pages of `docs/`, or with `--check` say which are stale.

Run as `python -m tools.generate_docs [--check]`; ends with 1 when a check finds a stale page.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from tools.pages import PAGES

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"


def rendered() -> dict[str, str]:
    """Every generated page by its file name, as it should be now."""
    return {name: page().rstrip("\n") + "\n" for name, page in PAGES.items()}


def stale(folder: Path = DOCS) -> tuple[str, ...]:
    """The pages that are missing or not as they should be."""
    return tuple(name for name, text in rendered().items() if _kept(folder / name) != text)


def write(folder: Path = DOCS) -> tuple[str, ...]:
    """Write the pages that are stale. Returns their names."""
    folder.mkdir(exist_ok=True)
    pages = rendered()
    changed = stale(folder)
    for name in changed:
        (folder / name).write_text(pages[name], encoding="utf-8", newline="\n")
    return changed


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate_docs", description="Write docs/ from the code")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    check = parser.parse_args(arguments).check
    changed = stale() if check else write()
    for name in changed:
        sys.stdout.write(f"{'stale' if check else 'written'}: docs/{name}\n")
    return 1 if check and changed else 0


def _kept(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
