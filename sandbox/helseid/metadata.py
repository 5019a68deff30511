"""The discovery document, with HelseID's own names (domain/helseid.md section 1).

The lists are HelseID's, wider than what the stand-in does, so that clients find what they look for; only the endpoints
that are here are named.
"""

from typing import Any, Final

DISCOVERY: Final = "/.well-known/openid-configuration"
JWKS: Final = "/.well-known/openid-configuration/jwks"
TOKEN: Final = "/connect/token"  # noqa: S105 - an address

_NINE: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


def discovery_document(issuer: str, scopes: list[str]) -> dict[str, Any]:
    """The document for this issuer."""
    return {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS,
        "token_endpoint": issuer + TOKEN,
        "scopes_supported": scopes,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": _NINE,
        "dpop_signing_alg_values_supported": _NINE,
    }
