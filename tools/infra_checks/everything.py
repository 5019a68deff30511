"""All checks together, on any copy of the tree."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tools import alerts_check, apim_policies
from tools.infra_checks import apps, containers, gateway, queues, rights, rules, sources
from tools.infra_checks.evaluating import Evaluated


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> list[str]:
    """What is wrong, a line each; but for what a language service or the types' check has to say."""
    return list(_findings(root, evaluated))


def _findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    whole = {name: each for name, each in evaluated.items() if not each.error}
    checks: tuple[tuple[str, Callable[[], Iterable[str]]], ...] = (
        ("rules", lambda: rules.findings(evaluated)),
        ("sources", lambda: sources.findings(root)),
        ("queues", lambda: queues.findings(root, whole)),
        ("containers", lambda: containers.findings(root, whole)),
        ("apps", lambda: apps.findings(root, whole)),
        ("rights", lambda: rights.findings(root, whole)),
        ("gateway", lambda: gateway.findings(root, whole)),
        ("policies", lambda: apim_policies.findings(root)),
        ("alerts", lambda: alerts_check.findings(root)),
    )
    for name, check in checks:
        try:
            yield from check()
        except (OSError, SyntaxError, KeyError, ValueError, AttributeError, TypeError) as error:
            # What is broken so that it cannot be read is a finding too.
            yield f"{name}: cannot be read: {type(error).__name__}: {error}"
