"""What was used stays used, for as long as it matters, whenever the stand-in is restarted."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.helseid import seen as module
from sandbox.helseid.seen import Seen


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def started(path: Path) -> Seen:
    seen = Seen(path)
    seen.load()
    return seen


@given(
    uses=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 30), st.booleans()), max_size=30),
    lines=st.integers(1, 5),
)
def test_id_is_used_once_in_its_time_over_restarts_and_tidying(uses: list[tuple[str, int, bool]], lines: int) -> None:
    now, until = 1_000, dict[str, int]()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_COMPACT_AFTER", lines)
        path = Path(folder) / "used.jsonl"
        seen = started(path)
        for jti, later, restart in uses:
            now += later
            if restart:
                seen = started(path)
            expected = until.get(jti, 0) <= now
            assert seen.is_first_use("proof", "key", jti, now + 20, at(now)) == expected
            if expected:
                until[jti] = now + 20
        assert len(path.read_text().splitlines() if path.exists() else []) <= lines + 4


def test_what_different_owners_chose_is_kept_apart(tmp_path: Path) -> None:
    seen = started(tmp_path / "used.jsonl")
    for kind, owner in (("proof", "a"), ("proof", "b"), ("assertion", "a")):
        assert seen.is_first_use(kind, owner, "1", 20, at(10))
        assert not seen.is_first_use(kind, owner, "1", 20, at(10))


def test_half_a_line_left_by_a_killed_process_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "used.jsonl"
    seen = started(path)
    for jti in "ab":
        seen.is_first_use("proof", "a", jti, 20, at(10))
    path.write_text(path.read_text()[:-9])
    again = started(path)
    assert not again.is_first_use("proof", "a", "a", 20, at(10))
    assert again.is_first_use("proof", "a", "c", 20, at(10))
    assert not started(path).is_first_use("proof", "a", "c", 20, at(10))


def test_file_tells_nobody_an_id(tmp_path: Path) -> None:
    path = tmp_path / "used.jsonl"
    started(path).is_first_use("proof", "the-key", "the-id", 20, at(10))
    assert "the-" not in path.read_text()
