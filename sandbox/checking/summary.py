"""What many checks come to."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.checking.one import Checked


@dataclass(slots=True)
class Met:
    """How often one rule was met, with one severity."""

    times: int = 0
    files: int = 0


@dataclass(slots=True)
class Summary:
    """Counts over all files checked so far."""

    accepted: int = 0
    """Without a finding."""
    with_warnings: int = 0
    """Accepted too."""
    refused: int = 0
    rules: dict[tuple[str, str], Met] = field(default_factory=dict)
    """By severity and rule."""

    @property
    def files(self) -> int:
        """How many were checked."""
        return self.accepted + self.with_warnings + self.refused

    def add(self, checked: Checked) -> None:
        """Count one file."""
        if not checked.accepted:
            self.refused += 1
        elif checked.findings:
            self.with_warnings += 1
        else:
            self.accepted += 1
        times = Counter((each.finding.severity, each.finding.rule) for each in checked.findings)
        if checked.refusal is not None and checked.reason:
            times["error", checked.refusal.code] += 1
        for key, count in times.items():
            met = self.rules.setdefault(key, Met())
            met.times += count
            met.files += 1

    def most_met(self) -> list[tuple[str, str, Met]]:
        """Severity, rule and how often: errors first, then by how often."""
        ordered = sorted(self.rules.items(), key=lambda each: (each[0][0], -each[1].times, each[0][1]))
        return [(severity, rule, met) for (severity, rule), met in ordered]
