"""The life of a signing key, and what goes wrong around it: rotation, revocation, outages, clocks."""

import asyncio
from typing import Any

import aiohttp
import jwt
import pytest

from sandbox.helseid.server import HelseId
from tests.wire.helseid.asking import ask, call, claims_of, form
from tests.wire.helseid.conftest import Fresh

JWKS = "/.well-known/openid-configuration/jwks"


async def published(http: aiohttp.ClientSession, part: HelseId, path: str = JWKS) -> list[str]:
    async with http.get(part.issuer + path) as answer:
        return [key["kid"] for key in (await answer.json())["keys"]]


async def expired(http: aiohttp.ClientSession, part: HelseId) -> list[str]:
    return await published(http, part, "/connect/expiredjwks")


async def signer(http: aiohttp.ClientSession, part: HelseId) -> str:
    _, body = await ask(http, part, form(part))
    return str(jwt.get_unverified_header(body["access_token"])["kid"])


async def test_key_is_published_before_it_signs_and_expires_after(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        old = part.keys.current.kid
        new = (await call(http, part, "POST", "keys/publish"))["kid"]
        assert set(await published(http, part)) == {old, new}
        assert await signer(http, part) == old
        await call(http, part, "POST", f"keys/{new}/sign")
        assert set(await published(http, part)) == {old, new}
        assert await signer(http, part) == new
        await call(http, part, "POST", f"keys/{old}/retire")
        assert (await published(http, part), await expired(http, part)) == ([new], [old])
        states = {key["kid"]: key["state"] for key in (await call(http, part, "GET", "keys"))["keys"]}
        assert states == {new: "current", old: "expired"}
    async with fresh() as again:
        assert (await published(http, again), await expired(http, again)) == ([new], [old])


async def test_revoked_key_is_in_no_set(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        first = part.keys.current.kid
        second = (await call(http, part, "POST", "rotate", {"alg": "ES256"}))["kid"]
        assert set(await published(http, part)) == {first, second}
        await call(http, part, "POST", f"keys/{first}/revoke")
        assert (await published(http, part), await expired(http, part)) == ([second], [])
        assert await signer(http, part) == second


async def test_expired_key_can_be_revoked_too(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        first = part.keys.current.kid
        await call(http, part, "POST", "rotate", {"keepOld": False, "alg": "ES256"})
        assert await expired(http, part) == [first]
        await call(http, part, "POST", f"keys/{first}/revoke")
        assert await expired(http, part) == []


async def test_key_that_signs_or_is_not_there_cannot_be_taken_away(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        for kid, what in ((part.keys.current.kid, "retire"), (part.keys.current.kid, "revoke"), ("00", "sign")):
            assert (await call(http, part, "POST", f"keys/{kid}/{what}", status=400))["error"]
        assert await signer(http, part) == part.keys.current.kid


async def test_another_key_can_come_under_the_same_id(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        old = part.keys.current
        await call(http, part, "POST", "rotate", {"reuseKid": True, "alg": "PS256"})
        assert part.keys.current.kid == old.kid
        assert await published(http, part) == [old.kid]
        async with http.get(part.issuer + JWKS) as answer:
            keys = jwt.PyJWKSet.from_dict(await answer.json())
        token = (await ask(http, part, form(part)))[1]["access_token"]
        assert jwt.decode(token, keys[old.kid], ["PS256"], audience="nhn:vkp")
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, old.private.public_key(), ["PS256"], audience="nhn:vkp")


@pytest.mark.parametrize(("how", "status"), [("503", 503), ("500", 500), ("garbage", 200)])
async def test_keys_alone_can_be_out_of_order(fresh: Fresh, http: aiohttp.ClientSession, how: str, status: int) -> None:
    async with fresh() as part:
        await call(http, part, "POST", "outage", {"on": True, "what": "jwks", "how": how})
        async with http.get(part.issuer + JWKS) as answer:
            assert answer.status == status
            assert not (await answer.text()).startswith('{"keys"')
        assert (await ask(http, part, form(part)))[0] == 200
        await call(http, part, "POST", "outage", {"on": False, "what": "jwks"})
        assert await published(http, part) == [part.keys.current.kid]


async def test_call_that_hangs_does_so_until_the_outage_is_over(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        await call(http, part, "POST", "outage", {"on": True, "what": "jwks", "how": "hang"})
        hanging = asyncio.create_task(_status(http, part.issuer + JWKS))
        while part.calls.get(JWKS, 0) < 1:  # noqa: ASYNC110 - the stand-in counts, it does not tell
            await asyncio.sleep(0.01)
        assert not hanging.done()
        await call(http, part, "POST", "outage", {"on": False, "what": "jwks"})
        assert await hanging == 503
        await call(http, part, "POST", "outage", {"on": True, "what": "everything", "how": "hang"})
        last = asyncio.create_task(_status(http, part.issuer + JWKS))
        while part.calls[JWKS] < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert await last == 503


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status


async def test_clock_of_the_stand_in_can_be_off(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        before = claims_of(part.mint())
        await call(http, part, "POST", "clock", {"offsetSeconds": 3600})
        after = claims_of(part.mint())
        assert 3600 <= after["iat"] - before["iat"] < 3700
        status, body = await ask(http, part, form(part))
        assert (status, body["error"]) == (400, "invalid_client")


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("outage", {}),
        ("outage", {"on": True, "how": "slowly"}),
        ("clock", {"offsetSeconds": "an hour"}),
        ("rotate", {"alg": "HS256"}),
        ("keys/publish", {"alg": "none"}),
        ("rules", {"strict": True}),
    ],
)
async def test_switch_that_is_not_understood_is_refused(
    helseid: HelseId, http: aiohttp.ClientSession, path: str, order: dict[str, Any]
) -> None:
    assert (await call(http, helseid, "POST", path, order, status=400))["wrong"]
