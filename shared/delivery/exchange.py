"""One HTTP call to a receiver, and what went wrong with it in a word. The status is what counts, once it is read."""

import asyncio
import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from shared.delivery.addresses import Forbidden, scheme
from shared.delivery.answers import Call

FORBIDDEN: Final = "HUB_ADDRESS_FORBIDDEN"
TLS: Final = "REC_TLS"
NO_ANSWER: Final = "REC_NO_ANSWER"
UNREACHABLE: Final = "REC_UNREACHABLE"
CONNECTION_LOST: Final = "REC_CONNECTION_LOST"
BAD_ANSWER: Final = "REC_BAD_ANSWER"

MOST: Final = 64 * 1024
"""Bytes of an answer that are read, so that its connection can be used again."""
_READING_S: Final = 1.0
"""Seconds for the rest of an answer whose status is known."""
_LARGE: Final = 1024 * 1024
"""aiohttp gives anything larger to the socket piece by piece only when it comes as a file."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answered."""

    call: Call
    retry_after: str | None
    said: bytes = field(repr=False)
    """As much of its body as came, and was to be read."""


class NoReply(Exception):
    """The call brought no status. `code` is one of this module's; `detail` and `number` are OpenSSL's, for TLS."""

    def __init__(self, code: str, detail: str = "", number: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.number = number


async def exchange(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: bytes, deadline: float
) -> Reply:
    """Post a body and read the answer. `deadline` is of the loop's clock. Raises NoReply.

    Never follows a redirect: bytes go where the register says and nowhere else.
    """
    if not scheme(url):
        raise NoReply(FORBIDDEN)
    loop = asyncio.get_running_loop()
    began = loop.time()
    data = io.BytesIO(body) if len(body) > _LARGE else body
    try:
        async with asyncio.timeout_at(deadline):
            response = await session.post(url, data=data, headers=headers, allow_redirects=False)
    except (aiohttp.ClientError, OSError) as error:
        raise why(error) from None
    ms = round((loop.time() - began) * 1000)
    async with response:
        said = await _said(response)
        call = Call(response.url.host or "", response.status, ms)
        return Reply(call, response.headers.get("Retry-After"), said)


def why(error: aiohttp.ClientError | OSError) -> NoReply:
    """What an error of aiohttp's means. TimeoutError is an OSError too."""
    # aiohttp's own errors are OpenSSL's by class, but what OpenSSL said is in the one below.
    below = error.__cause__ or error
    if isinstance(below, ssl.SSLCertVerificationError):
        return NoReply(TLS, below.reason, below.verify_code)
    if isinstance(below, ssl.SSLError):
        return NoReply(TLS, getattr(below, "reason", None) or "")
    if isinstance(error, ssl.SSLError | aiohttp.ClientSSLError | ssl.CertificateError):
        return NoReply(TLS)
    if isinstance(error, aiohttp.InvalidURL) or (
        isinstance(error, aiohttp.ClientConnectorError) and isinstance(below, Forbidden)
    ):
        return NoReply(FORBIDDEN)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return NoReply(UNREACHABLE)
    if isinstance(error, TimeoutError):
        return NoReply(NO_ANSWER)
    return NoReply(BAD_ANSWER if isinstance(error, aiohttp.ClientResponseError) else CONNECTION_LOST)


async def _said(response: aiohttp.ClientResponse) -> bytes:
    """The answer's body as far as it is wanted; whatever happens to it, the status stands."""
    said = bytearray()
    try:
        async with asyncio.timeout(_READING_S):
            async for chunk in response.content.iter_any():
                said += chunk
                if len(said) > MOST:
                    break
    except (aiohttp.ClientError, OSError):
        pass
    return b"" if response.headers.get("Content-Encoding", "identity").lower() != "identity" else bytes(said[:MOST])
