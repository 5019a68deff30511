"""What is kept open towards each receiver: its own connections, TLS and token, shared with no other receiver."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver

from shared.clock import Clock
from shared.delivery import tls
from shared.delivery.addresses import Guard, Names, Rules, scheme
from shared.delivery.secrets import Secret, opened
from shared.delivery.tokens import Token, Tokens, fetch
from shared.registry.model import Receiver
from shared.registry.reaching import Auth

_MOST: Final = 256
"""Receivers with something open at once, per instance."""
_IDLE: Final = timedelta(minutes=5)
_CONNECTIONS: Final = 100
"""At once to one receiver, at the very most; how many it should be the gate says."""
_KEEP_OPEN_S: Final = 4.0
"""Shorter than common servers keep an unused connection (Node and uvicorn: 5 s): a message sent on one that is just
being closed is lost, and sent again."""
_CONNECT_S: Final = 5.0


@dataclass(slots=True)
class Line:
    """The way to one receiver."""

    session: aiohttp.ClientSession
    secret: Secret
    tokens: Tokens | None
    made_of: tuple[str | None, ...]
    used: datetime
    users: int = 0
    left: bool = False
    """Another has taken its place; it closes when its last user has gone."""


class Sessions:
    """Lines to receivers: made when first used, made anew when what they are made of changes, closed when idle."""

    def __init__(self, rules: Rules, clock: Clock, resolver: AbstractResolver | None = None, most: int = _MOST) -> None:
        self._rules = rules
        self._clock = clock
        self._resolver = resolver if resolver is not None else Names()
        self._most = most
        self._lines: OrderedDict[tuple[str, str], Line] = OrderedDict()

    @asynccontextmanager
    async def use(self, orgnr: str, receiver: Receiver, text: str | None) -> AsyncIterator[Line]:
        """The way to a municipality's receiver, whose secret has this text now. Raises Unusable."""
        name = (orgnr, receiver.id)
        made_of = (receiver.url, receiver.auth, receiver.credentials, text)
        line = self._lines.get(name)
        gone: list[Line] = []
        if line is None or line.made_of != made_of:
            fresh = self._made(receiver, text, made_of)
            if line is not None:
                gone.append(line)
            line = self._lines[name] = fresh
        self._lines.move_to_end(name)
        line.users += 1
        line.used = self._clock()
        try:
            await self._let_go([*gone, *self._too_many()])
            yield line
        finally:
            line.users -= 1
            if line.left and not line.users:
                await _close(line)

    async def close(self) -> None:
        """Close everything."""
        lines, self._lines = [*self._lines.values()], OrderedDict()
        for line in lines:
            await _close(line)
        await self._resolver.close()

    def _made(self, receiver: Receiver, text: str | None, made_of: tuple[str | None, ...]) -> Line:
        secret = opened(receiver, text)
        context = tls.context(secret.tls)
        urls = (receiver.url, *([secret.oauth2.token_url] if secret.oauth2 is not None else []))
        plain = any(scheme(url) != "https" for url in urls)
        session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": "Knutepunkt", "Accept-Encoding": "identity"},
            connector=aiohttp.TCPConnector(
                ssl=context,
                resolver=self._resolver,
                socket_factory=Guard(self._rules, plain=plain),
                limit=_CONNECTIONS,
                keepalive_timeout=_KEEP_OPEN_S,
            ),
        )
        tokens = None
        if receiver.auth is Auth.OAUTH2 and (client := secret.oauth2) is not None:

            async def ask() -> Token:
                return await fetch(session, client, self._clock)

            tokens = Tokens(ask, self._clock)
        return Line(session, secret, tokens, made_of, self._clock())

    def _too_many(self) -> list[Line]:
        """Lines to let go of, the longest unused first: those idle for long, and those over the bound. In use: none."""
        since = self._clock() - _IDLE
        found = []
        for name, line in [*self._lines.items()]:
            if line.used >= since and len(self._lines) <= self._most:
                break
            if not line.users:
                found.append(self._lines.pop(name))
        return found

    async def _let_go(self, lines: list[Line]) -> None:
        for line in lines:
            line.left = True
            if not line.users:
                await _close(line)


async def _close(line: Line) -> None:
    if line.tokens is not None:
        await line.tokens.close()
    await line.session.close()
