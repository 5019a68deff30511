"""How long each family of entries is kept: a policy, with a version, decided by the controller and given as a setting.

There is no period in the code. A policy reads `standard/1 station=730 disclosure=3650 look=3650 rights=3650`: name and
version, then days for each family; a family that is not named is kept for good. Several policies, with `;` between
them, are all that ever were in force: verification accepts what any of them allowed at its time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.trail.entry import Family

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}/[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Policy:
    """A retention policy. `id` is its name and version."""

    id: str
    days: Mapping[Family, int]

    def allows(self, family: Family, recorded: datetime, at: datetime) -> bool:
        """Whether an entry recorded then may be taken away at that time."""
        days = self.days.get(family)
        return days is not None and recorded + timedelta(days=days) <= at


def policies(text: str) -> tuple[Policy, ...]:
    """Read policies; the last one is in force. Raises ValueError."""
    return tuple(_policy(part.split()) for part in text.split(";") if part.strip())


def _policy(words: Sequence[str]) -> Policy:
    if not _NAME.fullmatch(words[0]):
        raise ValueError("a retention policy begins with its name and version: `standard/1`")
    days: dict[Family, int] = {}
    for word in words[1:]:
        family, _, number = word.partition("=")
        if family not in set(Family) or not number.isdecimal() or not 0 < int(number) < 100_000:
            raise ValueError(f"a retention policy names days for its families: {', '.join(Family)}")
        days[Family(family)] = int(number)
    if Family.HOUSEKEEPING in days:
        raise ValueError("what the log tells of itself is kept: without it nothing older can be verified")
    return Policy(words[0], days)
