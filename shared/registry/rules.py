"""Whether an entry may be as somebody wants it: what its form alone does not say.

Asked of what is changed, never of what is read: a rule that is made stricter must not take a municipality down.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from shared.identity.organisation import organisation_number
from shared.identity.series import Environment, organisation_refused
from shared.registry.entries import Entry
from shared.registry.model import SYSTEMS, Grant, Municipality, Receiver, System
from shared.registry.partner import SERVICE_CODES, WILDCARD, PartnerProfile
from shared.registry.people import LONGEST_ACCESS, Access, Role
from shared.registry.proposals import Proposal
from shared.registry.reaching import HAS_IT_ALREADY, Auth, fit_port, lost
from shared.registry.revoked import RevokedKeys
from shared.registry.shapes import MAX_TEXT, PERSON, Fault
from shared.registry.traffic import ALL

_SUBJECT: Final = re.compile(r"(?:helseid|entra):[!-~]{1,120}")
_MAX_WILDCARDS: Final = 8
_MAX_ID: Final = 900
"""Cosmos takes 1023 bytes for an id; that of a history is longer than its entry's."""
_INNER: Final = (".internal", ".local", ".localhost", ".home.arpa")
"""Names that only mean something inside a network (RFC 6761, RFC 6762, RFC 8375; Azure's own `.internal`)."""


@dataclass(frozen=True, slots=True)
class House:
    """What entries are judged against: the hub they are for, and the time (UTC)."""

    environment: Environment
    resources: frozenset[str]
    """The addresses there are."""
    now: datetime


def faults(entry: Entry, house: House) -> tuple[Fault, ...]:
    """Everything that is wrong with it; nothing when it may be so."""
    document = entry.document()
    long = (Fault("", "has too long a name"),) if len(document["id"]) > _MAX_ID else ()
    return (*_judged(entry, house), *_numbers_of_people(document), *long)


def telling(why: str) -> str | None:
    """What is wrong with a reason for a change; None when it can be kept for ever."""
    if len(why.strip()) < 3 or len(why) > MAX_TEXT or not why.isprintable():
        return f"must say why it is changed, on one line of 3 to {MAX_TEXT} characters"
    return "must not hold a person's number" if PERSON.search(why) else None


@singledispatch
def _judged(entry: Entry, house: House) -> Iterator[Fault]:
    raise TypeError(type(entry).__name__)


@_judged.register
def _municipality(entry: Municipality, house: House) -> Iterator[Fault]:
    number = organisation_number(entry.orgnr)
    # Published synthetic numbers fail the check digit (domain/helseid.md 3.3), so a test environment takes any nine.
    if house.environment is Environment.PRODUCTION and not number.valid:
        yield Fault("orgnr", "has a wrong check digit")
    elif organisation_refused(number, house.environment) is not None:
        yield Fault("orgnr", f"is not of a series that the environment {house.environment.value} takes")
    if entry.environment not in (None, house.environment):
        yield Fault("environment", f"this hub is for {house.environment.value}")
    for id, count in Counter(each.id for each in entry.receivers).items():
        if count > 1:
            yield Fault("receivers", f"{count} of them are called {id}")
    for name in sorted(entry.traffic.deliveries.keys() - {ALL, *(each.id for each in entry.receivers)}):
        # A stop that stops nothing: whoever wrote it would upgrade an EPJ that still gets messages.
        yield Fault(f"traffic.deliveries.{name}", "is no receiver of the municipality")
    for at, receiver in enumerate(entry.receivers):
        yield from _receiver(receiver, f"receivers.{at}", house)
        # A municipality that named another one's secret would be sent it, at an address of its own choosing.
        if receiver.credentials and not receiver.credentials.startswith(f"{entry.orgnr}-"):
            yield Fault(f"receivers.{at}.credentials", "must begin with the municipality's own number and a hyphen")


def _receiver(receiver: Receiver, where: str, house: House) -> Iterator[Fault]:
    found = _address(receiver.url, house.environment)
    if found:
        yield Fault(f"{where}.url", found)
    yield from _addresses_known(receiver.resources, f"{where}.resources", house)
    if receiver.auth is not Auth.NONE and not receiver.credentials:
        yield Fault(f"{where}.credentials", f"must name the secret that {receiver.auth.value} takes")
    for status in lost(receiver.answers):
        yield Fault(f"{where}.answers.{status}", f"only {', '.join(sorted(HAS_IT_ALREADY))} can mean taken")


