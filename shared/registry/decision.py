"""May this caller do this here, now? One function over frozen facts; the answer says which rule refused.

The order of the rules is part of the contract: what the token may (403), whether there is such a municipality (404),
whether it let the system in (403), and last whether its traffic is open (503), so that only those who are let in learn
of it. Who is calling is known from the token alone: nothing of a body is among the facts.

About a message, there is only one answer to everybody who may not see it, and it is the one for a message that does not
exist. Codes are VKP's (code system vkp-operation-outcome-v090, vkp-api.md 2.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from shared.access import scopes
from shared.access.caller import Caller
from shared.errors import HubError, NotGranted, ScopeMissing, UnknownMessage, UnknownMunicipality
from shared.registry import refusals
from shared.registry.model import Grant, Municipality, System
from shared.registry.partner import PartnerProfile
from shared.registry.traffic import Stop


class Action(StrEnum):
    """What a caller wants."""

    WRITE = "write"
    """Send a message."""
    READ = "read"
    """Look a patient's resource up in the EPJ."""
    SEARCH = "search"
    """The same by search."""
    STATUS = "status"
    """Ask where a message is."""


@dataclass(frozen=True, slots=True)
class Message:
    """The message that a STATUS is asked of, as it is stored."""

    sender: str
    """The vkp-id that sent it."""
    orgnr: str
    resource: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What a call wants, from its address."""

    orgnr: str
    resource: str
    """In lower case."""
    action: Action
    service_codes: frozenset[str] = frozenset()
    """READ and SEARCH: for which services."""
    message: Message | None = None
    """STATUS: the message; None when there is none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the register says of the municipality asked for and of the system that asks; None: nothing."""

    municipality: Municipality | None
    grant: Grant | None
    system: System
    now: datetime
    """UTC."""
    partner: PartnerProfile | None = None


class Rule(Enum):
    """A rule that refuses: its name, and what the caller is told."""

    SCOPE = ("scope", ScopeMissing)
    """The token lacks the scope."""
    MUNICIPALITY_UNKNOWN = ("municipality-unknown", UnknownMunicipality)
    MESSAGE_UNKNOWN = ("message-unknown", UnknownMessage)
    """There is no such message, or it is not the caller's to ask about."""
    SYSTEM_BLOCKED = ("system-blocked", refusals.SystemBlocked)
    CLIENT_UNKNOWN = ("client-unknown", refusals.ClientUnknown)
    NOT_GRANTED = ("not-granted", NotGranted)
    GRANT_NOT_VALID = ("grant-not-valid", refusals.NotActive)
    """Not yet, or not any longer."""
    ACTION_NOT_GRANTED = ("action-not-granted", refusals.NotAllowed)
    RESOURCE_NOT_GRANTED = ("resource-not-granted", refusals.NotAllowed)
    SERVICE_NOT_MET = ("service-not-met", refusals.ServiceNotAllowed)
    """Tjenstlig behov: no ServiceCode of the call is granted and stands for a service in the EPJ."""
    TRAFFIC_STOPPED = ("traffic-stopped", refusals.TrafficStopped)

    def __init__(self, key: str, error: type[HubError]) -> None:
        self.key = key
        self.error = error


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer."""

    rule: Rule | None = None
    """The rule that refused; None: allowed."""
    opens: datetime | None = None
    """TRAFFIC_STOPPED: when it opens again by itself (UTC), where that is known."""
    service_codes: frozenset[str] = frozenset()
    """READ and SEARCH, allowed: those of the call's ServiceCodes that count. Only they may be asked of the EPJ."""

    @property
    def allowed(self) -> bool:
        """Whether the caller may."""
        return self.rule is None

    @property
    def vkp_code(self) -> str:
        """VKP's code of the refusal; empty when allowed."""
        return self.rule.error.vkp_code if self.rule else ""


ALLOWED: Final = Decision()
_SCOPES: Final[Mapping[Action, tuple[scopes.Action, ...]]] = MappingProxyType({
    Action.WRITE: ("write",), Action.READ: ("read",), Action.SEARCH: ("read",), Action.STATUS: ("write", "read"),
})  # fmt: skip
"""One of these is enough."""


