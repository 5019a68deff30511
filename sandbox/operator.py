"""The hub as one of its operators sees it: logged in at the sandbox's Entra ID, over HTTP alone."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from sandbox.helseid.entra import OPERATOR
from sandbox.vendor import Refused, issues

_TIMEOUT = aiohttp.ClientTimeout(total=60)


class Operator:
    """An operator. Use inside `operator(…)`."""

    def __init__(self, session: aiohttp.ClientSession, api: str, token: str) -> None:
        self._session = session
        self._api = api
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask. Raises Refused with what is wrong, and aiohttp.ClientError."""
        async with self._session.get(f"{self._api}{path}", headers=self._headers, params=query) as answer:
            return await _read(answer)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have something done. Raises as `get`."""
        async with self._session.post(f"{self._api}{path}", headers=self._headers, json=body) as answer:
            return await _read(answer)


@asynccontextmanager
async def operator(api: str, helseid: str) -> AsyncIterator[Operator]:
    """An operator of the hub at `api`, whom the sandbox's token service vouches for."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        async with session.post(f"{helseid}/_sandbox/entra/mint", json={"roles": [OPERATOR]}) as answer:
            answer.raise_for_status()
            token = str((await answer.json())["access_token"])
        yield Operator(session, api, token)


async def _read(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    content = await answer.read()
    if answer.status >= 300:
        found = issues(content)
        said = " ".join(each.diagnostics or each.text for each in found) or f"status {answer.status}"
        raise Refused(f"{answer.status} {said}")
    body: dict[str, Any] = await answer.json()
    return body
