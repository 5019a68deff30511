"""What a test token is ordered with: the switches of the mint (see `sandbox.helseid.mint` for the table of them)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sandbox.helseid.jose import Alg

_CONFIG = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ProofOrder(BaseModel):
    """The DPoP proof to make beside the token. Without faults: one that fits the token and this call."""

    model_config = _CONFIG

    method: str = "POST"
    url: str = "http://127.0.0.1/"
    """The address as it will be called; query and fragment are left out of `htu`."""
    alg: Alg = "ES256"
    """For the key that is made here."""
    jwk: dict[str, Any] | None = None
    """The private key to bind to and sign with; without it one is made."""
    jti: str | None = None
    """A chosen id: two proofs with the same one are a replay."""
    nonce: str | None = None
    issued_ago_seconds: float = 0
    """`iat` so far back; negative: in the future."""
    typ: str = "dpop+jwt"

    htu: str | None = None
    """Exactly this as `htu`."""
    htu_with_query: bool = False
    htu_other_port: bool = False
    htu_upper_case_host: bool = False
    """Not a fault: the same address in another spelling (RFC 3986)."""
    without_ath: bool = False
    wrong_ath: bool = False
    wrong_key: bool = False
    """Made with another key than the token is bound to."""
    without_alg: bool = False
    without_jwk: bool = False
    private_key_in_jwk: bool = False
    symmetric: bool = False
    """HS256 with a symmetric key in `jwk`."""
    unsigned: bool = False
    """alg none."""
    broken_signature: bool = False
    access_token_as_proof: bool = False
    header: dict[str, Any] = Field(default_factory=dict)
    """Header members set or replaced last."""
    claims: dict[str, Any] = Field(default_factory=dict)
    """Set or replaced last."""
    without: list[str] = Field(default_factory=list)
    """Claims left out."""


class SendOrder(BaseModel):
    """How the answer's `headers` send it."""

    model_config = _CONFIG

    scheme: str | None = None
    """Another scheme than the token's own (DPoP or Bearer)."""
    two_tokens: bool = False
    two_proofs: bool = False
    comma: bool = False
    """With twoTokens or twoProofs: one header line with a comma, as a proxy joins them."""
    without_proof: bool = False


class MintOrder(BaseModel):
    """The switches. Without any: a token as the token endpoint gives to the first sandbox vendor."""

    model_config = _CONFIG

    fault: str | None = None
    """A named fault out of `sandbox.helseid.faults`; what the order says besides wins over it."""

    client_id: str = "trygghetsvakt"
    vkp_id: str | None = None
    """Another vkp-id than the client's own."""
    without_vkp_id: bool = False
    client_amr: str | None = None
    scope: list[str] | str | None = None
    """The scopes, whatever the client may have; a string is sent as a string."""
    tenancy: Literal["none", "single-tenant", "multi-tenant"] | None = None
    orgnr_parent: str | None = None
    orgnr_child: str | None = None
    orgnr_supplier: str | None = None
    lifetime_seconds: int | None = None
    expired: bool = False
    """Issued and expired an hour ago."""
    not_yet_valid: bool = False
    """`nbf` an hour from now."""
    audience: str | list[str] | None = None
    issuer: str | None = None
    typ: str = "at+jwt"

    alg: Literal["HS256", "none"] | Alg | None = None
    """Another algorithm than the signing key's own; the key must fit, but for HS256 and none."""
    public_key_as_secret: bool = False
    """With HS256: the published key (PEM) as shared secret."""
    kid: str | None = None
    without_kid: bool = False
    wrong_key: bool = False
    """Signed with a key that is not published, under the id of the one that is."""
    signed_with: Literal["current", "next", "old", "expired", "revoked"] = "current"
    """The newest key in that state."""
    broken_signature: bool = False
    duplicate_key: bool = False
    """The member `aud` twice in the claims, properly signed."""
    padding_bytes: int = Field(default=0, ge=0, le=1_000_000)
    """A claim of so many characters."""
    header: dict[str, Any] = Field(default_factory=dict)
    """Header members set or replaced last."""
    claims: dict[str, Any] = Field(default_factory=dict)
    """Set or replaced last."""
    without: list[str] = Field(default_factory=list)
    """Claims left out."""

    dpop: bool = False
    """Bound to a key, with a proof beside."""
    dpop_bound: bool = False
    """Bound to a key that nobody has; no proof."""
    jkt: str | None = None
    """Exactly this as `cnf.jkt`, with or without a proof."""
    proof: ProofOrder = ProofOrder()
    send: SendOrder = SendOrder()
