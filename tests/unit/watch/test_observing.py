"""What counts as wrong, without a database: silence, late alarms, what is set aside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.registry.model import Grant
from shared.watch.alerts import Kind
from shared.watch.numbers import NOTHING, Aside, Line, Waiting
from shared.watch.observing import late, set_aside, silent

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRANT = Grant("310000019", "trygghet-1", silent_after_hours=6)


@pytest.mark.parametrize(
    ("heard", "changed", "expected"),
    [
        (T0 - 5 * HOUR, None, None),
        (T0 - 6 * HOUR, None, T0 - 6 * HOUR),
        (T0 - 90 * HOUR, T0 - HOUR, T0 - 90 * HOUR),
        (None, T0 - 5 * HOUR, None),
        (None, T0 - 7 * HOUR, T0 - 7 * HOUR),
        (None, None, None),
    ],
)
def test_a_sender_is_silent_when_it_was_last_heard_too_long_ago(
    heard: datetime | None, changed: datetime | None, expected: datetime | None
) -> None:
    found = silent(GRANT, heard, changed, T0)
    assert (found.since if found is not None else None) == expected


@pytest.mark.parametrize(
    "grant",
    [
        replace(GRANT, silent_after_hours=None),
        replace(GRANT, may_send=False),
        replace(GRANT, valid_to=T0),
        replace(GRANT, valid_from=T0 + HOUR),
    ],
)
def test_of_who_may_not_send_or_is_not_waited_for_silence_is_no_trouble(grant: Grant) -> None:
    assert silent(grant, T0 - 90 * HOUR, None, T0) is None


def line(receiver: str, oldest: datetime, messages: int = 1) -> Line:
    return Line("310000019", receiver, Waiting(oldest, messages), NOTHING)


def test_a_hundred_late_alarms_at_one_receiver_are_one_trouble() -> None:
    lines = [line("epj", T0 - timedelta(minutes=minute)) for minute in range(1, 101)]
    (found,) = late(lines)
    assert (found.kind, found.waiting, found.oldest) == (Kind.ALARM_LATE, 100, T0 - timedelta(minutes=100))


def test_two_receivers_with_late_alarms_are_two_troubles() -> None:
    assert {each.receiver for each in late([line("epj", T0), line("arkiv", T0), line("", T0)])} == {"epj", "arkiv", ""}


def test_what_is_set_aside_is_told_by_receiver_and_cause() -> None:
    groups = [Aside("310000019", "epj", "REC_HTTP_404", 2, T0), Aside("310000019", "epj", "HUB_GAVE_UP", 1, T0)]
    found = set_aside(groups, at_least=True)
    assert len({each.subject for each in found}) == 2
    assert all(each.at_least for each in found)
