"""Everything about what is set aside, wired together: what finds it, puts it back, takes it out, and who may."""

from datetime import timedelta

from shared.clock import Clock
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Container
from shared.messages.events import EventStore
from shared.messages.partitions import ByLane
from shared.messages.replays import Replays
from shared.messages.returning import Returning
from shared.messages.set_aside import SetAside
from shared.messages.signals import Signals
from shared.messages.withdrawing import TakingOut
from shared.registry.register import Register
from shared.road.expiring import Expiry
from shared.road.handling import Handling
from shared.road.permission import FindAccess, Permission
from shared.road.replay_desk import ReplayDesk
from shared.road.replaying import Measure, Replaying
from shared.trail.writing import TrailWriter


class AsideParts:
    """The desks and the workers."""

    def __init__(
        self,
        *,
        messages: ByLane,
        operations: Container,
        register: Register,
        access: FindAccess,
        signals: Signals,
        trail: TrailWriter,
        measure: Measure,
        clock: Clock,
        grace: timedelta,
    ) -> None:
        found = SetAside(messages)
        returning = Returning(messages, grace)
        taking_out = TakingOut(messages, grace)
        replays = Replays(operations)
        event_store, delivery_store = EventStore(messages, grace), DeliveryStore(messages, grace)
        permission = Permission(access, register, clock)
        self.desk = ReplayDesk(
            permission=permission, set_aside=found, returning=returning, replays=replays, trail=trail, clock=clock
        )
        self.handling = Handling(
            permission=permission,
            events=event_store,
            deliveries=delivery_store,
            taking_out=taking_out,
            returning=returning,
            signals=signals,
            trail=trail,
            clock=clock,
        )
        self.replaying = Replaying(
            replays=replays,
            set_aside=found,
            returning=returning,
            events=event_store,
            deliveries=delivery_store,
            signals=signals,
            measure=measure,
            clock=clock,
        )
        self.expiry = Expiry(
            set_aside=found,
            taking_out=taking_out,
            returning=returning,
            register=register,
            signals=signals,
            clock=clock,
        )
