"""`hub bench access` measures decisions that let a good caller in, each kind of them."""

import json

import pytest

from sandbox.bench import access
from sandbox.cli.main import main


@pytest.fixture(scope="module")
async def measured() -> access.Measured:
    return await access.measure(10)


def test_every_kind_of_decision_is_measured(measured: access.Measured) -> None:
    names = [line.name for line in measured.lines]
    assert len(names) == len(set(names)) == 6
    assert all(0 < line.least <= line.median <= line.p99 for line in measured.lines)


def test_two_figures_have_a_promise(measured: access.Measured) -> None:
    assert [line.reach for line in measured.lines if line.reach is not None] == [300.0, 20.0]


def test_command_prints_json_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "access", "--quick", "--json"]) == 0
    assert {line["name"] for line in json.loads(capsys.readouterr().out)["lines"]} >= {"token verified before"}
