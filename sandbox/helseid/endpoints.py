"""HelseID's own addresses: the metadata, the keys, the token endpoint."""

from typing import Any, Final

from aiohttp import web

from sandbox.helseid import metadata
from sandbox.helseid.grant import grant
from sandbox.helseid.names import DISCOVERY, EXPIRED_JWKS, JWKS, TOKEN
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.standin import HelseId

NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def routes(part: HelseId) -> list[web.RouteDef]:
    """The addresses of this stand-in."""

    async def discovery(_: web.Request) -> web.Response:
        scopes = (scope for client in part.registry.clients for scope in client.scopes)
        return web.json_response(metadata.discovery_document(part.issuer, part.registry.apis, scopes))

    async def jwks(_: web.Request) -> web.Response:
        return web.json_response(part.keys.published())

    async def expired_jwks(_: web.Request) -> web.Response:
        return web.json_response(part.keys.expired())

    async def token(request: web.Request) -> web.Response:
        try:
            return web.json_response(await _token(part, request), headers=NO_STORE)
        except OAuthError as error:
            refusal = {"error": error.error, "error_description": error.description}
            nonce = {} if error.nonce is None else {"DPoP-Nonce": error.nonce}
            return web.json_response(refusal, status=400, headers={**NO_STORE, **nonce})

    async def not_served(_: web.Request) -> web.Response:
        return web.json_response({"error": "the stand-in does not have this endpoint"}, status=501)

    return [
        web.get(DISCOVERY, discovery),
        web.get(JWKS, jwks),
        web.get(EXPIRED_JWKS, expired_jwks),
        web.route("*", TOKEN, token),
        *(web.route("*", path, not_served) for path in metadata.NOT_SERVED.values()),
    ]


async def _token(part: HelseId, request: web.Request) -> dict[str, Any]:
    if request.method != "POST":
        raise OAuthError("invalid_request", "Use POST.")
    if request.content_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send application/x-www-form-urlencoded.")
    if "Authorization" in request.headers:
        raise OAuthError("invalid_client", "Clients authenticate with private_key_jwt only.")
    try:
        fields = await request.post()
    except (UnicodeDecodeError, LookupError):
        raise OAuthError("invalid_request", "The form cannot be read.") from None
    form = [(name, value) for name, value in fields.items() if isinstance(value, str)]
    granted = grant(form, request.headers.getall("DPoP", []), part.desk(), part.now())
    answer: dict[str, Any] = {
        "access_token": part.keys.sign(granted.claims),
        "token_type": granted.token_type,
        "expires_in": granted.expires_in,
        "scope": " ".join(granted.scopes),
    }
    if granted.rejected_scopes:
        answer["rejected_scope"] = " ".join(granted.rejected_scopes)
    return answer
