"""What may be missing: the purges that the log itself tells of, judged by the policies that were in force.

A purge is written down before anything is taken away. What is missing is lawful only where a purge entry that holds
names it *and* a policy, known from the settings and not from the log, allowed it at that time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.trail.chain import Header, month_ends
from shared.trail.entry import Family
from shared.trail.retention import Policy

BODIES = "bodies"
CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Purge:
    """A purge that an entry tells of: of bodies of some families in a range, or of a whole chain."""

    what: str
    chain: str
    first: int
    last: int
    families: frozenset[str]
    policy: str
    at: datetime
    root: str = ""

    def details(self) -> dict[str, str]:
        """As kept in the entry."""
        return {
            "what": self.what, "chain": self.chain, "first": str(self.first), "last": str(self.last),
            "families": "|".join(sorted(self.families)), "policy": self.policy, "root": self.root,
        }  # fmt: skip


def purge_from(header: Header, body: dict[str, Any]) -> Purge | None:
    """The purge that an entry tells of; None when it does not tell of one that can be understood."""
    details = body.get("details", {})
    try:
        return Purge(
            what=details["what"],
            chain=details["chain"],
            first=int(details["first"]),
            last=int(details["last"]),
            families=frozenset(details["families"].split("|")),
            policy=details["policy"],
            at=header.recorded,
            root=details.get("root", ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class Lawful:
    """Decides what may be missing."""

    purges: Sequence[Purge]
    policies: Sequence[Policy]

    def body(self, header: Header) -> bool:
        """Whether this entry's body may be gone."""
        return any(
            policy.allows(header.kind.family, header.recorded, purge.at)
            for purge, policy in self._of(header.chain, BODIES)
            if purge.first <= header.seq <= purge.last and header.kind.family.value in purge.families
        )

    def chain(self, chain: str, size: int, root: str) -> bool:
        """Whether this chain, which the last checkpoint says was so long, may be gone as a whole."""
        return any(
            (purge.last, purge.root) == (size - 1, root) and _whole_chain(policy, chain, purge.at)
            for purge, policy in self._of(chain, CHAIN)
        )

    def _of(self, chain: str, what: str) -> Iterable[tuple[Purge, Policy]]:
        for purge in self.purges:
            if (purge.chain, purge.what) == (chain, what):
                yield from ((purge, policy) for policy in self.policies if policy.id == purge.policy)


def _whole_chain(policy: Policy, chain: str, at: datetime) -> bool:
    kept_for_a_time = [family for family in Family if family is not Family.HOUSEKEEPING]
    return all(policy.allows(family, month_ends(chain), at) for family in kept_for_a_time)
