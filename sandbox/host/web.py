"""The HTTP door of the host: routes and keys, a request to the worker's RpcHttp, its answer back.

Facts of the real host (azure-functions.md 1.6): header names lower-cased, duplicates joined by commas, empty query
values dropped, a chunked request's body is not passed on, 404 for a wrong method, 401 for a wrong key, 500 without
detail for a failed run, 204 for a run without an answer.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from email.utils import formatdate
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from sandbox.host.functions import Function, HttpTrigger
from sandbox.host.keys import Keys
from sandbox.host.protos import RpcHttp, RpcHttpCookie, SameSite, TypedData
from sandbox.host.routes import BadTemplate, Template, decode_path, parse
from sandbox.host.settings import StartRefused
from sandbox.host.worker import Worker, traceparent

MAX_BODY = 100 * 1024 * 1024
"""Azure's limit on the body of an HTTP-triggered function's request, bytes."""

log = logging.getLogger("host.http")

Route = tuple[Template, frozenset[str], str, Function]
Special = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_SAME_SITE = {SameSite.Lax: "Lax", SameSite.Strict: "Strict", SameSite.ExplicitNone: "None"}


def table(functions: Sequence[Function], prefix: str) -> list[Route]:
    """The routes of all HTTP functions, in the order in which they are tried. Raises StartRefused."""
    routes: list[Route] = []
    taken: dict[tuple[str, str], str] = {}
    for function in functions:
        if not isinstance(function.trigger, HttpTrigger) or function.disabled:
            continue
        trigger = function.trigger
        try:
            template = parse(f"{prefix}/{trigger.route.strip('/')}")
        except BadTemplate as error:
            raise StartRefused(f"function '{function.name}': {error}") from error
        if template.text.lower().split("/")[0] in ("admin", "runtime"):
            raise StartRefused(f"function '{function.name}': the route '{template.text}' is reserved by the platform")
        for method in trigger.methods or ("*",):
            other = taken.setdefault((template.text.lower(), method), function.name)
            if other != function.name:
                log.warning("functions '%s' and '%s' have the same route and method", other, function.name)
        routes.append((template, frozenset(trigger.methods), trigger.auth_level, function))
    return sorted(routes, key=lambda route: (route[0].precedence, route[0].text.lower()))


class Door:
    """Answers HTTP requests. `specials` are the host's own addresses (`/admin/…`), looked up by first segments."""

    def __init__(
        self, worker: Worker, routes: Sequence[Route], keys: Keys, custom_headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        self._worker = worker
        self._routes = routes
        self._keys = keys
        self._custom_headers = custom_headers
        self.admin: Special | None = None
        self.closing = False
        """Set when the host ends: calls that still come over open connections are answered 503."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request. Bodies are read before the function starts; a caller that goes away meanwhile starts nothing."""
        if self.closing:
            return web.Response(status=503, headers={"Connection": "close"})
        raw_path, _, raw_query = request.raw_path.partition("?")
        path = decode_path(raw_path)
        if self.admin is not None and path[:7].lower() == "/admin/":
            return await self.admin(request)
        found = self._find(path, request.method)
        if found is None:
            return web.Response(status=404)
        (_, _, auth_level, function), values = found
        headers = joined_headers(request)
        query = joined_query(raw_query)
        if not self._keys.admits(auth_level, function.name, headers.get("x-functions-key") or query.get("code")):
            return web.Response(status=401)
        body = await read_body(request, headers)
        if body is None:
            return web.Response(status=413)
        outcome = await self._worker.invoke(
            function,
            TypedData(
                http=RpcHttp(
                    method=request.method,
                    url=f"{request.scheme}://{headers.get('host', '127.0.0.1')}{request.raw_path}",
                    headers=headers,
                    params=values,
                    query=query,
                    body=TypedData(bytes=body),
                )
            ),
            None,
            traceparent(headers.get("traceparent")),
        )
        answer = to_response(outcome.value) if outcome.succeeded else web.Response(status=500)
        for name, value in self._custom_headers:
            answer.headers[name] = value
        return answer

    def _find(self, path: str, method: str) -> tuple[Route, dict[str, str]] | None:
        for route in self._routes:
            values = route[0].match(path)
            if values is not None and (not route[1] or method in route[1]):
                return route, values
        return None


def joined_headers(request: web.BaseRequest) -> dict[str, str]:
    """Header names in lower case, the values of a repeated one joined by commas."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return headers


def joined_query(raw: str) -> dict[str, str]:
    """Query values; those of a repeated name joined by commas, empty ones dropped."""
    if not raw:
        return {}
    query: dict[str, str] = {}
    for name, value in parse_qsl(raw):
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


async def read_body(request: web.BaseRequest, headers: dict[str, str]) -> bytes | None:
    """The body, or None when it is too large. A chunked body reads as empty, as in Azure (functions-host#4926)."""
    length = request.content_length
    if not length:
        return b""
    if length > MAX_BODY:
        return None
    if headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await request.content.read(-1)


def to_response(value: TypedData | None) -> web.Response:
    """The HTTP answer for what a function returned."""
    if value is None:
        return web.Response(status=204)
    if value.http is None:
        return web.Response(text=value.string if value.string is not None else value.json)
    http = value.http
    headers = CIMultiDict(http.headers)
    for cookie in http.cookies or ():
        headers.add("set-cookie", set_cookie(cookie))
    return web.Response(status=int(http.status_code or 200), headers=headers, body=http.body.bytes)


def set_cookie(cookie: RpcHttpCookie) -> str:
    """The Set-Cookie value for a cookie of the worker's."""
    text = f"{cookie.name}={cookie.value}"
    if cookie.max_age is not None:
        text += f"; Max-Age={cookie.max_age.value:.0f}"
    if cookie.expires is not None:
        text += f"; Expires={formatdate(cookie.expires.value.seconds, usegmt=True)}"
    if cookie.domain is not None and cookie.domain.value:
        text += f"; Domain={cookie.domain.value}"
    if cookie.path is not None and cookie.path.value:
        text += f"; Path={cookie.path.value}"
    if cookie.secure is not None and cookie.secure.value:
        text += "; Secure"
    if cookie.http_only is not None and cookie.http_only.value:
        text += "; HttpOnly"
    if cookie.same_site in _SAME_SITE:
        text += f"; SameSite={_SAME_SITE[cookie.same_site]}"
    return text
