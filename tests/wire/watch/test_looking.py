"""What waits is counted from the lanes' own documents, over the real SDK and with its restrictions."""

from datetime import timedelta

from shared.azure.cosmos import LazyContainer
from shared.messages.lifecycle import Step
from shared.messages.tries import Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.watch.looking import MOST_LANES, Look
from tests.wire.watch.conftest import NEIGHBOUR, ORGNR, T0, Scene

SECOND = timedelta(seconds=1)


def look_of(scene: Scene, most: int = MOST_LANES) -> Look:
    return Look(LazyContainer(scene.cosmos, "messages"), scene.clock, most)


async def begun(scene: Scene, urgency: Urgency = Urgency.ROUTINE) -> Try:
    delivery = await scene.route(T0 - 50 * SECOND, urgency)
    found = await scene.stores.deliveries.begin(delivery.lane, urgency, T0, 90 * SECOND)
    assert isinstance(found, Try)
    return found


async def test_the_oldest_of_each_class_and_how_many_are_told_by_receiver(scene: Scene) -> None:
    for age, urgency in ((30, Urgency.ROUTINE), (90, Urgency.ROUTINE), (20, Urgency.PROMPT), (10, Urgency.PROMPT)):
        await scene.route(T0 - age * SECOND, urgency)
    await scene.route(T0 - 5 * SECOND, Urgency.ROUTINE, NEIGHBOUR)
    first, second = (await look_of(scene).numbers()).receivers
    assert first.key == f"{ORGNR}/epj"
    assert {urgency: (each.oldest, each.messages) for urgency, each in first.classes.items()} == {
        Urgency.PROMPT: (T0 - 20 * SECOND, 2),
        Urgency.ROUTINE: (T0 - 90 * SECOND, 2),
    }
    assert (second.orgnr, second.all.messages) == (NEIGHBOUR, 1)


async def test_what_is_not_routed_is_told_of_its_municipality(scene: Scene) -> None:
    await scene.put_back(T0 - 9 * SECOND, Urgency.PROMPT)
    (found,) = (await look_of(scene).numbers()).receivers
    assert (found.orgnr, found.receiver, found.classes[Urgency.PROMPT].oldest) == (ORGNR, "", T0 - 9 * SECOND)


async def test_a_lane_that_has_been_emptied_is_not_looked_at(scene: Scene) -> None:
    trying = await begun(scene)
    await scene.stores.deliveries.end(trying, Step.DELIVER, Outcome(T0))
    assert (await look_of(scene).numbers()).receivers == ()


async def test_what_is_parked_and_how_often_it_was_tried_is_told(scene: Scene) -> None:
    trying = await begun(scene)
    await scene.stores.deliveries.wait(trying, Outcome(T0), T0 + SECOND, f"{ORGNR}/epj")
    (found,) = (await look_of(scene).numbers()).receivers
    assert (found.all.parked, found.tries) == (1, 1)


async def test_what_is_set_aside_is_grouped_by_receiver_and_cause(scene: Scene) -> None:
    for _ in range(2):
        trying = await begun(scene)
        await scene.stores.deliveries.end(trying, Step.QUARANTINE, Outcome(T0, "REC_HTTP_404"), Refusal(404))
    await scene.accept(T0 + SECOND, Urgency.ROUTINE)
    found = await look_of(scene).numbers()
    assert [(each.orgnr, each.receiver, each.cause, each.messages) for each in found.aside] == [
        (ORGNR, "epj", "REC_HTTP_404", 2),
        (ORGNR, "", "HUB_NO_RECEIVER", 1),
    ]
    assert sum(each.aside for each in found.receivers) == 3


async def test_urgent_messages_are_found_by_their_own_age_and_not_by_that_of_who_stands_before_them(
    scene: Scene,
) -> None:
    old = await scene.route(T0 - 3600 * SECOND, Urgency.ROUTINE)
    assert await look_of(scene).urgent(T0) == ()
    alarm = await scene.route(T0 - 61 * SECOND, Urgency.PROMPT, patient=old.event.patient)
    assert alarm.lane == old.lane
    (found,) = await look_of(scene).urgent(T0 - 60 * SECOND)
    assert (found.receiver, found.prompt.oldest, found.prompt.messages) == ("epj", T0 - 61 * SECOND, 1)
    assert await look_of(scene).urgent(T0 - 62 * SECOND) == ()


async def test_one_receiver_with_more_lanes_than_are_looked_at_hides_nobody(scene: Scene) -> None:
    for age in range(100, 110):
        await scene.route(T0 - age * SECOND, Urgency.ROUTINE, ORGNR)
    for age in range(10, 13):
        await scene.route(T0 - age * SECOND, Urgency.ROUTINE, NEIGHBOUR)
    found = await look_of(scene, most=4).numbers()
    assert found.at_least
    told = {each.orgnr: (each.all.oldest, each.all.messages, each.at_least) for each in found.receivers}
    assert told == {ORGNR: (T0 - 109 * SECOND, 4, True), NEIGHBOUR: (T0 - 12 * SECOND, 3, False)}


async def test_lanes_long_past_their_due_time_are_counted(scene: Scene) -> None:
    await scene.put_back(T0 - 3600 * SECOND, Urgency.ROUTINE)
    for age in (3600, 1800):
        await scene.route(T0 - age * SECOND, Urgency.ROUTINE)
    assert await look_of(scene).overdue(T0) == {"events": 1, "deliveries": 2}
    assert await look_of(scene).overdue(T0 - 7200 * SECOND) == {}
