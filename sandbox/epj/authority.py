"""The journal's own certificate authority: made at start, with right and wrong certificates for its TLS doors."""

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

type Kind = Literal["right", "wrong-host", "expired", "unknown-issuer"]

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str = field(repr=False)


class Authority:
    """Issues certificates for this machine's own addresses. Keys live as long as the process."""

    def __init__(self, name: str = "The journal's authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        now = dt.datetime.now(dt.UTC)
        own = (
            _begun(self._name, self._name, self._key.public_key(), now - _DAY, now + 365 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        self._certificate = own.sign(self._key, hashes.SHA256())

    @property
    def ca(self) -> str:
        """Its own certificate, as PEM: what its clients must trust."""
        return self._certificate.public_bytes(Encoding.PEM).decode()

    def server(self, kind: Kind) -> Pair:
        """A certificate for a TLS door: for 127.0.0.1 and localhost, or with something wrong about it."""
        if kind == "unknown-issuer":
            return Authority("An authority that nobody knows").server("right")
        now = dt.datetime.now(dt.UTC)
        since, until = (now - 30 * _DAY, now - _DAY) if kind == "expired" else (now - _DAY, now + 30 * _DAY)
        names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        if kind == "wrong-host":
            names = [x509.DNSName("another.example.invalid")]
        return self._issued("epj", since, until, ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self) -> Pair:
        """A certificate by which a client is let in at a door that demands one."""
        now = dt.datetime.now(dt.UTC)
        return self._issued("hub", now - _DAY, now + 30 * _DAY, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName("hub")])

    def _issued(
        self,
        name: str,
        since: dt.datetime,
        until: dt.datetime,
        use: x509.ObjectIdentifier,
        names: list[x509.GeneralName],
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            _begun(_name(name), self._name, key.public_key(), since, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Pair(made.public_bytes(Encoding.PEM).decode(), pem)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, since: dt.datetime, until: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
