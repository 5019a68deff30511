"""A vendor that sends many messages: at a steady rate, whatever the answers do, or as fast as answers come."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

_EXAMPLE: Final = Path(__file__).parent.parent / "data" / "examples" / "safety-alarm-acknowledged.json"


@dataclass(slots=True)
class Answers:
    """What came back: seconds each answer took, from when it was meant to be sent, and those that were not 202."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def percentile_ms(self, share: float) -> float:
        """The answer time, in ms, that this share of the answers did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else float("nan")


def messages(count: int, patients: int) -> list[bytes]:
    """Alarms of about 3 KB, each a new event, spread evenly over so many patients."""
    return [_message(number % patients) for number in range(count)]


def _message(patient: int) -> bytes:
    message: dict[str, Any] = json.loads(_EXAMPLE.read_text(encoding="utf-8"))
    message["identifier"]["value"] = str(uuid.uuid4())
    for entry in message["entry"]:
        resource = entry["resource"]
        for role in ("subject", "patient"):
            if role in resource:
                resource[role] = {"identifier": {"system": "urn:example:bench-patient", "value": f"{patient:06}"}}
    return json.dumps(message, ensure_ascii=False).encode()


class Sender:
    """Sends to one address with one token."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}

    async def at_rate(self, bodies: Sequence[bytes], per_second: float) -> Answers:
        """Send each message at its own moment, so that a slow answer does not hide those that wait behind it."""
        answers = Answers()
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, body in enumerate(bodies):
                moment = begun + number / per_second
                await asyncio.sleep(max(0.0, moment - time.perf_counter()))
                group.create_task(self._send(body, moment, answers))
        return answers

    async def as_answers_come(self, bodies: Sequence[bytes], at_once: int) -> Answers:
        """Keep so many calls under way until all is sent."""
        answers = Answers()
        waiting = iter(bodies)

        async def one_after_another() -> None:
            for body in waiting:
                await self._send(body, time.perf_counter(), answers)

        await asyncio.gather(*(one_after_another() for _ in range(at_once)))
        return answers

    async def _send(self, body: bytes, moment: float, answers: Answers) -> None:
        try:
            async with self._session.post(self._url, data=body, headers=self._headers) as answer:
                await answer.read()
                accepted = answer.status == 202
        except (aiohttp.ClientError, TimeoutError):
            accepted = False
        if accepted:
            answers.seconds.append(time.perf_counter() - moment)
        else:
            answers.failed += 1
