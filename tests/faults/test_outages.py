"""Outages, as those who call the hub see them; what becomes of the messages is the fault rig's (test_rig.py)."""

from collections.abc import AsyncIterator

import pytest

from tests.flow.hub import World, until, world
from tests.messages import alarm


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub that these tests may cut off; each leaves it whole."""
    async with world(tmp_path_factory.mktemp("outages")) as running:
        yield running


@pytest.fixture(autouse=True)
async def well_behaved(hub: World) -> AsyncIterator[None]:
    """The EPJ and the endpoints behave again after each test."""
    yield
    await hub.behave("ok")
    await hub.cosmos_fault(refuse=False)
    await hub.servicebus_fault(refuse=False)


async def test_one_patients_trouble_holds_up_no_other_patient(hub: World) -> None:
    stuck = alarm("80100")
    location = await hub.accepted(stuck)
    await hub.reaches(location, "delivered")
    # From now on only that patient's next message is answered with an error.
    blocked = alarm("80100", text="Den som venter")
    await hub.behave("500", count=1000)
    waiting = await hub.accepted(blocked)
    await hub.reaches(waiting, "waiting")
    key = f"{waiting.split('/')[-2]}.epj"
    await hub.behave("500", count=1000, idempotencyKey=key)
    await hub.behave("ok")
    behind = await hub.accepted(alarm("80100", text="Den bak"))
    others = [alarm(f"8011{number}") for number in range(5)]
    for body in others:
        await hub.accepted(body)
    for body in others:
        await hub.arrives(body)
    assert await hub.got(blocked) is None
    assert (await hub.vendor.status(behind))["state"] == "routed"
    await hub.behave("ok", idempotencyKey=key)
    await hub.reaches(behind, "delivered")


async def test_a_lost_answer_leads_to_one_more_call_with_the_same_key(hub: World) -> None:
    await hub.behave("accept-then-drop", count=1)
    body = alarm()
    location = await hub.accepted(body)
    status = await hub.reaches(location, "delivered")
    assert status["receivers"][0]["attempts"] == 2
    assert (await hub.arrives(body))["calls"] == 2


@pytest.mark.parametrize("mode", ["400", "409"])
async def test_what_the_epj_will_never_take_is_put_aside_and_the_lane_goes_on(hub: World, mode: str) -> None:
    await hub.behave(mode, count=1)
    refused = await hub.accepted(alarm(f"80200-{mode}"))
    status = await hub.reaches(refused, "quarantined")
    assert status["failed"] is not None
    assert status["receivers"][0]["reason"] == f"REC_HTTP_{mode}"
    following = alarm(f"80200-{mode}")
    await hub.accepted(following)
    await hub.arrives(following)


async def test_service_bus_out_of_reach_is_503_and_recovers_without_a_restart(hub: World) -> None:
    await hub.servicebus_fault(refuse=True)
    body = alarm()
    for _ in range(3):
        answer = await hub.post(body)
        assert answer.status == 503
        assert answer.issues[0].code in {"transient", "timeout"}
    async with hub.http.get(f"{hub.api}/health") as health:
        assert (await health.json())["dependencies"]["servicebus"] == "unreachable"
    pids = dict(hub.hub.pids)
    await hub.servicebus_fault(refuse=False)

    async def accepted() -> bool:
        return (await hub.post(body)).status == 202

    await until(accepted, "the hub to take messages again")
    assert (await hub.arrives(body))["calls"] == 1
    assert hub.hub.pids == pids


@pytest.mark.parametrize("mode", ["drop", "503"])
async def test_cosmos_out_of_reach_is_503_with_retry_after_and_recovers_without_a_restart(
    hub: World, mode: str
) -> None:
    await hub.cosmos_fault(refuse=True, mode=mode)
    body = alarm()
    headers = {"Authorization": f"Bearer {await hub.vendor.token()}"}
    url = f"{hub.api}/epj/r4/{hub.hub.addresses.orgnr}/bundle"
    async with hub.http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
    await hub.cosmos_fault(refuse=False)

    async def accepted() -> bool:
        return (await hub.post(body)).status == 202

    await until(accepted, "the hub to take messages again")
    assert (await hub.arrives(body))["calls"] == 1
