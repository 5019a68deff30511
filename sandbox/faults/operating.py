"""What a scenario has people do at a hub, and what it looks at in its store to know when to break it.

Nothing of this goes into the count: that knows the sender and the EPJ only (ledger.py).
"""

from typing import Final

from sandbox import hub_parts, stores
from sandbox.operator import operator
from sandbox.running import Hub
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.clock import utc_now
from shared.registry.changes import change
from shared.registry.keeping import Registry
from shared.registry.model import MUNICIPALITY_DOCUMENT, Municipality, Receiver

NO_RECEIVER: Final = "HUB_NO_RECEIVER"
_WHY: Final = "a scenario of the fault rig"


async def kept(hub: Hub) -> int:
    """How many messages the hub has stored, ever."""
    settings = CosmosSettings.model_validate({
        "Cosmos": hub.addresses.cosmos, "Cosmos__database": hub.addresses.database,
    })  # fmt: skip
    async with Cosmos(settings) as cosmos:
        text = "SELECT VALUE COUNT(1) FROM c WHERE c.type = 'event'"
        return int(await LazyContainer(cosmos, "messages").value(text, {}) or 0)


async def receivers(hub: Hub, orgnr: str, *urls: str) -> None:
    """Have a municipality's messages go there: nowhere, when no address is given."""
    addresses = hub.addresses
    wanted = Municipality(orgnr, "Nabo kommune (syntetisk)", tuple(Receiver("epj", url) for url in urls))
    await stores.seed(addresses.cosmos, addresses.database, wanted, hub_parts.GRANTED)
    async with stores.open_stores(addresses.cosmos, addresses.database) as opened:
        registry = Registry(opened.registry)
        current = await registry.read(orgnr, MUNICIPALITY_DOCUMENT)
        made = change(current, wanted, "code:faults", _WHY, utc_now())
        if made is not None:
            await registry.write(made)


async def put_back(hub: Hub, orgnr: str) -> int:
    """Have what had no receiver routed after all. How much was still set aside."""
    async with operator(hub.addresses.api, hub.addresses.helseid) as person:
        asked = {"orgnr": orgnr, "cause": NO_RECEIVER}
        groups = (await person.get("/operations/set-aside", asked))["groups"]
        count = sum(int(each["count"]) for each in groups)
        if count:
            await person.post("/operations/replays", {**asked, "dryRun": False, "why": _WHY})
        return count
