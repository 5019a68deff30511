"""Posts a message to an EPJ over HTTP: the bytes as they were received, and who they are in the headers."""

from typing import Protocol

import aiohttp

from shared.clock import Clock
from shared.delivery.answers import Answer, Later, from_status
from shared.messages.model import Delivery
from shared.registry.model import Receiver

CONTENT_TYPE = "application/fhir+json"

_MOST = 64 * 1024
"""Bytes of an answer that are read, so that its connection can be used again; its words are not looked at."""


class ReceiverClient(Protocol):
    """Hands a message to a receiver."""

    async def post(self, receiver: Receiver, delivery: Delivery, body: bytes, traceparent: str) -> Answer:
        """One try. Never raises for what the receiver or the network does: that is an answer too."""


class HttpReceiver:
    """FHIR over HTTP. One session is kept open for the life of the process."""

    def __init__(self, timeout_s: float, clock: Clock) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, 5.0))
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def post(self, receiver: Receiver, delivery: Delivery, body: bytes, traceparent: str) -> Answer:
        """See ReceiverClient."""
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Idempotency-Key": delivery.id,
            "Correlation-Id": delivery.event.correlation_id,
            **({"traceparent": traceparent} if traceparent else {}),
        }
        try:
            async with self._open().post(receiver.url, data=body, headers=headers, allow_redirects=False) as response:
                await _read_some(response)
                return from_status(response.status, response.headers.get("Retry-After"), self._clock())
        except TimeoutError:
            return Later("REC_NO_ANSWER")
        except aiohttp.ClientConnectorError:
            return Later("REC_UNREACHABLE")
        except (aiohttp.ClientError, OSError):
            return Later("REC_CONNECTION_LOST")

    async def close(self) -> None:
        """Close the session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=100, limit_per_host=20),
            )
        return self._session


async def _read_some(response: aiohttp.ClientResponse) -> None:
    read = 0
    async for chunk in response.content.iter_any():
        read += len(chunk)
        if read > _MOST:
            return
