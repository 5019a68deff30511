"""The trail over the real Cosmos SDK: one account for all of these tests, and municipalities of their own for each."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.partition_key import PartitionKey

from sandbox.cosmos import Served, serve
from sandbox.stores import Stores, open_stores
from sandbox.topology import load
from shared.azure.cosmos import Cosmos, CosmosContainer, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.azure.trail import Feeds, KeptPositions
from shared.messages.documents import Document
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.findings import Fault
from shared.trail.sealing import Sealed, Sealer
from shared.trail.signing import Signer
from shared.trail.verifying import Report, Trust, verify
from shared.trail.writing import TrailWriter

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OBSERVER = "knutepunkt/0.1.0/test"

_orgnrs = count(310_000_001)
_sources = count()


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
    messages: LazyContainer
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
                LazyContainer(feeds, "messages"),
                Feeds(feeds, 10.0),
            )


@dataclass(frozen=True)
class Log:
    """A trail of a test's own, with its checkpoints: what the hub has of it, and what somebody with all rights has."""

    trail: CosmosContainer
    kept: CosmosContainer
    raw_trail: ContainerProxy
    raw_kept: ContainerProxy
    clock: SetClock = field(default_factory=SetClock)
    signer: Signer = field(default_factory=lambda: Signer.of(b"s" * 32))

    def writer(self) -> TrailWriter:
        """A writer that knows nothing yet."""
        return TrailWriter(self.trail, self.clock, OBSERVER)

    async def seal(self) -> Sealed:
        """A checkpoint, by a sealer that knows nothing yet."""
        return await Sealer(self.trail, self.kept, self.signer, self.clock).seal()

    async def write(self, orgnr: str, count: int, **facts: Any) -> None:
        """Entries of a municipality's chain that nobody else has."""
        given = {"kind": Kind.ROUTED, "outcome": Outcome.SUCCESS, **facts}
        await self.writer().append(
            Entry(occurred=self.clock.now, source=f"test/{next(_sources)}", orgnr=orgnr, **given) for _ in range(count)
        )

    async def chain(self, name: str) -> list[Document]:
        """What is stored of a chain, in order."""
        text = "SELECT * FROM c WHERE c.chain = @c"
        found = [each async for page in self.trail.pages(text, {"@c": name}) for each in page]
        return sorted(found, key=lambda each: int(each["seq"]))

    async def verify(self, **how: Any) -> Report:
        """What verification says."""
        quick, since = how.pop("quick", False), how.pop("since", "")
        trust = Trust(**{"keys": (self.signer.public(),), **how})
        return await verify(self.trail, self.kept, trust, self.clock.now, quick=quick, since=since)

    async def faults(self, **how: Any) -> set[Fault]:
        """The names of what verification finds."""
        return {each.fault for each in (await self.verify(**how)).findings}


@pytest.fixture(scope="session")
async def client(kept: Kept) -> AsyncIterator[CosmosClient]:
    async with CosmosClient(kept.served.endpoint, kept.served.key) as found:
        yield found


async def new_log(client: CosmosClient) -> Log:
    """As declared, but in a database of its own."""
    database = await client.create_database(f"log-{next(_sources)}")
    made: dict[str, ContainerProxy] = {}
    for declared in [each for apart in load().apart for each in apart.containers if each.name != "positions"]:
        options: dict[str, Any] = {}
        if declared.unique_keys:
            options["unique_key_policy"] = {"uniqueKeys": [{"paths": [path]} for path in declared.unique_keys]}
        key = PartitionKey(path=declared.partition_key)
        made[declared.name] = await database.create_container(declared.name, key, **options)
    trail, checkpoints = made["trail"], made["checkpoints"]
    return Log(CosmosContainer(trail, 10.0), CosmosContainer(checkpoints, 10.0), trail, checkpoints)


@pytest.fixture
async def log(client: CosmosClient) -> Log:
    """An empty log of the test's own."""
    return await new_log(client)


@dataclass(frozen=True)
class Written:
    """What a log held at a time."""

    entries: list[Document]
    checkpoints: list[Document]
    now: datetime


@pytest.fixture(scope="session")
async def written(client: CosmosClient) -> Written:
    """Two municipalities and the hub, with three checkpoints; everything signed for."""
    log = await new_log(client)
    for _ in range(3):
        await log.write("310000001", 4, message="m-1", patient="p-1")
        await log.write("310000002", 2)
        await log.write("", 1, kind=Kind.HEARTBEAT)
        log.clock.forward(minutes=10)
        await log.seal()
    everything = [
        [bare(each) async for page in container.pages("SELECT * FROM c", {}) for each in page]
        for container in (log.trail, log.kept)
    ]
    return Written(everything[0], everything[1], log.clock.now)


@pytest.fixture
async def filled(log: Log, written: Written) -> Log:
    """A log that holds what is written, for doing with it what one likes."""
    for chain in {each["chain"] for each in written.entries}:
        await log.trail.create([each for each in written.entries if each["chain"] == chain], chain)
    await log.kept.create(written.checkpoints, "2026-11")
    log.clock.now = written.now
    return log


def bare(document: Document) -> Document:
    """Without what Cosmos adds."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


@pytest.fixture
def orgnr() -> str:
    """A municipality, and so a chain, that no other test has. The number need not pass a check here."""
    return str(next(_orgnrs))


@pytest.fixture
def clock() -> SetClock:
    return SetClock()
