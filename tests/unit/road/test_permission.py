"""Who may see and handle what is set aside; to everybody else it is as if there were nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.access.caller import Person
from shared.errors import HubError, UnknownOperation
from shared.messages.documents import Document
from shared.registry.model import SYSTEMS, Municipality, Receiver
from shared.registry.people import Access, Role
from shared.registry.refusals import RoleMissing, SecurityLevel
from shared.registry.register import Register
from shared.road.permission import Act, Permission
from tests.model.memory import MemoryContainer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OWN, OTHER = "310000019", "310000027"


def person(subject: str = "helseid:a", orgnr: str | None = OWN, level: str = "4", *roles: str) -> Person:
    return Person(subject, "", orgnr, level, frozenset(roles))


async def permission(*accesses: Access) -> Permission:
    container = MemoryContainer()
    for orgnr in (OWN, OTHER):
        municipality = Municipality(orgnr, "Prøve", (Receiver("epj", "https://epj.example.org/fhir"),))
        document: Document = {**municipality.document(), "orgnr": orgnr}
        container.documents[(orgnr, document["id"])] = document

    async def find(orgnr: str, subject: str) -> Access | None:
        return next((each for each in accesses if (each.orgnr, each.subject) == (orgnr, subject)), None)

    return Permission(find, Register(container, lambda: NOW), lambda: NOW)


def access(role: Role, orgnr: str = OWN, until: datetime = NOW + timedelta(days=1)) -> Access:
    return Access(orgnr, "helseid:a", frozenset({role}), until)


async def outcome(permission: Permission, who: Person, orgnr: str | None, act: Act) -> type[HubError] | Role:
    try:
        return (await permission.of(who, orgnr, act)).role
    except HubError as error:
        return type(error)


@pytest.mark.parametrize(
    ("role", "see", "handle"),
    [
        (Role.MONITORING, Role.MONITORING, RoleMissing),
        (Role.ADMINISTRATION, Role.ADMINISTRATION, Role.ADMINISTRATION),
        (Role.USER_ADMINISTRATION, RoleMissing, RoleMissing),
    ],
)
async def test_a_municipalitys_people_may_what_their_role_says_and_only_at_home(
    role: Role, see: object, handle: object
) -> None:
    asked = await permission(access(role))
    assert await outcome(asked, person(), OWN, Act.SEE) == see
    assert await outcome(asked, person(), OWN, Act.HANDLE) == handle
    for elsewhere in (OTHER, "310000035", "nonsense", None):
        assert await outcome(asked, person(), elsewhere, Act.SEE) is UnknownOperation
    assert await outcome(asked, person(orgnr=OTHER), OWN, Act.SEE) is UnknownOperation


async def test_an_operator_may_everywhere_by_the_register_or_by_the_token() -> None:
    by_register = await permission(access(Role.OPERATOR, SYSTEMS))
    by_token = await permission()
    operator = person("entra:b", None, "", "Knutepunkt.Operator")
    for orgnr in (OWN, OTHER, None):
        assert await outcome(by_register, person(orgnr=None), orgnr, Act.HANDLE) is Role.OPERATOR
        assert await outcome(by_token, operator, orgnr, Act.HANDLE) is Role.OPERATOR


async def test_an_operators_role_in_a_municipality_makes_no_operator() -> None:
    assert await outcome(await permission(access(Role.OPERATOR)), person(), OWN, Act.SEE) is UnknownOperation


async def test_what_has_lapsed_is_over_and_a_weak_login_is_none() -> None:
    lapsed = await permission(access(Role.ADMINISTRATION, until=NOW))
    assert await outcome(lapsed, person(), OWN, Act.SEE) is UnknownOperation
    there = await permission(access(Role.ADMINISTRATION))
    assert await outcome(there, person(level="3"), OWN, Act.SEE) is SecurityLevel
