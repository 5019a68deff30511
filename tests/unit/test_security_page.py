"""Every test that docs/security.md names exists, and every risk of the list has some."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 40
    assert [(path, test) for path, test in named if test not in names_in(ROOT / path)] == []
    assert len(named) == PAGE.count("::"), "a test is named in another form"


def test_each_of_the_ten_risks_has_tests() -> None:
    lines = {int(each[1]): each[0] for each in re.findall(r"(\| API(\d+) .*)", PAGE)}
    assert sorted(lines) == list(range(1, 11))
    assert all(len(NAMED.findall(line)) >= 2 for line in lines.values())
