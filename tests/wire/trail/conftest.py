"""The trail over the real Cosmos SDK: one account for all of these tests, and municipalities of their own for each."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sandbox.cosmos import Served, serve
from sandbox.stores import Stores, open_stores
from sandbox.topology import load
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.azure.trail import Feeds, KeptPositions
from shared.trail.writing import TrailWriter

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OBSERVER = "knutepunkt/0.1.0/test"

_orgnrs = count(310_000_001)


@dataclass
class SetClock:
    """A clock that stands where it is put."""

    now: datetime = T0

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **how: float) -> datetime:
        """Move on."""
        self.now += timedelta(**how)
        return self.now


@dataclass(frozen=True)
class Kept:
    """Where the trail and its checkpoints are kept, with everything that the SDK can do to them."""

    served: Served
    stores: Stores
    trail: LazyContainer
    positions: LazyContainer
    checkpoints: LazyContainer
    events: LazyContainer
    feeds: Feeds
    clock: SetClock = field(default_factory=SetClock)

    def writer(self, clock: Callable[[], datetime] | None = None) -> TrailWriter:
        """A writer as another instance of the app would have it."""
        return TrailWriter(self.trail, clock or self.clock, OBSERVER)

    def kept_positions(self) -> KeptPositions:
        """How far feeds were read."""
        return KeptPositions(self.positions)


@pytest.fixture(scope="session")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with serve(tmp_path_factory.mktemp("trail"), load()) as served:
        main, trail, checkpoints = (
            CosmosSettings.model_validate({"Cosmos": served.connection_string, "Cosmos__database": name})
            for name in (load().database, "knutepunkt-trail", "knutepunkt-checkpoints")
        )
        async with (
            open_stores(served.connection_string, load().database) as stores,
            Cosmos(main) as feeds,
            Cosmos(trail) as log,
            Cosmos(checkpoints) as apart,
        ):
            yield Kept(
                served,
                stores,
                LazyContainer(log, "trail"),
                LazyContainer(log, "positions"),
                LazyContainer(apart, "checkpoints"),
                LazyContainer(feeds, "events"),
                Feeds(feeds, 10.0),
            )


@pytest.fixture
def orgnr() -> str:
    """A municipality, and so a chain, that no other test has. The number need not pass a check here."""
    return str(next(_orgnrs))


@pytest.fixture
def clock() -> SetClock:
    return SetClock()
