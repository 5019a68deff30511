"""Whatever happens, people are told once when it breaks and once when it is well: over real SDKs and sockets."""

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.azure.watch_parts import WatchParts
from shared.messages.documents import Unreachable
from shared.messages.lifecycle import Step
from shared.messages.tries import Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.registry.model import Grant, Municipality
from shared.watch.alert_store import AlertStore
from shared.watch.alerts import Kind
from shared.watch.observing import Looked, Observing
from tests.wire.watch.conftest import ORGNR, T0, Scene

SECOND = timedelta(seconds=1)
BROKEN_THEN_WELL = ["broken", "well"]


async def rounds(scene: Scene, *instances: WatchParts, seconds: float, every: float = 15) -> None:
    """Let time pass, with a look and a sending at each instance now and then, all at once."""
    passed = 0.0
    while passed < seconds:
        await asyncio.gather(*(each.watch.look() for each in instances))
        await asyncio.gather(*(each.notifier.send() for each in instances))
        scene.clock.forward(seconds=every)
        passed += every


async def test_an_outage_of_hours_with_many_waiting_is_two_notices(scene: Scene) -> None:
    async with scene.instance() as parts:
        for age in range(40):
            delivery = await scene.route(T0 - age * SECOND, Urgency.ROUTINE)
            await scene.stores.deliveries.park(delivery.lane, delivery.key, Urgency.ROUTINE, T0, T0 + timedelta(days=1))
        await scene.receiver("open")
        await rounds(scene, parts, seconds=4 * 3600, every=1200)
        await scene.receiver("closed")
        await rounds(scene, parts, seconds=300, every=60)
    assert scene.notices() == [("receiver-down", "broken"), ("receiver-down", "well")]
    first = scene.alerts.received.all()[0]["body"]["data"]
    assert (first["receiver"], first["waiting"], first["oldest"]) == ("epj", 40, "2026-11-22T11:59:21.000000Z")


async def test_two_instances_that_look_and_send_at_once_tell_once(scene: Scene) -> None:
    async with scene.instance() as one, scene.instance() as other:
        await scene.receiver("open")
        await rounds(scene, one, other, seconds=60)
        await scene.receiver("closed")
        await rounds(scene, one, other, seconds=150, every=30)
    assert scene.notices() == [("receiver-down", "broken"), ("receiver-down", "well")]


async def test_a_receiver_that_comes_and_goes_is_one_outage(scene: Scene) -> None:
    async with scene.instance() as parts:
        for _ in range(4):
            await scene.receiver("open")
            await rounds(scene, parts, seconds=30)
            await scene.receiver("closed")
            await rounds(scene, parts, seconds=30)
        assert scene.notices() == [("receiver-down", "broken")]
        await rounds(scene, parts, seconds=150)
    assert scene.notices() == [("receiver-down", "broken"), ("receiver-down", "well")]


async def test_two_receivers_are_two_outages_and_a_second_outage_is_told_anew(scene: Scene) -> None:
    async with scene.instance() as parts:
        for _ in range(2):
            await scene.receiver("open")
            await scene.receiver("open", receiver="arkiv")
            await rounds(scene, parts, seconds=30)
            await scene.receiver("closed")
            await scene.receiver("closed", receiver="arkiv")
            await rounds(scene, parts, seconds=200, every=65)
    assert sorted(scene.notices()) == [("receiver-down", "broken")] * 4 + [("receiver-down", "well")] * 4
    assert len({each["id"] for each in scene.alerts.received.all()}) == 8


async def test_an_alarm_is_told_of_between_60_and_75_s_after_it_was_accepted(scene: Scene) -> None:
    async with scene.instance() as parts:
        await scene.route(T0, Urgency.PROMPT)
        await scene.route(T0, Urgency.ROUTINE)
        told = None
        while told is None and scene.clock.now < T0 + timedelta(minutes=5):
            await rounds(scene, parts, seconds=5, every=5)
            told = scene.clock.now if scene.notices() else None
    assert scene.notices() == [("alarm-late", "broken")]
    assert told is not None
    assert timedelta(seconds=60) <= told - T0 <= timedelta(seconds=75)


