"""What goes into the zip, and that it is the same zip."""

import os
import zipfile
from pathlib import Path

import pytest

from tools.package import archive
from tools.package.app_files import own_files
from tools.package.target import CannotPackage


def app(folder: Path) -> Path:
    """A checkout in small."""
    for name in ("function_app.py", "host.json", "functions/a.py", "shared/room/b.py", "shared/room/data/c.json",
                 "shared/room/__pycache__/b.pyc", "sandbox/x.py", "tests/y.py", "infra/main.bicep"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_only_the_app_goes_along(tmp_path: Path) -> None:
    assert [str(path) for path in own_files(app(tmp_path))] == [
        "function_app.py", "functions/a.py", "host.json", "shared/room/b.py", "shared/room/data/c.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "stray", ["shared/.env", "shared/room/key.pem", "functions/local.settings.json", "shared/x.swp"]
)
def test_a_file_that_lies_about_stops_the_build(tmp_path: Path, stray: str) -> None:
    (app(tmp_path) / stray).write_text("x", encoding="utf-8")
    with pytest.raises(CannotPackage, match=Path(stray).name):
        own_files(tmp_path)


def test_times_modes_and_the_order_of_writing_leave_no_mark_in_the_zip(tmp_path: Path) -> None:
    for name, order, time, mode in (("one", "abc", 1e9, 0o600), ("two", "cba", 1.5e9, 0o755)):
        (tmp_path / name).mkdir()
        for each in order:
            path = tmp_path / name / f"{each}.py"
            path.write_text(each * 100, encoding="utf-8")
            path.chmod(mode)
            os.utime(path, (time, time))
        archive.write(tmp_path / name, tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_what_is_unpacked_is_what_was_packed(tmp_path: Path) -> None:
    source = app(tmp_path / "source")
    archive.write(source, tmp_path / "a.zip")
    archive.unpack(tmp_path / "a.zip", tmp_path / "unpacked")
    assert archive.names(tmp_path / "unpacked") == archive.names(source)
    assert (tmp_path / "unpacked/functions/a.py").read_text(encoding="utf-8") == "functions/a.py"


def test_the_digest_of_the_content_does_not_hang_on_how_it_was_compressed(tmp_path: Path) -> None:
    source = app(tmp_path / "source")
    archive.write(source, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as stored:
        for name in archive.names(source):
            stored.write(source / name, name)
    assert archive.content_digest(tmp_path / "a.zip") == archive.content_digest(tmp_path / "b.zip")
    (source / "host.json").write_text("other", encoding="utf-8")
    archive.write(source, tmp_path / "c.zip")
    assert archive.content_digest(tmp_path / "c.zip") != archive.content_digest(tmp_path / "a.zip")
