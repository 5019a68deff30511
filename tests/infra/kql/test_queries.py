"""The queries of alerts and workbooks, judged by Microsoft's own Kusto language service against the tables' columns."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.data import REPOSITORY
from tests.infra.checks.breakages import COLUMNS
from tools import kql_check
from tools.kql_check import NoNode, Query

pytestmark = pytest.mark.skipif(os.environ.get("KNUTEPUNKT_NO_NODE") == "1", reason="KNUTEPUNKT_NO_NODE=1")

WRONG = {
    "table": "AppTrace | take 1",
    "column": "AppTraces | where Mesage == 'x'",
    "type": "AppTraces | where SeverityLevel > 'abc'",
    "function": "AppTraces | summarize cuont()",
    "operator": "AppTraces | wher Message == ''",
    "half": "AppTraces | where (Message == 'x'",
}


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What is said of the real queries, of wrong ones and of a wrong column in a workbook: one slow run."""
    schemas = json.loads((REPOSITORY / "infra/kql/schemas.json").read_text(encoding="utf-8"))["tables"]
    real = kql_check.queries(REPOSITORY)
    broken = [
        Query(f"broken {each.name}", each.text.replace("CallerIpAddress", "CallerAddress"))
        for each in real
        if each.name == "security.json (addresses)"
    ]
    broken += [
        Query(f"broken {each.name}", each.text.replace(*COLUMNS[each.name])) for each in real if each.name in COLUMNS
    ]
    wrong = [Query(f"wrong {name}", text) for name, text in WRONG.items()]
    return kql_check.judged((*real, *broken, *wrong), {name: each["columns"] for name, each in schemas.items()})


def test_every_query_is_one_that_its_tables_can_answer(said: list[str]) -> None:
    assert [line for line in said if not line.startswith(("wrong ", "broken "))] == []
    assert kql_check.about_parameters(REPOSITORY, kql_check.queries(REPOSITORY)) == []


def test_what_the_check_is_for_is_found(said: list[str]) -> None:
    assert {line.partition(":")[0] for line in said if line.startswith("wrong ")} == {f"wrong {name}" for name in WRONG}


def test_a_column_or_table_misspelt_in_an_alerts_query_is_named(said: list[str]) -> None:
    for name, (_, misspelt) in COLUMNS.items():
        assert any(line.startswith(f"broken {name}") and misspelt in line for line in said), name


def test_queries_in_a_workbook_are_judged_too(said: list[str]) -> None:
    assert any(line.startswith("broken security.json (addresses)") and "CallerAddress" in line for line in said)


def test_every_item_and_parameter_of_the_workbooks_with_a_query_is_among_them() -> None:
    names = {each.name for each in kql_check.queries(REPOSITORY)}
    for book in (REPOSITORY / "infra/workbooks").glob("*.json"):
        items = json.loads(book.read_text(encoding="utf-8"))["items"]
        assert {f"{book.name} ({item['name']})" for item in items if item["type"] == 3} <= names
    assert "overview.json (parameter Municipality)" in names
    assert {each.name for each in (REPOSITORY / "infra/kql").glob("*.kql")} <= names


def test_a_parameter_that_a_workbook_does_not_have_is_found(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "infra" / "workbooks", tmp_path / "infra" / "workbooks")
    book = tmp_path / "infra" / "workbooks" / "trace.json"
    book.write_text(book.read_text(encoding="utf-8").replace("{Id}", "{MessageId}"), encoding="utf-8")
    found = kql_check.about_parameters(tmp_path, kql_check.queries(tmp_path))
    assert any("no such parameter: MessageId" in line for line in found)


def test_without_node_the_check_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoNode, match="node and npm"):
        kql_check.judged((), {})
