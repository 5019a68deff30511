"""A second opinion on a token and its proof: PyJWT and a few lines, with nothing of the hub's or the sandbox's.

Names the first thing that is wrong, in the order of domain/helseid.md section 6, or None. Knows no replays: it has no
memory.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

TOKEN_ALGS: Final = ["RS256"]
PROOF_ALGS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
SKEW_S: Final = 5
MAX_TOKEN, MAX_JTI = 16_000, 256

_WRONG: Final = {
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidAlgorithmError: "alg",
    jwt.ExpiredSignatureError: "exp",
    jwt.ImmatureSignatureError: "not yet",
    jwt.InvalidIssuerError: "iss",
    jwt.InvalidAudienceError: "aud",
}


class Wrong(Exception):
    """What is wrong."""


def opinion(
    headers: Sequence[Sequence[str]], jwks: Mapping[str, Any], issuer: str, method: str, url: str
) -> str | None:
    """What is wrong with a call that carries these headers, or None. Audience: nhn:vkp."""
    try:
        tokens = [value for name, value in headers if name == "Authorization"]
        if len(tokens) != 1 or "," in tokens[0]:
            raise Wrong("request: token")
        scheme, _, token = tokens[0].partition(" ")
        proofs = [value for name, value in headers if name == "DPoP"]
        bound = scheme.lower() == "dpop"
        if bound and (len(proofs) != 1 or "," in proofs[0]):
            raise Wrong("proof: not one")
        claims = _token(token, jwks, issuer)
        if not bound:
            if "cnf" in claims:
                raise Wrong("token: bound")
            return None
        _proof(proofs[0], _jkt(claims), token, method, url)
    except Wrong as wrong:
        return str(wrong)
    return None


def _token(token: str, jwks: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN:
        raise Wrong("token: size")
    header = json.loads(_raw(token.split(".", maxsplit=1)[0]))
    if header.get("alg") not in TOKEN_ALGS:
        raise Wrong("token: alg")
    if str(header.get("typ")).lower() not in ("at+jwt", "jwt"):
        raise Wrong("token: typ")
    if "crit" in header:
        raise Wrong("token: crit")
    keys = [key for key in jwt.PyJWKSet.from_dict(dict(jwks)).keys if key.key_id == header.get("kid")]
    if len(keys) != 1:
        raise Wrong("token: kid")
    _unique(token)
    claims = _signed(token, keys[0], TOKEN_ALGS, "token", issuer)
    for name in ("exp", "nbf", "iat"):
        if type(claims[name]) is not int or claims[name] > 10**11:
            raise Wrong(f"token: {name}")
    if claims.get("client_amr") != "private_key_jwt":
        raise Wrong("token: client_amr")
    child = claims.get("helseid://claims/client/claims/orgnr_child", "999977776")
    if len(child) != 9:
        raise Wrong("token: orgnr")
    return claims


def _signed(text: str, key: jwt.PyJWK, algs: list[str], what: str, issuer: str | None = None) -> dict[str, Any]:
    required = ["exp", "nbf", "iat", "iss", "aud", "client_id", "scope", "nhn:vkp/client/claims/vkp-id"]
    try:
        # First the signature alone: PyJWT looks at some claims before it.
        claims = jwt.decode(
            text,
            key,
            algs,
            options={
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
        if issuer is None:
            return claims
        if isinstance(claims.get("aud"), list) and len(claims["aud"]) > 1:
            raise Wrong(f"{what}: aud")
        for name in ("exp", "nbf", "iat"):
            if type(claims.get(name, 0)) is not int:
                raise Wrong(f"{what}: {name}")
        return jwt.decode(
            text, key, algs, audience="nhn:vkp", issuer=issuer, leeway=SKEW_S, options={"require": required}
        )
    except jwt.MissingRequiredClaimError as error:
        raise Wrong(f"{what}: without {error.claim}") from None
    except jwt.InvalidTokenError as error:
        raise Wrong(f"{what}: {_WRONG.get(type(error), type(error).__name__)}") from None  # fmt: skip


def _jkt(claims: dict[str, Any]) -> str:
    cnf = claims.get("cnf")
    jkt = cnf.get("jkt") if isinstance(cnf, dict) else None
    if not isinstance(jkt, str) or len(jkt) != 43:
        raise Wrong("token: cnf")
    return jkt


def _proof(proof: str, jkt: str, token: str, method: str, url: str) -> None:
    header = json.loads(_raw(proof.split(".", maxsplit=1)[0]))
    if str(header.get("typ")).lower() != "dpop+jwt":
        raise Wrong("proof: typ")
    if header.get("alg") not in PROOF_ALGS:
        raise Wrong("proof: alg")
    if "crit" in header:
        raise Wrong("proof: crit")
    key = header.get("jwk")
    if not isinstance(key, dict) or {"d", "p", "q", "k"} & key.keys():
        raise Wrong("proof: jwk")
    members = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}[key["kty"]]
    text = json.dumps({name: key[name] for name in members}, separators=(",", ":"), sort_keys=True)
    if base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=") != jkt:
        raise Wrong("binding")
    claims = _signed(proof, jwt.PyJWK(key, header["alg"]), [header["alg"]], "proof")
    _check_claims(claims, token, method, url)


def _check_claims(claims: dict[str, Any], token: str, method: str, url: str) -> None:
    if claims.get("htm") != method:
        raise Wrong("proof: htm")
    if "htu" not in claims or _spelled(claims["htu"]) != _spelled(url):
        raise Wrong("proof: htu")
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
    if claims.get("ath") != ath:
        raise Wrong("proof: ath")
    issued = claims.get("iat")
    if type(issued) is not int or not -15 <= issued - time.time() <= SKEW_S:
        raise Wrong("proof: iat")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise Wrong("proof: jti")


def _spelled(url: str) -> tuple[Any, ...]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port, parts.path or "/"


def _unique(token: str) -> None:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Wrong("token: duplicate")
        return dict(pairs)

    json.loads(_raw(token.split(".")[1]), object_pairs_hook=members)


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
