"""User administrators: a municipality has exactly one, and is never left without by a change.

VKP's Min side has it so (domain/vkp-api.md section 5: exactly one, who manages users and nothing else; an access lasts
half a year at the most, with a warning thirty days before its end). Two may have the role for as long as a handover
takes. That nobody is left because the last access lapses is not a change: the people list warns of it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from shared.registry.people import Access, Role
from shared.registry.shapes import Fault

SOON: Final = timedelta(days=30)
"""How long before its end an access is shown as ending (VKP: thirty days)."""
HANDOVER: Final = timedelta(days=30)
"""How long two may have the role at once."""


def ends_soon(access: Access, now: datetime) -> bool:
    """Whether the access lapses within thirty days, and has not yet."""
    return now < access.valid_until <= now + SOON


def faults_of(before: Iterable[Access], after: Iterable[Access], now: datetime) -> tuple[Fault, ...]:
    """What is wrong with a municipality's people as a change makes them."""
    held, wanted = _gatekeepers(before, now), _gatekeepers(after, now)
    found = []
    if _covered(wanted, now) < min(_covered(held, now), now + SOON):
        found.append(Fault("roles", "the municipality would be without a user administrator: name the next one first"))
    if _overlap(wanted, now) > max(HANDOVER, _overlap(held, now)):
        found.append(Fault("roles", f"two user administrators at once for more than {HANDOVER.days} days"))
    return tuple(found)


def _gatekeepers(people: Iterable[Access], now: datetime) -> list[Access]:
    found = (each for each in people if Role.USER_ADMINISTRATION in each.roles and each.valid_until > now)
    return sorted(found, key=lambda each: _begins(each, now))


def _begins(access: Access, now: datetime) -> datetime:
    return now if access.valid_from is None else max(access.valid_from, now)


def _covered(gatekeepers: list[Access], now: datetime) -> datetime:
    """Until when there is always one, from now on."""
    until = now
    for each in gatekeepers:
        if _begins(each, now) <= until:
            until = max(until, each.valid_until)
    return until


def _overlap(gatekeepers: list[Access], now: datetime) -> timedelta:
    """The longest time that two of them will have the role at once."""
    longest = timedelta()
    for at, one in enumerate(gatekeepers):
        for other in gatekeepers[at + 1 :]:
            both_begun = max(_begins(one, now), _begins(other, now))
            longest = max(longest, min(one.valid_until, other.valid_until) - both_begun)
    return longest
