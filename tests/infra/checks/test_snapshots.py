"""The tree as it is: types, rules, agreement with the code, and the kept snapshots."""

import json
from pathlib import Path

import pytest

from tests.data import REPOSITORY
from tools.infra_checks import everything, snapshot
from tools.infra_checks.evaluating import ENVIRONMENTS, Evaluated, Job, NoEvaluator, Resource, Result, run


@pytest.fixture(scope="module")
def result() -> Result:
    """All environments, evaluated; their types checked."""
    return run(REPOSITORY, [Job(types=True)])[0]


def test_every_file_of_bicep_is_parsed_and_its_types_fit(result: Result) -> None:
    assert result.types == ()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_would_be_deployed_is_as_the_kept_snapshot_says(environment: str, result: Result) -> None:
    said = snapshot.differences(REPOSITORY, result.evaluated[environment])
    assert said == [], "look at the differences, then run python -m tools.infra_checks --write"


def test_every_environment_keeps_the_rules_and_agrees_with_the_code(result: Result) -> None:
    assert everything.findings(REPOSITORY, result.evaluated) == []


def _resource(body: dict[str, object], name: str = "cosmos-kp-hub") -> Resource:
    return Resource("Microsoft.DocumentDB/databaseAccounts", name, "2025-04-15", "cosmos-hub", "", f"/x/{name}", body)


def _kept(root: Path, *resources: Resource) -> None:
    snapshot.folder(root).mkdir(parents=True)
    text = snapshot.written(root, Evaluated("prod", resources))
    (snapshot.folder(root) / "prod.json").write_text(text, encoding="utf-8")


def test_a_difference_is_told_in_words_of_the_resource(tmp_path: Path) -> None:
    _kept(tmp_path, _resource({"properties": {"publicNetworkAccess": "Disabled"}}), _resource({}, "old"))
    now = Evaluated("prod", (_resource({"properties": {"publicNetworkAccess": "Enabled"}}), _resource({}, "new")))
    assert snapshot.differences(tmp_path, now) == [
        "prod: databaseAccounts new: added",
        "prod: databaseAccounts old: removed",
        "prod: databaseAccounts cosmos-kp-hub: publicNetworkAccess: Disabled → Enabled",
    ]


def test_a_long_text_is_named_by_its_file_and_not_written(tmp_path: Path) -> None:
    (tmp_path / "infra/kql").mkdir(parents=True)
    (tmp_path / "infra/kql/slow.kql").write_text("AppTraces | take 1", encoding="utf-8")
    environment = Evaluated("prod", (_resource({"query": "AppTraces | take 1", "other": "x" * 1000}),))
    kept = json.loads(snapshot.written(tmp_path, environment))["resources"][0]
    assert kept["query"] == "<infra/kql/slow.kql>"
    assert kept["other"].startswith("<1000 characters, sha256 ")


def test_an_environment_that_cannot_be_evaluated_is_a_finding(tmp_path: Path) -> None:
    said = everything.findings(tmp_path, {"prod": Evaluated("prod", (), error="Err: no property x")})
    assert "prod: cannot be evaluated: Err: no property x" in said


def test_without_the_evaluator_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tools.infra_checks.evaluating.EVALUATOR", tmp_path)
    with pytest.raises(NoEvaluator, match=r"\.\./shared/tools/bicep"):
        run(REPOSITORY, [Job()])
