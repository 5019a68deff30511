"""Generated pages about Azure are whole: every container is told of, every check named exists, pictures show all."""

import ast
import json
import re
from pathlib import Path

import pytest

from sandbox.cost.prices import INFRA
from sandbox.cost.template import ENVIRONMENTS, template
from tools import infra_pages, infra_pictures

ROOT = INFRA.parent
ITEMS = json.loads((INFRA / "security-items.json").read_text(encoding="utf-8"))["items"]


def names_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_there_are_56_items_each_with_a_check_or_a_document() -> None:
    rules = infra_pages.rules_by_item()
    assert [item["number"] for item in ITEMS] == list(range(1, 57))
    assert [
        item["number"]
        for item in ITEMS
        if not (item.get("checks") or item.get("documents") or rules.get(item["number"]))
    ] == []


@pytest.mark.parametrize("named", sorted({each for item in ITEMS for each in item.get("checks", ())}))
def test_a_check_that_is_named_exists(named: str) -> None:
    path, _, name = named.partition("::")
    assert name in names_in(ROOT / path)


@pytest.mark.parametrize("named", sorted({each for item in ITEMS for each in item.get("documents", ())}))
def test_a_document_that_is_named_exists(named: str) -> None:
    assert (ROOT / named).exists()


def test_rules_of_the_template_name_no_item_that_is_not_on_the_list() -> None:
    assert set(infra_pages.rules_by_item()) <= set(range(1, 57))


def test_every_container_is_told_of_and_no_other() -> None:
    topology = json.loads((INFRA / "topology.json").read_text(encoding="utf-8"))
    databases = [topology["cosmos"], *topology["cosmos"]["apart"]]
    assert {each["name"] for each in databases for each in each["containers"]} == set(infra_pages.CONTAINERS)


def test_every_resource_is_on_the_page() -> None:
    text = infra_pages.resources()
    for environment in ENVIRONMENTS:
        assert f"## {environment}: {len(template(environment).resources)} resources" in text


@pytest.mark.parametrize("draw", [lambda: infra_pictures.network(template("prod")), infra_pictures.flow])
def test_a_picture_has_no_end_that_is_not_drawn(draw: object) -> None:
    assert callable(draw)
    text = str(draw())
    nodes = set(re.findall(r"(?:^|\s)(\w+)(?:\[|\()", text)) | set(re.findall(r"subgraph (\w+)", text))
    ends = {end for arrow in re.findall(r"^\s*(\w+) .*(?:-->|-\.->) (\w+)", text, re.MULTILINE) for end in arrow}
    assert ends - {"subgraph"} <= nodes


def test_the_picture_shows_every_private_endpoint_and_subnet() -> None:
    text, prod = infra_pictures.network(template("prod")), template("prod")
    assert text.count("-.-> ") == len(prod.of("Network/privateEndpoints"))
    (net,) = prod.of("Network/virtualNetworks")
    assert all(f"net_{each['name']}" in text for each in net["properties"]["subnets"])
