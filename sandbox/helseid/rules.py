"""What is open about the real HelseID, as switches: how strict the token endpoint is, and what an exchange gives.

The defaults take what NHN's own libraries and samples send today (domain/helseid.md 3.2 and 7).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Rules(BaseModel):
    """The switches. `POST /_sandbox/rules` changes those it names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    strict_typ: bool = True
    """The assertion's type must be client-authentication+jwt; else JWT is taken too, as documented before 2025."""
    strict_aud: bool = True
    """The assertion's audience must be the issuer; else the issuer with a slash and the token endpoint do too."""
    strict_assertion_jti: bool = False
    """An assertion is used up even by the answer use_dpop_nonce: breaks NHN's Java library, which sends it again."""
    exchanged_client: Literal["actor", "subject"] = "actor"
    """Whose client_id, name and own claims an exchanged token has."""
    exchanged_act: bool = False
    """Whether an exchanged token names the other client in `act` (RFC 8693 section 4.1)."""
