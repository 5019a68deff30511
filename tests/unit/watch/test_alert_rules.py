"""The data behind alerts is checked when it is read; settings can shorten times."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.watch import alert_rules
from shared.watch.alerts import Kind


def test_every_kind_has_its_rule_and_none_is_said_again_by_itself() -> None:
    rules = alert_rules.load()
    assert set(rules.kinds) == set(Kind)
    assert {rule.remind for rule in rules.kinds.values()} == {None}
    assert rules.alarm == timedelta(seconds=60)


def test_settings_say_otherwise_for_all_kinds() -> None:
    rules = alert_rules.load().tuned(2.0, 0.5)
    assert rules.alarm == timedelta(seconds=2)
    assert {rule.well for rule in rules.kinds.values()} == {timedelta(seconds=0.5)}
    assert alert_rules.load().tuned(None, None) == alert_rules.load()


def test_tries_come_at_the_datas_times_and_then_at_the_last_of_them() -> None:
    rules = alert_rules.load()
    assert [rules.wait(tries).total_seconds() for tries in (1, 2, 5, 6, 400)] == [30, 60, 600, 600, 600]


@pytest.mark.parametrize("path", [("alarmSeconds",), ("kinds", "orphan"), ("sending", "againSeconds")])
def test_data_that_leaves_something_out_is_refused(path: tuple[str, ...], tmp_path: Path) -> None:
    data: dict[str, Any] = json.loads((Path(alert_rules.__file__).parent / "data" / "alerts.json").read_bytes())
    inner = data
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    (tmp_path / "alerts.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=r".+"):
        alert_rules.load(tmp_path / "alerts.json")
