"""What a test sends and is told, looked over its shoulder: the marks that must then be in payloads and nowhere else.

Everything that goes over the sessions of a `World` is seen, whoever wrote the call: tokens and proofs in headers, the
people and numbers in bodies, and the answers that must not repeat them.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import aiohttp

from sandbox.hub_parts import MUNICIPALITY
from tests.leaks import numbers

SECRETS: Final = ("Authorization", "DPoP")
_TAIL: Final = 48
"""Characters of a token's signature: nothing that two tokens share."""
_SHORTEST: Final = 8
_ABOUT_PEOPLE: Final = frozenset({"subject", "patient", "author", "performer", "sender", "recipient"})
_KNOWN: Final = frozenset({MUNICIPALITY})
"""Names that stand in the register too."""
_MOST_ANSWERS: Final = 2000


class Watch:
    """Sees the calls of the sessions it is given to (`trace`)."""

    def __init__(self, api: str) -> None:
        self._api = api
        self.marks: dict[str, str] = {}
        """What must not be seen, by a name that may be shown."""
        self.answers: dict[bytes, None] = {}
        """Headers of all answers, and bodies of those that are no content that was asked for; each once."""

    def trace(self) -> aiohttp.TraceConfig:
        """To be given to a session."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._started)
        config.on_request_headers_sent.append(self._headers)
        config.on_request_chunk_sent.append(self._body)
        config.on_request_end.append(self._ended)
        config.on_response_chunk_received.append(self._answered)
        return config

    async def _started(self, _: Any, context: Any, params: aiohttp.TraceRequestStartParams) -> None:
        context.ours = str(params.url).startswith(self._api)
        context.sent = b""
        context.told = False

    async def _headers(self, _: Any, context: Any, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        for name in SECRETS if context.ours else ():
            for value in params.headers.getall(name, ()):
                token = value.rpartition(" ")[2].rstrip(".")
                if len(token) >= 2 * _TAIL:
                    self.marks[f"{name} {len(self.marks)}"] = token[-_TAIL:]

    async def _body(self, _: Any, context: Any, params: aiohttp.TraceRequestChunkSentParams) -> None:
        context.sent += params.chunk

    async def _answered(self, _: Any, context: Any, params: aiohttp.TraceResponseChunkReceivedParams) -> None:
        # Comes after the end of the request: when somebody reads the body.
        if context.told:
            self._keep(params.chunk)

    async def _ended(self, _: Any, context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        if not context.ours:
            return
        self.learn(context.sent)
        status, path = params.response.status, params.url.path
        headers = "\n".join(f"{name}: {value}" for name, value in params.response.headers.items())
        self._keep(headers.encode("utf-8", "surrogateescape"))
        context.told = status >= 400 or status == 202 or path.endswith("$status")

    def _keep(self, answer: bytes) -> None:
        if len(self.answers) < _MOST_ANSWERS:
            self.answers[answer] = None

    def learn(self, body: bytes) -> None:
        """Take the people out of a message."""
        known = set(self.marks.values())
        for kind, mark in people(body):
            if mark not in known:
                known.add(mark)
                self.marks[f"{kind} {len(self.marks)}"] = mark


def people(body: bytes) -> Iterator[tuple[str, str]]:
    """The numbers, names and identifiers of people in a message, each with what it is."""
    for found in numbers(body):
        yield "number", found[0].decode()
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(message, dict) and isinstance(message.get("resourceType"), str):
        yield from _in(message, "")


def _in(value: Any, under: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _in(each, under)
    if not isinstance(value, dict):
        return
    if value.get("resourceType") == "MessageHeader":
        # Tells of systems, organisations and resources, which its answer repeats.
        return
    identifier, display = value.get("identifier"), value.get("display")
    names = [value.get("family"), display if {"identifier", "reference"} & value.keys() else None]
    if under in _ABOUT_PEOPLE and isinstance(identifier, dict):
        names.append(display)
        yield from _fit("identifier", identifier.get("value"))
    for name in names:
        yield from _fit("name", name)
    for key, each in value.items():
        yield from _in(each, key)


def _fit(kind: str, mark: object) -> Iterator[tuple[str, str]]:
    # What is short or monotonous may stand anywhere by chance; nine digits are an organisation's.
    if not isinstance(mark, str) or len(mark) < _SHORTEST or len(set(mark)) < 5 or mark in _KNOWN:
        return
    if not (len(mark) == 9 and mark.isdecimal()):
        yield kind, mark
