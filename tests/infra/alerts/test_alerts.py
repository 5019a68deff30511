"""Alerts, their queries and runbooks, held to each other and to what the code says."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.watch.alerts import Kind
from tests.data import REPOSITORY
from tools import alerts_check


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the check reads, to be broken."""
    for each in ("infra/kql", "infra/workbooks", "docs/runbooks", "functions"):
        shutil.copytree(REPOSITORY / each, tmp_path / each, ignore=shutil.ignore_patterns("__pycache__"))
    for each in ("infra/alerts.json", "infra/topology.json", "shared/watch/measuring.py", "shared/watch/gauges.py"):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / each, tmp_path / each)
    return tmp_path


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def alerts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((REPOSITORY / "infra/alerts.json").read_text(encoding="utf-8"))["alerts"]
    return found


def test_every_alert_has_a_runbook_a_query_that_fits_the_code_and_nothing_is_left_over() -> None:
    assert alerts_check.findings() == []


def test_every_kind_of_alert_that_the_hub_itself_opens_is_one_of_azure_monitors_too() -> None:
    told = {each["name"] for each in alerts() if each.get("toldByHub")}
    assert told == {kind.value for kind in Kind}


def test_every_runbook_says_what_it_means_what_to_look_at_what_to_do_and_whom_to_wake() -> None:
    for page in sorted((REPOSITORY / "docs/runbooks").glob("*.md")):
        if page.name == "README.md":
            continue
        text = page.read_text(encoding="utf-8")
        headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
        assert headings[:4] == ["What it means", "What to look at", "What to do", "Whom to wake, and when"], page.name
        assert len(text.splitlines()) <= 60, f"{page.name}: one page"


def test_the_list_of_runbooks_names_each_of_them() -> None:
    listed = (REPOSITORY / "docs/runbooks/README.md").read_text(encoding="utf-8")
    for page in (REPOSITORY / "docs/runbooks").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in listed, page.name


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("infra/alerts.json", '"runbook": "slow"', '"runbook": "slowly"', "no such runbook: slowly"),
        ("infra/alerts.json", '"query": "slow.kql"', '"query": "slower.kql"', "no such query: slower.kql"),
        ("infra/alerts.json", '"severity": 0', '"severity": 7', "alarm-late: severity"),
        ("infra/alerts.json", '"signal": "activity"', '"signal": "feeling"', "no such signal: feeling"),
        ("infra/alerts.json", '"metric": "ActiveMessages", ', "", "queue-backlog: metric is missing"),
        ("infra/alerts.json", '"window": "PT10M"', '"window": "PT11M"', "window PT11M"),
        ("infra/alerts.json", '"procedures": ["replay", ', '"procedures": [', "replay.md: no alert leads here"),
        ("infra/kql/not-available.kql", '"HUB-1004"', '"HUB-1999"', "no log line has the code HUB-1999"),
        ("infra/kql/bytes-differ.kql", '"HUB-3005"', '"HUB-3004"', "no alert asks for HUB-3005"),
        ("infra/alerts.json", '"HUB-3301": "receiver-down"', '"HUB-3301": "receiver-dwn"', "covered by no alert"),
        ("infra/alerts.json", '"DeadletteredMessages"', '"DeadLetterMessages"', "no such metric"),
        ("infra/alerts.json", '"dimensions": ["EntityName"]', '"dimensions": ["Entity"]', "cannot be split by Entity"),
        ("infra/alerts.json", '"aggregation": "Maximum"', '"aggregation": "Total"', "cannot be summed up as Total"),
        ("infra/workbooks/overview.json", "--ActiveMessages", "--ActivMessages", "no such metric"),
        ("infra/workbooks/overview.json", '\\"epj call\\"', '\\"epj cal\\"', "no such span: epj cal"),
        ("infra/kql/slow.kql", "knutepunkt.end_to_end", "knutepunkt.end_to_ende", "no such metric"),
        (
            "infra/kql/deliveries-failing.kql",
            "Properties.outcome",
            "Properties.result",
            "attribute of a metric: result",
        ),
        ("infra/kql/timers-silent.kql", '"orphan_check"', '"orphan_chek"', "no such function: orphan_chek"),
        ("functions/upkeep.py", 'function_name("waking")', 'function_name("awaking")', "no such function: waking"),
        (
            "shared/watch/measuring.py",
            '"knutepunkt.accepted"',
            '"knutepunkt.taken_in"',
            "no such metric: knutepunkt.accepted",
        ),
    ],
)
def test_what_does_not_fit_is_named(copy: Path, file: str, old: str, new: str, named: str) -> None:
    rewritten(copy / file, old, new)
    found = alerts_check.findings(copy)
    assert any(named in line for line in found), found


def test_a_query_that_looks_back_further_than_its_rule_is_named(copy: Path) -> None:
    alert = next(each for each in alerts() if each["name"] == "no-inbound")
    assert alert["window"] == "P2D"
    path = copy / "infra/alerts.json"
    given = json.loads(path.read_text(encoding="utf-8"))
    next(each for each in given["alerts"] if each["name"] == "no-inbound")["window"] = "PT1H"
    path.write_text(json.dumps(given), encoding="utf-8")
    assert any("looks back 1 d" in line for line in alerts_check.findings(copy))
