"""The trail, wired together: settings in; what writes, signs, reads and verifies it out."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final, Self

from shared.azure.blobs import BlobCopies
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.keyvault import KeyVaultSigner
from shared.azure.settings import CosmosSettings
from shared.azure.trail import CosmosPurger, Feeds, KeptPositions
from shared.azure.trail_settings import TrailSettings, places
from shared.clock import Clock, utc_now
from shared.trail import checkpoint_check, entries
from shared.trail.copying import Copier, witnesses
from shared.trail.desk import FindAccess, Pseudonyms, TrailDesk
from shared.trail.purging import Purged, purge
from shared.trail.reconciling import Missing, Store, reconcile
from shared.trail.sealing import Sealed, Sealer
from shared.trail.sequencing import Outbox, Sequencer
from shared.trail.signing import Signing, TrustedKey
from shared.trail.verifying import Progress, Report, Trust, verify
from shared.trail.writing import TrailWriter

VERSION: Final = "0.1.0"
OUTBOXES: Final[Mapping[str, entries.Reading]] = {
    "messages": entries.of_message,
    "refusals": entries.of_refusal,
    "registry": entries.of_history,
}
"""The hub's containers whose documents tell of something."""
_TOLD_BY: Final[tuple[tuple[str, str, entries.Reading], ...]] = (
    ("messages", "event", entries.of_event),
    ("messages", "delivery", entries.of_delivery),
    ("refusals", "refusal", entries.of_refusal),
    ("registry", "history", entries.of_history),
)
"""Their names, and the types of those documents."""
_FEED_PATIENCE_S: Final = 10.0


class TrailParts:
    """Everything of the trail in this process. Belongs to one event loop; connects when first needed.

    Its clients are its own: the trail's account is another one than the hub's, and a change feed needs a client to
    itself (see Feeds).
    """

    def __init__(self, settings: TrailSettings, hub: CosmosSettings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        where = places(settings, hub)
        self._changes = Cosmos(hub)
        self._stores = Cosmos(hub)
        self._trail = Cosmos(where.trail)
        self._apart = Cosmos(where.checkpoints)
        self.log = LazyContainer(self._trail, "trail")
        self.checkpoints = LazyContainer(self._apart, "checkpoints")
        self.writer = TrailWriter(self.log, clock, f"knutepunkt/{VERSION}/{settings.deployment}")
        feeds = Feeds(self._changes, _FEED_PATIENCE_S)
        self.sequencer = Sequencer(
            outboxes=[Outbox(name, feeds.of(name), reading) for name, reading in OUTBOXES.items()],
            positions=KeptPositions(LazyContainer(self._trail, "positions")),
            writer=self.writer,
            clock=clock,
        )
        self._vault = None if settings.vault_key is None else KeyVaultSigner(settings.vault_key)
        self._signer: Signing | None = self._vault or settings.signer()
        self.sealer = (
            None if self._signer is None else Sealer(self.log, self.checkpoints, self._signer, clock, settings.trusted)
        )

        self._copies = None if settings.blob_container is None else BlobCopies(settings.blob_container)
        self._copier = None if self._copies is None else Copier(self.checkpoints, self._copies)

    async def seal(self) -> Sealed | None:
        """Write checkpoints; None where there is no key to sign with. Raises Unreachable."""
        return None if self.sealer is None else await self.sealer.seal()

    async def copy(self) -> int:
        """Copy new checkpoints to storage that cannot be changed, if there is any. Raises Unreachable."""
        return 0 if self._copier is None else await self._copier.copy()

    async def reconcile(self, window: timedelta) -> list[Missing]:
        """Look for stations of that long back that have no entry. Raises Unreachable."""
        now = self.clock()
        return [
            await reconcile(store, self.log, self.writer, now - window, now, self._delay) for store in self._outboxes()
        ]

    def _outboxes(self) -> list[Store]:
        return [
            Store(f"{name}/{type}", type, LazyContainer(self._stores, name), reading)
            for name, type, reading in _TOLD_BY
        ]

    @property
    def _delay(self) -> timedelta:
        return timedelta(seconds=self.settings.longest_delay_s)

    def desk(self, access: FindAccess, pseudonyms: Pseudonyms, public_url: str) -> TrailDesk:
        """What answers questions about the log."""
        return TrailDesk(
            trail=self.log, writer=self.writer, access=access, pseudonyms=pseudonyms, clock=self.clock,
            public_url=public_url,
        )  # fmt: skip

    async def _trusted(self) -> Sequence[TrustedKey]:
        """Whose signatures count: those that are set, and the signer's own."""
        own = () if self._signer is None else (await self._signer.key(),)
        return (*own, *self.settings.trusted)

    async def verify(self, progress: Progress, **how: Any) -> Report:
        """See shared.trail.verifying. `witnesses`, `since` and `quick` as there."""
        settings = self.settings
        copied = () if self._copies is None else await witnesses(self._copies)
        trust = Trust(
            await self._trusted(),
            settings.retention,
            settings.silence,
            settings.always_on,
            (*how.pop("witnesses", ()), *copied),
        )
        how |= {"stores": self._outboxes(), "delay": self._delay, "progress": progress}
        return await verify(self.log, self.checkpoints, trust, self.clock(), **how)

    async def purge(self, approver: str | None) -> list[Purged]:
        """Purge by the policy in force; without an approver, only tell what would be. Raises Unreachable.

        Raises ValueError when there is no policy.
        """
        if not self.settings.retention:
            raise ValueError("there is no retention policy")
        kept = [each async for page in self.checkpoints.pages("SELECT * FROM c", {}) for each in page]
        checked = checkpoint_check.check(kept, await self._trusted(), self.clock(), self.settings.silence)
        return await purge(
            self.log,
            CosmosPurger(self._trail, self._trail.settings.patience_s) if approver else None,
            self.writer,
            self.settings.retention[-1],
            {name: told[-1].state for name, told in checked.signed.items()},
            self.clock,
            approver or "",
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as stack:
            for each in (self._changes, self._stores, self._trail, self._apart):
                stack.push_async_callback(each.close)
            for remote in (self._vault, self._copies):
                if remote is not None:
                    stack.push_async_callback(remote.close)
