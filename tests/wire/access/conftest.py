"""A stand-in for HelseID, a Cosmos account, and an API behind the hub's authenticator: all over real sockets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from sandbox import topology
from sandbox.cosmos import Served
from sandbox.cosmos import serve as serve_cosmos
from sandbox.helseid.server import HelseId
from sandbox.helseid.server import serve as serve_helseid
from shared.access.authenticate import Authenticator, Dpop, authenticator
from shared.access.challenges import challenge
from shared.access.credentials import Credentials
from shared.access.modes import DpopMode
from shared.access.tokens import TokenPolicy
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.proofs import CONTAINER, CosmosProofs
from shared.azure.settings import CosmosSettings
from shared.errors import HubError
from tests.wire.cosmos.clocks import SetClock

AUDIENCE = "nhn:vkp"


@pytest.fixture(scope="package")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HelseId]:
    async with serve_helseid(tmp_path_factory.mktemp("helseid")) as part:
        yield part


@pytest.fixture(scope="package")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture(scope="package")
def cosmos_clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="package")
async def account(tmp_path_factory: pytest.TempPathFactory, cosmos_clock: SetClock) -> AsyncIterator[Served]:
    async with serve_cosmos(tmp_path_factory.mktemp("cosmos"), topology.load(), clock=cosmos_clock) as served:
        yield served


@pytest.fixture(scope="package")
async def memories(account: Served) -> AsyncIterator[tuple[CosmosProofs, CosmosProofs]]:
    """The memory of proofs as two instances of the app see it, each with a client of its own."""
    settings = CosmosSettings.model_validate({"Cosmos": account.connection_string})
    async with Cosmos(settings) as one, Cosmos(settings) as other:
        yield CosmosProofs(LazyContainer(one, CONTAINER)), CosmosProofs(LazyContainer(other, CONTAINER))


@dataclass(frozen=True, slots=True)
class Api:
    """Two instances of one API, behind one public address."""

    public: str
    inner: tuple[str, str]
    """Where each instance is reached. /each: headers as they came; /merged: as Azure Functions gives them."""


@pytest.fixture(scope="package")
async def api(
    issuer: HelseId, http: aiohttp.ClientSession, memories: tuple[CosmosProofs, CosmosProofs]
) -> AsyncIterator[Api]:
    public = "https://hub.example/base"
    runners, addresses = [], []
    for memory in memories:
        guard = authenticator(http, TokenPolicy(issuer.issuer, AUDIENCE), dpop=Dpop(public, memory))

        async def answer(request: web.Request, guard: Authenticator = guard) -> web.Response:
            values = [request.headers.getall(name, []) for name in ("Authorization", "DPoP")]
            if request.path == "/merged":
                values = [[", ".join(each)] if each else [] for each in values]
            try:
                caller = await guard.caller(Credentials(values[0], values[1], request.method, str(request.url)))
            except HubError as error:
                told = challenge(error, values[0], DpopMode.OPTIONAL)
                return web.json_response(
                    {"code": error.code}, status=error.status, headers={"WWW-Authenticate": told} if told else {}
                )
            return web.json_response({"client": caller.client_id, "bound": caller.is_bound})

        app = web.Application()
        app.add_routes([web.post(path, answer) for path in ("/each", "/merged")])
        runner = web.AppRunner(app, shutdown_timeout=1, max_field_size=200_000)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        addresses.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield Api(public, (addresses[0], addresses[1]))
    for runner in runners:
        await runner.cleanup()
