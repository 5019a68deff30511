"""The first station: a vendor's call becomes a stored message with a place in its receivers' lines, or an answer that
says what to mend.

The order of the questions is part of the contract: who are you (401), how often (429), may you (403), is there such a
municipality (404), did it let you in (403), and only then what you sent (400, 413, 422). Nothing is promised before the
store has it (P1). Who gets the message is decided here too, so that it is stored and routed in one go.
"""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Final

from shared.access.authenticate import Authenticator
from shared.access.caller import Caller
from shared.access.credentials import Credentials
from shared.clock import Clock
from shared.errors import (
    EmptyBody,
    Finding,
    NotAvailable,
    TooLarge,
    UnknownAddress,
    WrongContentType,
)
from shared.fhir.event import Severity
from shared.fhir.json_text import MAX_BYTES
from shared.fhir.reading import Judging, Reading, read_message
from shared.fhir.rules import Policy
from shared.fhir.version import rules_version
from shared.identity.series import Environment
from shared.log import LogEvent, log
from shared.messages import lanes, urgency
from shared.messages.documents import Unreachable
from shared.messages.events import Receipt
from shared.messages.intake import NO_RECEIVER, Intake, Keeping
from shared.messages.model import Event, receiver_key
from shared.messages.signals import DELIVERIES, SignalLost, Signals, hint
from shared.messages.urgency import Urgency
from shared.messages.worklist import Joined
from shared.registry.decision import Action, Ask, Facts, require
from shared.registry.register import Register
from shared.road.keeping import kept_for
from shared.road.limits import Limits
from shared.road.placing import Placing
from shared.road.routing import receipts_of
from shared.road.telling import Accepting, nobody
from shared.trail import facts as telling

RESOURCES: Final = ("bundle", "composition", "medicationdispense", "encounter", "communication", "observation")
"""The addresses messages are posted to (design/architecture.md, HTTP contract)."""

_LARGE: Final = 32 * 1024
"""Bytes from which on a message is judged beside the event loop; nearly all are smaller."""

_CONTENT_TYPES: Final = frozenset({
    "application/fhir+json", "application/json", "text/json", "text/plain", "application/octet-stream", "",
})  # fmt: skip
"""NHN's own sample client sends JSON as text/plain (domain/leniency.md 1); clients that set nothing send the others."""


