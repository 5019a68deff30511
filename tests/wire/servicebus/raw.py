"""A client of few words on the codec, for what no SDK does: odd frames, one connection with many links, odd tokens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sandbox.amqp import codec


class Raw:
    """One connection. Everything received is kept in `got`, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames = codec.Frames(1 << 20)
        self.got: list[Any] = []
        self._unasked: list[Any] = []

    def send(self, *items: bytes | codec.Performative) -> None:
        self._writer.write(b"".join(item if isinstance(item, bytes) else codec.frame(0, item) for item in items))

    async def expect[T](self, kind: type[T], which: Callable[[T], bool] = lambda _: True) -> T:
        """The first performative of a kind that was not asked for yet. Raises ConnectionError when none comes."""
        return (await self._expect(kind, which))[0]

    async def _expect[T](self, kind: type[T], which: Callable[[T], bool] = lambda _: True) -> tuple[T, bytes]:
        async with asyncio.timeout(10):
            while True:
                for at, item in enumerate(self._unasked):
                    found = getattr(item, "performative", None)
                    if isinstance(found, kind) and which(found):
                        del self._unasked[at]
                        return found, getattr(item, "payload", b"")
                await self._read()

    def all[T](self, kind: type[T]) -> list[T]:
        """Every performative of a kind that has been received."""
        found = [getattr(one, "performative", None) for one in self.got]
        return [one for one in found if isinstance(one, kind)]

    async def expect_payload(self) -> bytes:
        """The payload of the next transfer."""
        return (await self._expect(codec.Transfer))[1]

    async def ended(self) -> bool:
        """Whether the server closes the connection without another word."""
        try:
            async with asyncio.timeout(10):
                while True:
                    await self._read()
        except ConnectionError:
            return True

    async def _read(self) -> None:
        data = await self._reader.read(65536)
        if not data:
            raise ConnectionError("the server has closed the connection")
        items = list(self._frames.feed(data))
        self.got.extend(items)
        self._unasked.extend(items)

    async def put_token(self, token: str, audience: str) -> int:
        """Put a token to `$cbs`. Returns the status."""
        request = codec.Message(
            properties=codec.Properties(message_id="cbs-1", reply_to="cbs-reply"),
            application_properties={
                "operation": "put-token",
                "type": "servicebus.windows.net:sastoken",
                "name": audience,
            },
            value=token,
        )
        self.send(
            codec.Attach("cbs-out", 200, codec.SENDER, source=codec.Source("$cbs"), target=codec.Target("$cbs")),
            codec.Attach("cbs-in", 201, codec.RECEIVER, source=codec.Source("$cbs"), target=codec.Target("cbs-reply"),
                         initial_delivery_count=0),
            codec.Flow(0, 1000, 0, 1000, 201, 0, 10),
            codec.frame(0, codec.Transfer(200, 0, b"t", 0, True), codec.build(request)),
        )  # fmt: skip
        reply = codec.parse(await self.expect_payload())
        assert reply.properties.correlation_id == "cbs-1"
        self.send(codec.Detach(200, True), codec.Detach(201, True))
        await self.expect(codec.Detach, lambda detach: detach.handle == 201)
        self._unasked.clear()
        return int(reply.application_properties["status-code"])


@asynccontextmanager
async def connect(port: int, *, begin: bool = True) -> AsyncIterator[Raw]:
    """A connection, opened and with a session begun unless told otherwise."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw = Raw(reader, writer)
    try:
        if begin:
            raw.send(
                codec.SASL_HEADER,
                codec.sasl_frame(codec.SaslInit("ANONYMOUS")),
                codec.AMQP_HEADER,
                codec.Open("raw"),
                codec.Begin(None, 0, 5000, 5000),
            )
            await raw.expect(codec.Begin)
        yield raw
    finally:
        writer.close()


def receiver(name: str, handle: int, queue: str, session: object = ..., **properties: object) -> codec.Attach:
    """An attach that receives from a queue, or from a session of it."""
    wanted = None if session is ... else {codec.Symbol("com.microsoft:session-filter"): session}
    return codec.Attach(
        name, handle, codec.RECEIVER, 0, 1, codec.Source(queue, filter=wanted), codec.Target(name),
        properties={codec.Symbol(f"com.microsoft:{key}"): value for key, value in properties.items()} or None,
    )  # fmt: skip


def sender(name: str, handle: int, queue: str) -> codec.Attach:
    """An attach that sends to a queue."""
    return codec.Attach(
        name, handle, codec.SENDER, source=codec.Source(name), target=codec.Target(queue), initial_delivery_count=0
    )
