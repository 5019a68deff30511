"""A certificate for 127.0.0.1, good for one test run: Azure's SDKs send a token over TLS and nothing else."""

import ssl
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.clock import utc_now

TOKEN = "the-token-of-the-apps-identity"


def certificate(folder: Path) -> Path:
    """A file with key and certificate, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "loopback.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def serving(path: Path) -> ssl.SSLContext:
    """For the server's side."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


class Identity:
    """The app's identity, which has one token and notes what for it was asked."""

    def __init__(self) -> None:
        self.scopes: set[str] = set()

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """See AsyncTokenCredential."""
        self.scopes |= set(scopes)
        return AccessToken(TOKEN, int((utc_now() + timedelta(hours=1)).timestamp()))

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """See AsyncSupportsTokenInfo."""
        self.scopes |= set(scopes)
        return AccessTokenInfo(TOKEN, int((utc_now() + timedelta(hours=1)).timestamp()))

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
