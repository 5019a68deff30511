"""Test tokens and DPoP proofs, right or wrong in a chosen way: what the hub must let in and what it must refuse.

In the spirit of HelseID's own test-token service (domain/helseid.md section 10). Not reachable from anywhere but this
machine, and signed with the sandbox's key: no real API accepts such a token.

`POST /_sandbox/mint` with a JSON object of switches (all optional; an unknown one is refused with 400). The answer:

    access_token, token_type ("DPoP" when `dpop`, else "Bearer"), expires_in (s)
    proof        the DPoP proof, with `dpop`
    proof_jwk    the private key of the proof: send it back as `proof.jwk` to get more proofs or tokens for it
    jkt          its RFC 7638 thumbprint
    headers      [[name, value], …] ready to send; a name may come twice

Token                     | what it does
--------------------------|---------------------------------------------------------------------------------------------
fault                     | a named fault of `sandbox.helseid.faults` (`GET /_sandbox/faults` lists them all)
clientId                  | for which registered client (default trygghetsvakt)
vkpId, withoutVkpId       | another vkp-id, none
clientAmr                 | another `client_amr`
scope                     | list or string, sent as it is
tenancy, orgnrParent, orgnrChild, orgnrSupplier | the organisation claims, whatever the client has
lifetimeSeconds           | may be negative; expired, notYetValid: an hour off
audience, issuer, typ     | replaced; audience may be a list
alg                       | one of the nine, HS256 or none; publicKeyAsSecret: HS256 with the published PEM
kid, withoutKid           | another key id, none
wrongKey                  | an unpublished key under the published id
signedWith                | current | next | old | expired | revoked: the newest key in that state
brokenSignature           | one bit turned
duplicateKey              | `aud` twice
paddingBytes              | so many characters more
header, claims, without   | header members and claims set last; claims left out (`{"cnf": […]}`, `{"exp": true}`, …)

Binding and proof         | what it does
--------------------------|---------------------------------------------------------------------------------------------
dpop                      | bind to a key and make the proof
dpopBound                 | bind to nobody's key, no proof;  jkt: bind to exactly this thumbprint
proof.method, proof.url   | the call that the proof is for (default POST http://127.0.0.1/)
proof.jwk, proof.alg      | the private key to use; the algorithm of the key made here (default ES256)
proof.jti                 | a chosen id: ordering it twice, or sending `headers` twice, is a replay
proof.nonce, proof.typ    | as said
proof.issuedAgoSeconds    | `iat` in the past; negative in the future
proof.htu, .htuWithQuery, .htuOtherPort, .htuUpperCaseHost | another `htu`
proof.withoutAth, .wrongAth, .wrongKey (another key than cnf.jkt), .withoutAlg, .withoutJwk, .privateKeyInJwk,
     .symmetric, .unsigned, .brokenSignature, .accessTokenAsProof | as they say
proof.header, .claims, .without | set last; claims left out (`["htm"]`, `["htu"]`, `["jti"]`, `["iat"]`)

Sending                   | what stands in `headers`
--------------------------|---------------------------------------------------------------------------------------------
send.scheme               | another scheme: "dpop", "Bearer" (a bound token as Bearer), …
send.twoTokens, .twoProofs, .comma, .withoutProof | two header lines, or one with a comma; no DPoP header
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.helseid import jwk, signing
from sandbox.helseid.claims import Organisations, access_token_claims
from sandbox.helseid.jose import PrivateKey, assemble, with_broken_signature
from sandbox.helseid.minted_proof import make_proof
from sandbox.helseid.orders import MintOrder, ProofOrder, SendOrder
from sandbox.helseid.registrations import Api, Client
from sandbox.helseid.signing import SigningKeys

__all__ = ["MintOrder", "Minted", "NotMintable", "ProofOrder", "SendOrder", "mint"]

_PAST_S: Final = 3600
_NOBODYS_KEY: Final = "A" * 43
_HMAC_KEY: Final = b"a shared secret that no HelseID ever had"


class NotMintable(ValueError):
    """The order cannot be carried out; says why."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A test token and, when it was ordered, its proof."""

    access_token: str = field(repr=False)
    expires_in: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    proof: str | None = field(default=None, repr=False)
    proof_jwk: dict[str, Any] | None = field(default=None, repr=False)
    jkt: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the mint answers."""
        answer: dict[str, Any] = {
            "access_token": self.access_token,
            "token_type": "Bearer" if self.proof is None else "DPoP",
            "expires_in": self.expires_in,
            "headers": [list(header) for header in self.headers],
        }
        more = {"proof": self.proof, "proof_jwk": self.proof_jwk, "jkt": self.jkt}
        return answer | {name: value for name, value in more.items() if value is not None}


def mint(
    order: MintOrder, client: Client, apis: tuple[Api, ...], keys: SigningKeys, issuer: str, now: datetime
) -> Minted:
    """What was ordered, at the time `now` (UTC). Raises NotMintable."""
    pair = _proof_key(order) if order.dpop else None
    jkt = jwk.thumbprint(pair.proof_jwk()) if pair else None
    bound_to = order.jkt or jkt or (_NOBODYS_KEY if order.dpop_bound else None)
    claims = _claims(order, client, apis, issuer, now, bound_to)
    token = _signed(order, claims, keys)
    proof = make_proof(order.proof, pair, token, now) if pair else None
    return Minted(
        access_token=token,
        expires_in=client.token_lifetime_s if order.lifetime_seconds is None else order.lifetime_seconds,
        headers=tuple(_headers(order.send, token, proof)),
        proof=proof,
        proof_jwk=pair.private_jwk() if pair else None,
        jkt=jkt,
    )


def _proof_key(order: MintOrder) -> jwk.KeyPair:
    try:
        if order.proof.jwk is not None:
            return jwk.from_private_jwk(order.proof.jwk)
    except ValueError as error:
        raise NotMintable(f"proof.jwk: {error}") from error
    return jwk.make(order.proof.alg, bits=2048)


def _claims(
    order: MintOrder, client: Client, apis: tuple[Api, ...], issuer: str, now: datetime, bound_to: str | None
) -> dict[str, Any]:
    scopes = client.scopes if order.scope is None or isinstance(order.scope, str) else order.scope
    claims = access_token_claims(
        client,
        scopes,
        tuple(api for api in apis if any(api.owns(scope) for scope in scopes)) or apis[:1],
        issuer,
        now,
        lifetime_s=order.lifetime_seconds,
        organisations=Organisations.of(client),
        jkt=bound_to,
    )
    prefix = "helseid://claims/client/"
    chosen: dict[str, Any] = {
        "iss": order.issuer,
        "aud": order.audience,
        "client_amr": order.client_amr,
        "nhn:vkp/client/claims/vkp-id": order.vkp_id,
        "scope": order.scope,
        f"{prefix}client_tenancy": order.tenancy,
        f"{prefix}claims/orgnr_parent": order.orgnr_parent,
        f"{prefix}claims/orgnr_child": order.orgnr_child,
        f"{prefix}claims/orgnr_supplier": order.orgnr_supplier,
        "padding": "x" * order.padding_bytes or None,
    }
    claims |= {name: value for name, value in chosen.items() if value is not None}
    if order.expired:
        back = _PAST_S + claims["exp"] - claims["iat"]
        claims |= {name: claims[name] - back for name in ("nbf", "iat", "exp")}
    if order.not_yet_valid:
        claims |= {"nbf": claims["nbf"] + _PAST_S, "exp": claims["exp"] + _PAST_S}
    claims |= order.claims
    left_out = {*order.without, *(("nhn:vkp/client/claims/vkp-id",) if order.without_vkp_id else ())}
    return {name: value for name, value in claims.items() if name not in left_out}


def _signed(order: MintOrder, claims: dict[str, Any], keys: SigningKeys) -> str:
    named = keys.newest(order.signed_with)
    if named is None:
        raise NotMintable(f"there is no {order.signed_with} key")
    alg, key = _key(order, named)
    header = {**signing.header(named, order.typ), "alg": alg}
    if order.kid is not None:
        header |= {"kid": order.kid}
    left_out = {"kid", "x5t"} if order.without_kid else {"x5t"} if order.kid is not None else set()
    header = {name: value for name, value in header.items() if name not in left_out} | order.header
    payload: dict[str, Any] | bytes = claims
    if order.duplicate_key:
        payload = f'{json.dumps(claims)[:-1]}, "aud": {json.dumps(claims.get("aud"))}}}'.encode()
    token = assemble(header, payload, key, alg)
    return with_broken_signature(token) if order.broken_signature else token


def _key(order: MintOrder, named: jwk.KeyPair) -> tuple[str, PrivateKey | bytes]:
    alg = order.alg or named.alg
    if alg == "none":
        return alg, b""
    if alg == "HS256":
        public = named.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return alg, public if order.public_key_as_secret else _HMAC_KEY
    private = jwk.make(named.alg, bits=2048).private if order.wrong_key else named.private
    if alg != named.alg and {alg[:2], named.alg[:2]} - {"RS", "PS"}:
        raise NotMintable(f"the signing key is for {named.alg}")
    return alg, private


def _headers(order: SendOrder, token: str, proof: str | None) -> list[tuple[str, str]]:
    scheme = order.scheme or ("Bearer" if proof is None else "DPoP")
    tokens = [f"{scheme} {token}"] * (2 if order.two_tokens else 1)
    proofs = [proof] * (2 if order.two_proofs else 1) if proof is not None and not order.without_proof else []
    if order.comma:
        tokens, proofs = [", ".join(tokens)], [", ".join(proofs)] if proofs else []
    return [*(("Authorization", each) for each in tokens), *(("DPoP", each) for each in proofs)]
