"""The hub, wired together in one place: settings in, the stations of the road out."""

from dataclasses import replace
from datetime import timedelta
from typing import Final, Self

import aiohttp

from shared.access.authenticate import Dpop, kids
from shared.access.dpop import ProofRules
from shared.access.modes import DpopMode
from shared.access.rotation import Pseudonyms
from shared.access.tokens import TokenPolicy
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.proofs import CosmosProofs
from shared.azure.servicebus import ServiceBusSignals
from shared.azure.settings import Settings
from shared.azure.trail_parts import TrailParts
from shared.azure.trail_settings import TrailSettings
from shared.azure.watch_parts import WatchParts
from shared.clock import Clock, utc_now
from shared.delivery import schedule
from shared.delivery.addresses import Rules
from shared.delivery.gatekeeper import Gatekeeper
from shared.delivery.receiver import HttpReceiver
from shared.delivery.secrets import NamedSecrets
from shared.delivery.standing import Standings
from shared.delivery.waking import Waking
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore
from shared.messages.intake import Intake
from shared.messages.partitions import ByLane
from shared.registry.desk import Desk
from shared.registry.entries import entry_of
from shared.registry.keeping import Registry
from shared.registry.model import RateLimit
from shared.registry.people import Access, access_id
from shared.registry.register import Register
from shared.road import telling
from shared.road.accepting import RESOURCES, Acceptance
from shared.road.aside_parts import AsideParts
from shared.road.asking import StatusDesk
from shared.road.delivering import Delivering, Pace
from shared.road.entrance import Demands, Entrance
from shared.road.health import Health
from shared.road.limits import Limits, Strangers
from shared.road.placing import Placing
from shared.road.replaying import Measure
from shared.road.routing import Routing
from shared.road.turns import Turns
from shared.road.watching import OrphanCheck
from shared.trail.desk import FindAccess
from shared.trail.refusals import RefusalTrail

_WAIT_FOR_A_PLACE_S: Final = 0.5


