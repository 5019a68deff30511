"""Who may see what of the log, as data: roles are those of the register (vkp-api.md 5).

A municipality's log control sees all of its own; those who watch its traffic see stations, but no patient and no
person; those who administer its users see changes of rights. The hub's operators see stations of all municipalities and
the hub's own chains, with neither patients nor people: requests for insight go to the municipality, whose log it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.registry.people import Role
from shared.trail.auditevent import Shown
from shared.trail.entry import Family, Kind


@dataclass(frozen=True, slots=True)
class View:
    """What is seen: these families, with or without patients and people."""

    families: frozenset[Family]
    patients: bool = False
    people: bool = False

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of entries that are seen."""
        return frozenset(kind for kind in Kind if kind.family in self.families)

    @property
    def shown(self) -> Shown:
        """How an entry is shown."""
        return Shown(self.patients, self.people)


_TRAFFIC: Final = frozenset({Family.STATION, Family.DISCLOSURE})

VIEWS: Final[Mapping[Role, View]] = MappingProxyType({
    Role.ADMINISTRATION: View(frozenset(Family), patients=True, people=True),
    Role.MONITORING: View(_TRAFFIC),
    Role.USER_ADMINISTRATION: View(frozenset({Family.RIGHTS}), people=True),
    Role.OPERATOR: View(_TRAFFIC | {Family.RIGHTS, Family.HOUSEKEEPING}),
})  # fmt: skip


def view_of(roles: Iterable[Role]) -> View | None:
    """What somebody with these roles sees: the widest of their views; None: nothing.

    Views are not put together: who may see patients in one family would see them in all.
    """
    views = [VIEWS[role] for role in roles]
    return max(views, key=lambda view: (view.patients, view.people, len(view.families)), default=None)