@dataclass(frozen=True, slots=True)
class Post:
    """A vendor's call, as it came in."""

    orgnr: str
    resource: str
    credentials: Credentials
    content_type: str
    body: bytes
    correlation_id: str
    traceparent: str
    prefer: str = ""
    """The header Prefer (RFC 7240): `handling=strict` asks for strict checking."""
    messaging: bool = False
    """Whether it came to `$process-message`: a message Bundle, stored and shown as any other Bundle."""

    @property
    def strict(self) -> bool:
        """Whether the caller wants what a strict reader would refuse to be refused here."""
        preferences = (each.partition(";")[0].replace(" ", "").lower() for each in self.prefer.split(","))
        return any(each in ("handling=strict", 'handling="strict"') for each in preferences)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The promise: the message is stored under this id."""

    event_id: str
    again: bool
    """Whether the very same message had been accepted before."""
    warnings: tuple[Finding, ...]


class Acceptance:
    """Takes messages in."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        register: Register,
        intake: Intake,
        signals: Signals,
        limits: Limits,
        placing: Placing,
        environment: Environment,
        clock: Clock,
        told: Accepting = nobody,
    ) -> None:
        self._authenticator = authenticator
        self._register = register
        self._intake = intake
        self._signals = signals
        self._limits = limits
        self._placing = placing
        self._environment = environment
        self._clock = clock
        self._told = told

    async def caller(self, post: Post) -> Caller:
        """Who is calling. Raises one of the 401 errors, or NotAvailable when HelseID's keys cannot be had."""
        return await self._authenticator.caller(post.credentials)

    async def accept(self, post: Post, caller: Caller) -> Accepted:
        """Store the message and signal its lane. Raises HubError: nothing is promised then."""
        resource = post.resource.lower()
        try:
            system = await self._register.system(caller.vkp_id)
            grant = await self._register.grant(post.orgnr, caller.vkp_id)
            # Before anything else is said: each refusal is written down.
            self._limits.system(caller.vkp_id, post.orgnr if grant is not None else "", system.rate_limit)
            if resource not in RESOURCES:
                raise UnknownAddress
            municipality = await self._register.municipality(post.orgnr)
            require(
                caller,
                Ask(post.orgnr, resource, Action.WRITE),
                Facts(municipality, grant, system, self._clock()),
            )
            bundle_type = "message" if post.messaging else None
            judging = Judging(Policy(post.strict, system.rules), self._environment, system.stu3, bundle_type)
            reading = await _read(_checked_body(post), resource, judging)
            event = await self._event(post, resource, caller, reading)
            keeping = Keeping(
                kept_for(municipality),
                telling.of_acceptance(caller.token_id, caller.client_id, rules_version()),
                telling.of_routing(post.orgnr, await self._register.version(post.orgnr)),
            )
            return await self._keep(event, post.body, reading, receipts_of(event, municipality), keeping)
        except (Unreachable, SignalLost):
            raise NotAvailable from None

    async def _event(self, post: Post, resource: str, caller: Caller, reading: Reading) -> Event:
        patient = await self._placing.pseudonym(
            (reading.patient.system, reading.patient.value),
            caller.vkp_id,
            post.orgnr,
            resource,
            reading.sha256,
            reading.event.business_identifier,
        )
        lane = lanes.inbound(post.orgnr, patient)
        return Event(
            id=lanes.event_id(
                lane,
                sender=caller.vkp_id,
                orgnr=post.orgnr,
                resource=resource,
                business_identifier=reading.event.business_identifier,
                sha256=reading.sha256,
            ),
            lane=lane,
            patient=patient,
            orgnr=post.orgnr,
            resource=resource,
            resource_type=reading.resource_type,
            sender=caller.vkp_id,
            sha256=reading.sha256,
            size=len(post.body),
            content_type=_media_type(post.content_type),
            correlation_id=post.correlation_id or str(uuid.uuid4()),
            traceparent=post.traceparent,
            received_at=self._clock(),
            occurred_at=reading.event.occurred_at,
            kind=reading.event.kind.value,
            severity=_severity(reading.event.severity),
            names=tuple(lanes.business_key(caller.vkp_id, post.orgnr, each) for each in reading.names),
            urgency=urgency.of(reading.event.kind.value, _severity(reading.event.severity)),
        )

    async def _keep(
        self, event: Event, body: bytes, reading: Reading, receipts: tuple[Receipt, ...], keeping: Keeping
    ) -> Accepted:
        # A queue known to be out of reach is asked before anything is stored: the caller is then told to come back, and
        # nothing is here that he was not told of.
        if not await self._signals.ready():
            raise NotAvailable
        joined = await self._intake.accept(event, body, receipts, keeping)
        new = joined is not None
        log(
            LogEvent.ACCEPTED if new else LogEvent.ACCEPTED_AGAIN,
            event_id=event.id, orgnr=event.orgnr, resource=event.resource, vkp_id=event.sender,
            correlation_id=event.correlation_id, count=len(receipts),
        )  # fmt: skip
        if new and not receipts:
            log(LogEvent.NO_RECEIVER, event_id=event.id, orgnr=event.orgnr, resource=event.resource, code=NO_RECEIVER)
        self._told(event, new=new)
        # Signalled again too when the message is not new: the caller may repeat it because the first signal was lost.
        await self._signal(event, receipts, joined or tuple(Joined.AGAIN for _ in receipts))
        return Accepted(event.id, again=not new, warnings=reading.warnings)

    async def _signal(self, event: Event, receipts: tuple[Receipt, ...], joined: tuple[Joined, ...]) -> None:
        """Raises SignalLost when a signal could not be sent; the others are."""
        queue, lost = DELIVERIES[event.urgency], False
        for receipt, how in zip(receipts, joined, strict=True):
            # Who joins a line that others stand in has their next step, unless it cannot wait for that.
            if how is Joined.BEHIND and event.urgency is not Urgency.PROMPT:
                continue
            try:
                to = receiver_key(event.orgnr, receipt.receiver)
                await self._signals.send(queue, receipt.lane, to=to, event=hint(event.id, event.size))
            except SignalLost:
                # Stored, so it will be delivered whatever happens; but until the queue is back nobody knows when.
                log(LogEvent.SIGNAL_LOST, lane=receipt.lane, queue=queue)
                lost = True
        if lost:
            raise SignalLost


async def _read(body: bytes, resource: str, judging: Judging) -> Reading:
    if len(body) < _LARGE:
        return read_message(body, resource, judging)
    # Judging a message of 1 MiB takes long, which all other callers would wait for.
    return await asyncio.to_thread(read_message, body, resource, judging)


def _checked_body(post: Post) -> bytes:
    if _media_type(post.content_type) not in _CONTENT_TYPES:
        raise WrongContentType
    if len(post.body) > MAX_BYTES:
        raise TooLarge
    if not post.body.strip():
        raise EmptyBody
    return post.body


def _severity(severity: Severity | None) -> str:
    return f"{severity.scale.value}:{severity.code}" if severity is not None else ""


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
