"""One message read: every layer of the check in its order, and the facts the hub routes by.

Bytes, text, JSON, repaired copy, R4, profiles, identifiers, envelope, facts. Each layer is a plain function over what
the one before made; all of them are asked, so that a sender learns everything at once. A Reading holds facts about a
message, never the message: what is stored and delivered are the bytes as they came (P5), and no repr shows a value from
it (P6).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from shared.errors import BrokenEnvelope, BrokenProfile, Finding, HubError, NotFhir, WrongIdentifier
from shared.fhir.envelope.check import Envelope, check_envelope
from shared.fhir.event import MessageEvent, event_of, names_of
from shared.fhir.findings import Findings
from shared.fhir.identifiers import PatientKey
from shared.fhir.json_text import check_size, parse
from shared.fhir.numbers import check_identifiers
from shared.fhir.r4.checker import check_r4
from shared.fhir.repairing.repair import may_have_blanks, repair
from shared.fhir.repairing.stu3 import as_r4
from shared.fhir.resources import resource_type_at
from shared.fhir.rules import DEFAULT, Policy
from shared.fhir.values import JsonObject
from shared.fhir.vkp.profiles import check_profiles
from shared.identity.series import Environment

__all__ = ["Judgement", "Judging", "PatientKey", "Reading", "judge", "read_message"]

_REFUSALS: Final[Mapping[str, type[HubError]]] = MappingProxyType({
    "profile": BrokenProfile,
    "identifiers": WrongIdentifier,
    "envelope": BrokenEnvelope,
})  # fmt: skip
"""By the layer of the first error; what comes before these layers is NotFhir."""


@dataclass(frozen=True, slots=True)
class Judging:
    """How messages of one sender are judged."""

    policy: Policy = DEFAULT
    environment: Environment = Environment.TEST
    stu3: bool = False
    """Whether STU3-shaped messages are mapped where a mapping exists."""
    bundle_type: str | None = None
    """The one kind of Bundle that is taken here; None for every kind."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the layers make of a message that is JSON."""

    message: JsonObject = field(repr=False)
    """The repaired copy, decimals exactly as written."""
    envelope: Envelope = field(repr=False)
    findings: tuple[Finding, ...]
    refusal: HubError | None
    """Why the message cannot be taken; it holds the findings too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the hub needs to know about a message it can take."""

    resource_type: str
    bundle_type: str | None
    patient: PatientKey
    event: MessageEvent
    names: tuple[tuple[str, str], ...] = field(repr=False)
    """What a later message may call this one by."""
    warnings: tuple[Finding, ...]
    sha256: str
    """Of the bytes as sent, hexadecimal."""


def judge(body: bytes, resource_type: str | None = None, judging: Judging = Judging()) -> Judgement:
    """What every layer says about one message; `resource_type` is what its address takes, None for any.

    Raises EmptyBody, TooLarge, or NotJson with findings: then there is nothing more to say.
    """
    check_size(body)
    findings = Findings(judging.policy)
    sent = parse(body, findings)
    return _judged(sent, findings, resource_type, judging, sound=_is_sound(body, sent))


def _is_sound(body: bytes, sent: JsonObject) -> bool:
    """Whether a message is base R4 as it was sent, with nothing to mend: as most are, which saves a walk over them."""
    glance = Findings()
    check_r4(sent, glance)
    return glance.untouched and not may_have_blanks(body)


def _judged(
    sent: JsonObject, findings: Findings, resource_type: str | None, judging: Judging, *, sound: bool
) -> Judgement:
    message = sent
    if not sound:
        repaired = as_r4(repair(sent, findings), findings, allowed=judging.stu3)
        findings.paths_are_of_copy(repaired.as_sent)
        message = repaired.message
    if resource_type is not None and message.get("resourceType") != resource_type:
        findings.add("fhir-wrong-resource-type", ("resourceType",), type=resource_type)
    if judging.bundle_type is not None and message.get("type") != judging.bundle_type:
        findings.add("envelope-wrong-bundle-type", ("type",), type=judging.bundle_type)
    if not sound:
        check_r4(message, findings)
    check_profiles(message, findings)
    check_identifiers(message, judging.environment, findings)
    envelope = check_envelope(message, findings)
    found = findings.rendered(sent)
    layer = findings.first_error_layer()
    refusal = _REFUSALS.get(layer, NotFhir)(found) if layer is not None else None
    return Judgement(message, envelope, found, refusal)


def read_message(body: bytes, resource: str, judging: Judging = Judging()) -> Reading:
    """Judge the bytes posted to `/epj/r4/{orgnr}/{resource}`.

    Raises UnknownAddress, EmptyBody, TooLarge, NotJson, NotFhir, BrokenProfile, WrongIdentifier or BrokenEnvelope; the
    last five with findings.
    """
    resource_type = resource_type_at(resource)
    judgement = judge(body, resource_type, judging)
    envelope = judgement.envelope
    if judgement.refusal is not None:
        raise judgement.refusal
    if envelope.patient is None:
        raise BrokenEnvelope(judgement.findings)
    return Reading(
        resource_type,
        envelope.bundle_type,
        envelope.patient,
        event_of(judgement.message, envelope),
        names_of(judgement.message, envelope.survey),
        judgement.findings,
        hashlib.sha256(body).hexdigest(),
    )
