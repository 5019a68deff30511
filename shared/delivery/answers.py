"""What comes back when a message is handed over: the receiver has it, may have it later, or will not have it."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Call:
    """Facts about the HTTP call behind an answer, for the trail."""

    host: str
    """As the register names it."""
    status: int
    ms: int
    """From the first byte sent to the status line read."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has the message."""

    status: int
    call: Call | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Later:
    """The receiver may take it at another time. `code` says why, for people and for the trail.

    A code that begins with HUB_ is the hub's own trouble (a secret, an address): nothing is learnt of the receiver.
    """

    code: str
    retry_after: timedelta | None = None
    issues: tuple[str, ...] = field(default=(), compare=False)
    """See Refused."""
    words: str = field(default="", repr=False, compare=False)
    """See Refused."""
    call: Call | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will not take this message however often it is sent."""

    code: str
    status: int
    issues: tuple[str, ...] = field(default=(), compare=False)
    """Codes of FHIR's issue-type that its OperationOutcome gave, in order, each once; never its own text."""
    words: str = field(default="", repr=False, compare=False)
    """What the receiver said, cut short. May hold personal data: keep it as a payload is kept, show it as one is."""
    call: Call | None = field(default=None, compare=False)


Answer = Taken | Later | Refused
