"""A municipality's one user administrator: never gone by a change, never two for longer than a handover takes."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.registry import files
from shared.registry.gatekeepers import HANDOVER, SOON, ends_soon, faults_of
from shared.registry.people import Access, Role
from shared.registry.shapes import Invalid
from tests.unit.registry.samples import DAY, HOUSE, MUNICIPALITY, NOW, ORGNR, WHO, WHY

GATEKEEPER = frozenset({Role.USER_ADMINISTRATION})


def access(who: str, until: float, since: float | None = None, roles: frozenset[Role] = GATEKEEPER) -> Access:
    """From and until when, in days from now."""
    begins = None if since is None else NOW + since * DAY
    return Access(ORGNR, f"helseid:{who}", roles, NOW + until * DAY, valid_from=begins)


KARI = access("kari", 100)


@pytest.mark.parametrize(
    "after",
    [
        [],
        [access("kari", 100, roles=frozenset({Role.MONITORING}))],
        [access("kari", 1)],
        [access("kari", -1)],
        [access("kari", 100, since=1)],
        [access("ola", 100, since=5)],
        [access("kari", 10), access("ola", 100, since=11)],
    ],
)
def test_a_change_never_leaves_a_municipality_without_a_user_administrator(after: list[Access]) -> None:
    (fault,) = faults_of([KARI], after, NOW)
    assert "without a user administrator" in fault.text


@pytest.mark.parametrize(
    "after",
    [
        [KARI],
        [access("kari", 31)],
        [access("ola", 40)],
        [access("kari", 10), access("ola", 100, since=10)],
        [access("kari", 20), access("ola", 180, since=3)],
        [KARI, access("ola", 180, since=75)],
    ],
)
def test_a_handover_is_a_change_like_any_other(after: list[Access]) -> None:
    assert faults_of([KARI], after, NOW) == ()


def test_a_municipality_that_had_none_may_still_have_none() -> None:
    assert faults_of([], [], NOW) == ()
    assert faults_of([access("kari", -1)], [], NOW) == ()


def test_one_whose_access_ends_anyway_may_end_with_it() -> None:
    last_days = access("kari", 3)
    assert faults_of([last_days], [last_days, access("ola", 90, since=20)], NOW) == ()


def test_two_at_once_are_a_handover_and_no_longer_than_that() -> None:
    (fault,) = faults_of([KARI], [KARI, access("ola", 100)], NOW)
    assert "two user administrators" in fault.text
    # What is so already, from before the rule, may be made better by steps.
    assert faults_of([KARI, access("ola", 100)], [KARI, access("ola", 90)], NOW) == ()


@given(
    st.lists(st.tuples(st.integers(-50, 150), st.integers(-50, 150)), max_size=4),
    st.lists(st.tuples(st.integers(-50, 150), st.integers(-50, 150)), max_size=4),
)
def test_after_a_change_without_faults_there_is_one_on_every_day_of_the_next_month_that_had_one(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    held, wanted = (
        [access(str(at), until + 1, since) for at, (since, until) in enumerate(each)] for each in (before, after)
    )
    if faults_of(held, wanted, NOW):
        return

    def watched(people: list[Access], day: int) -> bool:
        return any(each.roles_at(NOW + day * DAY) for each in people)

    for day in range(SOON.days):
        if not all(watched(held, each) for each in range(day + 1)):
            break
        assert watched(wanted, day)


def test_an_access_ends_soon_in_its_last_thirty_days_and_not_when_it_has_lapsed() -> None:
    assert HANDOVER == SOON == timedelta(days=30)
    assert [ends_soon(access("kari", days), NOW) for days in (-1, 0, 1, 30, 31)] == [False, False, True, True, False]


def _file(people: list[dict[str, Any]]) -> dict[str, Any]:
    return {"municipalities": [{"orgnr": ORGNR, "name": MUNICIPALITY.name, "receivers": [], "people": people}]}


def test_a_file_leaves_no_municipality_without_one_either() -> None:
    kept = {(ORGNR, each["id"]): {**each, "version": 1} for each in (MUNICIPALITY.document(), KARI.document())}
    with pytest.raises(Invalid) as caught:
        files.plan(files.read(_file([])), kept, HOUSE, WHO, WHY)
    (fault,) = caught.value.faults
    assert fault.field == "municipalities.0.people"
    next_one = {"subject": "helseid:ola", "roles": ["user-administration"], "validUntil": "2026-04-01T00:00:00Z"}
    assert files.plan(files.read(_file([next_one])), kept, HOUSE, WHO, WHY)
