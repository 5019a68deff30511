"""What is registered at the stand-in, as in HelseID's self-service: clients, and the APIs that tokens are for."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from sandbox.helseid.jose import NINE, public_key
from sandbox.helseid.jwk import PRIVATE_MEMBERS

AUDIENCE: Final = "nhn:vkp"
WRITES: Final = ("bundle", "composition", "medicationdispense", "encounter", "communication", "observation")
READS: Final = (
    "patient",
    "episodeofcare",
    "careplan",
    "composition",
    "condition",
    "allergyintolerance",
    "medicationstatement",
)
VKP_SCOPES: Final = tuple(
    [f"nhn:vkp/api/user/{name}.write" for name in WRITES] + [f"nhn:vkp/api/user/{name}.read" for name in READS]
)
"""What VKP's published sample client asks for (domain/vkp-api.md 2.2), and observations."""

VKP_ID: Final = "nhn:vkp/client/claims/vkp-id"
JOURNAL_ID: Final = "nhn:sfm:journal-id"
_CLIENT: Final = "helseid://claims/client/"
CLIENT_NAME: Final = f"{_CLIENT}client_name"
TENANCY: Final = f"{_CLIENT}client_tenancy"
TENANCY_IN_TTT: Final = f"{_CLIENT}claims/client_tenancy"
"""The metadata and the test-token service name this claim differently (domain/helseid.md 4.2)."""
ORGNR_PARENT: Final = f"{_CLIENT}claims/orgnr_parent"
ORGNR_CHILD: Final = f"{_CLIENT}claims/orgnr_child"
ORGNR_SUPPLIER: Final = f"{_CLIENT}claims/orgnr_supplier"

Orgnr = Annotated[str, Field(pattern=r"^[0-9]{9}$")]
"""Nine digits, no more: NHN's own published child units fail the check digit."""
Name = Annotated[str, Field(min_length=1, max_length=256)]
DpopMode = Literal["off", "optional", "required"]
Tenancy = Literal["none", "single", "multi"]

_CONFIG = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Api(BaseModel):
    """An API: its audience, and the claims that it wants in its tokens. Its scopes begin with `<audience>/`."""

    model_config = _CONFIG

    audience: Name
    claims: tuple[Name, ...] = (CLIENT_NAME, TENANCY, ORGNR_PARENT, ORGNR_CHILD, ORGNR_SUPPLIER, VKP_ID)

    def owns(self, scope: str) -> bool:
        """Whether the scope is one of this API's."""
        return scope.startswith(f"{self.audience}/")


class Delegation(BaseModel):
    """What an organisation has delegated to a multi-tenant client's supplier (in Altinn, for the real HelseID)."""

    model_config = _CONFIG

    parent: Orgnr
    children: tuple[Orgnr, ...] | None = None
    """The child units the client may name; None: any."""
    rejected_scopes: tuple[Name, ...] = ()
    """Scopes whose terms the organisation has not accepted: left out and told in `rejected_scope`."""


class Jwks(BaseModel):
    """Public keys."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    keys: tuple[dict[str, Any], ...] = Field(min_length=1)

    @field_validator("keys")
    @classmethod
    def _public_only(cls, keys: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for key in keys:
            if PRIVATE_MEMBERS & key.keys():
                raise ValueError("a client is registered with its public keys only")
            if not any(public_key(key, alg) for alg in NINE):
                raise ValueError("each key must be an RSA key of 2048 bits or more, or an EC key on P-256, 384 or 521")
        return keys


class Client(BaseModel):
    """One registered client."""

    model_config = _CONFIG

    client_id: Name
    name: str = ""
    vkp_id: Name | None = None
    """The claim that VKP knows its sending systems by."""
    jwks: Jwks
    scopes: tuple[Name, ...] = VKP_SCOPES
    tenancy: Tenancy = "single"
    orgnr_parent: Orgnr | None = None
    """The organisation the client belongs to: single-tenant it is the token's parent, multi-tenant its supplier."""
    orgnr_children: tuple[Orgnr, ...] | None = None
    """Single-tenant: the child units it may name; None: any."""
    delegations: tuple[Delegation, ...] = ()
    """Multi-tenant: the organisations it may speak for."""
    claims: dict[Name, str] = Field(default_factory=dict)
    """Further claims of its own (a HER-id, …), put into a token when the API wants them."""
    dpop: DpopMode = "optional"
    """off: Bearer tokens only, as VKP's R4 API takes them; optional: bound when a proof is sent; required."""
    token_lifetime_s: int = Field(default=600, ge=1, le=86_400)
    """Seconds; 600 as in the tokens recorded from HelseID's test environment."""
    may_exchange: bool = False
    """Whether it may exchange tokens (RFC 8693)."""

    def delegation_of(self, parent: str) -> Delegation | None:
        """What this organisation has delegated, or None."""
        return next((each for each in self.delegations if each.parent == parent), None)

    def to_json(self) -> dict[str, Any]:
        """As kept and as registered."""
        return self.model_dump(by_alias=True, mode="json")
