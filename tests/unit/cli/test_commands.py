"""What a person sees who uses a command wrongly, or when no hub is running."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.cli.main import COMMANDS, main
from sandbox.cli.output import Stations, console, full_time
from shared.trail.timeline import Entry


def test_no_command_is_wrong_use_and_shows_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(re.search(rf"^ +{command.name} ", shown.err, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize(
    "argv", [["nope"], ["up", "--nope"], ["up", "--port", "70000"], ["send"], ["status"], ["trail"]]
)
def test_wrong_use_is_exit_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help_with_examples_and_takes_data_and_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"examples:\n  hub {name}" in shown
    assert "--data" in shown
    assert "--json" in shown


@pytest.mark.parametrize("argv", [["token"], ["send", "x.json"], ["status", "1"], ["trail", "1"]])
def test_without_a_running_hub_a_command_says_how_to_start_one(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--data", str(tmp_path), "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"hub: no hub is running on {tmp_path}; start it with: ./hub up --data {tmp_path}\n"


def test_arguments_of_test_go_to_pytest_alone(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--json", "--version"]) == 0
    shown = capfd.readouterr()
    result = json.loads(shown.out)
    assert [check["name"] for check in result["checks"]] == ["pytest"]
    assert result["passed"] is True
    assert "pytest 9" in shown.err


def test_a_failing_check_fails_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "no-such-folder"]) == 1
    assert "FAILED" in capfd.readouterr().out


def test_times_are_shown_as_in_norway_with_their_zone() -> None:
    assert full_time(datetime(2026, 1, 1, 12, 0, 0, 123456, UTC)) == "2026-01-01 13:00:00.123 CET"
    assert full_time(datetime(2026, 7, 1, 12, 0, 0, 0, UTC)) == "2026-07-01 14:00:00.000 CEST"


def test_stations_are_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    stations = Stations(console())
    stations.show(Entry(datetime(2026, 1, 1, 12, 0, 0, 0, UTC), "received", "hub", ""))
    stations.show(Entry(datetime(2026, 1, 1, 12, 0, 0, 15_000, UTC), "waiting", "[epj]", "HTTP_500"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["13:00:00.000", "received", "hub"]
    assert lines[1].split() == ["13:00:00.015", "+15", "ms", "waiting", "[epj]", "HTTP_500"]
