"""Checkpoints signed by a key in a vault, with the real SDK, against a stand-in that demands what Key Vault documents.

https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign and …/get-key/get-key; how a caller proves who it is:
https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses. Never run on Azure.
"""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from shared.azure import trail_settings
from shared.azure.key_ids import KeyId, key_id
from shared.azure.keyvault import KeyVaultSigner
from shared.azure.settings import SettingsError
from shared.messages.documents import Unreachable
from shared.trail.checkpoints import NotACheckpoint, read
from shared.trail.sealing import Sealer
from shared.trail.signing import ES256, Signer, TrustedKey
from tests.wire.trail.conftest import Log
from tests.wire.trail.tls import TOKEN, Identity, certificate, serving

VERSION = "0123456789abcdef0123456789abcdef"
CHALLENGE = 'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'


def coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Vault:
    """One key, as Key Vault has it. `spoil` changes what is answered."""

    port: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    spoil: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    seen: list[str] = field(default_factory=list)

    @property
    def id(self) -> KeyId:
        return key_id(f"https://127.0.0.1:{self.port}/keys/checkpoints/{VERSION}")

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            # Unauthenticated, nothing is sent: the SDK asks first without a body.
            assert await request.read() == b""
            return web.json_response({}, status=401, headers={"WWW-Authenticate": CHALLENGE})
        assert request.query["api-version"]
        if self.status != 200:
            return web.json_response({"error": {"code": "Forbidden", "message": "no"}}, status=self.status)
        if request.method == "GET":
            return self._public()
        assert request.content_type == "application/json"
        return self._signature(await request.json())

    def _public(self) -> web.Response:
        numbers = self.key.public_key().public_numbers()
        key = {
            "kid": self.id.url, "kty": "EC", "crv": "P-256", "x": coded(numbers.x.to_bytes(32)),
            "y": coded(numbers.y.to_bytes(32)), "key_ops": ["sign", "verify"], **self.spoil,
        }  # fmt: skip
        return web.json_response({"key": key, "attributes": {"enabled": True, "created": 1, "updated": 1}})

    def _signature(self, asked: dict[str, str]) -> web.Response:
        assert set(asked) == {"alg", "value"}
        assert asked["alg"] == "ES256"
        digest = base64.urlsafe_b64decode(asked["value"] + "=")
        assert len(digest) == hashlib.sha256().digest_size
        r, s = decode_dss_signature(self.key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
        value = coded(r.to_bytes(32) + s.to_bytes(32))
        return web.json_response({"kid": self.id.url, "value": self.spoil.get("value", value)})


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def vault(pem: Path) -> AsyncIterator[Vault]:
    found = Vault()
    app = web.Application()
    app.router.add_route("*", f"/keys/checkpoints/{VERSION}{{rest:(/sign)?}}", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving(pem)).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
async def signer(vault: Vault, pem: Path) -> AsyncIterator[KeyVaultSigner]:
    options = {"connection_verify": str(pem), "verify_challenge_resource": False, "retry_total": 0}
    found = KeyVaultSigner(vault.id, Identity(), **options)
    yield found
    await found.close()


async def test_checkpoints_signed_in_the_vault_hold_and_go_on_from_each_other(
    vault: Vault, signer: KeyVaultSigner, log: Log
) -> None:
    for number in range(3):
        await log.write("310000001", 2)
        log.clock.forward(minutes=5)
        # A sealer that knows nothing yet: it goes on only from what this key has signed.
        sealed = await Sealer(log.trail, log.kept, signer, log.clock).seal()
        assert [(each.number, sealed.broken) for each in sealed.written] == [(number, ())]
    report = await log.verify(keys=(await signer.key(),))
    assert (report.holds, report.unprotected, report.checkpoints) == (True, 0, 3)
    assert (await signer.key()).algorithm == ES256
    assert vault.seen.count(f"POST /keys/checkpoints/{VERSION}/sign") in (3, 4)


async def test_a_checkpoint_of_the_vault_does_not_hold_by_another_key(signer: KeyVaultSigner, log: Log) -> None:
    await log.write("310000001", 1)
    await Sealer(log.trail, log.kept, signer, log.clock).seal()
    (document,) = await log.kept.query("SELECT * FROM c", {}, 10)
    read(document, (await signer.key(),))
    with pytest.raises(NotACheckpoint, match="not trusted"):
        read(document, (Signer.of(b"s" * 32).public(),))


async def test_months_signed_by_a_setting_go_on_by_the_vault(signer: KeyVaultSigner, log: Log) -> None:
    await log.write("310000001", 1)
    await log.seal()
    log.clock.forward(days=10)
    await log.write("310000001", 1)
    with pytest.raises(NotACheckpoint):
        await Sealer(log.trail, log.kept, signer, log.clock).seal()
    retired = TrustedKey(log.signer.public().raw, until=log.clock.now)
    await Sealer(log.trail, log.kept, signer, log.clock, (retired,)).seal()
    report = await log.verify(keys=(await signer.key(), retired), silence=timedelta(days=11))
    assert (report.holds, report.checkpoints) == (True, 2), report.findings


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_vault_that_refuses_leaves_the_log_unsigned_and_says_so(
    vault: Vault, signer: KeyVaultSigner, log: Log, status: int
) -> None:
    await log.write("310000001", 1)
    vault.status = status
    with pytest.raises(Unreachable, match=f"STATUS_{status}"):
        await Sealer(log.trail, log.kept, signer, log.clock).seal()
    assert await log.kept.query("SELECT * FROM c", {}, 10) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ({"value": coded(bytes(64))}, "SIGNATURE_DOES_NOT_HOLD"),
        ({"crv": "P-384"}, "KEY_OF_ANOTHER_KIND"),
        ({"kty": "RSA", "crv": None}, "KEY_OF_ANOTHER_KIND"),
        ({"x": coded(b"\x01" * 32)}, "KEY_OF_ANOTHER_KIND"),
    ],
)
async def test_what_a_vault_should_not_answer_signs_nothing(
    vault: Vault, signer: KeyVaultSigner, spoil: dict[str, Any], told: str
) -> None:
    vault.spoil = spoil
    with pytest.raises(Unreachable, match=told):
        await signer.sign(b"message")


def test_the_key_is_chosen_by_a_setting_and_must_name_its_version() -> None:
    url = f"https://solvik.vault.azure.net/keys/checkpoints/{VERSION}"
    settings = trail_settings.load({"Checkpoints__keyVaultKey": url})
    assert settings.vault_key is not None
    assert (settings.vault_key.url, settings.trusts_somebody, settings.signer()) == (url, True, None)
    for wrong in (url.rpartition("/")[0], url.replace("https", "http"), f"{url}?x=1", "checkpoints"):
        with pytest.raises(SettingsError, match="Checkpoints__keyVaultKey"):
            trail_settings.load({"Checkpoints__keyVaultKey": wrong})
