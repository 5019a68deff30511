"""Write the golden notes anew: `python -m tests.unit.journal.regenerate`. Read the difference before committing it."""

from shared.journal.model import Language, Layout
from tests.unit.journal.examples import GOLDEN, NAMES, golden, golden_path


def main() -> None:
    """One file per example, language and layout; files of examples that are gone go too."""
    GOLDEN.mkdir(exist_ok=True)
    wanted = {golden_path(n, lang, lay): (n, lang, lay) for n in NAMES for lang in Language for lay in Layout}
    for path in GOLDEN.glob("*.txt"):
        if path not in wanted:
            path.unlink()
    for path, (name, language, layout) in wanted.items():
        path.write_text(golden(name, language, layout), encoding="utf-8")


if __name__ == "__main__":
    main()
