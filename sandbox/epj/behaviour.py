"""How the journal behaves: well, or badly in a way that was asked for and for as many calls as were asked for.

Kept in memory: a journal that is started again behaves well.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

_WORDS: Final = (
    "ok", "slow", "reset", "accept-then-drop", "409-known", "huge", "endless", "drip", "drip-headers",
    "endless-headers", "not-http", "wrong-tls",
)  # fmt: skip
_SLOW_MS: Final = 2000


class Behaviour(BaseModel):
    """One rule.

    `ok`: stored and answered 201. `slow`: as ok, after `delayMs`. `reset`: the connection is cut before anything is
    stored. `accept-then-drop`: stored, then the connection is cut (the answer is lost). `409-known`: as ok, but a key
    that was stored before is answered 409. `huge`, `endless`, `drip`: stored and answered 201, with a body of 64 MiB,
    one without end, or one that comes byte by byte. `drip-headers`, `endless-headers`: stored, but the answer's headers
    come byte by byte, or never end. `not-http`: stored, and what is answered is no HTTP. `wrong-tls`: every TLS door
    shows a certificate for another host (only as the rule for all calls). A number from 400 to 599: that status,
    nothing stored. `delayMs` may be added to any of them.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    mode: Annotated[str, StringConstraints(pattern=rf"^(?:{'|'.join(_WORDS)}|[45][0-9][0-9])$")]
    count: int | None = Field(default=None, ge=1)
    """How many calls it lasts; None: until told otherwise."""
    retry_after: int | None = Field(default=None, ge=0)
    """Seconds, sent as Retry-After with an error status."""
    retry_after_as: Literal["seconds", "date"] | None = None
    """How it is written; None: as seconds."""
    delay_ms: int | None = Field(default=None, ge=0, le=600_000)
    idempotency_key: str | None = None
    """Only for calls with this key; other calls and other rules are not touched."""
    contains: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Only for calls with this text in their body: one patient's, for instance."""
    path: Annotated[str, StringConstraints(pattern="^/fhir/[!-~]+$")] | None = None
    """Only for calls to this path: one receiver's."""

    @property
    def status(self) -> int | None:
        """The status to refuse with, or None when the mode is not a refusal."""
        return int(self.mode) if re.fullmatch(r"[0-9]{3}", self.mode) else None

    @property
    def delay_s(self) -> float:
        """How long to wait before doing anything, in seconds."""
        standard = _SLOW_MS if self.mode == "slow" else 0
        return (standard if self.delay_ms is None else self.delay_ms) / 1000

    @property
    def selector(self) -> tuple[str | None, str | None, str | None]:
        """Which calls it is for, the narrowest choice first."""
        return (self.idempotency_key, self.contains, self.path)

    def fits(self, idempotency_key: str, path: str, body: bytes) -> bool:
        """Whether it is for this call."""
        return (
            self.idempotency_key in (None, idempotency_key)
            and self.path in (None, path)
            and (self.contains is None or self.contains.encode() in body)
        )


OK: Final = Behaviour(mode="ok")
_EVERYTHING: Final = OK.selector


class Manners:
    """The rules in force: one for all calls, and one for each choice of calls that was given its own."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str | None, str | None, str | None], Behaviour] = {}

    def set(self, rule: Behaviour) -> None:
        """Put a rule in force in place of the one for the same calls; `ok` without count or delay takes it away, so
        that a wider rule is for these calls again."""
        if rule == OK.model_copy(
            update={"idempotency_key": rule.idempotency_key, "contains": rule.contains, "path": rule.path}
        ):
            self._rules.pop(rule.selector, None)
        else:
            self._rules[rule.selector] = rule

    def next(self, idempotency_key: str, path: str, body: bytes) -> Behaviour:
        """The narrowest rule for this call, which uses up one of its count."""
        fitting = [rule for rule in self._rules.values() if rule.fits(idempotency_key, path, body)]
        if not fitting:
            return OK
        rule = min(fitting, key=lambda each: [choice is None for choice in each.selector])
        if rule.count == 1:
            del self._rules[rule.selector]
        elif rule.count is not None:
            self._rules[rule.selector] = rule.model_copy(update={"count": rule.count - 1})
        return rule

    @property
    def general(self) -> Behaviour:
        """The rule for all calls that have none of their own."""
        return self._rules.get(_EVERYTHING, OK)

    def in_force(self) -> dict[str, Any]:
        """The rule for all calls, and the rules for chosen ones (`keys`), as JSON."""
        own = [rule for selector, rule in self._rules.items() if selector != _EVERYTHING]
        shown = [rule.model_dump(by_alias=True, exclude_none=True) for rule in (self.general, *own)]
        return {**shown[0], "keys": shown[1:]}
