"""Signing with a key that cannot leave Azure Key Vault.

The vault is asked for the public half once (`GET /keys/NAME/VERSION`) and for a signature over a SHA-256 each time
(`POST /keys/NAME/VERSION/sign`, algorithm ES256). The app's identity needs `keys/get` and `keys/sign` on that key (role
Key Vault Crypto User) and nothing else.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from cryptography.exceptions import InvalidSignature

from shared.azure import credentials
from shared.azure.key_ids import KeyId
from shared.messages.documents import Unreachable
from shared.trail.signing import NotAKey, TrustedKey

if TYPE_CHECKING:
    from azure.keyvault.keys.aio import KeyClient
    from azure.keyvault.keys.crypto.aio import CryptographyClient

_UNCOMPRESSED: Final = b"\x04"
_COORDINATE: Final = 32


class KeyVaultSigner:
    """Signs with one version of an EC key on P-256. Belongs to one event loop; connects when first needed.

    `options` go to the SDK's clients: tests give a certificate to trust and a host that is not Azure's.
    """

    def __init__(self, key: KeyId, credential: AsyncTokenCredential | None = None, **options: Any) -> None:
        self._id = key
        self._credential = credential
        self._options = options
        self._clients: tuple[KeyClient, CryptographyClient] | None = None
        self._key: TrustedKey | None = None

    async def key(self) -> TrustedKey:
        """See Signing."""
        if self._key is None:
            try:
                found = await self._open()[0].get_key(self._id.name, self._id.version)
            except AzureError as error:
                raise Unreachable(_named(error)) from None
            self._key = _trusted(found.key)
        return self._key

    async def sign(self, message: bytes) -> bytes:
        """See Signing."""
        from azure.keyvault.keys.crypto import SignatureAlgorithm  # noqa: PLC0415 - see _open

        key = await self.key()
        try:
            digest = hashlib.sha256(message).digest()
            signature = (await self._open()[1].sign(SignatureAlgorithm.es256, digest)).signature
            # What does not hold must not be kept: nothing could be built upon it.
            key.verify(signature, message)
        except AzureError as error:
            raise Unreachable(_named(error)) from None
        except InvalidSignature:
            raise Unreachable("SIGNATURE_DOES_NOT_HOLD") from None
        return bytes(signature)

    async def close(self) -> None:
        """Close its connections."""
        clients, self._clients = self._clients, None
        for client in clients or ():
            await client.close()

    def _open(self) -> "tuple[KeyClient, CryptographyClient]":
        if self._clients is None:
            # 70 modules that only a timer needs: no instance should wait for them at its start.
            from azure.keyvault.keys.aio import KeyClient  # noqa: PLC0415
            from azure.keyvault.keys.crypto.aio import CryptographyClient  # noqa: PLC0415

            credential = self._credential or credentials.default()
            self._clients = (
                KeyClient(self._id.vault, credential, **self._options),
                CryptographyClient(self._id.url, credential, **self._options),
            )
        return self._clients


def _trusted(jwk: object) -> TrustedKey:
    from azure.keyvault.keys import KeyCurveName  # noqa: PLC0415 - see _open

    # The SDK's class takes its attributes from the answer, whatever it holds.
    curve, x, y = (getattr(jwk, name, None) for name in ("crv", "x", "y"))
    try:
        if curve != KeyCurveName.p_256 or not isinstance(x, bytes) or not isinstance(y, bytes):
            raise NotAKey
        # RFC 7518, 6.2.1.2 demands the full length; leading zeros that were left out would otherwise be missed.
        return TrustedKey(_UNCOMPRESSED + x.rjust(_COORDINATE, b"\0") + y.rjust(_COORDINATE, b"\0"))
    except NotAKey:
        raise Unreachable("KEY_OF_ANOTHER_KIND") from None


def _named(error: AzureError) -> str:
    status = getattr(error, "status_code", None)
    return f"STATUS_{status}" if status else type(error).__name__