class Hub:
    """Everything a door needs. Belongs to one event loop; opens its connections when they are first needed."""

    def __init__(self, settings: Settings, trail: TrailSettings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self._session = aiohttp.ClientSession(
            trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=10)
        )
        self._cosmos = Cosmos(settings.cosmos)
        self._receiver = HttpReceiver(
            settings.delivery.timeout_s,
            clock,
            Rules(settings.environment, settings.delivery.opened_networks),
            NamedSecrets(settings.delivery.secrets),
        )
        grace = timedelta(seconds=settings.grace_s)
        registry = LazyContainer(self._cosmos, "registry")
        operations = LazyContainer(self._cosmos, "operations")
        self.signals = ServiceBusSignals(settings.service_bus)
        self.turns = Turns()
        """A lane of which this process has lost the session, and got it again, still has its worker here."""
        messages = ByLane(LazyContainer(self._cosmos, "messages"))
        self.events = EventStore(messages, grace)
        self.deliveries = DeliveryStore(messages, grace)
        self.refusals = RefusalTrail(LazyContainer(self._cosmos, "refusals"))
        self._pseudonyms = Pseudonyms(
            settings.pseudonym_key.get_secret_value(),
            tuple(each.get_secret_value() for each in settings.earlier_pseudonym_keys),
        )
        register = Register(registry, clock, timedelta(seconds=settings.registry_cache_s))
        self.entrance = Entrance(self._session, self._demands(), register, clock)
        authenticator = self.entrance.systems
        self.limits = Limits(RateLimit(settings.limit_per_second, settings.limit_burst), clock)
        self.strangers = Strangers(settings.strangers_per_minute, clock)
        self.watch = WatchParts(settings.alerts, self._cosmos, register, clock)
        self.acceptance = Acceptance(
            authenticator=authenticator,
            register=register,
            intake=Intake(messages, grace),
            signals=self.signals,
            limits=self.limits,
            placing=Placing(
                pseudonyms=self._pseudonyms, events=self.events, deliveries=self.deliveries, register=register
            ),
            environment=settings.environment,
            clock=clock,
            told=telling.accepted(self.watch.measuring, self.watch.heard),
        )
        self.routing = Routing(
            events=self.events, deliveries=self.deliveries, register=register, signals=self.signals, clock=clock
        )
        standings = Standings(operations)
        self.gate = Gatekeeper(
            register=register,
            standings=standings,
            clock=clock,
            at_once=settings.delivery.at_once,
            wait_s=_WAIT_FOR_A_PLACE_S,
        )
        self.waking = Waking(
            standings=standings,
            lanes=LazyContainer(self._cosmos, "messages"),
            register=register,
            signals=self.signals,
            clock=clock,
        )
        self.delivering = Delivering(
            events=self.events,
            deliveries=self.deliveries,
            register=register,
            receiver=telling.MeasuredReceiver(self._receiver, self.watch.measuring, clock),
            gate=self.gate,
            pace=Pace(
                schedule.all_of(settings.delivery.schedule or ()), timedelta(seconds=settings.delivery.timeout_s)
            ),
            signals=self.signals,
            clock=clock,
        )
        self.orphan_check = OrphanCheck(
            events=self.events,
            deliveries=self.deliveries,
            signals=self.signals,
            operations=operations,
            clock=clock,
            grace=grace,
        )
        self.status_desk = StatusDesk(
            authenticator=authenticator,
            register=register,
            limits=self.limits,
            events=self.events,
            deliveries=self.deliveries,
            clock=clock,
        )
        self.health = Health(registry=registry, signals=self.signals)
        kept = Registry(registry)
        self.registry_desk = Desk(
            kept,
            environment=settings.environment,
            resources=frozenset(RESOURCES),
            clock=clock,
            register=register,
        )
        self.trail = TrailParts(trail, settings.cosmos, clock)
        self.trail_desk = self.trail.desk(self._access_in(kept), self._every_pseudonym, settings.public_url or "")
        self.aside = AsideParts(
            messages=messages,
            operations=operations,
            register=register,
            access=self._access_in(kept),
            signals=self.signals,
            trail=self.trail.writer,
            measure=Measure(settings.replay_per_second, settings.replay_probes),
            clock=clock,
            grace=grace,
        )

    def _demands(self) -> Demands:
        settings, helse_id = self.settings, self.settings.helse_id
        policy = TokenPolicy(
            issuer=helse_id.issuer,
            audience=helse_id.audience,
            algorithms=frozenset(helse_id.algorithms),
            test_environment=helse_id.test_environment,
            required=frozenset(helse_id.required),
        )
        dpop = None
        if settings.public_url is not None and helse_id.dpop is not DpopMode.OFF:
            memory = CosmosProofs(LazyContainer(self._cosmos, "proofs"), self.clock)
            dpop = Dpop(
                settings.public_url, memory, helse_id.dpop, ProofRules(past=timedelta(seconds=helse_id.proof_age_s))
            )
        # What a person may do is in the register, so nothing is asked of the token but who it is.
        people = replace(policy, required=frozenset({"person"}), test_environment=False)
        return Demands(policy, people, dpop, kids(helse_id.revoked_keys), settings.entra.policy())

    def _access_in(self, kept: Registry) -> FindAccess:
        async def find(orgnr: str, subject: str) -> Access | None:
            found = entry_of(await kept.read(orgnr, access_id(subject)))
            return found if isinstance(found, Access) else None

        return find

    def _every_pseudonym(self, system: str, value: str) -> tuple[str, ...]:
        return tuple(each.text for each in self._pseudonyms.every(system, value))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Send what waits and close every connection."""
        await self.entrance.close()
        await self.trail.close()
        await self.watch.close()
        await self.signals.close()
        await self._receiver.close()
        await self._cosmos.close()
        await self._session.close()
