"""All checks together, on any copy of the tree."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tools import alerts_check, apim_policies
from tools.infra_checks import apps, containers, gateway, queues, rights, rules, sources
from tools.infra_checks.evaluating import Evaluated


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> list[str]:
    """What is wrong, a line each; but for what a language service or the types' check has to say."""
    return list(_findings(root, evaluated))


def _findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    whole = {name: each for name, each in evaluated.items() if not each.error}
    yield from rules.findings(evaluated)
    yield from sources.findings(root)
    for check in (queues, containers, apps, rights, gateway):
        try:
            yield from check.findings(root, whole)
        except (OSError, SyntaxError, KeyError, ValueError, AttributeError, TypeError) as error:
            # What is broken so that it cannot be read is a finding too.
            yield f"{check.__name__.rpartition('.')[2]}: cannot be read: {type(error).__name__}: {error}"
    yield from apim_policies.findings(root)
    yield from alerts_check.findings(root)
