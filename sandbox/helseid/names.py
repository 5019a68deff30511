"""Names and addresses on the wire that client and server share."""

from typing import Final

DISCOVERY: Final = "/.well-known/openid-configuration"
JWKS: Final = "/.well-known/openid-configuration/jwks"
TOKEN: Final = "/connect/token"  # noqa: S105 - an address
EXPIRED_JWKS: Final = "/connect/expiredjwks"

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TYP: Final = "client-authentication+jwt"
"""The `typ` of an assertion, as NHN's libraries and samples send it since 2025."""
PROOF_TYP: Final = "dpop+jwt"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
