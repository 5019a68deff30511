"""Where is my message? For its sender and its municipality, and for nobody else (P7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import clock
from shared.access.authenticate import Authenticator
from shared.access.caller import Caller
from shared.access.credentials import Credentials
from shared.clock import Clock
from shared.errors import NotAvailable, UnknownAddress, UnknownMessage
from shared.messages import lanes, lifecycle
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Document, Unreachable
from shared.messages.events import EventStore, receipts_from
from shared.messages.lifecycle import State
from shared.messages.model import Station, stations_from
from shared.registry.decision import Action, Ask, Facts, Message, require
from shared.registry.register import Register
from shared.road.accepting import RESOURCES
from shared.road.limits import Limits

_FAILED = (State.QUARANTINED, State.REJECTED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class Question:
    """A call to `…/{id}/$status`."""

    orgnr: str
    resource: str
    event_id: str
    credentials: Credentials


class StatusDesk:
    """Answers where a message is, from what the stores say at that moment."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        register: Register,
        limits: Limits,
        events: EventStore,
        deliveries: DeliveryStore,
        clock: Clock,
    ) -> None:
        self._authenticator = authenticator
        self._register = register
        self._limits = limits
        self._clock = clock
        self._events = events
        self._deliveries = deliveries

    async def caller(self, question: Question) -> Caller:
        """Who is asking. Raises one of the 401 errors, or NotAvailable when HelseID's keys cannot be had."""
        return await self._authenticator.caller(question.credentials)

    async def status(self, question: Question, caller: Caller) -> dict[str, Any]:
        """The answer's JSON. Raises HubError."""
        resource = question.resource.lower()
        lane = lanes.lane_of(question.event_id)
        try:
            system = await self._register.system(caller.vkp_id)
            grant = await self._register.grant(question.orgnr, caller.vkp_id)
            self._limits.system(caller.vkp_id, question.orgnr if grant is not None else "", system.rate_limit)
            if resource not in RESOURCES:
                raise UnknownAddress
            event = await self._events.find(question.event_id, lane) if lane is not None else None
            message = Message(event["sender"], event["orgnr"], event["resource"]) if event is not None else None
            facts = Facts(await self._register.municipality(question.orgnr), grant, system, self._clock())
            require(caller, Ask(question.orgnr, resource, Action.STATUS, message=message), facts)
            if event is None:
                raise UnknownMessage
            receipts = receipts_from(event)
            found = [await self._deliveries.find(each.delivery, each.lane) for each in receipts]
        except Unreachable:
            raise NotAvailable from None
        return status_of(event, tuple(each for each in found if each is not None))


def status_of(event: Document, deliveries: tuple[Document, ...]) -> dict[str, Any]:
    """The status of an event from its document and those of its deliveries. Times are UTC, or null."""
    states = tuple(State(each["state"]) for each in deliveries)
    state = lifecycle.overall(State(event["state"]), states)
    stations = stations_from(event)
    each_stations = tuple(stations_from(each) for each in deliveries)
    return {
        "id": event["id"],
        "state": state.value,
        "registered": _when(stations, State.RECEIVED),
        "routed": _when(stations, State.ROUTED),
        "delivered": _all_when(each_stations, State.DELIVERED),
        "journaled": _all_when(each_stations, State.JOURNALED),
        "failed": _first_when((stations, *each_stations), _FAILED),
        "receivers": [
            {
                "receiver": each["receiver"],
                "state": each["state"],
                "delivered": _when(passed, State.DELIVERED),
                "attempts": each["attempts"],
                "nextAttempt": each["due"] if each["state"] in {State.ROUTED, State.WAITING} else None,
                "reason": passed[-1].detail or None,
            }
            for each, passed in zip(deliveries, each_stations, strict=True)
        ],
    }


def _moment(stations: tuple[Station, ...], states: tuple[State, ...]) -> datetime | None:
    return next((station.at for station in reversed(stations) if station.state in states), None)


def _when(stations: tuple[Station, ...], state: State) -> str | None:
    at = _moment(stations, (state,))
    return clock.written(at) if at else None


def _all_when(each: tuple[tuple[Station, ...], ...], state: State) -> str | None:
    moments = [_moment(stations, (state,)) for stations in each]
    known = [moment for moment in moments if moment is not None]
    return clock.written(max(known)) if known and len(known) == len(moments) else None


def _first_when(each: tuple[tuple[Station, ...], ...], states: tuple[State, ...]) -> str | None:
    known = [at for stations in each if (at := _moment(stations[-1:], states)) is not None]
    return clock.written(min(known)) if known else None
