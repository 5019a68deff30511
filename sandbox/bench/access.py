"""What it takes to know who is calling: µs for a decision, with the issuer's keys at hand.

A decision is what every call meets: headers in, the token's signature and claims, its proof, its scope. Not in it: the
fetch of the keys (once an hour) and the memory of used proofs, which is one write to Cosmos and measured with it.
"""

import base64
import hashlib
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.access import scopes
from shared.access.authenticate import Authenticator, Dpop
from shared.access.credentials import Credentials
from shared.access.dpop import thumbprint
from shared.access.jwks import KeySet, read_jwks
from shared.access.keys import Keys
from shared.access.tokens import TokenPolicy

RSA_BITS: Final = 3072
"""HelseID's own."""

_ISSUER: Final = "https://helseid.stand-in.test"
_AUDIENCE: Final = "nhn:vkp"
_PUBLIC: Final = "https://hub.example"
_PATH: Final = "/epj/r4/310000019/bundle"
_NOW: Final = datetime(2030, 3, 4, 12, 0, tzinfo=UTC)
_PROOFS: Final = 200
_BLOCKS: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table, in µs."""

    name: str
    median: float
    least: float
    p99: float
    reach: float | None
    """What the median should not be above; None where nothing was promised."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    lines: tuple[Line, ...]
    token_bytes: int


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    authenticator: Authenticator
    calls: Sequence[Credentials]
    reach: float | None = None


class _Forgetful:
    """A memory that takes every proof for new: what Cosmos takes is not measured here."""

    async def remember(self, key: str, until: datetime) -> bool:
        return bool(key and until)


async def measure(rounds: int) -> Measured:
    """Measure; `rounds` decisions of each kind."""
    cases, size = _cases()
    taken: dict[str, list[float]] = {case.name: [] for case in cases}
    turns: dict[str, Iterator[Credentials]] = {case.name: cycle(case.calls) for case in cases}
    for block in range(_BLOCKS + 1):
        for case in cases:
            each = [await _microseconds(case.authenticator, next(turns[case.name])) for _ in range(rounds // _BLOCKS)]
            # The first block fetches the keys and warms the rest.
            taken[case.name] += each if block else []
    return Measured(tuple(_line(case, sorted(taken[case.name])) for case in cases), size)


async def _microseconds(authenticator: Authenticator, credentials: Credentials) -> float:
    begun = time.perf_counter_ns()
    scopes.require(await authenticator.caller(credentials), "bundle", "write")
    return (time.perf_counter_ns() - begun) / 1000


def _line(case: _Case, taken: Sequence[float]) -> Line:
    return Line(case.name, statistics.median(taken), taken[0], taken[int(len(taken) * 0.99)], case.reach)


def _cases() -> tuple[list[_Case], int]:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    keys = read_jwks(
        {
            "keys": [
                {**RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True), "kid": "rsa"},
                {**ECAlgorithm.to_jwk(ec_key.public_key(), as_dict=True), "kid": "ec"},
            ]
        }
    )
    tokens = {
        alg: jwt.encode(_claims(), key, algorithm=alg, headers={"kid": kid, "typ": "at+jwt"})
        for alg, key, kid in (("RS256", rsa_key, "rsa"), ("PS256", rsa_key, "rsa"), ("ES256", ec_key, "ec"))
    }
    fresh, warm = _authenticator(keys, 0), _authenticator(keys, 100)
    cases = [
        _Case(f"{alg}, verified each time", fresh, [_bearer(text)], 300.0 if alg == "RS256" else None)
        for alg, text in tokens.items()
    ]
    cases.append(_Case("token verified before", warm, [_bearer(tokens["RS256"])], 20.0))
    for alg, key in (("ES256", ec_key), ("RS256", rsa_key)):
        jwk = _jwk(key)
        claims = _claims() | {"cnf": {"jkt": thumbprint(jwk)}}
        bound = jwt.encode(claims, rsa_key, algorithm="RS256", headers={"kid": "rsa", "typ": "at+jwt"})
        calls = [_dpop(bound, key, jwk, alg, number) for number in range(_PROOFS)]
        cases.append(_Case(f"token verified before, {alg} proof", warm, calls))
    return cases, len(tokens["RS256"])


def _authenticator(keys: KeySet, remembered: int) -> Authenticator:
    async def fetch() -> KeySet:
        return keys

    policy = TokenPolicy(_ISSUER, _AUDIENCE)
    dpop = Dpop(_PUBLIC, _Forgetful())
    return Authenticator(Keys(fetch), policy, lambda: _NOW, dpop=dpop, remembered=remembered)


def _claims() -> dict[str, Any]:
    at = int(_NOW.timestamp())
    return {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "nbf": at,
        "iat": at,
        "exp": at + 600,
        "jti": "0123456789ABCDEF0123456789ABCDEF",
        "scope": [f"nhn:vkp/api/user/{name}.write" for name in ("bundle", "composition", "encounter")],
        "client_id": "5d0d9a52-0000-4000-8000-000000000001",
        "client_amr": "private_key_jwt",
        "nhn:vkp/client/claims/vkp-id": "trygghetsvakt-test",
        "helseid://claims/client/client_name": "Example response centre",
        "helseid://claims/client/client_tenancy": "multi-tenant",
        "helseid://claims/client/claims/orgnr_parent": "999977774",
        "helseid://claims/client/claims/orgnr_supplier": "313745392",
    }


def _bearer(token: str) -> Credentials:
    return Credentials(f"Bearer {token}", None, "POST", f"{_PUBLIC}{_PATH}")


def _dpop(
    token: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, jwk: dict[str, Any], alg: str, number: int
) -> Credentials:
    claims = {
        "jti": f"proof {number}",
        "htm": "POST",
        "htu": f"{_PUBLIC}{_PATH}",
        "iat": int(_NOW.timestamp()),
        "ath": base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode(),
    }
    proof = jwt.encode(claims, key, algorithm=alg, headers={"typ": "dpop+jwt", "jwk": jwk})
    return Credentials(f"DPoP {token}", proof, "POST", f"{_PUBLIC}{_PATH}")


def _jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: value for name, value in public.items() if name != "key_ops"}
