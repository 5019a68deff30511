"""What may be missing: exactly what a purge entry names and a policy allowed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.trail.chain import Header
from shared.trail.entry import Kind, Outcome
from shared.trail.purges import BODIES, CHAIN, Lawful, Purge
from shared.trail.retention import policies

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NAME = "310000019:2026-11"
LATER = T0 + timedelta(days=40)
POLICIES = policies("standard/1 station=30 disclosure=30 look=30 rights=30")
HEADER = Header(NAME, 5, Kind.ROUTED, Outcome.SUCCESS, T0, T0, "", "", "", "")
PURGE = Purge(BODIES, NAME, 4, 6, frozenset({"station"}), "standard/1", LATER)
WHOLE = Purge(CHAIN, NAME, 0, 9, frozenset({"station"}), "standard/1", LATER, "ab")


def test_what_a_purge_names_and_the_policy_allowed_may_be_missing() -> None:
    assert Lawful([PURGE], POLICIES).body(HEADER)
    assert Lawful([WHOLE], POLICIES).chain(NAME, 10, "ab")


@pytest.mark.parametrize(
    "purge",
    [
        replace(PURGE, first=6), replace(PURGE, last=4), replace(PURGE, chain="310000019:2026-10"),
        replace(PURGE, families=frozenset({"look"})), replace(PURGE, policy="standard/2"), replace(PURGE, what=CHAIN),
        replace(PURGE, at=T0 + timedelta(days=29)),
    ],
)  # fmt: skip
def test_nothing_else_may_be_missing(purge: Purge) -> None:
    assert not Lawful([purge], POLICIES).body(HEADER)


@pytest.mark.parametrize(
    "purge",
    [
        replace(WHOLE, last=8), replace(WHOLE, root="cd"), replace(WHOLE, what=BODIES), replace(WHOLE, policy="x/1"),
        replace(WHOLE, chain="310000019:2026-10"), replace(WHOLE, at=T0 + timedelta(days=31)),
    ],
)  # fmt: skip
def test_no_other_month_may_be_missing(purge: Purge) -> None:
    """A month is over at its end, not when its first entry is."""
    assert not Lawful([purge], POLICIES).chain(NAME, 10, "ab")


def test_a_month_with_a_family_that_is_kept_for_good_may_not_be_missing() -> None:
    assert not Lawful([WHOLE], policies("standard/1 station=30 disclosure=30 look=30")).chain(NAME, 10, "ab")
