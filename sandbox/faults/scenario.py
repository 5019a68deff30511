"""What a scenario is: a name, a sentence, and what it does on a stage."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sandbox.faults.family import Family
from sandbox.faults.letters import Letter, Letters
from sandbox.faults.rig import Rig
from sandbox.faults.sender import Sender

_MESSAGES_A_PATIENT: Final = 4


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run takes."""

    messages: int
    """In each scenario."""
    outage_s: float
    """How long what is broken stays so."""


class Stage:
    """What a scenario acts on: the rig, the vendor, and the messages it is to send, decided by the seed."""

    def __init__(self, name: str, rig: Rig, size: Size, seed: int) -> None:
        self.rig = rig
        self.size = size
        self.chance = random.Random(f"{name} {seed}")  # noqa: S311 - the same run again
        self.letters = Letters(name, seed)
        self.sender = rig.sender()
        self.senders: list[Sender] = [self.sender]
        self.patients = max(2, size.messages // _MESSAGES_A_PATIENT)
        self.notes: list[str] = []
        """What else is to be told of the run."""
        self._left = size.messages

    def take(self, share: float = 1.0) -> list[Letter]:
        """This share of all messages, or what is left of them, about patients in turn."""
        count = min(self._left, max(1, round(self.size.messages * share)))
        self._left -= count
        return [self.letters.write(self.chance.randrange(self.patients)) for _ in range(count)]

    async def send(self, share: float = 1.0) -> None:
        """Send this share of all messages, or what is left of them, until each is accepted."""
        await self.sender.in_order(self.take(share))

    @asynccontextmanager
    async def sending(self, share: float) -> AsyncIterator[None]:
        """Send this share of all messages while something else is done; at the end all of them are accepted."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.send(share))
            yield

    async def outage(self) -> None:
        """Let what is broken be broken for a while."""
        await asyncio.sleep(self.size.outage_s)

    async def some_time(self, most_s: float) -> None:
        """Let a random time pass, so that what comes next comes at any point of what goes on."""
        await asyncio.sleep(self.chance.uniform(0, most_s))


type Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that goes wrong."""

    name: str
    sentence: str
    act: Act
    """Sends all its messages, and has mended what it broke when it is done."""
    family: Family = Family.PLAIN
    patience_s: float = 60.0
    """How long the hub has to come to rest when all is mended."""
