"""The stand-in's HTTP: HelseID's three endpoints, and beside them what a test may turn (`/_sandbox/…`)."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError
from yarl import URL

from sandbox.helseid import jwk, metadata, signing
from sandbox.helseid.assertion import AssertionRules, Replays
from sandbox.helseid.clients import AUDIENCE, VKP_SCOPES, Registry, read_client
from sandbox.helseid.grant import grant
from sandbox.helseid.mint import MintOrder, mint
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.signing import SigningKeys

Clock = Callable[[], datetime]

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_SHUTDOWN_S = 1.0


class NotAStandIn(ValueError):
    """The stand-in was told to speak in the name of a real host."""


class Rotation(BaseModel):
    """How to rotate the signing key."""

    model_config = ConfigDict(extra="forbid")

    keepOld: bool = True  # noqa: N815 - the wire's spelling


class Outage(BaseModel):
    """Whether everything but the sandbox's own switches answers 503."""

    model_config = ConfigDict(extra="forbid")

    on: bool


def utc_now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class HelseId:
    """A running stand-in, as `serve` yields it."""

    issuer: str
    port: int
    registry: Registry
    keys: SigningKeys
    keys_path: Path
    clock: Clock
    rules: AssertionRules
    replays: Replays = field(default_factory=Replays)
    outage: bool = False
    calls: dict[str, int] = field(default_factory=dict)
    """How often each of HelseID's own paths was asked for, also during an outage."""

    def facts(self) -> dict[str, Any]:
        """What a client of the sandbox needs to know."""
        return {
            "port": self.port,
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "clients": self.registry.facts(),
        }

    def mint(self, order: MintOrder | None = None) -> str:
        """A test token. Raises KeyError when the order names a client that is not registered."""
        order = order or MintOrder()
        client = self.registry.find(order.client_id)
        if client is None:
            raise KeyError(order.client_id)
        return mint(order, client, self.keys, self.issuer, self.clock())

    async def rotate(self, *, keep_old: bool = True) -> str:
        """Sign with a new key from now on; durable before it is used. Returns the new key id."""
        new = await asyncio.to_thread(jwk.make, "RS256")
        keys = signing.rotated(self.keys, new, keep_old=keep_old)
        await asyncio.to_thread(signing.save, self.keys_path, keys)
        self.keys = keys
        return new.kid


@asynccontextmanager
async def serve(
    folder: Path,
    port: int = 0,
    clock: Clock = utc_now,
    *,
    issuer: str | None = None,
    allow_legacy_assertions: bool = False,
) -> AsyncIterator[HelseId]:
    """Run the stand-in on 127.0.0.1 with its state in this folder. Port 0: a free one.

    The issuer is the stand-in's own address unless another is given; a port that changes over a restart changes the
    issuer with it. Raises NotAStandIn for an issuer on a host that is not this machine's own, OSError when the port is
    taken.
    """
    if issuer is not None:
        refuse_real_host(issuer)
    registry = Registry(folder)
    keys_path = folder / "signing-keys.json"
    await asyncio.to_thread(registry.load)
    keys = await asyncio.to_thread(signing.load, keys_path)

    app = web.Application(client_max_size=256 * 1024, middlewares=[_gate])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    # The issuer is only known when the port is: the socket is opened before the routes can answer.
    app[_HELSEID] = part = HelseId("", 0, registry, keys, keys_path, clock, AssertionRules(""))
    app.add_routes(_routes(part))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        part.port = int(runner.addresses[0][1])
        part.issuer = issuer or f"http://127.0.0.1:{part.port}"
        part.rules = AssertionRules(part.issuer, allow_legacy_assertions, allow_legacy_assertions)
        yield part
    finally:
        await runner.cleanup()


