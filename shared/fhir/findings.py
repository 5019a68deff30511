"""Collecting what is found in one message: which rule, where; never more than `LIMIT` errors and `LIMIT` warnings.

The cap keeps an answer readable and a hostile message cheap: 1 MiB of faults would otherwise cost half a second and
answer with ten times its size.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Finding
from shared.fhir.expressions import expression
from shared.fhir.rules import DEFAULT, Policy, Rule, Severity, rule
from shared.fhir.values import JsonValue, Path

LIMIT = 50


@dataclass(frozen=True, slots=True)
class _Met:
    rule: Rule
    severity: Severity
    path: Path
    words: dict[str, str]


class Findings:
    """Collects what the layers of the check find in one message, and knows how grave each is for its sender."""

    def __init__(self, policy: Policy = DEFAULT) -> None:
        self._policy = policy
        self._met: dict[tuple[str, Path], _Met] = {}
        self._counts = {Severity.ERROR: 0, Severity.WARNING: 0}
        self._as_sent: Callable[[Path], Path] | None = None
        self.untouched = True
        """Whether no rule at all was met, not even one that is off here."""

    def paths_are_of_copy(self, as_sent: Callable[[Path], Path]) -> None:
        """From now on paths are of the repaired copy; `as_sent` says where the sender wrote what is there."""
        self._as_sent = as_sent

    def add(self, key: str, path: Path, **words: str) -> None:
        """Note that the rule `key` was met at `path`.

        `words` fill the placeholders of the rule's text: words of FHIR's definitions or our own, never a value or an
        unknown name from the message. Raises KeyError for a rule that does not exist.
        """
        self.untouched = False
        met = rule(key)
        severity = self._policy.severity(met)
        if severity is Severity.OFF:
            return
        if self._counts[severity] >= LIMIT:
            # Counted, not told: of a hostile message not even the place is worth the work.
            self._counts[severity] += 1
            return
        if self._as_sent is not None:
            path = self._as_sent(path)
        if (key, path) in self._met:
            return
        self._counts[severity] += 1
        self._met[key, path] = _Met(met, severity, path, words)

    @property
    def full(self) -> bool:
        """Whether further errors would be left out: a walk that costs much may stop here."""
        return self._counts[Severity.ERROR] >= LIMIT

    @property
    def any_error(self) -> bool:
        return self._counts[Severity.ERROR] > 0

    def first_error_layer(self) -> str | None:
        """The layer of the first error found: layers are walked in their order."""
        return next((met.rule.layer for met in self._met.values() if met.severity is Severity.ERROR), None)

    def rendered(self, sent: JsonValue) -> tuple[Finding, ...]:
        """All of them, errors first and otherwise as found; a last one says that there are more.

        `sent` is the message as sent: expressions are into it.
        """
        order = (Severity.ERROR, Severity.WARNING)
        found = [_finding(met, sent) for severity in order for met in self._met.values() if met.severity is severity]
        for severity in order:
            if (more := self._counts[severity] - LIMIT) > 0:
                text = f"Only the first {LIMIT} {severity}s are listed: there are {more} more or above."
                where = expression(sent, ())
                found.append(Finding("more-findings", text, where, severity.value, "too-costly"))
        return tuple(found)


def _finding(met: _Met, sent: JsonValue) -> Finding:
    return Finding(
        rule=met.rule.key,
        text=met.rule.text.format_map(met.words) if met.words else met.rule.text,
        expression=expression(sent, met.path),
        severity=met.severity.value,
        issue_type=met.rule.issue_type,
        vkp_code=met.rule.vkp_code,
        mend=met.rule.mend.format_map(met.words) if met.words else met.rule.mend,
        path=met.path,
    )
