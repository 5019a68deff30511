"""Where alerts are kept: one small document a subject in the container `operations`, changed only under a condition.

Two instances may look at the same moment. Both step, one of them writes, the other finds that it was overtaken and
leaves it: so a notice comes into being once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from shared.log import LogEvent, log
from shared.messages.documents import AlreadyThere, Change, ConditionFailed, Container, Create, Document, Patch
from shared.watch.alerts import Alert, Kind, Seen

MOST: Final = 1000
"""Subjects that something is wrong with, at one look."""
_KEPT_S: Final = 30 * 24 * 3600
"""How long a closed one can be looked at afterwards."""
_FOR_EVER: Final = -1
_ALERT: Final = TypeAdapter(Alert)


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert as it was read: `revision` is the condition for changing it, 0 for one that is not kept yet."""

    alert: Alert
    revision: int


def alert_id(seen: Seen) -> str:
    """The document's id, whatever characters a vkp-id has."""
    return ".".join(("alert", seen.kind, *(quote(part, safe="").replace("%", "~") for part in seen.subject if part)))


class AlertStore:
    """Alerts in the container `operations` (partition key `/id`)."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def active(self) -> tuple[Kept, ...]:
        """All that are not resting. Raises Unreachable."""
        found = await self._container.query(
            "SELECT * FROM c WHERE c.type = 'alert' AND c.active = true", {}, MOST
        )  # fmt: skip
        return tuple(_read(found))

    async def resting(self, seen: Seen) -> Kept | None:
        """The alert of this subject, from an outage that is over; None when there was none."""
        id = alert_id(seen)
        document = await self._container.read(id, id)
        return next(iter(_read([document])), None) if document is not None else None

    async def write(self, alert: Alert, revision: int) -> bool:
        """Keep an alert that was read at this revision. False when somebody else was faster. Raises Unreachable."""
        id = alert_id(alert.seen)
        fields: dict[str, Any] = {
            "alert": _ALERT.dump_python(alert, mode="json", by_alias=True),
            "active": not alert.resting,
            "rev": revision + 1,
            "ttl": _KEPT_S if alert.resting else _FOR_EVER,
        }
        try:
            if revision == 0:
                await self._container.batch([Create({"id": id, "type": "alert", **fields})], id)
            else:
                changes = tuple(Change("set", f"/{name}", value) for name, value in fields.items())
                await self._container.patch(Patch(id, changes, condition=f"FROM c WHERE c.rev = {revision:d}"), id)
        except (AlreadyThere, ConditionFailed):
            return False
        return True

    async def latest(self, kinds: Iterable[Kind], limit: int = 100) -> tuple[Alert, ...]:
        """What was told lately, active or resting, for people to look at. Raises Unreachable."""
        wanted = sorted(kinds)
        found = await self._container.query(
            "SELECT * FROM c WHERE c.type = 'alert' AND ARRAY_CONTAINS(@kinds, c.alert.seen.kind) "
            "ORDER BY c.alert.first DESC",
            {"@kinds": wanted}, limit,
        )  # fmt: skip
        return tuple(each.alert for each in _read(found))


def _read(documents: Iterable[Document]) -> Iterable[Kept]:
    for document in documents:
        try:
            yield Kept(_ALERT.validate_python(document["alert"]), int(document["rev"]))
        except (ValidationError, KeyError):
            # By a later version of the hub, or by hand: it must not keep the others from being told of.
            log(LogEvent.ALERT_UNREADABLE)
