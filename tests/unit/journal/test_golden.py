"""The notes that people have read and judged, one per example, language and layout.

Written anew by `python -m tests.unit.journal.regenerate`; read the difference before committing it.
"""

import pytest

from shared.journal.model import Language, Layout
from tests.unit.journal.examples import GOLDEN, NAMES, golden, golden_path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("language", list(Language))
def test_an_example_reads_as_it_was_judged(name: str, language: Language, layout: Layout) -> None:
    assert golden(name, language, layout) == golden_path(name, language, layout).read_text(encoding="utf-8")


def test_there_is_no_golden_note_of_an_example_that_is_gone() -> None:
    wanted = {golden_path(n, language, layout) for n in NAMES for language in Language for layout in Layout}
    assert set(GOLDEN.glob("*.txt")) == wanted
