"""Posts a message to an EPJ over HTTP: the bytes as they were received, and who they are in the headers."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Final, Protocol

from aiohttp.abc import AbstractResolver

from shared.clock import Clock
from shared.delivery import meanings
from shared.delivery.addresses import Rules
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.exchange import NO_ANSWER, TLS, NoReply, Reply, exchange
from shared.delivery.secrets import NamedSecrets, Secrets, Unusable
from shared.delivery.sessions import Line, Sessions
from shared.delivery.tokens import NoToken, Token
from shared.delivery.words import issues, words
from shared.identity.series import Environment
from shared.log import LogEvent, log
from shared.messages.model import Delivery
from shared.registry.model import Receiver
from shared.registry.reaching import Auth, Meaning

CONTENT_TYPE: Final = "application/fhir+json"


class ReceiverClient(Protocol):
    """Hands a message to a receiver."""

    async def post(self, receiver: Receiver, delivery: Delivery, body: bytes, traceparent: str) -> Answer:
        """One try. Never raises for what the receiver or the network does: that is an answer too."""


class HttpReceiver:
    """FHIR over HTTP. Belongs to one event loop. What is open towards one receiver is shared with no other."""

    def __init__(
        self,
        timeout_s: float,
        clock: Clock,
        rules: Rules | None = None,
        secrets: Secrets | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._rules = rules if rules is not None else Rules(Environment.PRODUCTION)
        self._secrets = secrets if secrets is not None else NamedSecrets({})
        self._resolver = resolver
        self._sessions: Sessions | None = None

    async def post(self, receiver: Receiver, delivery: Delivery, body: bytes, traceparent: str) -> Answer:
        """See ReceiverClient."""
        orgnr = delivery.event.orgnr
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Accept": CONTENT_TYPE,
            "Idempotency-Key": delivery.id,
            "Correlation-Id": delivery.event.correlation_id,
            **({"traceparent": traceparent} if traceparent else {}),
        }
        deadline = asyncio.get_running_loop().time() + (receiver.limits.timeout_seconds or self._timeout_s)
        try:
            text = await self._secrets.get(receiver.credentials) if receiver.credentials else None
            async with self._open().use(orgnr, receiver, text) as line:
                return await self._try(line, receiver, headers, body, deadline)
        except Unusable as error:
            log(LogEvent.SECRET_UNUSABLE, orgnr=orgnr, receiver=receiver.id, code=error.code, error_type=error.place)
            return Later(error.code)
        except NoToken as error:
            log(LogEvent.NO_TOKEN, orgnr=orgnr, receiver=receiver.id, code=error.code, status=error.status)
            return Later(error.code)
        except NoReply as error:
            if error.code == TLS:
                log(LogEvent.TLS_FAILED, orgnr=orgnr, receiver=receiver.id, code=error.detail, status=error.number)
            return Later(error.code)

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, None
        if sessions is not None:
            await sessions.close()

    def _open(self) -> Sessions:
        if self._sessions is None:
            self._sessions = Sessions(self._rules, self._clock, self._resolver)
        return self._sessions

    async def _try(
        self, line: Line, receiver: Receiver, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> Answer:
        """The call, and once more with a new token when the first one was not good enough."""
        token = await _in_time(line.tokens.get(), deadline) if line.tokens is not None else None
        reply = await exchange(line.session, receiver.url, {**headers, **_shown(line, receiver, token)}, body, deadline)
        # Whatever a receiver's 401 means: it is not said of the message before the token was a new one.
        if line.tokens is not None and token is not None and meanings.meaning(reply.call.status, {}) == "renew":
            another = await _in_time(line.tokens.renewed(token), deadline)
            if another is not None:
                token, shown = another, _shown(line, receiver, another)
                reply = await exchange(line.session, receiver.url, {**headers, **shown}, body, deadline)
        if line.tokens is not None and token is not None and reply.call.status != 401:
            line.tokens.accepted(token)
        return self._answer(reply, receiver)

    def _answer(self, reply: Reply, receiver: Receiver) -> Answer:
        status = reply.call.status
        match meanings.meaning(status, receiver.answers):
            case Meaning.TAKEN:
                return Taken(status, reply.call)
            case Meaning.LATER:
                return Later(
                    f"REC_HTTP_{status}",
                    meanings.wait(reply.retry_after, self._clock()),
                    issues(reply.said),
                    words(reply.said),
                    reply.call,
                )
            case _:
                # What could be renewed has been: nobody is let in with what the hub has.
                return Refused(f"REC_HTTP_{status}", status, issues(reply.said), words(reply.said), reply.call)


def _shown(line: Line, receiver: Receiver, token: Token | None) -> dict[str, str]:
    """What lets the hub in."""
    if token is not None:
        return {"Authorization": f"Bearer {token.text}"}
    if receiver.auth is Auth.API_KEY and (key := line.secret.api_key) is not None:
        return {key.header: key.value.get_secret_value()}
    return {}


async def _in_time[T](token: Awaitable[T], deadline: float) -> T:
    """A token, or no answer: waiting for one is a part of the try."""
    try:
        async with asyncio.timeout_at(deadline):
            return await token
    except TimeoutError:
        raise NoReply(NO_ANSWER) from None
