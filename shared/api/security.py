"""How callers show who they are, in the OpenAPI document: by a token as Bearer, or bound to a key (DPoP, RFC 9449)."""

from typing import Any, Final

SYSTEM: Final = "helseid"
PERSON: Final = "person"
_DPOP: Final = "Dpop"
_PROOF: Final = (
    "The same token, bound to a key (`cnf.jkt`), in the header `Authorization: DPoP`, with a proof of its own for each "
    "call in the header `DPoP` (RFC 9449): htm, htu, iat, jti and ath; a proof counts once. The register says for each "
    "system whether DPoP is off, optional or required."
)


def schemes() -> dict[str, Any]:
    """The security schemes."""
    return {
        SYSTEM: _bearer(
            "An access token from HelseID (client_credentials with private_key_jwt) for this API's scopes, signed with "
            "RS256, PS256 or ES256. The client must be registered with a vkp-id. GET /metadata names the issuer."
        ),
        f"{SYSTEM}{_DPOP}": _dpop(_PROOF),
        PERSON: _bearer(
            "A person's access token: from HelseID at security level 4, or from the Entra ID tenant of those who run "
            "the hub (v2.0, RS256, with the API's scope), where it is configured. What a person may see and change is "
            "in the register, dated, and lapses; an operator may have the app role Knutepunkt.Operator instead."
        ),
        f"{PERSON}{_DPOP}": _dpop(f"{_PROOF} HelseID's tokens only: Entra ID has no such."),
    }


def with_dpop(paths: dict[str, Any]) -> dict[str, Any]:
    """These paths, each operation that takes a token as Bearer taking it with DPoP too."""
    return {path: {name: _offered(each) for name, each in item.items()} for path, item in paths.items()}


def _offered(operation: Any) -> Any:
    if not isinstance(operation, dict) or not operation.get("security"):
        return operation
    wanted = operation["security"]
    return {**operation, "security": [*wanted, *({f"{name}{_DPOP}": []} for each in wanted for name in each)]}


def _bearer(text: str) -> dict[str, Any]:
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": text}


def _dpop(text: str) -> dict[str, Any]:
    # A name of IANA's registry of HTTP authentication schemes, as OpenAPI 3.1 wants it.
    return {"type": "http", "scheme": "dpop", "description": text}
