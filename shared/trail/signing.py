"""Who signs checkpoints, and whose signatures count.

Two algorithms, told apart by the key and never by what a checkpoint says of itself: Ed25519 (RFC 8032) with a key that
is a setting, and ES256 (RFC 7518, 3.4: ECDSA on P-256 with SHA-256, the signature r and s side by side), because a key
that cannot leave Azure Key Vault signs by no Edwards curve.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ED25519: Final = "Ed25519"
ES256: Final = "ES256"
SEED_BYTES: Final = 32

_ALGORITHMS: Final = {32: ED25519, 65: ES256}
"""By the length of a public key: RFC 8032's 32 bytes, or an uncompressed point of P-256 (SEC 1, 2.3.3)."""
_HALF: Final = 32


class NotAKey(ValueError):
    """The bytes are no public key of a kind that signs checkpoints."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, and until when it was in use (None: still is). Raises NotAKey."""

    raw: bytes
    until: datetime | None = None

    def __post_init__(self) -> None:
        try:
            if _ALGORITHMS[len(self.raw)] == ES256:
                self._point()
        except (KeyError, ValueError):
            raise NotAKey("a public key has 32 bytes (Ed25519), or is a point of P-256 with 65 (ES256)") from None

    @property
    def kid(self) -> str:
        """Its name: the beginning of its hash."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def algorithm(self) -> str:
        """The one algorithm that it is for."""
        return _ALGORITHMS[len(self.raw)]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises InvalidSignature."""
        if self.algorithm == ED25519:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
            return
        if len(signature) != 2 * _HALF:
            raise InvalidSignature
        r, s = (int.from_bytes(part) for part in (signature[:_HALF], signature[_HALF:]))
        self._point().verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))

    def _point(self) -> ec.EllipticCurvePublicKey:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)


class Signing(Protocol):
    """Signs checkpoints. Both may raise Unreachable."""

    async def key(self) -> TrustedKey:
        """The key that its signatures are checked with."""

    async def sign(self, message: bytes) -> bytes:
        """A signature, as TrustedKey verifies it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with a key that this process holds. In Azure it comes as a Key Vault reference."""

    private: Ed25519PrivateKey

    @classmethod
    def of(cls, seed: bytes) -> "Signer":
        """The signer with this secret. Raises ValueError when it is not 32 bytes."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def public(self) -> TrustedKey:
        """The key that its signatures are checked with."""
        return TrustedKey(self.private.public_key().public_bytes_raw())

    async def key(self) -> TrustedKey:
        """See Signing."""
        return self.public()

    async def sign(self, message: bytes) -> bytes:
        """See Signing."""
        return self.private.sign(message)
