"""Entries that the tests of the register share. Everything in them is invented."""

from datetime import UTC, datetime, timedelta

from shared.identity.series import Environment
from shared.registry.model import Grant, Municipality, RateLimit, Receiver, System
from shared.registry.partner import PartnerProfile
from shared.registry.people import Access, Role
from shared.registry.rules import House

ORGNR = "310000019"
OTHER = "310000027"
VKP_ID = "trygghetsvakt-test"
NOW = datetime(2026, 1, 15, 8, tzinfo=UTC)
DAY = timedelta(days=1)
RESOURCES = frozenset({"bundle", "composition", "observation", "patient"})
HOUSE = House(Environment.TEST, RESOURCES, NOW)
PRODUCTION = House(Environment.PRODUCTION, RESOURCES, NOW)
WHO = "helseid:operator-1"
WHY = "case 2026/114"

RECEIVER = Receiver("epj", "https://epj.example.no/fhir")
MUNICIPALITY = Municipality(ORGNR, "Solvik kommune (syntetisk)", (RECEIVER,), number="9901")
SYSTEM = System(VKP_ID, "Trygghetsvakt", rate_limit=RateLimit(10, 50))
GRANT = Grant(
    ORGNR, VKP_ID, frozenset({"bundle", "patient"}), frozenset({"TA", "GPS"}), may_read=True, valid_from=NOW - DAY,
    valid_to=NOW + 300 * DAY, approved_by="head of unit",
)  # fmt: skip
PARTNER = PartnerProfile(ORGNR, {"GPS": ("%.2.3",), "TA": ("1.1", "1.2")})
ACCESS = Access(ORGNR, "helseid:kari-1", frozenset({Role.ADMINISTRATION}), NOW + 30 * DAY, "Kari Eksempel")
OPERATOR = Access("systems", "entra:olav-1", frozenset({Role.OPERATOR}), NOW + 30 * DAY)
ENTRIES = (MUNICIPALITY, SYSTEM, GRANT, PARTNER, ACCESS, OPERATOR)
