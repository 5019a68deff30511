"""A look at a payload: written down before anything is shown; what cannot be written down cannot be seen (P7).

The entry holds what pasientjournalforskriften § 14 and Normen ask for: who, in which role, for whom, when, at what, on
what basis; and no content.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from shared.clock import Clock
from shared.errors import NotAvailable
from shared.messages.documents import Unreachable
from shared.trail.entry import Entry, Kind, Outcome, Person
from shared.trail.writing import TrailWriter


class Purpose(StrEnum):
    """Why: codes of http://terminology.hl7.org/CodeSystem/v3-ActReason, each a kind of PurposeOfUse in R4."""

    TREATMENT = "TREAT"
    EMERGENCY_TREATMENT = "ETREAT"
    """Acute, by the ordinary rules of access."""
    BREAK_THE_GLASS = "BTG"
    """The ordinary rules were set aside: to be followed up."""
    OPERATIONS = "HOPERAT"
    ADMINISTRATION = "HSYSADMIN"
    COMPLIANCE = "HCOMPL"
    PATIENT_REQUEST = "PATRQT"
    TEST = "HTEST"


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody wants to see, and why."""

    person: Person
    orgnr: str
    """The municipality whose message it is."""
    message: str
    patient: str
    """Keyed pseudonym."""
    resource: str
    purpose: Purpose
    reference: str
    """The decision or case that the look is based on."""
    system: str
    """On which system: a console, an API client."""
    how: str = "screen"
    """`screen`, `download` or `api`."""
    masked: bool = False
    correlation: str = ""

    def entry(self, clock: Clock, outcome: Outcome = Outcome.SUCCESS, reason: str = "") -> Entry:
        """The entry that tells of it."""
        return Entry(
            kind=Kind.PAYLOAD_LOOK,
            outcome=outcome,
            occurred=clock(),
            source=f"look/{uuid.uuid4()}",
            orgnr=self.orgnr,
            reason=reason,
            system=self.system,
            person=self.person,
            message=self.message,
            patient=self.patient,
            receiver=self.orgnr,
            correlation=self.correlation,
            purpose=self.purpose.value,
            details={
                "resource": self.resource,
                "reference": self.reference,
                "how": self.how,
                "masked": "yes" if self.masked else "no",
                "emergency": "yes" if self.purpose is Purpose.BREAK_THE_GLASS else "",
            },
        )


async def look[T](writer: TrailWriter, clock: Clock, wanted: Look, show: Callable[[], Awaitable[T]]) -> T:
    """Write down the look, then show. Raises NotAvailable, and shows nothing, when it cannot be written down."""
    await _write(writer, wanted.entry(clock))
    return await show()


async def denied(writer: TrailWriter, clock: Clock, wanted: Look, reason: str) -> None:
    """Write down a look that was refused, with the refusal's code. Raises NotAvailable."""
    await _write(writer, wanted.entry(clock, Outcome.MINOR_FAILURE, reason))


async def _write(writer: TrailWriter, entry: Entry) -> None:
    try:
        await writer.append([entry])
    except Unreachable:
        raise NotAvailable from None
