"""Watching, wired together: settings in; what counts, looks, tells and answers out."""

from datetime import timedelta
from typing import Final

from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import AlertSettings
from shared.clock import Clock, utc_now
from shared.registry.entries import entry_of
from shared.registry.people import Access, access_id
from shared.registry.register import Register
from shared.watch import alert_rules, mail
from shared.watch.alert_store import AlertStore
from shared.watch.desk import SummaryDesk
from shared.watch.gauges import Gauges
from shared.watch.heard import EVERY, Heard
from shared.watch.looking import Look
from shared.watch.mail import MailChannel
from shared.watch.measuring import Measuring
from shared.watch.notifying import Notifier
from shared.watch.numbers import Numbers
from shared.watch.observing import Observing
from shared.watch.ports import Channel
from shared.watch.watch import Watch
from shared.watch.webhook import WebhookChannel

_SELDOM: Final = timedelta(minutes=5)


class WatchParts:
    """Everything of it in this process. Belongs to one event loop; `cosmos` is the hub's own and not closed here."""

    def __init__(
        self,
        settings: AlertSettings,
        cosmos: Cosmos,
        register: Register,
        clock: Clock = utc_now,
        heard_every: timedelta = EVERY,
    ) -> None:
        operations = LazyContainer(cosmos, "operations")
        registry = LazyContainer(cosmos, "registry")
        rules = alert_rules.load().tuned(settings.alarm_after_s, settings.well_after_s)
        look = Look(LazyContainer(cosmos, "messages"), clock)
        store = AlertStore(operations)
        self.channels = channels_of(settings)
        self.measuring = Measuring(operations, clock)
        """Told by the road of everything it does."""
        self.heard = Heard(operations, heard_every)
        """Told by the road of every sender that it heard of."""
        self.notifier = Notifier(store, self.channels, rules, clock)
        observing = Observing(
            look=look, operations=operations, registry=registry, register=register, heard=self.heard, rules=rules
        )
        self.watch = Watch(observing=observing, store=store, channels=tuple(self.channels), rules=rules, clock=clock)
        self._look = look
        self._clock = clock
        self._gauges = Gauges(clock)
        self._counted: Numbers | None = None

        async def access(orgnr: str, subject: str) -> Access | None:
            # From the database each time: an access that is withdrawn is over at once.
            found = entry_of(await registry.read(access_id(subject), orgnr))
            return found if isinstance(found, Access) else None

        self.desk = SummaryDesk(look=look, operations=operations, alerts=store, access=access, clock=clock)

    async def count(self) -> None:
        """Count what waits, for the metrics; seldom while there is too much to be counted. Raises Unreachable."""
        last = self._counted
        if last is not None and last.at_least and last.at <= self._clock() < last.at + _SELDOM:
            return
        self._counted = await self._look.numbers()
        self._gauges.show(self._counted)

    async def close(self) -> None:
        """Write what was measured and let go of connections. Before the database's client is closed."""
        await self.heard.close()
        await self.measuring.close()
        await self.notifier.close()


def channels_of(settings: AlertSettings) -> dict[str, Channel]:
    """The ways by which people are told, as the settings have it; none: by log lines and metrics alone.

    Raises ValueError for a secret or a server that cannot be.
    """
    found: list[Channel] = []
    if settings.webhook is not None and settings.webhook_secret is not None:
        found.append(WebhookChannel(settings.webhook, settings.webhook_secret.get_secret_value()))
    if settings.smtp is not None:
        server = mail.server_of(settings.smtp.get_secret_value())
        found.append(MailChannel(server, settings.mail_from, settings.mail_to))
    return {each.name: each for each in found}
