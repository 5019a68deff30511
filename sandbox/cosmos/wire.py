"""HTTP/1.1 on a socket, as much as Cosmos DB's clients use.

Not aiohttp's server: here every request carries about 25 headers and does about 50 µs of work, and aiohttp.web took
140 µs of processor time around that (its low-level server 100 µs) against 40 µs for this, measured on the two cores
that everything shares at a thousand requests a second.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import unquote

from sandbox.cosmos.messages import Request, Response

_log = logging.getLogger(__name__)

MAX_HEAD: Final = 64 * 1024
MAX_BODY: Final = 4 * 1024 * 1024
"""Twice the largest document: JSON escapes make a body longer than what is kept of it."""
_MAX_WAITING: Final = 64
"""Requests of one connection read ahead of their answers."""
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_TOO_LARGE: Final = Response(413, '{"code":"RequestEntityTooLarge","message":"Request size is too large"}')
_DEFECT: Final = Response(500, '{"code":"InternalServerError","message":"The sandbox failed to answer; see its log."}')

type Handle = Callable[[Request], Awaitable[Response | None]]
"""Answers a request; None drops the connection."""


class Malformed(Exception):
    """What came is not HTTP that this endpoint reads."""


class Connection(asyncio.Protocol):
    """One client. Requests are answered in the order they came."""

    def __init__(self, handle: Handle, everyone: set["Connection"]) -> None:
        self._handle = handle
        self._everyone = everyone
        self._buffer = bytearray()
        self._waiting: deque[Request] = deque()
        self._busy: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        # Not checked with isinstance: uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._everyone.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol. What was begun is finished: a write may be in a commit with others."""
        self._transport = None
        self._waiting.clear()
        self._everyone.discard(self)

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        try:
            while (request := self._next()) is not None:
                self._waiting.append(request)
        except Malformed as error:
            self._refuse(Response(400, f'{{"code":"BadRequest","message":"{error}"}}'))
            return
        if len(self._waiting) >= _MAX_WAITING and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._go_on()

    def _go_on(self) -> None:
        while self._busy is None and self._waiting:
            request = self._waiting.popleft()
            # Begun at once: most requests are answered without ever waiting.
            task = asyncio.Task(self._answer(request), loop=asyncio.get_running_loop(), eager_start=True)
            if not task.done():
                self._busy = task
                task.add_done_callback(self._done)
        if self._paused and self._transport is not None and not self._waiting:
            self._paused = False
            self._transport.resume_reading()

    def _done(self, _: asyncio.Task[None]) -> None:
        self._busy = None
        self._go_on()

    async def _answer(self, request: Request) -> None:
        try:
            response = await self._handle(request)
        except Exception:  # noqa: BLE001 - the edge of the process: one defect must not end the connection
            _log.exception("a defect while answering %s /%s", request.method, "/".join(request.parts[:4:2]))
            response = _DEFECT
        if response is None:
            self.close()
        else:
            self._send(request, response)

    def _send(self, request: Request, response: Response) -> None:
        if self._transport is None:
            return
        last = request.headers.get("connection", "").lower() == "close"
        self._transport.write(encoded(response, last))
        if last:
            self._transport.close()

    def _refuse(self, response: Response) -> None:
        if self._transport is not None:
            self._transport.write(encoded(response, last=True))
            self._transport.close()
            self._transport = None

    def _next(self) -> Request | None:
        buffer = self._buffer
        if self._unread:
            return self._skip()
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > MAX_HEAD:
                raise Malformed("The head of the request is too long.")
            return None
        method, target, headers = _head(bytes(buffer[:end]))
        if "chunked" in headers.get("transfer-encoding", "").lower():
            raise Malformed("A body must come with its Content-Length.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 12:
            raise Malformed("The Content-Length is not a number.")
        size = int(length)
        start = end + 4
        if size > MAX_BODY:
            # The client must be able to finish sending, else it sees a broken connection instead of the answer.
            self._unread = start + size
            return self._skip()
        if len(buffer) < start + size:
            if headers.get("expect", "").lower() == "100-continue" and len(buffer) == start and self._transport:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body = bytes(buffer[start : start + size])
        del buffer[: start + size]
        path = target.partition("?")[0]
        return Request(method, path, _parts(path), headers, body)

    def _skip(self) -> Request | None:
        gone = min(self._unread, len(self._buffer))
        del self._buffer[:gone]
        self._unread -= gone
        if not self._unread:
            self._refuse(_TOO_LARGE)
        return None


def _head(raw: bytes) -> tuple[str, str, dict[str, str]]:
    lines = raw.decode("latin-1").split("\r\n")
    start = lines[0].split(" ")
    if len(start) != 3 or not start[2].startswith("HTTP/1.") or not start[1].startswith("/"):
        raise Malformed("The first line of the request is not one of HTTP/1.1.")
    return start[0], start[1], dict(map(_header, lines[1:]))


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise Malformed("A header has no colon.")
    return name.lower(), value.strip()


@lru_cache(maxsize=256)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in path.split("/") if part)


def encoded(response: Response, last: bool = False) -> bytes:
    """The bytes of a response. `last`: the connection is closed after it."""
    body = b"" if response.body is None else response.body.encode()
    text = f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n"
    for name, value in response.headers.items():
        text += f"{name}: {value}\r\n"
    if last:
        text += "Connection: close\r\n"
    if body:
        text += "Content-Type: application/json\r\n"
    if response.status not in (204, 304):
        text += f"Content-Length: {len(body)}\r\n"
    return b"%b\r\n%b" % (text.encode("latin-1", "replace"), body)