async def test_an_alarm_that_nobody_has_routed_is_told_of_too(scene: Scene) -> None:
    async with scene.instance() as parts:
        await scene.put_back(T0, Urgency.PROMPT)
        scene.clock.forward(seconds=61)
        await rounds(scene, parts, seconds=5)
    assert scene.notices() == [("alarm-late", "broken")]


async def test_an_alarm_that_was_delivered_in_time_is_nobodys_trouble(scene: Scene) -> None:
    async with scene.instance() as parts:
        delivery = await scene.route(T0, Urgency.PROMPT)
        trying = await scene.stores.deliveries.begin(delivery.lane, Urgency.PROMPT, T0, 90 * SECOND)
        assert isinstance(trying, Try)
        await scene.stores.deliveries.end(trying, Step.DELIVER, Outcome(T0))
        await rounds(scene, parts, seconds=100)
    assert scene.notices() == []


async def test_what_is_set_aside_is_told_once_for_each_cause_and_again_when_none_is_left(scene: Scene) -> None:
    async with scene.instance() as parts:
        for cause in ("REC_HTTP_404", "REC_HTTP_404", "REC_HTTP_422"):
            delivery = await scene.route(T0, Urgency.ROUTINE)
            trying = await scene.stores.deliveries.begin(delivery.lane, Urgency.ROUTINE, T0, 90 * SECOND)
            assert isinstance(trying, Try)
            await scene.stores.deliveries.end(trying, Step.QUARANTINE, Outcome(T0, cause), Refusal(404))
        await rounds(scene, parts, seconds=60, every=10)
    assert scene.notices() == [("set-aside", "broken")] * 2
    counts = sorted(each["body"]["data"]["waiting"] for each in scene.alerts.received.all())
    assert counts == [1, 2]


async def test_a_sender_that_goes_silent_and_is_heard_again_is_two_notices(scene: Scene) -> None:
    async with scene.instance() as parts:
        for entry in (Grant(ORGNR, "trygghet 1", silent_after_hours=6), Municipality(ORGNR, "Solvik", ())):
            await scene.registry.put({**entry.document(), "orgnr": ORGNR}, ORGNR)
        await parts.heard.note("trygghet 1", ORGNR, T0)
        await rounds(scene, parts, seconds=5.9 * 3600, every=1800)
        assert scene.notices() == []
        await rounds(scene, parts, seconds=7 * 3600, every=1800)
        assert scene.notices() == [("sender-silent", "broken")]
        await parts.heard.note("trygghet 1", ORGNR, scene.clock.now)
        await rounds(scene, parts, seconds=1200, every=600)
    assert scene.notices() == [("sender-silent", "broken"), ("sender-silent", "well")]
    assert scene.alerts.received.all()[0]["body"]["data"]["sender"] == "trygghet 1"


async def test_lanes_that_nobody_works_on_are_told_of(scene: Scene) -> None:
    async with scene.instance() as parts:
        await scene.put_back(T0, Urgency.ROUTINE)
        scene.clock.forward(minutes=1)
        await rounds(scene, parts, seconds=20)
        assert scene.notices() == []
        scene.clock.forward(minutes=4)
        await rounds(scene, parts, seconds=20)
    assert scene.notices() == [("orphan", "broken")]


async def test_lanes_that_the_orphan_check_signals_in_vain_are_told_of(scene: Scene) -> None:
    async with scene.instance() as parts:
        id = "check.orphans"
        await scene.operations.put({"id": id, "type": "check", "at": "2026-11-22T12:00:00.000000Z", "stuck": 3}, id)
        await rounds(scene, parts, seconds=20)
    assert scene.notices() == [("orphan", "broken")]


