"""Who may see and handle what is set aside: the hub's operators everywhere, a municipality's people their own.

To anybody else it is as if there were nothing. What a person may do is read from the register each time: an access
that is withdrawn or has lapsed is over at once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from shared.access.caller import Person
from shared.clock import Clock
from shared.errors import HubError, UnknownOperation
from shared.registry.model import SYSTEMS, is_orgnr
from shared.registry.people import Access, Role
from shared.registry.refusals import RoleMissing, SecurityLevel
from shared.registry.register import Register
from shared.registry.roles import app_roles
from shared.trail import entry as trail

FindAccess = Callable[[str, str], Awaitable[Access | None]]
"""A person's access in a municipality (or in SYSTEMS, for operators), by subject. May raise Unreachable."""


class Act(Enum):
    """What is done."""

    SEE = auto()
    """Groups, ids, causes and times."""
    HANDLE = auto()
    """Replay, withdraw, restore; see what a receiver said."""


MAY: Final[Mapping[Role, frozenset[Act]]] = MappingProxyType({
    Role.MONITORING: frozenset({Act.SEE}),
    Role.ADMINISTRATION: frozenset(Act),
    Role.USER_ADMINISTRATION: frozenset(),
    Role.OPERATOR: frozenset(Act),
})  # fmt: skip
"""A role of a municipality counts in that municipality alone; the operator's counts everywhere."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A person who may, and the role by which."""

    person: Person
    role: Role

    def agent(self) -> trail.Person:
        """As the log names them. Who they are called is in the log only where they look at a payload."""
        return trail.Person(self.person.subject, "", self.role.value, self.person.orgnr or "")


class Permission:
    """Asks the register."""

    def __init__(self, access: FindAccess, register: Register, clock: Clock) -> None:
        self._access = access
        self._register = register
        self._clock = clock

    async def of(
        self, person: Person, orgnr: str | None, act: Act, unknown: type[HubError] = UnknownOperation
    ) -> Allowed:
        """The role by which a person may do it at a municipality (None: at all of them).

        Raises SecurityLevel, `unknown` for what is none of theirs, RoleMissing; and Unreachable.
        """
        if not person.is_surely_known:
            raise SecurityLevel
        roles = await self._roles(person, orgnr)
        if not roles:
            raise unknown
        allowed = sorted(role for role in roles if act in MAY[role])
        if not allowed:
            raise RoleMissing
        return Allowed(person, allowed[0])

    async def _roles(self, person: Person, orgnr: str | None) -> frozenset[Role]:
        if orgnr is not None and not is_orgnr(orgnr):
            return frozenset()
        operator = app_roles(person.roles) or await self._roles_in(SYSTEMS, person)
        if Role.OPERATOR in operator:
            return frozenset({Role.OPERATOR})
        if orgnr is None or person.orgnr not in (None, orgnr):
            return frozenset()
        # A municipality that has been withdrawn has no people either.
        if await self._register.municipality(orgnr) is None:
            return frozenset()
        return await self._roles_in(orgnr, person) - {Role.OPERATOR}

    async def _roles_in(self, partition: str, person: Person) -> frozenset[Role]:
        access = await self._access(partition, person.subject)
        return access.roles_at(self._clock()) if access is not None else frozenset()
