"""A package says which release it is, the same wherever that commit is built; a checkout says that it is none."""

import subprocess
from pathlib import Path

import pytest

from shared import release as live
from tools.package import release
from tools.package.target import ROOT

AS = ("-c", "user.name=n", "-c", "user.email=n@example.invalid", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *AS, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in small, with everything committed."""
    folder = tmp_path / "checkout"
    for name in ("function_app.py", "functions/a.py", "shared/b.py", "docs/c.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


def test_a_package_is_its_version_and_its_commit_wherever_that_is_built(checkout: Path, tmp_path: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    git(tmp_path, "clone", "--quiet", str(checkout), "elsewhere")
    for each in (checkout, tmp_path / "elsewhere"):
        assert release.of(each) == f"1.2.3+{commit}"
    # Nothing of this goes into the package.
    (checkout / "docs/c.md").write_text("other", encoding="utf-8")
    assert release.of(checkout) == f"1.2.3+{commit}"


@pytest.mark.parametrize("name", ["shared/b.py", "functions/new.py", "requirements.lock"])
def test_a_package_with_anything_else_in_it_than_its_commit_has_says_so(checkout: Path, name: str) -> None:
    (checkout / name).write_text("other", encoding="utf-8")
    assert release.of(checkout) == f"1.2.3+{git(checkout, 'rev-parse', 'HEAD')}.changed"


def test_a_copy_of_the_sources_does_not_take_the_commit_of_what_it_lies_in(checkout: Path) -> None:
    copy = checkout / "copy"
    copy.mkdir()
    (copy / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    assert release.of(copy) == "1.2.3+unknown"


def test_what_is_written_into_the_package_is_what_the_app_says(checkout: Path, tmp_path: Path) -> None:
    assert live.read(tmp_path) == "unpackaged"
    assert live.read(tmp_path) != release.write(tmp_path, checkout) == live.read(tmp_path)


def test_a_checkout_is_no_release() -> None:
    assert not (ROOT / live.FILE).exists()
    assert live.live() == live.UNPACKAGED