@pytest.mark.parametrize("blind", [Unreachable("STATUS_503"), Looked((), whole=False)])
async def test_from_a_look_that_failed_or_was_not_whole_nothing_is_said_to_be_well(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, blind: Unreachable | Looked
) -> None:
    async def at(self: Observing, kind: Kind, now: datetime) -> Looked:
        if isinstance(blind, Unreachable):
            raise blind
        return blind

    async with scene.instance() as parts:
        await scene.receiver("open")
        await rounds(scene, parts, seconds=15)
        await scene.receiver("closed")
        with monkeypatch.context() as cannot_see:
            cannot_see.setattr(Observing, "at", at)
            await rounds(scene, parts, seconds=600, every=60)
        assert scene.notices() == [("receiver-down", "broken")]
        await rounds(scene, parts, seconds=180, every=60)
    assert scene.notices() == [("receiver-down", "broken"), ("receiver-down", "well")]


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_a_webhook_that_fails_is_sent_again_with_the_same_id(scene: Scene, status: int) -> None:
    async with scene.instance() as parts:
        scene.alerts.status, scene.alerts.times = status, 2
        await scene.receiver("open")
        await rounds(scene, parts, seconds=29)
        assert scene.notices() == []
        await rounds(scene, parts, seconds=120, every=30)
    assert scene.notices() == [("receiver-down", "broken")]


async def test_an_instance_that_dies_after_sending_costs_one_duplicate_with_the_same_id(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene.instance() as one, scene.instance() as other:
        await scene.receiver("open")
        await one.watch.look()

        async def dies(*_: object) -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(one.notifier, "_done", dies)
        with pytest.raises(asyncio.CancelledError):
            await one.notifier.send()
        await rounds(scene, other, seconds=120)
    arrived = scene.alerts.received.all()
    assert [each["verified"] for each in arrived] == [True, True]
    assert len({each["id"] for each in arrived}) == 1


async def test_a_dead_webhook_does_not_keep_mail_from_being_sent(scene: Scene) -> None:
    mail = {"Alerts__smtp": f"smtp://127.0.0.1:{scene.alerts.smtp_port}", "Alerts__to": "drift@knutepunkt.invalid"}
    async with scene.instance(Alerts__webhook="http://127.0.0.1:9/", **mail) as parts:
        await scene.receiver("open")
        await rounds(scene, parts, seconds=10)
    (arrived,) = scene.alerts.received.all()
    assert arrived["channel"] == "mail"
    assert "mottaker epj hos 310000019" in arrived["title"]
    assert "takes no messages" in arrived["text"]


async def test_without_any_channel_the_log_tells_once_what_azure_monitor_listens_for(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "knutepunkt")
    async with scene.instance(Alerts__webhook="", Alerts__webhookSecret="") as parts:
        assert parts.channels == {}
        await scene.receiver("open")
        await rounds(scene, parts, seconds=30)
        await scene.receiver("closed")
        await rounds(scene, parts, seconds=180, every=60)
    codes = [line.split()[0] for line in caplog.messages]
    assert [code for code in codes if code.startswith("HUB-8")] == ["HUB-8001", "HUB-8002"]


async def test_a_notice_that_no_try_could_send_is_given_up_in_the_end(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene.instance(Alerts__webhook="http://127.0.0.1:9/") as parts:
        await scene.receiver("open")
        await rounds(scene, parts, seconds=5)
        scene.clock.forward(hours=77)
        await rounds(scene, parts, seconds=5)
        assert not any(each.alert.outbox for each in await AlertStore(scene.operations).active())
    assert any("HUB-8005" in line for line in caplog.messages)


steps = st.lists(st.tuples(st.sampled_from(["open", "closed"]), st.sampled_from([30, 90, 200])), max_size=4)


@given(steps)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_receiver_does_arrivals_take_turns(scene: Scene, series: list[tuple[str, int]]) -> None:
    before = len(scene.notices())
    async with scene.instance() as one, scene.instance() as other:
        for state, seconds in (*series, ("closed", 300)):
            await scene.receiver(state)
            await rounds(scene, one, other, seconds=seconds, every=30)
    told = [state for _, state in scene.notices()[before:]]
    assert told == BROKEN_THEN_WELL * (len(told) // 2)
