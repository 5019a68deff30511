"""The token endpoint's error answers (RFC 6749 section 5.2; the catalogue in domain/helseid.md 3.7)."""

from typing import Literal

Error = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "invalid_dpop_proof",
    "use_dpop_nonce",
]


class OAuthError(Exception):
    """A refusal with its OAuth error and a description for the client's developer. Answered with status 400."""

    def __init__(self, error: Error, description: str, nonce: str | None = None) -> None:
        super().__init__(description)
        self.error: Error = error
        self.description = description
        self.nonce = nonce
        """Goes into `DPoP-Nonce`: with use_dpop_nonce only, for NHN's .NET client takes that header on any error as a
        challenge."""
