"""A vendor that keeps sending a message until it is answered 202, and writes down what it was answered."""

import asyncio
import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import Final

import aiohttp

from sandbox.faults.ledger import Sent
from sandbox.faults.letters import Letter
from sandbox.helseid.client import TokenRefused
from sandbox.vendor import Answer, Vendor

PATIENCE_S: Final = 10.0
"""How long it waits for an answer before it sends again."""
_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 2.0
_AGAIN: Final = frozenset({401, 408, 429, 500, 502, 503, 504})
"""Answers after which a vendor tries again; 401: with a token that was fetched anew."""


class Refused(Exception):
    """The hub refused a message that nothing is wrong with; its vendor would give up."""


class Sender:
    """Sends to one municipality. Every message that was ever begun is in `ledger`."""

    def __init__(self, vendor: Vendor, orgnr: str, receiver: str = "epj") -> None:
        self._vendor = vendor
        self._orgnr = orgnr
        self._receiver = receiver
        self.ledger: list[Sent] = []

    async def in_order(self, letters: Iterable[Letter]) -> None:
        """Send messages, those of a patient one after another and patients side by side, until all got their 202.

        Raises Refused.
        """
        lanes: dict[str, list[Letter]] = {}
        for letter in letters:
            lanes.setdefault(letter.patient, []).append(letter)

        async def one_patient(mine: list[Letter]) -> None:
            for letter in mine:
                await self.one(letter)

        async with asyncio.TaskGroup() as group:
            for mine in lanes.values():
                group.create_task(one_patient(mine))

    async def at_once(self, letters: Iterable[Letter]) -> None:
        """Send messages, all of them side by side, until all got their 202. Raises Refused."""
        async with asyncio.TaskGroup() as group:
            for letter in letters:
                group.create_task(self.one(letter))

    async def one(self, letter: Letter) -> Sent:
        """Send one message until it got its 202. Raises Refused."""
        sent = self.write_down(letter)
        await self._until_accepted(letter, sent)
        return sent

    async def at_rate(self, letters: Sequence[Letter], per_second: float) -> None:
        """Begin each message at its own moment, whatever became of those before. Raises Refused."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, letter in enumerate(letters):
                await asyncio.sleep(max(0.0, begun + number / per_second - time.monotonic()))
                group.create_task(self.one(letter))

    async def flood(self, letters: Iterable[Letter], times: int) -> None:
        """Send each message so many times at once, messages one after another; each until it got its 202.

        Raises Refused.
        """
        for letter in letters:
            sent = self.write_down(letter)
            async with asyncio.TaskGroup() as group:
                for _ in range(times):
                    group.create_task(self._until_accepted(letter, sent))

    def write_down(self, letter: Letter) -> Sent:
        """Begin a page in the ledger, or find it: one that gave up and comes back goes on with the page it has."""
        sha256 = hashlib.sha256(letter.body).hexdigest()
        for page in self.ledger:
            if page.sha256 == sha256:
                return page
        sent = Sent(f"{self._orgnr}/{self._receiver}/{letter.patient}", sha256)
        self.ledger.append(sent)
        return sent

    async def _until_accepted(self, letter: Letter, sent: Sent) -> None:
        pause = _PAUSE_S
        while True:
            answer = await self._post(letter, sent)
            if answer is not None and answer.accepted:
                sent.acknowledged = sent.acknowledged or time.time()
                sent.location = answer.location or ""
                return
            if answer is not None and answer.status not in _AGAIN:
                said = ", ".join(issue.diagnostics or issue.text for issue in answer.issues)
                raise Refused(f"{answer.status} {said}")
            if answer is not None and answer.status == 401:
                self._vendor.forget_token()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _post(self, letter: Letter, sent: Sent) -> Answer | None:
        """One post, counted; None when it was left without an answer."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                # Without a token nothing is posted: that HelseID cannot be reached is no attempt at the hub.
                await self._vendor.token()
        except (aiohttp.ClientError, OSError, TimeoutError, TokenRefused):
            return None
        sent.begun = sent.begun or time.time()
        sent.posts += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._vendor.send(self._orgnr, letter.resource, letter.body)
        except aiohttp.ClientConnectorError:
            # Nobody was there to take it: of that there is no doubt.
            return None
        except (aiohttp.ClientError, OSError, TimeoutError):
            sent.unanswered += 1
            return None
        except asyncio.CancelledError:
            sent.unanswered += 1
            raise