def refuse_real_host(issuer: str) -> None:
    """Raise NotAStandIn unless the issuer's host is this machine's own or in a name space set aside for tests."""
    host = (URL(issuer).host or "").lower()
    if host == "localhost" or host.endswith((".localhost", ".test", ".example", ".invalid")):
        # `helseid-sts.test.nhn.no` ends in `.no`; no real host can end in these (RFC 2606, RFC 6761).
        return
    try:
        own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise NotAStandIn("the stand-in speaks only for this machine, never for a real HelseID host")


_HELSEID = web.AppKey("helseid", HelseId)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    part = request.app[_HELSEID]
    if request.path.startswith("/_sandbox/"):
        return await handler(request)
    part.calls[request.path] = part.calls.get(request.path, 0) + 1
    if part.outage:
        return web.json_response({"error": "temporarily_unavailable"}, status=503)
    return await handler(request)


def _routes(part: HelseId) -> list[web.RouteDef]:
    async def discovery(_: web.Request) -> web.Response:
        return web.json_response(metadata.discovery_document(part.issuer, list(VKP_SCOPES)))

    async def jwks(_: web.Request) -> web.Response:
        return web.json_response(part.keys.published())

    async def token(request: web.Request) -> web.Response:
        try:
            return web.json_response(await _token(part, request), headers=_NO_STORE)
        except OAuthError as error:
            refusal = {"error": error.error, "error_description": error.description}
            return web.json_response(refusal, status=400, headers=_NO_STORE)

    async def minted(request: web.Request) -> web.Response:
        order = MintOrder.model_validate_json(await request.read() or b"{}")
        if part.registry.find(order.client_id) is None:
            return web.json_response({"error": "the client is not registered (clientId)"}, status=400)
        answer = {"access_token": part.mint(order), "token_type": "Bearer", "expires_in": order.lifetime_seconds}
        return web.json_response(answer, headers=_NO_STORE)

    async def rotate(request: web.Request) -> web.Response:
        order = Rotation.model_validate_json(await request.read() or b"{}")
        return web.json_response({"kid": await part.rotate(keep_old=order.keepOld)})

    async def outage(request: web.Request) -> web.Response:
        part.outage = Outage.model_validate_json(await request.read()).on
        return web.json_response({"on": part.outage})

    async def register(request: web.Request) -> web.Response:
        try:
            client = read_client(await request.json())
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"not a client: {error}"}, status=400)
        await asyncio.to_thread(part.registry.register, client)
        return web.json_response(client.to_json(), status=201)

    async def facts(_: web.Request) -> web.Response:
        return web.json_response(part.facts())

    return [
        web.get(metadata.DISCOVERY, discovery),
        web.get(metadata.JWKS, jwks),
        web.route("*", metadata.TOKEN, token),
        web.post("/_sandbox/mint", _explained(minted)),
        web.post("/_sandbox/rotate", _explained(rotate)),
        web.post("/_sandbox/outage", _explained(outage)),
        web.post("/_sandbox/clients", register),
        web.get("/_sandbox/facts", facts),
    ]


def _explained(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
    async def explained(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ValidationError as error:
            wrong = [{"at": ".".join(map(str, fault["loc"])), "what": fault["msg"]} for fault in error.errors()]
            return web.json_response({"error": "not understood", "wrong": wrong}, status=400)

    return explained


async def _token(part: HelseId, request: web.Request) -> dict[str, Any]:
    if request.method != "POST":
        raise OAuthError("invalid_request", "Use POST.")
    if request.content_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send application/x-www-form-urlencoded.")
    if "Authorization" in request.headers:
        raise OAuthError("invalid_client", "Clients authenticate with private_key_jwt only.")
    try:
        fields = await request.post()
    except (UnicodeDecodeError, LookupError):
        raise OAuthError("invalid_request", "The form cannot be read.") from None
    form = [(name, value) for name, value in fields.items() if isinstance(value, str)]
    granted = grant(
        form,
        dpop="DPoP" in request.headers,
        find=part.registry.find,
        rules=part.rules,
        replays=part.replays,
        now=part.clock(),
    )
    return {
        "access_token": part.keys.sign(granted.claims),
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": " ".join(granted.scopes),
    }
