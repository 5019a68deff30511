"""Answers that no server should give, written to the connection itself where HTTP's own library would not."""

import asyncio
import socket
import struct
from typing import Final

from aiohttp import web

MODES: Final = ("huge", "endless", "drip", "drip-headers", "endless-headers", "not-http")
HUGE: Final = 64 * 1024 * 1024
_PIECE: Final = bytes(64 * 1024)
_DRIP_S: Final = 0.05
_BEGUN: Final = b"HTTP/1.1 201 Created\r\nContent-Type: application/fhir+json\r\n"


def cut(request: web.Request) -> web.Response:
    """Drop the connection as a crashed server does: the client sees a reset, not an orderly end."""
    transport = request.transport
    if transport is not None:
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


async def answer(mode: str, request: web.Request, status: int = 201) -> web.StreamResponse:
    """One of MODES. Goes on until all is said, or the client has had enough."""
    if mode in ("huge", "endless", "drip"):
        return await _body(mode, request, status)
    transport = request.transport
    if transport is None or transport.is_closing():
        return web.Response(status=500)
    if mode == "not-http":
        transport.write(b"I am no web server.\r\n\r\n")
    else:
        transport.write(_BEGUN)
        number = 0
        while not transport.is_closing():
            number += 1
            transport.write(b"X-Much-%d: %s\r\n" % (number, b"x" * 100) if mode == "endless-headers" else b"x")
            await asyncio.sleep(0 if mode == "endless-headers" and number % 100 else _DRIP_S)
    return cut(request)


async def _body(mode: str, request: web.Request, status: int) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": "text/plain"})
    if mode == "huge":
        response.content_length = HUGE
    await response.prepare(request)
    sent = 0
    try:
        while mode != "huge" or sent < HUGE:
            await response.write(b"x" if mode == "drip" else _PIECE)
            sent += len(_PIECE)
            if mode == "drip":
                await asyncio.sleep(_DRIP_S)
    except ConnectionError:
        # The client has had enough.
        pass
    return response
