"""TLS doors, API keys and the journal's own token service."""

import ssl
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox.epj.server import Epj
from tests.wire.epj.test_behaving import behave
from tests.wire.epj.test_receiving import ORGNR, post

PATH = f"/fhir/{ORGNR}/bundle"


async def tell(http: aiohttp.ClientSession, url: str, **wish: Any) -> dict[str, Any]:
    async with http.post(url, json=wish) as answer:
        assert answer.status == 200, await answer.text()
        facts: dict[str, Any] = await answer.json()
        return facts


async def ask(
    http: aiohttp.ClientSession, epj: Epj, form: Mapping[str, str], basic: str = ""
) -> tuple[int, Mapping[str, Any]]:
    shown = {"Authorization": aiohttp.encode_basic_auth(*basic.split(":"))} if basic else {}
    async with http.post(
        f"{epj.url}/token", data={"grant_type": "client_credentials", **form}, headers=shown
    ) as answer:
        return answer.status, await answer.json()


def trusting(facts: Mapping[str, Any], folder: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=facts["ca"])
    if folder is not None:
        for name in ("certificate", "key"):
            (folder / name).write_text(facts["client"][name])
        context.load_cert_chain(folder / "certificate", folder / "key")
    return context


async def status(http: aiohttp.ClientSession, url: str, context: ssl.SSLContext) -> int:
    async with http.get(f"{url}/received", ssl=context) as answer:
        return answer.status


async def test_tls_door_shows_a_certificate_of_the_journals_own_authority(
    epj: Epj, http: aiohttp.ClientSession
) -> None:
    door = await tell(http, f"{epj.url}/tls")
    assert await status(http, door["url"], trusting(door)) == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await status(http, door["url"], ssl.create_default_context())


@pytest.mark.parametrize("kind", ["wrong-host", "expired", "unknown-issuer"])
async def test_door_with_a_wrong_certificate_can_be_put_right(epj: Epj, http: aiohttp.ClientSession, kind: str) -> None:
    door = await tell(http, f"{epj.url}/tls", certificate=kind)
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await status(http, door["url"], trusting(door))
    await tell(http, f"{epj.url}/tls", certificate="right", port=door["port"])
    assert await status(http, door["url"], trusting(door)) == 200


async def test_wrong_tls_is_shown_at_every_door_until_ok(epj: Epj, http: aiohttp.ClientSession) -> None:
    doors = [await tell(http, f"{epj.url}/tls") for _ in range(2)]
    for door in doors:
        assert await status(http, door["url"], trusting(door)) == 200
    await behave(http, epj.url, mode="wrong-tls")
    for door in doors:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status(http, door["url"], trusting(door))
    await behave(http, epj.url, mode="ok")
    for door in doors:
        assert await status(http, door["url"], trusting(door)) == 200


async def test_door_that_demands_a_certificate_lets_in_only_who_shows_one(
    epj: Epj, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    door = await tell(http, f"{epj.url}/tls", clients=True)
    assert await status(http, door["url"], trusting(door, tmp_path)) == 200
    with pytest.raises(aiohttp.ClientError):
        await status(http, door["url"], trusting(door))


async def test_api_key_is_demanded_at_its_path_alone(epj: Epj, http: aiohttp.ClientSession) -> None:
    await tell(http, f"{epj.url}/demand", path=PATH, what="apiKey", header="X-Key", value="right")
    shown: list[dict[str, str]] = [{}, {"X-Key": "wrong"}, {"X-Key": "right"}]
    assert [(await post(http, epj.url, f"k{at}", more=key))[0] for at, key in enumerate(shown)] == [401, 401, 201]
    assert (await post(http, epj.url, "other", path=f"/fhir/{ORGNR}/other"))[0] == 201
    await tell(http, f"{epj.url}/demand", path=PATH, what=None)
    assert (await post(http, epj.url, "k0"))[0] == 201


async def test_token_lets_in_until_it_ends_or_is_revoked(
    epj: Epj, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(http, f"{epj.url}/clients", clientId="hub", clientSecret="s e&cret", lifeSeconds=5)
    await tell(http, f"{epj.url}/demand", what="oauth2", scope="write")
    told, answer = await ask(http, epj, {"client_id": "hub", "client_secret": "s e&cret", "scope": "read write"})
    assert (told, answer["expires_in"], answer["token_type"]) == (200, 5, "Bearer")

    async def let_in() -> int:
        return (await post(http, epj.url, "k", more={"Authorization": f"Bearer {answer['access_token']}"}))[0]

    assert await let_in() == 201
    now = epj.clock()
    monkeypatch.setattr(epj.demands, "clock", lambda: datetime.fromtimestamp(now.timestamp() + 5, now.tzinfo))
    assert await let_in() == 401
    monkeypatch.undo()
    assert await let_in() == 201
    async with http.delete(f"{epj.url}/tokens") as revoked:
        assert (await revoked.json())["issued"] == 1
    assert await let_in() == 401


async def test_client_shows_who_it_is_by_secret_or_by_key_once(epj: Epj, http: aiohttp.ClientSession) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    await tell(http, f"{epj.url}/clients", clientId="a", clientSecret="secret")
    await tell(http, f"{epj.url}/clients", clientId="b", publicKey=public)
    now = int(datetime.now().astimezone().timestamp())
    claims = {"iss": "b", "sub": "b", "aud": f"{epj.url}/token", "jti": "1", "iat": now, "exp": now + 60}
    assertion = {
        "client_id": "b",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, private, "ES256"),
    }
    wrong = jwt.encode({**claims, "aud": "https://elsewhere.invalid", "jti": "2"}, private, "ES256")
    assert (await ask(http, epj, {}, "a:secret"))[0] == 200
    assert (await ask(http, epj, {}, "a:other"))[0] == 401
    assert (await ask(http, epj, {"client_id": "a"}))[0] == 401
    assert (await ask(http, epj, {**assertion, "client_assertion": wrong}))[0] == 401
    assert (await ask(http, epj, assertion))[0] == 200
    assert (await ask(http, epj, assertion))[0] == 401
    assert (await ask(http, epj, {"client_id": "nobody", "client_secret": ""}))[0] == 401


@pytest.mark.parametrize(
    ("address", "wish"),
    [
        ("tls", {"certificate": "bad"}),
        ("demand", {"what": "x"}),
        ("clients", {}),
        ("demand", {"what": None, "path": "x"}),
    ],
)
async def test_wish_that_is_not_understood_is_refused(
    epj: Epj, http: aiohttp.ClientSession, address: str, wish: dict[str, Any]
) -> None:
    async with http.post(f"{epj.url}/{address}", json=wish) as answer:
        assert answer.status == 400
