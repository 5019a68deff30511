"""What a receiver answers, and how: each over a real socket, by the real client."""

import asyncio
import hashlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from socket import SO_LINGER, SOL_SOCKET

import aiohttp
import pytest

from sandbox.epj.server import Epj
from shared.delivery.answers import Later, Refused, Taken
from shared.registry.model import Limits, Receiver
from shared.registry.reaching import Meaning
from tests.wire.delivery.handing import MESSAGE, ORGNR, PATH, Desk, desk

HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that speaks as it likes once it has read a request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"


async def test_bytes_arrive_as_they_were_with_the_key(at: Desk) -> None:
    answer = await at.hand(at.receiver(), "k1")
    assert answer == Taken(201)
    assert answer.call is not None
    assert (answer.call.host, answer.call.status) == ("127.0.0.1", 201)
    found = (await at.received())[0]
    assert (found["idempotencyKey"], found["sha256"]) == ("k1", hashlib.sha256(MESSAGE).hexdigest())
    assert (found["correlationId"], found["path"], found["contentType"]) == ("c1", PATH, "application/fhir+json")


async def test_a_message_of_a_mebibyte_and_more_arrives_whole(at: Desk) -> None:
    body = json.dumps({"resourceType": "Bundle", "text": "x" * 1_500_000}).encode()
    assert await at.hand(at.receiver(), body=body) == Taken(201)
    assert (await at.received())[0]["bytes"] == len(body)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422])
async def test_a_permanent_answer_comes_with_the_receivers_words(at: Desk, status: int) -> None:
    await at.behave(str(status))
    answer = await at.hand(at.receiver())
    assert answer == Refused(f"REC_HTTP_{status}", status)
    assert answer.issues == ("transient",)
    assert answer.words == "The journal was told to answer with this status."
    assert answer.words not in repr(answer)


async def test_retry_after_is_told_in_seconds_and_as_a_date(at: Desk) -> None:
    await at.behave("429", retryAfter=7)
    assert await at.hand(at.receiver()) == Later("REC_HTTP_429", timedelta(seconds=7))
    at.clock.now = at.epj.clock()
    await at.behave("503", retryAfter=3600, retryAfterAs="date")
    answer = await at.hand(at.receiver())
    assert isinstance(answer, Later)
    assert answer.retry_after is not None
    assert timedelta(minutes=55) < answer.retry_after <= timedelta(minutes=61)


async def test_a_receiver_that_has_it_already_can_say_so_by_409(at: Desk) -> None:
    await at.behave("409-known")
    plain = at.receiver()
    own = at.receiver(answers={"409": Meaning.TAKEN})
    assert [await at.hand(each) for each in (plain, plain, own)] == [
        Taken(201), Refused("REC_HTTP_409", 409), Taken(409),
    ]  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(at: Desk, status: int) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        location = f"Location: {at.epj.url}{PATH}\r\nContent-Length: 0\r\n\r\n".encode()
        writer.write(HEAD % b"%d Elsewhere" % status + location)
        await writer.drain()

    async with server(talk) as url:
        assert await at.hand(at.receiver(url)) == Later(f"REC_HTTP_{status}")
    assert await at.received() == []


@pytest.mark.parametrize("mode", ["huge", "endless", "drip"])
async def test_a_status_stands_however_long_the_answer_goes_on(at: Desk, mode: str) -> None:
    await at.behave(mode)
    assert await at.hand(at.receiver()) == Taken(201)
    # Its connection is not used again, and its words are nobody's.
    await at.behave("ok")
    assert await at.hand(at.receiver(), "k2") == Taken(201)


async def test_a_refusal_without_end_is_read_so_far_and_no_further(at: Desk) -> None:
    given = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal given
        writer.write(HEAD % b"422 No" + b"\r\n")
        while True:
            writer.write(b"No. " * 16_384)
            await writer.drain()
            given += 65_536

    async with server(talk) as url:
        answer = await at.hand(at.receiver(url))
    assert isinstance(answer, Refused)
    assert 1990 < len(answer.words) <= 2000
    # What stands in the buffers of both sides, not a stream without end.
    assert given < 16 * 1024 * 1024


async def test_a_refusal_that_is_packed_is_not_unpacked(at: Desk) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % b"422 No" + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")
        await writer.drain()

    async with server(talk) as url:
        answer = await at.hand(at.receiver(url))
    assert isinstance(answer, Refused)
    assert answer.words == ""


async def test_a_receiver_that_says_nothing_is_given_up_in_time(epj: Epj, http: aiohttp.ClientSession) -> None:
    silent = asyncio.Event()

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with desk(epj, http, timeout_s=0.2) as at, server(talk) as url:
        assert await at.hand(at.receiver(url)) == Later("REC_NO_ANSWER")
        silent.set()


async def test_a_receivers_own_time_limit_goes_before_the_hubs(epj: Epj, http: aiohttp.ClientSession) -> None:
    async with desk(epj, http, timeout_s=600) as at:
        await at.behave("slow", delayMs=60_000)
        assert await at.hand(at.receiver(limits=Limits(timeout_seconds=1))) == Later("REC_NO_ANSWER")


@pytest.mark.parametrize(("mode", "code"), [("drip-headers", "REC_NO_ANSWER"), ("endless-headers", "REC_BAD_ANSWER")])
async def test_headers_without_end_are_no_answer(epj: Epj, http: aiohttp.ClientSession, mode: str, code: str) -> None:
    async with desk(epj, http, timeout_s=1.0) as at:
        await at.behave(mode)
        assert await at.hand(at.receiver()) == Later(code)


async def test_what_is_not_http_is_no_answer(at: Desk) -> None:
    await at.behave("not-http")
    assert await at.hand(at.receiver()) == Later("REC_BAD_ANSWER")


@pytest.mark.parametrize("mode", ["reset", "accept-then-drop"])
async def test_a_connection_that_is_cut_is_tried_again_with_the_same_key(at: Desk, mode: str) -> None:
    await at.behave(mode, count=1)
    answers = [await at.hand(at.receiver(), "k1") for _ in range(2)]
    assert answers == [Later("REC_CONNECTION_LOST"), Taken(201)]
    assert [entry["idempotencyKey"] for entry in await at.received()] == ["k1"]


async def test_a_reset_after_the_status_does_not_undo_it(at: Desk) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % b"201 Created" + b"Content-Length: 10\r\n\r\n12")
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(talk) as url:
        assert await at.hand(at.receiver(url)) == Taken(201)


async def test_a_receiver_that_is_not_there_is_unreachable(at: Desk) -> None:
    async with server(lambda *_: asyncio.sleep(0)) as url:
        pass
    assert await at.hand(at.receiver(url)) == Later("REC_UNREACHABLE")


async def test_receivers_at_one_address_behave_each_in_its_own_way(at: Desk) -> None:
    other = Receiver("other", f"{at.epj.url}/fhir/{ORGNR}/other")
    await at.behave("500", path=PATH)
    first, second = await asyncio.gather(at.hand(at.receiver(), "k1"), at.hand(other, "k2"))
    assert (first, second) == (Later("REC_HTTP_500"), Taken(201))
