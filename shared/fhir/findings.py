"""Collecting findings about one message: where, what rule, how grave; never more than `LIMIT` of them.

The cap keeps an answer readable and a hostile message cheap: 1 MiB of faults would otherwise cost half a second and
answer with ten times its size.
"""

from shared.errors import Finding
from shared.fhir.expressions import expression
from shared.fhir.values import JsonValue, Path

LIMIT = 50


class Findings:
    """Collects what one layer finds in one message."""

    def __init__(self, message: JsonValue) -> None:
        """`message` as sent: expressions are rendered against it."""
        self._message = message
        self._kept: list[Finding] = []
        self._left_out_errors = False

    def add(
        self,
        rule: str,
        text: str,
        path: Path,
        *,
        severity: str = "error",
        issue_type: str = "invalid",
        vkp_code: str = "2",
    ) -> None:
        """Note one finding. `text` must be our own words: no value and no unknown name from the message."""
        if self.full:
            self._left_out_errors |= severity == "error"
            return
        where = expression(self._message, path)
        self._kept.append(Finding(rule, text, where, severity, issue_type, vkp_code))

    @property
    def full(self) -> bool:
        """Whether further findings are left out: a walk that costs much may stop here."""
        return len(self._kept) >= LIMIT

    @property
    def any_error(self) -> bool:
        return self._left_out_errors or any(each.severity == "error" for each in self._kept)

    def found(self) -> tuple[Finding, ...]:
        """All of them, in the order found; a last one says that there may be more."""
        if not self.full:
            return tuple(self._kept)
        severity = "error" if self.any_error else "warning"
        text = f"Only the first {LIMIT} findings of this kind are listed: there may be more."
        return (*self._kept, Finding("more-findings", text, expression(self._message, ()), severity, "too-costly"))
