"""docs/deploy.md and what it names: a stranger follows it line by line."""

import importlib
import re
from pathlib import Path
from typing import cast

from sandbox.cli import main as cli
from tests.data import REPOSITORY
from tools.infra_checks.evaluating import evaluated

DOCS = REPOSITORY / "docs"
DEPLOY = (DOCS / "deploy.md").read_text(encoding="utf-8")
PAGES = [
    REPOSITORY / "README.md", REPOSITORY / "infra" / "README.md",
    *sorted(DOCS.glob("*.md")), *sorted((DOCS / "runbooks").glob("*.md")),
]  # fmt: skip
ALWAYS_THERE = {"Microsoft.Authorization", "Microsoft.Consumption", "Microsoft.Resources"}
"""Every subscription has them: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types"""


def test_every_name_that_the_parameters_ask_for_is_told() -> None:
    asked = {
        name
        for path in (REPOSITORY / "infra" / "env").glob("*.bicepparam")
        for name in re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text(encoding="utf-8"))
    }
    outputs = set(re.findall(r"^output (\w+)", (REPOSITORY / "infra/main.bicep").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"KNUTEPUNKT_[A-Z_]*[A-Z]", DEPLOY)) - outputs == asked


def test_every_provider_that_the_template_needs_is_registered() -> None:
    (listed,) = re.findall(r"for each in (.*); do\n *az provider register", DEPLOY)
    needed = {each.type.partition("/")[0] for env in evaluated().values() for each in env.resources}
    # Flex Consumption's subnets are delegated to it; no resource is of it.
    assert {f"Microsoft.{each}" for each in listed.split()} == (needed | {"Microsoft.App"}) - ALWAYS_THERE


def test_every_page_that_is_linked_is_there_with_its_heading() -> None:
    missing = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _, heading = target.partition("#")
            if "://" in path:
                continue
            found = (page.parent / path) if path else page
            if not found.exists() or (heading and heading not in _headings(found)):
                missing.append(f"{page.name}: {target}")
    assert missing == []


def test_every_command_that_is_told_of_is_there_with_its_options() -> None:
    known = {entry.name: _options(entry) for entry in cli.COMMANDS}
    missing = []
    for page in PAGES:
        for name, rest in re.findall(r"\./hub ([a-z]+)\b([^`\n#|&]*)", page.read_text(encoding="utf-8")):
            options = set(re.findall(r"(?<!\S)--[a-z-]+", rest))
            if name not in known or not options <= known[name]:
                missing.append(f"{page.name}: hub {name}{rest}")
    assert missing == []


def test_every_file_that_is_told_of_is_there() -> None:
    missing = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for path in re.findall(r"`((?:tools|infra|docs|tests|sandbox|shared|functions|\.github)/[\w./-]*\w)[` ]", text):
            if not (REPOSITORY / path).exists():
                missing.append(f"{page.name}: {path}")
    assert missing == []


def _headings(path: Path) -> set[str]:
    """Anchors as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def _options(entry: cli.Entry) -> set[str]:
    """What a command takes."""
    parser = cli._parser(entry, cast(cli.Command, importlib.import_module(entry.module)))
    return {option for action in parser._actions for option in action.option_strings}
