"""The gate before a receiver: may this delivery be tried now, or must its lane wait, and for what?

Asked before every try and told of every answer. Behind it: a maintenance stop, a breaker, and how much a receiver takes
at once and in a second (`gatekeeper.py`). A delivery that may not be tried has cost nothing and counts as no attempt.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.delivery.answers import Answer
from shared.messages.urgency import Urgency

BREAKER_OPEN: Final = "HUB_BREAKER_OPEN"
"""The receiver does not answer; routine deliveries wait until one of them, or a prompt one, gets through."""
RECEIVER_STOPPED: Final = "HUB_RECEIVER_STOPPED"
"""The municipality, or an operator for it, has stopped deliveries to the receiver for a while."""


@dataclass(frozen=True, slots=True)
class To:
    """A receiver of a municipality."""

    orgnr: str
    receiver: str

    @property
    def key(self) -> str:
        """As lanes and standing documents name it."""
        return f"{self.orgnr}/{self.receiver}"


@dataclass(frozen=True, slots=True)
class Go:
    """Try it. Holds one of the receiver's places until `Gate.leave` gets it back."""

    to: To
    urgency: Urgency
    entered: datetime
    """When (UTC): only a try begun after the breaker opened may close it."""
    probe: bool = False
    """The one routine delivery in a while that is tried although the breaker is open."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now, and not shortly: park the lane. It is woken when the receiver is well again, or to carry a probe."""

    until: datetime
    """When to look again, should it not be woken (UTC); may be hours away, and beyond the end of a message's time."""
    code: str
    """BREAKER_OPEN or RECEIVER_STOPPED."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Enough is on its way to this receiver: come back shortly. No need to park the lane."""

    retry_in: timedelta
    """Spread, so that those who wait do not come back all at once."""


class Gate(Protocol):
    """Lets deliveries through to receivers. Never raises for an unreachable store: goes on with what is known."""

    async def enter(self, to: To, urgency: Urgency) -> Go | Hold | Busy:
        """Ask for one try: takes as long as a look into the store, or as waiting shortly for a place to become free.

        After Go, `leave` must be called whatever happens (`finally`).
        """

    async def leave(self, go: Go, answer: Answer | None, *, again: bool = False) -> None:
        """The try is over: its place is free again. `answer` None: no try was made, and nothing is learnt of the
        receiver; a Later or Refused of the hub's own making (HUB_…) counts as none. `again`: the same message had
        failed before, so that an error of the receiver's may be about it alone."""

    async def parked(self, to: To) -> None:
        """Lanes are parked for the receiver: somebody must wake them. Hold has seen to that already; call it where a
        lane is parked without having been told to."""
