"""What each role may see and change in the register, as data. Roles are VKP's on Min side (vkp-api.md 5)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.registry.people import Role


class Thing(StrEnum):
    """What the HTTP API shows and changes."""

    MUNICIPALITIES = "municipalities"
    """The list of them all."""
    MUNICIPALITY = "municipality"
    RECEIVERS = "receivers"
    PROPOSALS = "proposals"
    """Receivers as somebody wants them to be, until another person wants it too."""
    GRANTS = "grants"
    PARTNER_PROFILE = "partner-profile"
    TRAFFIC = "traffic"
    PEOPLE = "people"
    HISTORY = "history"
    SYSTEMS = "systems"
    SYSTEM_HISTORY = "system-history"
    """Of one system, or of all that is no municipality's."""
    REVOKED_KEYS = "revoked-keys"


class Do(StrEnum):
    """What is done with it."""

    SEE = "see"
    CHANGE = "change"


_OWN: Final = frozenset({
    Thing.MUNICIPALITY, Thing.RECEIVERS, Thing.GRANTS, Thing.PARTNER_PROFILE, Thing.TRAFFIC, Thing.HISTORY,
    Thing.PROPOSALS,
})  # fmt: skip

_NEVER_CHANGED: Final = frozenset({Thing.MUNICIPALITIES, Thing.HISTORY, Thing.SYSTEM_HISTORY, Thing.PROPOSALS})

MATRIX: Final[Mapping[Role, Mapping[Do, frozenset[Thing]]]] = MappingProxyType({
    Role.MONITORING: {Do.SEE: _OWN, Do.CHANGE: frozenset()},
    Role.ADMINISTRATION: {Do.SEE: _OWN, Do.CHANGE: _OWN - _NEVER_CHANGED},
    Role.USER_ADMINISTRATION: {Do.SEE: frozenset({Thing.PEOPLE}), Do.CHANGE: frozenset({Thing.PEOPLE})},
    Role.OPERATOR: {Do.SEE: frozenset(Thing), Do.CHANGE: frozenset(Thing) - _NEVER_CHANGED},
})  # fmt: skip
"""A role of a municipality counts in that municipality alone; the operator's counts everywhere."""

OPERATORS_ALONE: Final = frozenset({"name", "number", "environment"})
"""Fields of a municipality that say which one it is: its administration cannot change them."""


BY_APP_ROLE: Final[Mapping[str, Role]] = MappingProxyType({"Knutepunkt.Operator": Role.OPERATOR})
"""What an app role of the hub's own Entra ID tenant is here. Who belongs to a municipality is in the register alone."""


def app_roles(names: Iterable[str]) -> frozenset[Role]:
    """The roles that a person's token brings with it. Names are compared letter by letter."""
    return frozenset(BY_APP_ROLE[name] for name in names if name in BY_APP_ROLE)


def may(roles: Iterable[Role], do: Do, thing: Thing) -> bool:
    """Whether one of the roles lets a person do it."""
    return any(thing in MATRIX[role][do] for role in roles)
