"""What a test or a developer may turn (`/_sandbox/…`): only from this machine, and never from a web page.

GET    /_sandbox/facts                      port, issuer, audience, clients and their key files
GET    /_sandbox/clients[/ID]               the registered clients, one of them
POST   /_sandbox/clients                    register a client, or replace the one with its id (201)
PATCH  /_sandbox/clients/ID                 change the members that are named
DELETE /_sandbox/clients/ID                 remove it (204)
GET    /_sandbox/apis   POST /_sandbox/apis the registered APIs; register or replace one
POST   /_sandbox/rules                      change the rules that are named; {} only shows them
POST   /_sandbox/mint                       a test token (sandbox.helseid.mint)
GET    /_sandbox/faults                     the named faults
GET    /_sandbox/keys                       the signing keys and their states
POST   /_sandbox/keys/publish               {"alg": "RS256"}: a new key, published, signing nothing yet
POST   /_sandbox/keys/KID/sign|retire|revoke  what happens to it next
POST   /_sandbox/rotate                     {"keepOld": true, "alg": "RS256", "reuseKid": false}: all at once
POST   /_sandbox/outage                     {"on": true, "what": "everything"|"discovery"|"jwks"|"token",
                                             "how": "503"|"500"|"hang"|"garbage"}
POST   /_sandbox/clock                      {"offsetSeconds": 0}: how far the stand-in's clock is off
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from yarl import URL

from sandbox.helseid import faults, signing
from sandbox.helseid.endpoints import NO_STORE
from sandbox.helseid.jose import Alg
from sandbox.helseid.mint import MintOrder, NotMintable
from sandbox.helseid.registrations import Api, Client
from sandbox.helseid.rules import Rules
from sandbox.helseid.signing import NotPossible
from sandbox.helseid.standin import PLACES, HelseId, Trouble

PREFIX: Final = "/_sandbox/"
_CONFIG = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

_OBJECT: Final = TypeAdapter(dict[str, Any])

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Rotation(BaseModel):
    """How to rotate the signing key."""

    model_config = _CONFIG

    keep_old: bool = True
    alg: Alg = "RS256"
    reuse_kid: bool = False


class NewKey(BaseModel):
    """Which kind of key to publish."""

    model_config = _CONFIG

    alg: Alg = "RS256"


class Outage(BaseModel):
    """What fails, and how."""

    model_config = _CONFIG

    on: bool
    what: Literal["everything", "discovery", "jwks", "token"] = "everything"
    how: Trouble = "503"


class ClockOffset(BaseModel):
    """How far the clock is off."""

    model_config = _CONFIG

    offset_seconds: float = Field(ge=-1e9, le=1e9)


def is_from_here(request: web.Request) -> bool:
    """Whether the call comes from a program on this machine: no other host, no web page that a browser shows."""
    try:
        near = ipaddress.ip_address(request.remote or "").is_loopback
        named = URL(f"http://{request.host}").host
    except ValueError:
        return False
    # A page of somebody else's can make a browser call this port: by its own name for it (DNS rebinding), or blindly.
    return near and named in ("127.0.0.1", "localhost", "::1") and "Origin" not in request.headers


def routes(part: HelseId) -> list[web.RouteDef]:
    """The switches of this stand-in."""
    return [
        web.get("/_sandbox/facts", _facts(part)),
        *_registrations(part),
        *_tokens(part),
        *_keys(part),
        *_weather(part),
    ]


def _facts(part: HelseId) -> Handler:
    async def facts(_: web.Request) -> web.Response:
        return web.json_response(part.facts())

    return facts


def _registrations(part: HelseId) -> list[web.RouteDef]:
    def named(request: web.Request) -> Client:
        client = part.registry.find(request.match_info["client"])
        if client is None:
            raise web.HTTPNotFound(text='{"error": "no such client"}', content_type="application/json")
        return client

    async def listed(_: web.Request) -> web.Response:
        return web.json_response({"clients": [client.to_json() for client in part.registry.clients]})

    async def shown(request: web.Request) -> web.Response:
        return web.json_response(named(request).to_json())

    async def register(request: web.Request) -> web.Response:
        client = Client.model_validate_json(await request.read())
        await asyncio.to_thread(part.registry.register, client)
        return web.json_response(client.to_json(), status=201)

    async def change(request: web.Request) -> web.Response:
        before = named(request)
        changes = _OBJECT.validate_json(await request.read())
        changed = Client.model_validate({**before.to_json(), **changes, "clientId": before.client_id})
        await asyncio.to_thread(part.registry.register, changed)
        return web.json_response(changed.to_json())

    async def remove(request: web.Request) -> web.Response:
        await asyncio.to_thread(part.registry.remove, named(request).client_id)
        return web.Response(status=204)

    async def apis(_: web.Request) -> web.Response:
        return web.json_response({"apis": [_json(api) for api in part.registry.apis]})

    async def register_api(request: web.Request) -> web.Response:
        api = Api.model_validate_json(await request.read())
        await asyncio.to_thread(part.registry.register_api, api)
        return web.json_response(_json(api), status=201)

    return [
        web.get("/_sandbox/clients", listed),
        web.post("/_sandbox/clients", _explained(register)),
        web.get("/_sandbox/clients/{client}", shown),
        web.patch("/_sandbox/clients/{client}", _explained(change)),
        web.delete("/_sandbox/clients/{client}", remove),
        web.get("/_sandbox/apis", apis),
        web.post("/_sandbox/apis", _explained(register_api)),
    ]


def _tokens(part: HelseId) -> list[web.RouteDef]:
    async def mint(request: web.Request) -> web.Response:
        order = MintOrder.model_validate_json(await request.read() or b"{}")
        if part.registry.find(order.client_id) is None:
            return web.json_response({"error": "the client is not registered (clientId)"}, status=400)
        # Making a key for the proof takes processor time.
        minted = await asyncio.to_thread(part.minted, order)
        return web.json_response(minted.to_json(), headers=NO_STORE)

    async def named_faults(_: web.Request) -> web.Response:
        return web.json_response({fault.name: asdict(fault) for fault in (*faults.FAULTS, *faults.NO_FAULTS)})

    async def rules(request: web.Request) -> web.Response:
        changes = Rules.model_validate_json(await request.read() or b"{}")
        part.rules = part.rules.model_copy(update=changes.model_dump(exclude_unset=True))
        return web.json_response(_json(part.rules))

    return [
        web.post("/_sandbox/mint", _explained(mint)),
        web.get("/_sandbox/faults", named_faults),
        web.post("/_sandbox/rules", _explained(rules)),
    ]


def _keys(part: HelseId) -> list[web.RouteDef]:
    changes = {"sign": signing.with_signing, "retire": signing.with_retired, "revoke": signing.with_revoked}

    async def listed(_: web.Request) -> web.Response:
        keys = [{"kid": key.pair.kid, "alg": key.pair.alg, "state": key.state} for key in part.keys.keys]
        return web.json_response({"keys": keys})

    async def publish(request: web.Request) -> web.Response:
        order = NewKey.model_validate_json(await request.read() or b"{}")
        return web.json_response({"kid": await part.publish_key(order.alg)}, status=201)

    async def change(request: web.Request) -> web.Response:
        kid, what = request.match_info["kid"], changes[request.match_info["what"]]
        await part.change_keys(lambda keys: what(keys, kid))
        return await listed(request)

    async def rotate(request: web.Request) -> web.Response:
        order = Rotation.model_validate_json(await request.read() or b"{}")
        kid = await part.rotate(keep_old=order.keep_old, alg=order.alg, reuse_kid=order.reuse_kid)
        return web.json_response({"kid": kid})

    return [
        web.get("/_sandbox/keys", listed),
        web.post("/_sandbox/keys/publish", _explained(publish)),
        web.post("/_sandbox/keys/{kid}/{what:sign|retire|revoke}", _explained(change)),
        web.post("/_sandbox/rotate", _explained(rotate)),
    ]


def _weather(part: HelseId) -> list[web.RouteDef]:
    async def outage(request: web.Request) -> web.Response:
        order = Outage.model_validate_json(await request.read())
        part.set_trouble(PLACES.get(order.what, ""), order.how if order.on else "none")
        return web.json_response(_json(order))

    async def clock(request: web.Request) -> web.Response:
        part.set_clock_offset(ClockOffset.model_validate_json(await request.read()).offset_seconds)
        return web.json_response({"offsetSeconds": part.offset.total_seconds()})

    return [web.post("/_sandbox/outage", _explained(outage)), web.post("/_sandbox/clock", _explained(clock))]


def _json(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json")


def _explained(handler: Handler) -> Handler:
    async def explained(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ValidationError as error:
            wrong = [{"at": ".".join(map(str, fault["loc"])), "what": fault["msg"]} for fault in error.errors()]
            return web.json_response({"error": "not understood", "wrong": wrong}, status=400)
        except (NotMintable, NotPossible, faults.UnknownFault) as error:
            return web.json_response({"error": str(error)}, status=400)

    return explained
