"""Break one thing at a time, in a copy of the tree: the checks must find it, and name it."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.data import REPOSITORY
from tests.infra.checks.breakages import ALL, COLUMNS, Breakage
from tools.infra_checks import everything, snapshot
from tools.infra_checks.evaluating import Edit, Job, Result, run

_WANTED = 40
_COPIED = ("infra", "functions", "shared", "docs/runbooks")
_LEFT_OUT = ("__pycache__", "journal", "fhir", "identity", "evaluated")
"""No check reads them; copying takes time."""
_FILES = ("host.json", "azure.yaml")

FOUND: list[str] = []
"""Breakages that the tests of this run have seen found."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is checked, to be broken and mended again."""
    root = tmp_path_factory.mktemp("tree")
    for each in _COPIED:
        shutil.copytree(REPOSITORY / each, root / each, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for each in _FILES:
        shutil.copy(REPOSITORY / each, root / each)
    return root


@pytest.fixture(scope="module")
def results(tree: Path) -> dict[str, Result]:
    """What each breakage evaluates to in production; "": the tree as it is."""
    jobs = {"": Job(environments=("prod",), types=True)}
    for each in ALL:
        if each.infra:
            jobs[each.name] = Job(each.edits, ("prod",), each.types)
    return dict(zip(jobs, run(tree, list(jobs.values())), strict=True))


def found(tree: Path, breakage: Breakage, results: dict[str, Result]) -> list[str]:
    """What the checks say of a breakage; snapshots left out, which any change of Bicep differs from."""
    result = results.get(breakage.name, results[""])
    assert result.not_applied == (), f"{breakage.name}: the text to be replaced is not there any more"
    with broken(tree, breakage.edits):
        return [*result.types, *everything.findings(tree, result.evaluated)]


class broken:  # noqa: N801 - reads as a word of the test
    """A tree with some texts replaced, for as long as the block lasts."""

    def __init__(self, tree: Path, edits: tuple[Edit, ...]) -> None:
        self._tree = tree
        self._edits = edits
        self._kept: dict[Path, str] = {}

    def __enter__(self) -> None:
        for each in self._edits:
            path = self._tree / each.file
            text = path.read_text(encoding="utf-8")
            assert each.old in text, f"{each.file} has no {each.old!r} any more"
            self._kept.setdefault(path, text)
            path.write_text(text.replace(each.old, each.new, 1), encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        for path, text in self._kept.items():
            path.write_text(text, encoding="utf-8")


def test_the_tree_as_it_is_has_nothing_wrong(tree: Path, results: dict[str, Result]) -> None:
    assert results[""].types == ()
    assert everything.findings(tree, results[""].evaluated) == []


def test_there_are_enough_of_them_each_of_a_name_of_its_own() -> None:
    assert len(ALL) + len(COLUMNS) >= _WANTED
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("breakage", ALL, ids=lambda each: each.name)
def test_what_is_broken_is_found_and_named(breakage: Breakage, tree: Path, results: dict[str, Result]) -> None:
    said = found(tree, breakage, results)
    assert any(breakage.named in line for line in said), said
    FOUND.append(breakage.name)


def test_how_many_were_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nbreakages found and named: {len(FOUND)} of {len(ALL)}")  # noqa: T201 - it is to be seen in CI


def _in_azure(results: dict[str, Result]) -> Iterator[str]:
    """Breakages after which something else would be made in Azure."""
    before = results[""].evaluated["prod"]
    for name, result in results.items():
        after = result.evaluated["prod"]
        if name and not after.error and after.resources != before.resources:
            yield name


def test_what_would_be_made_otherwise_is_read_in_the_snapshots_differences(
    tree: Path, results: dict[str, Result], tmp_path: Path
) -> None:
    (tmp_path / "infra").mkdir()
    for each in ("apim", "kql", "workbooks"):
        (tmp_path / "infra" / each).symlink_to(tree / "infra" / each)
    snapshot.folder(tmp_path).mkdir()
    kept = snapshot.written(tmp_path, results[""].evaluated["prod"])
    (snapshot.folder(tmp_path) / "prod.json").write_text(kept, encoding="utf-8")
    looked_at = list(islice(_in_azure(results), _WANTED))
    assert len(looked_at) == _WANTED
    for name in looked_at:
        assert snapshot.differences(tmp_path, results[name].evaluated["prod"]), name
