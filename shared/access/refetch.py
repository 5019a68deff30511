"""Whether the issuer's keys may be fetched once more for a key id that is not in the set.

A key id is read before anything is proven, so anybody can make one up. Fetching for each would let strangers hammer
HelseID through the hub; fetching once a minute for all of them together would let a stranger use up that one fetch, and
keep a vendor out whose token is signed with a key that was published a moment later. So:

- the same key id, looked for in vain, is not looked for again for a while;
- all strangers together have one fetch in that time;
- each client that has been let in before has one of its own (by the `client_id` in its token, unproven still: who uses
  up another client's must know its id, and can do so for one client and one minute at a time);
- between any two fetches there is a short pause. Every fetch brings the new keys to everybody, so a sender of forged
  tokens who knows all client ids would even speed up the rotation.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_CLIENTS: Final = 1024
_KIDS: Final = 1024
_STRANGERS: Final = ""


@dataclass(frozen=True, slots=True)
class RefetchPace:
    """How often, in seconds."""

    again_s: float = 60.0
    """The least time between two fetches for the same key id, for the same client, and for strangers."""
    any_s: float = 5.0
    """The least time between any two fetches for an unknown key id."""

    def __post_init__(self) -> None:
        if self.again_s < 0 or self.any_s < 0:
            raise ValueError("a pause cannot be negative")


class Refetch:
    """Remembers who has had a fetch, and what was looked for in vain. Times are monotonic seconds."""

    def __init__(self, pace: RefetchPace) -> None:
        self._pace = pace
        self._last = float("-inf")
        self._in_vain: OrderedDict[str, float] = OrderedDict()
        self._clients: OrderedDict[str, float] = OrderedDict({_STRANGERS: float("-inf")})

    def let_in(self, client_id: str) -> None:
        """This client's token has been found good."""
        if client_id and client_id not in self._clients:
            self._clients[client_id] = float("-inf")
            if len(self._clients) > _CLIENTS:
                self._forget_a_client()

    def begin(self, kid: str, client_id: object, now: float) -> bool:
        """Whether to fetch now for this key id in a token of (as it says) this client; if so, it has had its fetch."""
        if now < self._last + self._pace.any_s or now < self._in_vain.get(kid, float("-inf")) + self._pace.again_s:
            return False
        name = client_id if isinstance(client_id, str) and client_id in self._clients else _STRANGERS
        if now < self._clients[name] + self._pace.again_s:
            return False
        self._clients[name] = self._last = now
        return True

    def in_vain(self, kid: str, now: float) -> None:
        """The key id was not in the keys fetched now."""
        self._in_vain[kid] = now
        self._in_vain.move_to_end(kid)
        if len(self._in_vain) > _KIDS:
            self._in_vain.popitem(last=False)

    def _forget_a_client(self) -> None:
        oldest = next(name for name in self._clients if name is not _STRANGERS)
        del self._clients[oldest]
