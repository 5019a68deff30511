"""The sandbox's municipality: registered once, and afterwards left as people changed it."""

from collections.abc import AsyncIterator

import pytest

from sandbox.cosmos import serve
from sandbox.stores import one_receiver, open_stores, seed
from sandbox.topology import load
from shared.clock import utc_now
from shared.registry.changes import change
from shared.registry.entries import entry_of
from shared.registry.keeping import Registry
from shared.registry.model import SYSTEMS, Municipality, grant_id
from tests.unit.registry.samples import ORGNR, VKP_ID


@pytest.fixture(scope="module")
async def account(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with serve(tmp_path_factory.mktemp("seed"), load()) as served:
        yield served.connection_string


async def test_what_was_changed_since_stays_changed_when_the_sandbox_starts_again(account: str) -> None:
    database = load().database
    await seed(account, database, one_receiver(ORGNR, "Solvik", "http://127.0.0.1:1"), [VKP_ID])
    async with open_stores(account, database) as stores:
        registry = Registry(stores.registry)
        grant = await registry.read(ORGNR, grant_id(VKP_ID))
        made = change(grant, None, "code:test", "agreement ended", utc_now())
        assert made is not None
        await registry.write(made)

        await seed(account, database, one_receiver(ORGNR, "Solvik", "http://127.0.0.1:2"), [VKP_ID])

        municipality = entry_of(await registry.read(ORGNR, "municipality"))
        assert isinstance(municipality, Municipality)
        assert municipality.receivers[0].url == "http://127.0.0.1:2"
        assert entry_of(await registry.read(ORGNR, grant_id(VKP_ID))) is None
        assert len(await registry.everything(SYSTEMS)) == 1

        before = await registry.history(ORGNR)
        await seed(account, database, one_receiver(ORGNR, "Solvik", "http://127.0.0.1:2"), [VKP_ID])
        assert await registry.history(ORGNR) == before
