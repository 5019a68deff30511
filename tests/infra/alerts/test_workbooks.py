"""The workbooks are what the portal opens: the form, the parameters, the charts' resources."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data import REPOSITORY

BOOKS = sorted((REPOSITORY / "infra/workbooks").glob("*.json"))
TEXT, QUERY, PARAMETERS, CHART = 1, 3, 9, 10
_LOADED_AT_MOST = 131_072
"""Characters that Bicep's loadTextContent takes."""


def items(book: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(book.read_text(encoding="utf-8"))["items"]
    return found


def test_there_are_three() -> None:
    assert [book.stem for book in BOOKS] == ["overview", "security", "trace"]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_workbook_has_the_form_of_one(book: Path) -> None:
    read = json.loads(book.read_text(encoding="utf-8"))
    assert read["version"] == "Notebook/1.0"
    assert len(book.read_text(encoding="utf-8")) <= _LOADED_AT_MOST
    names = [item["name"] for item in items(book)]
    assert len(names) == len(set(names))
    versions = {QUERY: "KqlItem/1.0", PARAMETERS: "KqlParameterItem/1.0", CHART: "MetricsItem/2.0"}
    for item in items(book):
        assert item["type"] in (TEXT, *versions), item["name"]
        assert item["content"].get("version") == versions.get(item["type"]), item["name"]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_every_query_and_chart_uses_the_time_and_resources_that_are_chosen_above(book: Path) -> None:
    parameters = {each["name"] for item in items(book) for each in item["content"].get("parameters", ())}
    for item in items(book):
        content = item["content"]
        if item["type"] in (QUERY, CHART):
            assert content["timeContextFromParameter"] in parameters, item["name"]
        if item["type"] == CHART:
            assert content["resourceParameter"] in parameters, item["name"]


def test_no_workbook_asks_for_anything_of_a_person() -> None:
    """The one thing to be typed in is an id of the hub's own."""
    typed = [
        (book.stem, each["name"])
        for book in BOOKS
        for item in items(book)
        for each in item["content"].get("parameters", ())
        if each["type"] == 1
    ]
    assert typed == [("trace", "Id")]
