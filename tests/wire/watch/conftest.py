"""The watch over the real Cosmos SDK, with a clock of the tests' own, and the sandbox's mailbox for its notices."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sandbox.alerts.server import Alerts
from sandbox.alerts.server import serve as serve_alerts
from sandbox.cosmos import Served, serve
from sandbox.stores import Stores, open_stores
from sandbox.topology import load
from shared import clock as clocks
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import AlertSettings, CosmosSettings
from shared.azure.watch_parts import WatchParts
from shared.messages import lanes
from shared.messages.events import Receipt
from shared.messages.intake import Keeping
from shared.messages.lifecycle import Step
from shared.messages.model import Delivery, Event
from shared.messages.returning import Back, Returning
from shared.messages.urgency import Urgency
from shared.registry.register import Register

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORGNR = "310000019"
NEIGHBOUR = "310000027"

_numbers = count()


@dataclass
class SetClock:
    """A clock that stands where it is put."""

    now: datetime = T0

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **how: float) -> datetime:
        """Move on."""
        self.now += timedelta(**how)
        return self.now


@dataclass
class Scene:
    """A database with what is watched, and the mailbox."""

    served: Served
    stores: Stores
    operations: LazyContainer
    registry: LazyContainer
    cosmos: Cosmos
    alerts: Alerts
    clock: SetClock = field(default_factory=SetClock)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @asynccontextmanager
    async def instance(self, **settings: str) -> AsyncIterator[WatchParts]:
        """The watch as one instance of the app has it."""
        given = {
            "Alerts__webhook": f"{self.alerts.url}/webhook", "Alerts__webhookSecret": self.alerts.secret, **settings,
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value}
        register = Register(self.registry, self.clock, timedelta())
        parts = WatchParts(AlertSettings.model_validate(given), self.cosmos, register, self.clock)
        try:
            yield parts
        finally:
            await parts.close()

    async def accept(self, at: datetime, urgency: Urgency, *receipts: Receipt, event: Event | None = None) -> Event:
        """An event that is accepted: for nobody, unless receivers are named, so that it is set aside."""
        event = event or event_of(ORGNR, at, urgency)
        assert await self.stores.intake.accept(event, b"{}", receipts, Keeping(None, {}, {})) is not None
        return event

    async def put_back(self, at: datetime, urgency: Urgency) -> Event:
        """An event that had no receiver, was put back and is not routed yet."""
        event = await self.accept(at, urgency)
        back = await Returning(self.stores.messages).events(event.lane, (event.id,), Back(Step.RETURN, "", {}), at)
        assert back.ids == (event.id,)
        return event

    async def route(
        self, at: datetime, urgency: Urgency, orgnr: str = ORGNR, receiver: str = "epj", patient: str = ""
    ) -> Delivery:
        """A delivery that waits in its lane."""
        event = event_of(orgnr, at, urgency, patient)
        receipt = Receipt(receiver, lanes.delivery_id(event.id, receiver), lanes.toward(event.lane, receiver))
        await self.accept(at, urgency, receipt, event=event)
        return Delivery(receipt.delivery, receipt.lane, receiver, 0, at, event)

    async def receiver(self, state: str, since: datetime | None = None, receiver: str = "epj") -> None:
        """A receiver's breaker opens or closes."""
        id = f"receiver.{ORGNR}.{receiver}"
        await self.operations.put(
            {"id": id, "type": "receiver", "key": f"{ORGNR}/{receiver}", "orgnr": ORGNR, "receiver": receiver,
             "state": state, "since": clocks.written(since or self.clock.now), "lastCode": "REC_HTTP_500"}, id
        )  # fmt: skip

    def notices(self) -> list[tuple[str, str]]:
        """What the mailbox got by webhook: kind and state, every arrival."""
        bodies: list[dict[str, Any]] = [each["body"] for each in self.alerts.received.all() if each["body"]]
        return [(each["data"]["kind"], each["data"]["state"]) for each in bodies]


def event_of(orgnr: str, at: datetime, urgency: Urgency, patient: str = "") -> Event:
    """An event about a patient of its own, unless one is named."""
    number = next(_numbers)
    patient = patient or f"patient{number}"
    lane = lanes.inbound(orgnr, patient)
    identity = lanes.event_id(
        lane, sender="v", orgnr=orgnr, resource="bundle", business_identifier=None, sha256=f"{number}"
    )
    return Event(
        id=identity, lane=lane, patient=patient, orgnr=orgnr, resource="bundle", resource_type="Bundle",
        sender="v", sha256=f"{number}", size=2, content_type="", correlation_id="c", traceparent="", received_at=at,
        urgency=urgency,
    )  # fmt: skip


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One of one's own for each test: what waits is counted over the whole database."""
    async with (
        serve(tmp_path / "cosmos", load()) as served,
        open_stores(served.connection_string, load().database) as stores,
        serve_alerts(tmp_path / "alerts") as alerts,
        Cosmos(CosmosSettings.model_validate({"Cosmos": served.connection_string,
                                              "Cosmos__database": load().database})) as cosmos,
    ):  # fmt: skip
        operations, registry = (LazyContainer(cosmos, each) for each in ("operations", "registry"))
        yield Scene(served, stores, operations, registry, cosmos, alerts)