def decide(caller: Caller, ask: Ask, facts: Facts) -> Decision:
    """Whether the caller may do it, and which rule refused when not. Raises ValueError when the facts are about another
    municipality or system than the call."""
    _fitting(caller, ask, facts)
    if not _has_scope(caller.scopes, ask.resource, ask.action):
        return Decision(Rule.SCOPE)
    if ask.action is Action.STATUS:
        return ALLOWED if _may_ask(caller, ask, facts) else Decision(Rule.MESSAGE_UNKNOWN)
    if facts.municipality is None:
        return Decision(Rule.MUNICIPALITY_UNKNOWN)
    refused = _not_let_in(caller, facts) or _not_granted(ask, facts)
    if refused is not None:
        return Decision(refused)
    stop = _stop(ask.action, facts.municipality)
    if stop is not None and stop.holds(facts.now):
        return Decision(Rule.TRAFFIC_STOPPED, stop.until)
    return ALLOWED if ask.action is Action.WRITE else Decision(service_codes=_counting(ask, facts))


def require(caller: Caller, ask: Ask, facts: Facts) -> None:
    """Let the caller on, or raise the HubError that belongs to the rule that refused."""
    decision = decide(caller, ask, facts)
    if decision.rule is Rule.SCOPE:
        # Raises with the name of the scope that is missing.
        scopes.require(caller, ask.resource, _SCOPES[ask.action][-1])
    if decision.rule is not None:
        raise decision.rule.error


def _fitting(caller: Caller, ask: Ask, facts: Facts) -> None:
    municipality, grant, partner = facts.municipality, facts.grant, facts.partner
    orgnr = ask.orgnr
    if (
        (municipality is not None and municipality.orgnr != orgnr)
        or (grant is not None and grant.orgnr != orgnr)
        or (partner is not None and partner.orgnr != orgnr)
    ):
        raise ValueError("facts about another municipality")
    if facts.system.vkp_id != caller.vkp_id or (grant is not None and grant.vkp_id != caller.vkp_id):
        raise ValueError("facts about another system")


@lru_cache(maxsize=4096)
def _has_scope(held: frozenset[str], resource: str, action: Action) -> bool:
    """Remembered, because a system calls with the same scopes again and again. Holds nothing about a person."""
    asking = Caller("", "", held)
    for each in _SCOPES[action]:
        try:
            scopes.require(asking, resource, each)
        except ScopeMissing:
            continue
        return True
    return False


def _may_ask(caller: Caller, ask: Ask, facts: Facts) -> bool:
    message = ask.message
    if facts.municipality is None or message is None:
        return False
    if (message.orgnr, message.resource) != (ask.orgnr, ask.resource):
        return False
    if caller.orgnr_parent == message.orgnr:
        # The municipality itself: what is sent to it is its own, and nobody had to grant it that.
        return True
    if not caller.vkp_id or message.sender != caller.vkp_id:
        return False
    let_in = _not_let_in(caller, facts) is None
    return let_in and facts.grant is not None and facts.grant.holds(facts.now)


def _not_let_in(caller: Caller, facts: Facts) -> Rule | None:
    if facts.system.blocked:
        return Rule.SYSTEM_BLOCKED
    if facts.system.client_ids and caller.client_id not in facts.system.client_ids:
        return Rule.CLIENT_UNKNOWN
    return None


def _not_granted(ask: Ask, facts: Facts) -> Rule | None:
    grant = facts.grant
    if grant is None:
        return Rule.NOT_GRANTED
    if not grant.holds(facts.now):
        return Rule.GRANT_NOT_VALID
    if not (grant.may_send if ask.action is Action.WRITE else grant.may_read):
        return Rule.ACTION_NOT_GRANTED
    if not grant.allows(ask.resource):
        return Rule.RESOURCE_NOT_GRANTED
    if ask.action is not Action.WRITE and not _counting(ask, facts):
        return Rule.SERVICE_NOT_MET
    return None


def _counting(ask: Ask, facts: Facts) -> frozenset[str]:
    """The codes for which a patient could have a service that makes this lookup lawful; whether this patient has one,
    the EPJ knows."""
    if facts.partner is None or facts.grant is None:
        return frozenset()
    granted = ask.service_codes & facts.grant.service_codes
    return frozenset(code for code in granted if facts.partner.patterns(code))


def _stop(action: Action, municipality: Municipality) -> Stop | None:
    return municipality.traffic.writes if action is Action.WRITE else municipality.traffic.reads
