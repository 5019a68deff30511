"""The hub as a vendor's system sees it: fetch a token, post a message, ask where it is.

What a vendor would write, over HTTP alone. Used by the command line and by tests.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.helseid import dpop as proofs
from sandbox.helseid.client import TokenAnswer, fetch_token, read_pair
from sandbox.helseid.jwk import KeyPair

RESOURCES = ("bundle", "composition", "medicationdispense", "encounter", "communication", "observation")
"""The addresses that take messages, in the order an id without an address is looked for."""
CONTENT_TYPE = "application/fhir+json"
_TIMEOUT = aiohttp.ClientTimeout(total=60)
_RENEW_BEFORE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome."""

    severity: str
    code: str
    text: str
    diagnostics: str
    expression: tuple[str, ...]
    details_code: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub answered to a message."""

    status: int
    location: str | None
    issues: tuple[Issue, ...]
    body: bytes

    @property
    def accepted(self) -> bool:
        """Whether the hub has taken responsibility for the message."""
        return self.status == 202 and self.location is not None

    @property
    def message_id(self) -> str | None:
        """The id in the address to ask for the message's state at."""
        return None if self.location is None else message_id(self.location)


class NotFound(Exception):
    """The hub knows no such message, or it belongs to somebody else."""


class Refused(Exception):
    """The hub refused a question."""


class Vendor:
    """A vendor's system with its client at HelseID. Use inside `vendor(…)`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api: str,
        issuer: str,
        client_id: str,
        key_file: Path,
        *,
        dpop: bool = False,
    ) -> None:
        self._session = session
        self._api = api
        self._issuer = issuer
        self._client_id = client_id
        self._key_file = key_file
        self._dpop = dpop
        self._pair: KeyPair | None = None
        self._token: TokenAnswer | None = None
        self._token_until = datetime.min.replace(tzinfo=UTC)

    async def token(self) -> str:
        """A token that still lives a while. Raises what `fetch_token` raises."""
        if self._token is None or datetime.now(UTC) >= self._token_until:
            self._token = await fetch_token(self._issuer, self._client_id, self._key_file, dpop=self._dpop)
            self._token_until = datetime.now(UTC) + timedelta(seconds=self._token.expires_in) - _RENEW_BEFORE
        return self._token.access_token

    def forget_token(self) -> None:
        """Fetch another token for the next call: the one there is was not accepted."""
        self._token = None

    async def credentials(self, method: str, url: str) -> dict[str, str]:
        """The headers that let one call in: a bearer token, or a bound one with a proof made for just this attempt.

        Raises what `token` raises.
        """
        token = await self.token()
        if not self._dpop:
            return {"Authorization": f"Bearer {token}"}
        self._pair = self._pair or await read_pair(self._key_file)
        proof = proofs.proof(self._pair, method, url, datetime.now(UTC), token=token)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}

    async def send(self, orgnr: str, resource: str, body: bytes) -> Answer:
        """Post a message, byte for byte. Raises aiohttp.ClientError, TimeoutError and what `token` raises."""
        url = f"{self._api}/epj/r4/{orgnr}/{resource}"
        headers = {**await self.credentials("POST", url), "Content-Type": CONTENT_TYPE}
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            content = await answer.read()
            return Answer(answer.status, answer.headers.get("Location"), issues(content), content)

    async def status(self, location: str) -> dict[str, Any]:
        """The state of a message. `location`: the Location of its answer, or the path in it.

        Raises NotFound, Refused, ValueError when the address is not this hub's, and what `send` raises.
        """
        url = self._at_this_hub(location)
        headers = await self.credentials("GET", url)
        async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
            content = await answer.read()
            if answer.status == 404:
                raise NotFound(_said(answer.status, content))
            state = _object(content)
            if answer.status != 200 or state is None:
                raise Refused(_said(answer.status, content))
            return state

    def _at_this_hub(self, location: str) -> str:
        """The address to call. A token is never sent to another host than the hub's."""
        if location.startswith("/") and not location.startswith("//"):
            return self._api + location
        if urlsplit(location)[:2] != urlsplit(self._api)[:2]:
            raise ValueError(f"not an address of the hub at {self._api}")
        return location


@asynccontextmanager
async def vendor(
    api: str,
    issuer: str,
    client_id: str,
    key_file: Path | str,
    *,
    dpop: bool = False,
    traces: Sequence[aiohttp.TraceConfig] = (),
) -> AsyncIterator[Vendor]:
    """A vendor's system that talks to the hub at `api` with its client at HelseID; `dpop`: with bound tokens.

    `traces` see its calls to the hub.
    """
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trace_configs=list(traces)) as session:
        yield Vendor(session, api, issuer, client_id, Path(key_file), dpop=dpop)


def status_path(orgnr: str, resource: str, message: str) -> str:
    """The path to ask for a message's state at."""
    return f"/epj/r4/{orgnr}/{resource}/{message}/$status"


def message_id(location: str) -> str:
    """The id in the address of a message's state, or the text itself when it is no address."""
    parts = [part for part in urlsplit(location).path.split("/") if part and part != "$status"]
    return parts[-1] if parts else location


def resource_of(body: bytes) -> str:
    """Which address a message belongs to, by its resourceType. Raises ValueError when it does not say."""
    value = json.loads(body)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise ValueError("no resourceType")
    return kind.lower()


def issues(content: bytes) -> tuple[Issue, ...]:
    """The issues of an OperationOutcome; none when it is something else."""
    outcome = _object(content)
    if outcome is None or outcome.get("resourceType") != "OperationOutcome":
        return ()
    return tuple(_issue(raw) for raw in _list(outcome.get("issue")) if isinstance(raw, dict))


def _issue(raw: dict[str, Any]) -> Issue:
    details = _dict(raw.get("details"))
    coding = _list(details.get("coding"))
    return Issue(
        severity=str(raw.get("severity", "")),
        code=str(raw.get("code", "")),
        text=str(details.get("text", "")),
        diagnostics=str(raw.get("diagnostics", "")),
        expression=tuple(str(place) for place in _list(raw.get("expression"))),
        details_code=str(_dict(coding[0]).get("code", "")) if coding else "",
    )


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _said(status: int, content: bytes) -> str:
    found = issues(content)
    return f"{status} {found[0].diagnostics or found[0].text}".rstrip() if found else f"status {status}"
