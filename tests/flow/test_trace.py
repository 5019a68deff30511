"""A message's whole road is one trace, over the queue and through a failed try, and `hub trace` shows it.

That nothing personal is in it is looked at when the hub has ended, as for every hub here (`tests.flow.sweep`).
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.cli.main import main
from sandbox.hub_parts import ORGNR, TELEMETRY
from sandbox.telemetry.story import Node, Story, of_message
from sandbox.vendor import message_id
from shared.tracing import TOLD
from tests.flow.hub import World, until, world
from tests.messages import alarm
from tests.unit.identity.numbers import issued


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("trace")) as running:
        yield running


def spans(nodes: tuple[Node | dict[str, object], ...] | list[Node | dict[str, object]]) -> Iterator[Node]:
    for each in nodes:
        if isinstance(each, Node):
            yield each
            yield from spans(each.inside)


def codes(node: Node) -> list[str]:
    return [each["attributes"]["code_"] for each in node.inside if not isinstance(each, Node)]


async def told(here: World, id: str, *codes_: str) -> Story:
    """What was collected, when it holds these lines: it is exported once a second."""

    async def look() -> Story | None:
        story = await asyncio.to_thread(of_message, here.hub.folder / TELEMETRY, id)
        seen = [code for node in spans(story.roots) for code in codes(node)]
        return story if all(seen.count(each) >= codes_.count(each) for each in codes_) else None

    return await until(look, f"the trace to tell {codes_}")


async def posted(here: World, body: bytes, traceparent: str) -> tuple[int, str]:
    """Status and Location."""
    headers = {"Authorization": f"Bearer {await here.vendor.token()}", "traceparent": traceparent}
    async with here.http.post(f"{here.api}/epj/r4/{ORGNR}/bundle", data=body, headers=headers) as answer:
        return answer.status, answer.headers.get("Location", "")


async def test_a_message_is_one_trace_from_the_vendors_call_to_the_journals_answer(here: World) -> None:
    trace = os.urandom(16).hex()
    body = alarm(issued(9, 84, 52))
    status, location = await posted(here, body, f"00-{trace}-00f067aa0ba902b7-01")
    assert status == 202
    received = await here.arrives(body)
    id = message_id(location)
    story = await told(here, id, "HUB-1001", "HUB-3001")
    found = {each.span["name"]: each for each in spans(story.roots)}
    assert story.traces == (trace,)
    assert list(found) == ["accept", "deliver", "epj call"]
    above = {name: each.span["parentSpanId"] for name, each in found.items()}
    assert [above[name] for name in ("deliver", "epj call")] == [
        found[name].span["spanId"] for name in ("accept", "deliver")
    ]
    assert {name: codes(each) for name, each in found.items()} == {
        "accept": ["HUB-1001"], "deliver": ["HUB-3001"], "epj call": [],
    }  # fmt: skip
    (accepted,) = [each for each in found["accept"].inside if not isinstance(each, Node)]
    assert accepted["attributes"]["count"] == 1, "it says how many get it"
    # The journal's own spans go on below the call it got.
    assert received["traceparent"] == f"00-{trace}-{found['epj call'].span['spanId']}-01"
    assert found["epj call"].span["attributes"]["status"] == 201
    links = {each["link"]: each for each in found["deliver"].span["links"]}
    assert links["stored"]["spanId"] == found["accept"].span["spanId"]
    # The host's own, of the signal: that is no message's and so another trace.
    assert links["taken-up-by"]["traceId"] != trace
    assert {name for each in found.values() for name in each.span["attributes"]} <= TOLD
    assert not any(each.span["failed"] for each in found.values())


async def test_each_try_is_a_span_and_the_failed_ones_say_why(here: World) -> None:
    await here.behave("503", count=2)
    location = await here.accepted(alarm(issued(11, 85, 63)))
    await here.reaches(location, "delivered")
    story = await told(here, message_id(location), "HUB-3001", "HUB-3002", "HUB-3002")
    tries = [each for each in spans(story.roots) if each.span["name"] == "deliver"]
    attempts = [each.span["attributes"]["attempt"] for each in tries]
    assert attempts == sorted(attempts)
    assert [each.span["attributes"].get("code") for each in tries] == ["REC_HTTP_503", "REC_HTTP_503", None]
    assert [each.span["failed"] for each in tries] == [True, True, False]
    assert len(story.traces) == 1


async def test_a_refused_call_is_in_the_trace_and_no_failure_of_the_hub(here: World) -> None:
    trace = os.urandom(16).hex()
    status, _ = await posted(here, b'{"resourceType": "Bundle"}', f"00-{trace}-00f067aa0ba902b7-01")
    assert status in (400, 422)
    story = await told(here, trace, "HUB-1003")
    (accept,) = spans(story.roots)
    assert accept.span["attributes"]["outcome"] == "refused"
    assert not accept.span["failed"]


async def test_hub_trace_prints_the_tree(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    location = await here.accepted(alarm(issued(12, 86, 64)))
    await here.reaches(location, "delivered")
    id = message_id(location)
    await told(here, id, "HUB-1001", "HUB-3001")
    folder = str(here.hub.folder)
    assert await asyncio.to_thread(main, ["trace", location, "--data", folder]) == 0
    shown = capsys.readouterr().out.splitlines()
    order = [
        next(at for at, line in enumerate(shown) if f"{name}  " in line) for name in ("accept", "deliver", "epj call")
    ]
    assert order == sorted(order)
    assert not any("route  " in line for line in shown)
    assert any("HUB-3001 Delivered" in line for line in shown)
    assert await asyncio.to_thread(main, ["trace", id, "--data", folder, "--json"]) == 0
    told_ = json.loads(capsys.readouterr().out)
    assert told_["id"] == id
    assert told_["tree"][0]["inside"]
    assert await asyncio.to_thread(main, ["trace", "nobody", "--data", str(Path(folder) / "nothing")]) == 1


async def test_a_collector_that_is_away_keeps_no_message_waiting(here: World) -> None:
    here.hub.auto_restart = False
    await here.hub.kill(TELEMETRY)
    body = alarm(issued(13, 87, 65))
    location = await here.accepted(body)
    await here.arrives(body)
    await here.hub.restart(TELEMETRY)
    here.hub.auto_restart = True
    await here.reaches(location, "delivered")
