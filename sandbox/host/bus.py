"""One Service Bus namespace as the host's listeners see it: one AMQP connection for all of them, kept open for ever.

The connection is logged in per queue by a SAS token on `$cbs`, renewed before it expires. When the broker is away it is
tried again with backoff until it is back; listeners wait in `connected`.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from sandbox.amqp.codec import Array, Message, Symbol, Timestamp
from sandbox.host.amqp_client import AmqpError, Connection
from sandbox.host.amqp_links import Requests
from sandbox.host.settings import StartRefused

log = logging.getLogger("host.servicebus")

TOKEN_LIFETIME = timedelta(hours=1)
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 1.0
"""Waits between attempts to reach the broker: doubled each time, with jitter."""

_UUID_ARRAY = 0x98


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where the broker is and the key to it (a secret)."""

    host: str
    port: int
    key_name: str
    key: str


def namespace(connection_string: str) -> Namespace:
    """A connection string of the emulator's form. Raises StartRefused; the message does not hold the key."""
    parts = dict(part.split("=", 1) for part in connection_string.strip().rstrip(";").split(";") if "=" in part)
    fields = {name.strip().lower(): value.strip() for name, value in parts.items()}
    try:
        endpoint = urlsplit(fields["endpoint"])
        key_name, key = fields["sharedaccesskeyname"], fields["sharedaccesskey"]
        host, port = endpoint.hostname or "", endpoint.port or 5672
    except (KeyError, ValueError):
        raise StartRefused(
            "a Service Bus connection string needs Endpoint=sb://host:port;SharedAccessKeyName=…;SharedAccessKey=…"
        ) from None
    if fields.get("usedevelopmentemulator", "").lower() != "true":
        raise StartRefused("the local host speaks plain TCP only: UseDevelopmentEmulator=true is missing")
    return Namespace(host, port, key_name, key)


def sas_token(space: Namespace, resource: str, expires: int) -> str:
    """A shared access signature for a resource until a Unix time (docs: service-bus-sas)."""
    encoded = quote(resource, safe="")
    signature = hmac.new(space.key.encode(), f"{encoded}\n{expires}".encode(), hashlib.sha256).digest()
    signed = quote(base64.b64encode(signature), safe="")
    return f"SharedAccessSignature sr={encoded}&sig={signed}&se={expires}&skn={space.key_name}"


class Bus:
    """The shared connection to one namespace. `run` keeps it; `connected` gives it."""

    def __init__(
        self,
        space: Namespace,
        queues: Iterable[str],
        token_lifetime: timedelta = TOKEN_LIFETIME,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._space = space
        self._queues = tuple(dict.fromkeys(queues))
        self._token_lifetime = token_lifetime.total_seconds()
        self._now = now
        self._connection: Connection | None = None
        self._available = asyncio.Event()
        self._closing = False
        self._management: dict[str, Requests] = {}

    async def connected(self) -> Connection:
        """The open connection; waits for as long as there is none."""
        while self._connection is None or self._connection.closed.done():
            self._available.clear()
            await self._available.wait()
        return self._connection

    async def run(self) -> None:
        """Keep a connection open until cancelled."""
        wait, reported = FIRST_WAIT_S, False
        while True:
            try:
                connection = await Connection.open(self._space.host, self._space.port, f"host-{uuid.uuid4().hex[:8]}")
                try:
                    cbs = Requests(connection, "$cbs")
                    await self._authorise(cbs)
                    self._management = {}
                    self._connection = connection
                    self._available.set()
                    if reported:
                        log.warning("connected to the Service Bus broker again")
                    wait, reported = FIRST_WAIT_S, False
                    await self._until_lost(connection, cbs)
                    if self._closing:
                        return
                finally:
                    connection.abort()
                reason = "the connection was lost"
            except (OSError, AmqpError) as error:
                reason = str(error) or type(error).__name__
            if not reported:
                log.warning("the Service Bus broker cannot be reached (%s); trying again until it can", reason)
                reported = True
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def close(self) -> None:
        """Close the connection in good order, if there is one; `run` ends."""
        self._closing = True
        if self._connection is not None:
            await self._connection.close()

    async def renew_session(self, connection: Connection, queue: str, session: str) -> datetime:
        """Renew a session's lock; until when it is held (UTC). Raises AmqpError."""
        answer = await self._manage(connection, queue, "renew-session-lock", {"session-id": session})
        return datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC)

    async def renew_message(self, connection: Connection, queue: str, token: uuid.UUID) -> datetime:
        """Renew a message's lock; until when it is held (UTC). Raises AmqpError."""
        answer = await self._manage(connection, queue, "renew-lock", {"lock-tokens": Array(_UUID_ARRAY, (token,))})
        return datetime.fromtimestamp(int(next(iter(answer["expirations"]))) / 1000, UTC)

    async def _manage(self, connection: Connection, queue: str, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        node = self._management.get(queue)
        if node is None or node.gone:
            if connection is not self._connection:
                raise AmqpError("amqp:connection:forced", "the connection it was locked over is gone")
            node = self._management[queue] = Requests(connection, f"{queue}/$management")
        answer = await node.ask({"operation": f"com.microsoft:{operation}", "type": "entity-mgmt"}, body)
        _check(answer, "statusCode", "statusDescription", "errorCondition")
        if not isinstance(answer.value, dict):
            raise AmqpError("amqp:internal-error", f"{operation} was answered without a map")
        return answer.value

    async def _authorise(self, cbs: Requests) -> None:
        expires = int(self._now() + self._token_lifetime)
        for queue in self._queues:
            resource = f"sb://{self._space.host}:{self._space.port}/{queue}"
            answer = await cbs.ask(
                {
                    "operation": "put-token",
                    "type": "servicebus.windows.net:sastoken",
                    "name": resource,
                    "expiration": Timestamp(expires * 1000),
                },
                sas_token(self._space, resource, expires),
            )
            _check(answer, "status-code", "status-description", "error-condition")

    async def _until_lost(self, connection: Connection, cbs: Requests) -> None:
        while not connection.closed.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._token_lifetime * 0.75):
                    await asyncio.shield(connection.closed)
                    return
            await self._authorise(cbs)


def _check(answer: Message, code: str, description: str, condition: str) -> None:
    properties = answer.application_properties
    status = properties.get(code)
    if isinstance(status, int) and 200 <= status < 300:
        return
    why = properties.get(condition) or ("amqp:unauthorized-access" if status == 401 else "amqp:internal-error")
    raise AmqpError(str(Symbol(why)), f"{status} {properties.get(description) or ''}".strip())
