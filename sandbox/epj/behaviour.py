"""How the journal behaves: well, or badly in a way that was asked for and for as many calls as were asked for.

Kept in memory: a journal that is started again behaves well.
"""

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

_WORDS: Final = ("ok", "slow", "reset", "accept-then-drop")
_SLOW_MS: Final = 2000


class Behaviour(BaseModel):
    """One rule.

    `ok`: stored and answered 201. `slow`: as ok, after `delayMs`. `reset`: the connection is cut before anything is
    stored. `accept-then-drop`: stored, then the connection is cut (the answer is lost). A number from 400 to 599: that
    status, nothing stored. `delayMs` may be added to any of them.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    mode: Annotated[str, StringConstraints(pattern=rf"^(?:{'|'.join(_WORDS)}|[45][0-9][0-9])$")]
    count: int | None = Field(default=None, ge=1)
    """How many calls it lasts; None: until told otherwise."""
    retry_after: int | None = Field(default=None, ge=0)
    """Seconds, sent as Retry-After with an error status."""
    delay_ms: int | None = Field(default=None, ge=0, le=600_000)
    idempotency_key: str | None = None
    """Only for calls with this key; other calls and other rules are not touched."""

    @property
    def status(self) -> int | None:
        """The status to refuse with, or None when the mode is not a refusal."""
        return int(self.mode) if re.fullmatch(r"[0-9]{3}", self.mode) else None

    @property
    def delay_s(self) -> float:
        """How long to wait before doing anything, in seconds."""
        standard = _SLOW_MS if self.mode == "slow" else 0
        return (standard if self.delay_ms is None else self.delay_ms) / 1000


OK: Final = Behaviour(mode="ok")


class Manners:
    """The rules in force: one for all calls, and one for each key that was given its own."""

    def __init__(self) -> None:
        self._rules: dict[str | None, Behaviour] = {}

    def set(self, rule: Behaviour) -> None:
        """Put a rule in force in place of the one with the same selector; `ok` without count or delay takes it away."""
        if rule.model_copy(update={"idempotency_key": None}) == OK:
            self._rules.pop(rule.idempotency_key, None)
        else:
            self._rules[rule.idempotency_key] = rule

    def next(self, idempotency_key: str) -> Behaviour:
        """The rule for this call, which uses up one of its count."""
        selector = idempotency_key if idempotency_key in self._rules else None
        rule = self._rules.get(selector)
        if rule is None:
            return OK
        if rule.count == 1:
            del self._rules[selector]
        elif rule.count is not None:
            self._rules[selector] = rule.model_copy(update={"count": rule.count - 1})
        return rule

    def in_force(self) -> dict[str, Any]:
        """The rule for all calls, and the rules for single keys, as JSON."""
        general = self._rules.get(None, OK).model_dump(by_alias=True, exclude_none=True)
        own = [rule for selector, rule in self._rules.items() if selector is not None]
        return {**general, "keys": [rule.model_dump(by_alias=True, exclude_none=True) for rule in own]}
