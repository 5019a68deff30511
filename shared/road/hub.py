"""The hub, wired together in one place: settings in, the stations of the road out."""

from datetime import timedelta
from typing import Self

import aiohttp

from shared.access.authenticate import Authenticator, helseid
from shared.access.tokens import TokenPolicy
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.servicebus import ServiceBusSignals
from shared.azure.settings import Settings
from shared.clock import Clock, utc_now
from shared.delivery import schedule
from shared.delivery.receiver import HttpReceiver
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore
from shared.registry.register import Register
from shared.road.accepting import Acceptance
from shared.road.asking import StatusDesk
from shared.road.delivering import Delivering
from shared.road.health import Health
from shared.road.routing import Routing
from shared.road.watching import OrphanCheck
from shared.trail.refusals import RefusalTrail


class Hub:
    """Everything a door needs. Belongs to one event loop; opens its connections when they are first needed."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self._session = aiohttp.ClientSession(
            trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=10)
        )
        self._cosmos = Cosmos(settings.cosmos)
        self._receiver = HttpReceiver(settings.delivery.timeout_s, clock)
        grace = timedelta(seconds=settings.grace_s)
        registry = LazyContainer(self._cosmos, "registry")
        self.signals = ServiceBusSignals(settings.service_bus)
        self.events = EventStore(LazyContainer(self._cosmos, "events"), grace)
        self.deliveries = DeliveryStore(LazyContainer(self._cosmos, "deliveries"), grace)
        self.refusals = RefusalTrail(LazyContainer(self._cosmos, "trail"))
        register = Register(registry, clock, timedelta(seconds=settings.registry_cache_s))
        authenticator = self._authenticator()
        self.acceptance = Acceptance(
            authenticator=authenticator,
            register=register,
            events=self.events,
            signals=self.signals,
            pseudonym_key=settings.pseudonym_key.get_secret_value(),
            environment=settings.environment,
            clock=clock,
        )
        self.routing = Routing(
            events=self.events, deliveries=self.deliveries, register=register, signals=self.signals, clock=clock
        )
        self.delivering = Delivering(
            events=self.events,
            deliveries=self.deliveries,
            register=register,
            receiver=self._receiver,
            schedule=schedule.of_waits(settings.delivery.schedule or (), schedule.load()),
            signals=self.signals,
            clock=clock,
        )
        self.orphan_check = OrphanCheck(
            events=self.events, deliveries=self.deliveries, signals=self.signals, clock=clock, grace=grace
        )
        self.status_desk = StatusDesk(authenticator=authenticator, events=self.events, deliveries=self.deliveries)
        self.health = Health(registry=registry, signals=self.signals)

    def _authenticator(self) -> Authenticator:
        helse_id = self.settings.helse_id
        policy = TokenPolicy(
            issuer=helse_id.issuer, audience=helse_id.audience, test_environment=helse_id.test_environment
        )
        return helseid(self._session, policy, clock=self.clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Send what waits and close every connection."""
        await self.signals.close()
        await self._receiver.close()
        await self._cosmos.close()
        await self._session.close()
