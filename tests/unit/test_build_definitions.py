"""The tool that builds the definitions tells what it lacks."""

from pathlib import Path

import pytest

from tools import npm_packages
from tools.build_definitions import EXAMPLES, main
from tools.npm_packages import Package, PackageUnavailable, fetch


def test_a_missing_package_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--from", str(tmp_path)]) == 2
    assert EXAMPLES.file_name in capsys.readouterr().err


def test_without_npm_the_package_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageUnavailable, match=r"a@1\.0\.0"):
        fetch(Package("a", "1.0.0"), tmp_path)


def test_a_package_in_the_cache_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kept = tmp_path / "a-1.0.0.tgz"
    kept.write_bytes(b"")
    assert fetch(Package("a", "1.0.0"), tmp_path) == kept


def test_packages_are_kept_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert npm_packages.default_cache().is_relative_to(tmp_path)
