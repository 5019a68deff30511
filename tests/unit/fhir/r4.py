"""What the base R4 layer says about a message."""

from typing import Any

from shared.errors import Finding
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.r4.checker import check_r4
from shared.fhir.repairing.repair import repair
from shared.fhir.rules import DEFAULT, Policy
from tests.unit.fhir.messages import body


def findings(message: Any, policy: Policy = DEFAULT) -> tuple[Finding, ...]:
    """Findings of a message that came as bytes and was repaired; those of the repair are left out."""
    sent = parse(body(message), Findings())
    repaired = repair(sent, Findings())
    noted = Findings(policy)
    noted.paths_are_of_copy(repaired.as_sent)
    check_r4(repaired.message, noted)
    return noted.rendered(sent)


def unrepaired(message: Any) -> list[tuple[str, str]]:
    """Rule and place of what is found in a message that nobody repaired."""
    noted = Findings()
    check_r4(message, noted)
    return [(each.rule, each.expression) for each in noted.rendered(message)]


def found(message: Any) -> list[tuple[str, str]]:
    """Rule and place of each finding."""
    return [(each.rule, each.expression) for each in findings(message)]
