"""Fetching the issuer's keys: its discovery document, then the JWKS that it names. The one network call of `access`.

The document is kept for a day (HelseID's FK2), the keys as long as `shared.access.keys` says.
"""

import asyncio
import ipaddress
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from shared.access.jwks import JwksError, KeySet, read_jwks
from shared.access.keys import KeysFetchError

KEEP_S: Final = 24 * 3600.0
WELL_KNOWN: Final = "/.well-known/openid-configuration"
MAX_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Issuer:
    """Where the issuer is. Raises ValueError for an address that keys must not be fetched from."""

    issuer: str
    """Exactly as in `iss`, no trailing slash. Must be https, except on this machine's own loopback address."""
    jwks_uri: str | None = None
    """Set only when the keys lie somewhere else than the issuer itself; then this address is used."""
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        for address in (self.issuer, self.jwks_uri):
            if address is not None and not _trustworthy(address):
                raise ValueError("the issuer's addresses must be https (http on the loopback address only)")


class Fetcher:
    """Fetches this issuer's keys over this session, as `Keys` takes it."""

    def __init__(
        self, session: aiohttp.ClientSession, where: Issuer, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._where = where
        self._monotonic = monotonic
        self._address: str | None = None
        self._found_at = 0.0

    async def __call__(self) -> KeySet:
        """The issuer's keys as published now.

        Raises KeysFetchError when they cannot be had: no answer, another issuer's document, keys on another host, no
        key that can be used.
        """
        try:
            async with asyncio.timeout(self._where.timeout_s):
                return await self._fetch()
        except TimeoutError:
            raise KeysFetchError("no answer in time") from None
        except aiohttp.ClientError as error:
            raise KeysFetchError(type(error).__name__) from None
        except JwksError as error:
            raise KeysFetchError(str(error)) from None

    async def _fetch(self) -> KeySet:
        if self._address is not None and self._monotonic() < self._found_at + KEEP_S:
            try:
                return await self._keys_at(self._address)
            except (KeysFetchError, JwksError):
                # Perhaps the keys have moved: ask where they are now.
                self._address = None
        document = await _get_object(self._session, self._where.issuer + WELL_KNOWN)
        if document.get("issuer") != self._where.issuer:
            raise KeysFetchError("the discovery document is another issuer's")
        self._address = _jwks_address(document, self._where)
        self._found_at = self._monotonic()
        return await self._keys_at(self._address)

    async def _keys_at(self, address: str) -> KeySet:
        return read_jwks(await _get_object(self._session, address), self._where.issuer)


async def fetch_keys(session: aiohttp.ClientSession, where: Issuer) -> KeySet:
    """The issuer's keys as published now. Raises KeysFetchError (see Fetcher)."""
    return await Fetcher(session, where)()


def _jwks_address(document: dict[str, Any], where: Issuer) -> str:
    if where.jwks_uri is not None:
        return where.jwks_uri
    stated = document.get("jwks_uri")
    try:
        same = isinstance(stated, str) and URL(stated).origin() == URL(where.issuer).origin()
    except ValueError:
        same = False
    if not same or not isinstance(stated, str):
        raise KeysFetchError("the discovery document names keys on another host")
    return stated


async def _get_object(session: aiohttp.ClientSession, address: str) -> dict[str, Any]:
    async with session.get(address, allow_redirects=False, headers={"Accept": "application/json"}) as answer:
        if answer.status != 200:
            raise KeysFetchError(f"status {answer.status}")
        body = await _bounded(answer.content)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysFetchError("not JSON") from None
    if not isinstance(document, dict):
        raise KeysFetchError("not a JSON object")
    return document


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BYTES:
            raise KeysFetchError("the document is too large")
    return bytes(body)


def _trustworthy(address: str) -> bool:
    try:
        url = URL(address)
    except ValueError:
        return False
    if not url.host or url.query_string or url.fragment or url.user:
        return False
    return url.scheme == "https" or (url.scheme == "http" and _loopback(url.host))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
