"""`GET /operations/summary`, without HTTP: the hub's operators see all of it, a municipality's people its own."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from shared import clock as clocks
from shared.clock import Clock
from shared.errors import NotAvailable
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.registry.model import SYSTEMS, is_orgnr
from shared.registry.people import Access, Person, Role
from shared.registry.refusals import EntryUnknown, SecurityLevel
from shared.registry.roles import app_roles
from shared.watch import measured, numbers
from shared.watch.alert_store import AlertStore
from shared.watch.alerts import Alert, Kind, Status
from shared.watch.looking import Look
from shared.watch.measured import SLOT, Slot, slot_from, slot_start
from shared.watch.numbers import Numbers
from shared.watch.ports import Looking

type FindAccess = Callable[[str, str], Awaitable[Access | None]]
"""A person's access in a municipality (or in SYSTEMS, for operators), by subject. May raise Unreachable."""

BACK: Final = timedelta(hours=1)
"""How far back measurements are added up."""
_GOOD_FOR: Final = timedelta(seconds=5)
"""How long a look is good for those who ask again."""
_GOOD_FOR_MANY: Final = timedelta(minutes=1)
"""The same when there was too much to be counted: such a look costs more."""
_MOST: Final = 1000
_MAY: Final = frozenset({Role.MONITORING, Role.ADMINISTRATION})


class SummaryDesk:
    """Answers."""

    def __init__(
        self, *, look: Look, operations: Looking, alerts: AlertStore, access: FindAccess, clock: Clock
    ) -> None:
        self._look = look
        self._operations = operations
        self._alerts = alerts
        self._access = access
        self._clock = clock
        self._last: Numbers | None = None

    async def summary(self, person: Person) -> dict[str, Any]:
        """The numbers this person may see. Raises HubError."""
        if not person.is_surely_known:
            raise SecurityLevel
        try:
            return await self.all(await self._whose(person))
        except Unreachable:
            raise NotAvailable from None

    async def all(self, orgnr: str | None = None) -> dict[str, Any]:
        """The numbers; one municipality's alone when one is named. Raises Unreachable."""
        now = self._clock()
        found = await self._numbers()
        since = slot_start(now - BACK + SLOT)
        slots = await self._slots(clocks.written(since))
        alerts = [each for each in await self._alerts.latest(Kind) if orgnr in (None, each.seen.orgnr)]
        return {
            **numbers.written(found if orgnr is None else found.of(orgnr)),
            "lastHour": measured.written(slots, since, orgnr),
            "alerts": [_alert(each) for each in alerts if each.status is Status.OPEN],
        }

    async def _whose(self, person: Person) -> str | None:
        """The municipality whose numbers a person sees; None: all of them."""
        if Role.OPERATOR in app_roles(person.roles) or Role.OPERATOR in await self._roles(SYSTEMS, person):
            return None
        orgnr = person.orgnr or ""
        if not is_orgnr(orgnr) or not _MAY & await self._roles(orgnr, person):
            # The same as for what is not there: who has nothing to do here learns nothing.
            raise EntryUnknown
        return orgnr

    async def _roles(self, orgnr: str, person: Person) -> frozenset[Role]:
        access = await self._access(orgnr, person.subject)
        return access.roles_at(self._clock()) if access is not None else frozenset()

    async def _numbers(self) -> Numbers:
        now = self._clock()
        last = self._last
        if last is None or not last.at <= now < last.at + (_GOOD_FOR_MANY if last.at_least else _GOOD_FOR):
            last = self._last = await self._look.numbers()
        return last

    async def _slots(self, since: str) -> Slot:
        found = await self._operations.query(
            "SELECT * FROM c WHERE c.type = 'measured' AND c.start >= @since", {"@since": since}, _MOST
        )  # fmt: skip
        slots = []
        for each in found:
            try:
                slots.append(slot_from(each))
            except (KeyError, ValueError, TypeError) as error:
                log(LogEvent.NUMBERS_NOT_KEPT, error_type=type(error).__name__)
        return measured.added(slots)


def _alert(alert: Alert) -> dict[str, Any]:
    seen = alert.seen
    return {
        "kind": seen.kind.value,
        "since": clocks.written(seen.since),
        "told": clocks.written(alert.told) if alert.told else None,
        "orgnr": seen.orgnr or None,
        "receiver": seen.receiver or None,
        "sender": seen.sender or None,
        "code": seen.code or None,
        "waiting": seen.waiting,
    }
