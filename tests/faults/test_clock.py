"""The clock that can be moved under the app."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.faults.host import move, moved


def off(file: Path) -> timedelta:
    return moved(file)() - datetime.now(UTC)


def test_a_clock_that_nobody_moved_is_right(tmp_path: Path) -> None:
    assert abs(off(tmp_path / "none")) < timedelta(seconds=1)


@pytest.mark.parametrize("seconds", [20.0, -20.0, 0.0])
def test_a_moved_clock_is_off_from_the_next_look_on(tmp_path: Path, seconds: float) -> None:
    file = tmp_path / "app.clock"
    move(file, 1000)
    move(file, seconds)
    assert abs(off(file) - timedelta(seconds=seconds)) < timedelta(seconds=1)
