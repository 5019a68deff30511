"""Alerts: for whatever series of looks, people hear of the beginning once and of the end once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.watch.alerts import (
    MOST_UNSENT,
    Alert,
    Kind,
    Notice,
    Rule,
    Seen,
    Status,
    Tells,
    begun,
    due,
    notice_id,
    sent,
    step,
)

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULE = Rule(severity=1, after=timedelta(seconds=5), well=timedelta(seconds=30))
CHANNELS = ("webhook", "mail")
DOWN = Seen(Kind.RECEIVER_DOWN, T0, orgnr="310000019", receiver="epj", code="REC_HTTP_500", waiting=3, oldest=T0)

series = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=80)
"""Looks: seconds since the one before, and whether it was seen wrong."""


def told(looks: list[tuple[int, bool]], rule: Rule = RULE, seen: Seen = DOWN) -> list[Notice]:
    """The notices of a series of looks, with all channels deaf so that none is forgotten."""
    alert: Alert | None = None
    now = T0
    notices: list[Notice] = []
    for pause, wrong in looks:
        now += pause * SECOND
        alert = step(alert, seen if wrong else None, now, rule, CHANNELS)
        if alert is not None:
            notices += [each for each in alert.outbox if each not in notices]
            alert = replace(alert, outbox=())
    return notices


@given(series)
def test_whatever_is_seen_beginnings_and_ends_take_turns(looks: list[tuple[int, bool]]) -> None:
    tells = [each.tells for each in told(looks)]
    assert tells == [Tells.BROKEN, Tells.WELL] * (len(tells) // 2) + [Tells.BROKEN] * (len(tells) % 2)


@given(series)
def test_no_two_notices_have_the_same_id(looks: list[tuple[int, bool]]) -> None:
    ids = [each.id for each in told(looks)]
    assert len(ids) == len(set(ids))


@given(series)
def test_it_is_never_said_to_be_well_before_it_was_well_without_a_break_for_long_enough(
    looks: list[tuple[int, bool]],
) -> None:
    wrong = []
    now = T0
    for pause, is_wrong in looks:
        now += pause * SECOND
        wrong += [now] if is_wrong else []
    for each in told(looks):
        if each.tells is Tells.WELL:
            assert each.well_since is not None
            assert each.at - each.well_since >= RULE.well
            assert not [at for at in wrong if each.well_since < at < each.at]


@given(series)
def test_the_end_is_told_if_it_stays_well(looks: list[tuple[int, bool]]) -> None:
    assert len(told([*looks, (1, False), (60, False)])) % 2 == 0


@given(series)
def test_reminders_come_only_where_the_data_says_so_and_no_oftener(looks: list[tuple[int, bool]]) -> None:
    hourly = replace(RULE, remind=timedelta(seconds=120))
    reminded = [each for each in told(looks, hourly) if each.tells is not Tells.WELL]
    for earlier, later in pairwise(reminded):
        if later.tells is Tells.STILL:
            assert later.at - earlier.at >= timedelta(seconds=120)
    assert not [each for each in told(looks) if each.tells is Tells.STILL]


def test_seven_hundred_looks_at_one_outage_tell_of_it_twice() -> None:
    looks = [(10, True)] * 700 + [(10, False)] * 700
    assert [each.tells for each in told(looks)] == [Tells.BROKEN, Tells.WELL]


def test_what_is_wrong_for_too_short_is_not_told() -> None:
    assert told([(0, True), (3, True), (1, False), (60, False)]) == []


def test_a_look_that_changes_nothing_gives_the_same_object_so_that_nothing_is_written() -> None:
    alert = step(None, DOWN, T0, replace(RULE, after=timedelta()), CHANNELS)
    again = step(alert, replace(DOWN, waiting=99), T0 + SECOND, RULE, CHANNELS)
    assert again is alert
    assert step(None, None, T0, RULE, CHANNELS) is None


def test_the_notice_says_what_was_seen_when_it_was_told() -> None:
    first = step(None, DOWN, T0, RULE, CHANNELS)
    later = step(first, replace(DOWN, waiting=7), T0 + 6 * SECOND, RULE, CHANNELS)
    assert later is not None
    assert [each.seen.waiting for each in later.outbox] == [7]


def test_with_no_channel_nothing_waits_to_be_sent_but_the_alert_is_open() -> None:
    alert = step(None, DOWN, T0, replace(RULE, after=timedelta()), ())
    assert alert is not None
    assert (alert.status, alert.outbox) == (Status.OPEN, ())


def opened() -> Alert:
    alert = step(None, DOWN, T0, replace(RULE, after=timedelta()), CHANNELS)
    assert alert is not None
    return alert


def test_one_channel_that_took_it_does_not_take_it_from_the_other() -> None:
    alert = opened()
    (notice,) = alert.outbox
    alert = sent(alert, notice.id, "webhook")
    assert [each.channel for _, each in due(alert, T0)] == ["mail"]
    # The notice in hand is the one from before: what was taken since must not come back.
    alert = begun(alert, notice.id, "mail", T0 + SECOND)
    assert [each.channel for each in alert.outbox[0].unsent] == ["mail"]
    assert sent(alert, notice.id, "mail").outbox == ()


def test_a_try_that_has_begun_is_nobody_elses_until_its_time() -> None:
    alert = opened()
    (notice,) = alert.outbox
    alert = begun(alert, notice.id, "webhook", T0 + 30 * SECOND)
    assert [each.channel for _, each in due(alert, T0 + 29 * SECOND)] == ["mail"]
    assert {each.channel: each.tries for _, each in due(alert, T0 + 30 * SECOND)} == {"webhook": 1, "mail": 0}


def test_nobody_hears_of_the_end_before_the_beginning() -> None:
    alert: Alert | None = opened()
    alert = step(alert, None, T0 + SECOND, RULE, CHANNELS)
    alert = step(alert, None, T0 + 60 * SECOND, RULE, CHANNELS)
    assert alert is not None
    assert [each.tells for each in alert.outbox] == [Tells.BROKEN, Tells.WELL]
    assert {notice.tells for notice, _ in due(alert, T0 + 60 * SECOND)} == {Tells.BROKEN}
    alert = sent(alert, alert.outbox[0].id, "mail")
    assert {each.channel: notice.tells for notice, each in due(alert, T0 + 60 * SECOND)} == {
        "webhook": Tells.BROKEN,
        "mail": Tells.WELL,
    }


def test_an_alert_rests_when_it_is_closed_and_everything_is_sent() -> None:
    alert = replace(opened(), status=Status.CLOSED)
    assert not alert.resting
    for channel in CHANNELS:
        alert = sent(alert, alert.outbox[0].id, channel)
    assert alert.resting


def test_with_deaf_channels_the_outbox_stays_small_and_keeps_whole_outages() -> None:
    alert: Alert | None = None
    now = T0
    for _ in range(50):
        for wrong, pause in ((True, 1), (True, 10), (False, 1), (False, 60)):
            now += pause * SECOND
            alert = step(alert, DOWN if wrong else None, now, RULE, CHANNELS)
    assert alert is not None
    assert len(alert.outbox) == MOST_UNSENT
    assert alert.outbox[0].tells is Tells.BROKEN


def test_why_a_receiver_is_down_is_no_other_outage_but_another_cause_of_setting_aside_is() -> None:
    assert replace(DOWN, code="REC_TLS").subject == DOWN.subject
    aside = replace(DOWN, kind=Kind.SET_ASIDE)
    assert replace(aside, code="REC_HTTP_404").subject != aside.subject


def test_the_id_is_the_same_for_every_instance_and_another_for_every_outage() -> None:
    first = notice_id(DOWN, T0, Tells.BROKEN, T0)
    assert first == notice_id(replace(DOWN, waiting=9), T0, Tells.BROKEN, T0 + SECOND)
    assert first != notice_id(DOWN, T0 + SECOND, Tells.BROKEN, T0)
    assert first != notice_id(DOWN, T0, Tells.WELL, T0)
