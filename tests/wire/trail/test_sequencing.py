"""From stations to chains: everything once, in order, whoever writes and however often it is read."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.messages import lanes
from shared.messages.documents import Document, Unreachable
from shared.messages.lifecycle import Step
from shared.messages.tries import Outcome as Came
from shared.messages.tries import Refusal as Refused
from shared.messages.tries import Try
from shared.messages.urgency import Urgency
from shared.trail import entries as reading
from shared.trail.chain import chain_of, entry_hash
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.reconciling import Store, reconcile
from shared.trail.refusals import Refusal
from shared.trail.sequencing import Outbox, Sequencer
from shared.trail.writing import TrailWriter
from tests.wire.trail.conftest import T0, Kept, SetClock
from tests.wire.trail.messages import SILENCE, accept, event_of, travel


async def chain(kept: Kept, orgnr: str) -> list[Document]:
    name = chain_of(orgnr, T0)
    found = [
        each async for page in kept.trail.pages("SELECT * FROM c WHERE c.chain = @c", {"@c": name}) for each in page
    ]
    return sorted(found, key=lambda each: int(each["seq"]))


def kinds(documents: Sequence[Document]) -> list[str]:
    return [each["kind"] for each in documents]


def holds_together(documents: Sequence[Document]) -> bool:
    headers = [json.loads(each["header"]) for each in documents]
    hashes = [entry_hash(each["header"]) for each in documents]
    numbered = [each["seq"] for each in headers] == list(range(len(headers)))
    return numbered and [each["prevHash"] for each in headers[1:]] == hashes[:-1]


def sequencer(kept: Kept, name: str = "main", clock: SetClock | None = None) -> Sequencer:
    return Sequencer(
        outboxes=(
            Outbox(f"{name}-messages", kept.feeds.of("messages"), reading.of_message),
            Outbox(f"{name}-refusals", kept.feeds.of("refusals"), reading.of_refusal),
        ),
        positions=kept.kept_positions(),
        writer=kept.writer(),
        clock=clock or kept.clock,
    )


def heartbeat_of(orgnr: str, number: int) -> Entry:
    return Entry(kind=Kind.ROUTED, outcome=Outcome.SUCCESS, occurred=T0, source=f"test/{orgnr}/{number}", orgnr=orgnr)


async def test_each_station_of_a_message_is_one_entry_of_the_municipalitys_chain(kept: Kept, orgnr: str) -> None:
    event = event_of(orgnr, 0, T0)
    await travel(kept.stores, event, T0)
    await sequencer(kept).tick()
    documents = await chain(kept, orgnr)
    assert sorted(kinds(documents)) == sorted(["genesis", "accepted", "routed", "attempt", "attempt", "delivered"])
    assert holds_together(documents)
    bodies: dict[str, Any] = {each["kind"]: json.loads(each["body"]) for each in documents}
    assert bodies["accepted"]["system"] == "trygghetsvakt-test"
    assert bodies["accepted"]["patient"] == event.patient
    assert bodies["delivered"]["receiver"] == "epj"
    failed = next(each for each in documents if json.loads(each["body"]).get("reason") == "REC_HTTP_503")
    assert json.loads(failed["header"])["outcome"] == Outcome.SERIOUS_FAILURE


async def test_a_station_that_is_read_again_is_not_written_again(kept: Kept, orgnr: str) -> None:
    await travel(kept.stores, event_of(orgnr, 0, T0), T0)
    await sequencer(kept).tick()
    before = await chain(kept, orgnr)
    # Another instance that knows nothing of what was read reads everything from the beginning.
    await sequencer(kept, name=f"forgetful-{orgnr}").tick()
    assert await chain(kept, orgnr) == before


async def test_stations_that_come_later_follow_those_that_are_there(kept: Kept, orgnr: str) -> None:
    event = event_of(orgnr, 0, T0)
    await accept(kept.stores, event, "epj")
    one = sequencer(kept)
    await one.tick()
    lane = lanes.toward(event.lane, "epj")
    begun = await kept.stores.deliveries.begin(lane, Urgency.ROUTINE, T0, SILENCE)
    assert isinstance(begun, Try)
    await kept.stores.deliveries.end(begun, Step.QUARANTINE, Came(T0, "HUB_BYTES_DIFFER"), Refused())
    await one.tick()
    documents = await chain(kept, orgnr)
    assert kinds(documents) == ["genesis", "accepted", "routed", "quarantined"]
    assert holds_together(documents)


async def test_a_message_that_nobody_is_there_to_get_is_told_of_as_set_aside(kept: Kept, orgnr: str) -> None:
    await accept(kept.stores, event_of(orgnr, 0, T0))
    await sequencer(kept).tick()
    documents = await chain(kept, orgnr)
    assert kinds(documents) == ["genesis", "accepted", "quarantined"]
    assert json.loads(documents[2]["body"])["reason"] == "HUB_NO_RECEIVER"


async def test_two_writers_of_a_chain_collide_and_nothing_is_lost_or_written_twice(kept: Kept, orgnr: str) -> None:
    entries = [heartbeat_of(orgnr, number) for number in range(40)]
    writers = [kept.writer() for _ in range(4)]
    counts = await asyncio.gather(
        *(writer.append(entries[at : at + 13]) for at in range(0, 40, 9) for writer in writers)
    )
    documents = await chain(kept, orgnr)
    assert sum(counts) == 40
    assert len({each["source"] for each in documents}) == len(documents) == 41
    assert holds_together(documents)


async def test_more_entries_than_a_batch_takes_are_written_in_order(kept: Kept, orgnr: str) -> None:
    assert await kept.writer().append(heartbeat_of(orgnr, number) for number in range(205)) == 205
    documents = await chain(kept, orgnr)
    assert len(documents) == 206
    assert holds_together(documents)


async def test_a_refusal_stands_with_the_municipality_only_when_the_caller_had_got_that_far(
    kept: Kept, orgnr: str
) -> None:
    for code, vkp_id in (("SEND_PROFILE", "v"), ("SEND_ORGNR_UNKNOWN", "v"), ("SEND_TOKEN_EXPIRED", None)):
        refusal = Refusal(T0, code, 422, ("rule-1",), orgnr, "bundle", "c-1", vkp_id, b"{}")
        await kept.stores.refusals.put(refusal.document(), "2026-11-22T12")
    await sequencer(kept).tick()
    documents = await chain(kept, orgnr)
    assert kinds(documents) == ["genesis", "refused"]
    assert json.loads(documents[1]["body"])["reason"] == "SEND_PROFILE"
    hub = [json.loads(each["body"]) for each in await chain(kept, "") if each["kind"] == "refused"]
    assert {"SEND_ORGNR_UNKNOWN", "SEND_TOKEN_EXPIRED"} <= {each["reason"] for each in hub if each["receiver"] == orgnr}


async def test_the_hubs_chain_has_a_sign_of_life_for_every_stretch_of_time(kept: Kept) -> None:
    clock = SetClock()
    one = sequencer(kept, clock=clock)
    before = kinds(await chain(kept, "")).count("heartbeat")
    for _ in range(4):
        clock.forward(seconds=150)
        await one.tick()
        await one.tick()
    assert kinds(await chain(kept, "")).count("heartbeat") - before == 2 + (before == 0)


async def test_a_station_the_feed_never_gave_is_found_and_written_late(kept: Kept, orgnr: str) -> None:
    await accept(kept.stores, event_of(orgnr, 0, T0), "epj")
    store = Store("messages/event", "event", kept.messages, reading.of_event)
    early = await reconcile(store, kept.trail, kept.writer(), T0 - timedelta(days=365), T0 + timedelta(seconds=30))
    assert await chain(kept, orgnr) == []
    assert early.count == 0 or early.oldest is not None
    late = await reconcile(store, kept.trail, kept.writer(), T0 - timedelta(days=365), T0 + timedelta(minutes=5))
    assert late.count >= 2
    assert late.oldest == T0
    assert kinds(await chain(kept, orgnr)) == ["genesis", "accepted", "routed"]
    again = await reconcile(store, kept.trail, kept.writer(), T0 - timedelta(days=365), T0 + timedelta(minutes=5))
    assert again.count == 0


class AnswersLost:
    """The log, whose first answer is lost on the way."""

    def __init__(self, kept: Kept) -> None:
        self._log = kept.trail
        self._lose = True
        self.query, self.pages = kept.trail.query, kept.trail.pages

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        await self._log.create(documents, partition)
        if self._lose:
            self._lose = False
            raise Unreachable("TEST")


async def test_what_was_written_though_the_answer_was_lost_is_not_written_again(kept: Kept, orgnr: str) -> None:
    writer = TrailWriter(AnswersLost(kept), kept.clock, "test")
    first = [heartbeat_of(orgnr, 0)]
    with pytest.raises(Unreachable):
        await writer.append(first)
    assert await writer.append([*first, heartbeat_of(orgnr, 1)]) == 1
    documents = await chain(kept, orgnr)
    assert len(documents) == 3
    assert holds_together(documents)


async def test_a_document_that_nobody_understands_keeps_no_other_out(kept: Kept, orgnr: str) -> None:
    await kept.messages.put({"id": f"odd-{orgnr}", "partition": "odd", "type": "event", "stations": 7}, "odd")
    await accept(kept.stores, event_of(orgnr, 0, T0), "epj")
    progress = await sequencer(kept, name=f"odd-{orgnr}").tick()
    assert progress.unreadable >= 1
    assert kinds(await chain(kept, orgnr)) == ["genesis", "accepted", "routed"]


async def test_where_a_feed_was_read_to_is_kept(kept: Kept, orgnr: str) -> None:
    name = f"kept-{orgnr}"
    await accept(kept.stores, event_of(orgnr, 0, T0), "epj")
    await sequencer(kept, name=name).tick()
    left = await kept.kept_positions().read(f"{name}-messages")
    assert left is not None
    documents, _ = await kept.feeds.of("messages").after(left, 10)
    assert documents == []
