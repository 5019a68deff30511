"""The discovery document, with HelseID's own names and lists (domain/helseid.md section 1).

The lists are HelseID's recorded ones, wider than its policy and much wider than what the stand-in does, so that clients
meet what they will meet. An endpoint that is named here but not served answers 501.
"""

from collections.abc import Iterable
from typing import Any, Final

from sandbox.helseid.jose import NINE, RSA_ALGS
from sandbox.helseid.names import EXPIRED_JWKS, JWKS, TOKEN
from sandbox.helseid.registrations import Api

NOT_SERVED: Final = {
    "authorization_endpoint": "/connect/authorize",
    "userinfo_endpoint": "/connect/userinfo",
    "end_session_endpoint": "/connect/endsession",
    "check_session_iframe": "/connect/checksession",
    "revocation_endpoint": "/connect/revocation",
    "introspection_endpoint": "/connect/introspect",
    "device_authorization_endpoint": "/connect/deviceauthorization",
    "backchannel_authentication_endpoint": "/connect/ciba",
    "pushed_authorization_request_endpoint": "/connect/par",
    "available_idps": "/connect/availableidps",
}
_STATEMENTS: Final[dict[str, Any]] = {
    "frontchannel_logout_supported": True,
    "frontchannel_logout_session_supported": True,
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
    "grant_types_supported": [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:openid:params:grant-type:ciba",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ],
    "response_types_supported": ["code"],
    "response_modes_supported": ["form_post", "query", "fragment"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "subject_types_supported": ["public"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "request_parameter_supported": True,
    "request_object_signing_alg_values_supported": [
        *RSA_ALGS,
        *("ES256", "ES384", "ES512"),
        *("HS256", "HS384", "HS512"),
    ],
    "prompt_values_supported": ["none", "login", "consent", "select_account"],
    "authorization_response_iss_parameter_supported": True,
    "require_pushed_authorization_requests": False,
    "backchannel_token_delivery_modes_supported": ["poll"],
    "backchannel_user_code_parameter_supported": True,
    "dpop_signing_alg_values_supported": list(NINE),
}


def discovery_document(issuer: str, apis: Iterable[Api], scopes: Iterable[str]) -> dict[str, Any]:
    """The document for this issuer."""
    served = {"jwks_uri": JWKS, "token_endpoint": TOKEN, "expired_jwks_uri": EXPIRED_JWKS}
    return {
        "issuer": issuer,
        **{name: issuer + path for name, path in (served | NOT_SERVED).items()},
        "scopes_supported": sorted(set(scopes)),
        "claims_supported": sorted({name for api in apis for name in api.claims}),
        **_STATEMENTS,
    }