def _address(url: str, environment: Environment) -> str | None:
    """OWASP API7:2023: the hub must not be sent to places that only it can reach. Literal addresses are judged
    here; what a name leads to is judged at each connection (shared/delivery/addresses.py)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "must be written in ASCII, without spaces"
    if parts.username is not None or parts.query or parts.fragment or "?" in url or "#" in url or "@" in parts.netloc:
        return "must be scheme, host and path alone: what opens a door belongs in Key Vault"
    if not host:
        return "names no host"
    if environment is Environment.TEST and parts.scheme in ("http", "https"):
        return None
    if parts.scheme != "https":
        return "must be https"
    if not fit_port(port):
        return "must be at port 443, or one from 1024"
    try:
        ip_address(host)
    except ValueError:
        inner = "." not in host.rstrip(".") or host.rstrip(".").endswith(_INNER) or host.replace(".", "").isdigit()
        return "must be a name that is known everywhere" if inner else None
    return "must be a name, not a number"


@_judged.register
def _grant(entry: Grant, house: House) -> Iterator[Fault]:
    yield from _addresses_known(entry.resources, "resources", house)
    yield from _codes_known(entry.service_codes, "serviceCodes")
    if not entry.may_send and not entry.may_read:
        yield Fault("", "lets the system neither send nor read: withdraw it instead")
    if entry.may_read and not entry.service_codes:
        yield Fault("serviceCodes", "reading needs at least one")
    if entry.valid_from is not None and entry.valid_to is not None and entry.valid_to <= entry.valid_from:
        yield Fault("validTo", "must be after validFrom")
    if not entry.approved_by:
        yield Fault("approvedBy", "must say who decided it at the municipality")


@_judged.register
def _partner(entry: PartnerProfile, house: House) -> Iterator[Fault]:
    yield from _codes_known(entry.codes.keys(), "codes")
    for code, patterns in sorted(entry.codes.items()):
        for at, pattern in enumerate(patterns):
            if not pattern.isprintable() or pattern != pattern.strip():
                yield Fault(f"codes.{code}.{at}", "must be on one line, without spaces at its ends")
            if pattern.count(WILDCARD) > _MAX_WILDCARDS:
                yield Fault(f"codes.{code}.{at}", f"has more than {_MAX_WILDCARDS} {WILDCARD}")
            if not pattern.strip(WILDCARD):
                yield Fault(f"codes.{code}.{at}", "fits every service: then nobody has decided anything")


@_judged.register
def _access(entry: Access, house: House) -> Iterator[Fault]:
    if not _SUBJECT.fullmatch(entry.subject):
        yield Fault("subject", "must be helseid: or entra: and what the issuer calls the person")
    if (Role.OPERATOR in entry.roles) != (entry.orgnr == SYSTEMS):
        yield Fault("roles", f"the operator's role is kept in {SYSTEMS}, and no other is")
    if entry.orgnr == SYSTEMS and len(entry.roles) > 1:
        yield Fault("roles", "an operator has no other role")
    if entry.valid_until <= house.now:
        yield Fault("validUntil", "has passed")
    if entry.valid_until > max(house.now, entry.valid_from or house.now) + LONGEST_ACCESS:
        yield Fault("validUntil", f"is more than {LONGEST_ACCESS.days} days from its beginning")
    if entry.valid_from is not None and entry.valid_until <= entry.valid_from:
        yield Fault("validUntil", "must be after validFrom")


@_judged.register
def _system(entry: System, house: House) -> Iterator[Fault]:
    yield from ()


@_judged.register
def _proposal(entry: Proposal, house: House) -> Iterator[Fault]:
    # What it proposes is judged as part of the municipality that would have it.
    yield from ()


@_judged.register
def _revoked(entry: RevokedKeys, house: House) -> Iterator[Fault]:
    yield from ()


def _addresses_known(names: frozenset[str], where: str, house: House) -> Iterator[Fault]:
    if not names <= house.resources:
        yield Fault(where, f"must be some of {', '.join(sorted(house.resources))}")


def _codes_known(codes: Any, where: str) -> Iterator[Fault]:
    if not set(codes) <= SERVICE_CODES.keys():
        yield Fault(where, f"must be some of {', '.join(sorted(SERVICE_CODES))}")


def _numbers_of_people(value: Any, where: str = "") -> Iterator[Fault]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if PERSON.search(name):
                yield Fault(where, "must not hold a person's number")
            else:
                yield from _numbers_of_people(each, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _numbers_of_people(each, f"{where}.{at}")
    elif isinstance(value, str) and PERSON.search(value):
        yield Fault(where, "must not hold a person's number")
