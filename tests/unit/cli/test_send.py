"""What a vendor without a file of its own can send."""

import json
from pathlib import Path

import pytest

from sandbox import examples
from sandbox.cli.main import main


def test_the_examples_are_listed_without_a_running_hub(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--examples"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in examples.names())
    assert main(["send", "--examples", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == dict(examples.names())


@pytest.mark.parametrize("argv", [["x.json", "--example", "note"], ["--example", "note", "--examples"]])
def test_one_thing_is_sent_at_a_time(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["send", *argv])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_an_example_is_sent_to_a_running_hub_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--example", "note", "--data", str(tmp_path)]) == 1
    assert "no hub is running" in capsys.readouterr().err


def test_a_misspelt_example_is_told_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--example", "fal-alarm", "--data", str(tmp_path)]) == 1
    assert "the nearest is fall-alarm" in capsys.readouterr().err
