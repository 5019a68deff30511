"""A journal, the real client before it, and a message to hand over."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from sandbox.epj.server import Epj
from shared.delivery.addresses import Rules
from shared.delivery.answers import Answer
from shared.delivery.receiver import HttpReceiver
from shared.identity.series import Environment
from shared.messages.lanes import Lane
from shared.messages.model import Delivery, Event
from shared.registry.model import Receiver

ORGNR = "310000019"
PATH = f"/fhir/{ORGNR}/epj"
MESSAGE = b'{ "resourceType": "Bundle",\r\n "total": 1.10 }\n'
NOW = datetime(2026, 1, 15, 8, tzinfo=UTC)
TEST = Rules(Environment.TEST)


@dataclass(slots=True)
class Hands:
    """A clock that is moved by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


class Kept:
    """Secrets by name, changed by tests."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.by_name.get(name)


@dataclass(slots=True)
class Desk:
    """The client under test, and what it is given."""

    client: HttpReceiver
    http: aiohttp.ClientSession
    epj: Epj
    clock: Hands
    kept: Kept = field(default_factory=Kept)

    def receiver(
        self, url: str = "", id: str = "epj", secret: Mapping[str, Any] | None = None, **more: Any
    ) -> Receiver:
        """One with this secret, at the journal unless an address is given."""
        name = f"{ORGNR}-{id}" if secret is not None else ""
        if secret is not None:
            self.kept.by_name[name] = json.dumps(secret)
        return Receiver(id, url or self.epj.url + PATH, credentials=name, **more)

    async def hand(self, receiver: Receiver, key: str = "d1", body: bytes = MESSAGE, orgnr: str = ORGNR) -> Answer:
        """One try."""
        return await self.client.post(receiver, delivery(key, body, orgnr), body, "")

    async def received(self) -> list[dict[str, Any]]:
        """What the journal holds."""
        return await self.epj.received.facts()

    async def tell(self, place: str, **wish: Any) -> dict[str, Any]:
        """Ask the journal for something."""
        async with self.http.post(f"{self.epj.url}/{place}", json=wish) as answer:
            assert answer.status == 200, await answer.text()
            facts: dict[str, Any] = await answer.json()
            return facts

    async def behave(self, mode: str, **how: Any) -> None:
        """Tell the journal how to behave."""
        await self.tell("behave", mode=mode, **how)


def delivery(key: str, body: bytes = MESSAGE, orgnr: str = ORGNR) -> Delivery:
    """A message on its way."""
    event = Event(
        id="e1", lane=Lane("lane"), patient="p", orgnr=orgnr, resource="bundle", resource_type="Bundle", sender="v",
        sha256=hashlib.sha256(body).hexdigest(), size=len(body), content_type="application/fhir+json",
        correlation_id="c1", traceparent="", received_at=NOW,
    )  # fmt: skip
    return Delivery(key, Lane("out"), "epj", 1, NOW, event)


@asynccontextmanager
async def desk(
    epj: Epj,
    http: aiohttp.ClientSession,
    *,
    timeout_s: float = 10.0,
    rules: Rules = TEST,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[Desk]:
    """A client of its own."""
    clock, kept = Hands(), Kept()
    client = HttpReceiver(timeout_s, clock, rules, kept, resolver)
    try:
        yield Desk(client, http, epj, clock, kept)
    finally:
        await client.close()
