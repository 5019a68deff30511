"""The messages of a run: alarms, which are prompt, and measurements, which are routine, about patients of its own.

Synthetic, of our own making; which patient, which kind and how long is decided by the run's seed.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_EXAMPLES: Final = Path(__file__).parent.parent / "data" / "examples"
_ALARM: Final = ("bundle", json.loads((_EXAMPLES / "safety-alarm-minimal.json").read_text(encoding="utf-8")))
_MEASUREMENT: Final = ("observation", json.loads((_EXAMPLES / "measurement-weight.json").read_text(encoding="utf-8")))
_PATIENTS: Final = "urn:example:fault-rig-patient"
MEBIBYTE: Final = 1_048_576
"""The largest message the hub takes in, in bytes."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to send: about whom, to which address, and its bytes."""

    patient: str
    resource: str
    body: bytes


class Letters:
    """Writes messages. No two are alike; the same seed and name give the same ones."""

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._chance = random.Random(f"{name} {seed}")  # noqa: S311 - the same run again
        self._written = 0

    def name_of(self, patient: int) -> str:
        """What a patient of this run is called in messages, and in nothing else."""
        return f"{self._name}-{patient:05}"

    def write(self, patient: int, *, prompt: bool | None = None, size: int = 0) -> Letter:
        """A message about a patient of this run; `prompt` left out: one in three is. `size`: in bytes, at least."""
        if prompt is None:
            prompt = self._chance.random() < 1 / 3
        resource, example = _ALARM if prompt else _MEASUREMENT
        about = self.name_of(patient)
        self._written += 1
        message = _about(example, about, f"{self._name}-{self._chance.getrandbits(64):016x}-{self._written:06}")
        body = json.dumps(message, ensure_ascii=False).encode()
        if len(body) < size:
            body = self._longer(message, size - len(body))
        return Letter(about, resource, body)

    def _longer(self, message: dict[str, Any], by: int) -> bytes:
        # What is random cannot be packed: it takes its full room wherever it is kept.
        section = message["entry"][0]["resource"]["section"][0]["text"]
        room = by - len("<p></p>")
        filling = self._chance.randbytes(room // 2 + 1).hex()[:room]
        section["div"] = section["div"].replace("</div>", f"<p>{filling}</p></div>")
        return json.dumps(message, ensure_ascii=False).encode()


def _about(example: dict[str, Any], patient: str, number: str) -> dict[str, Any]:
    """The example about somebody else, as another event."""
    message: dict[str, Any] = json.loads(json.dumps(example))
    identifier = {"system": "urn:example:fault-rig", "value": number}
    message["identifier"] = identifier if message["resourceType"] == "Bundle" else [identifier]
    resources = [entry["resource"] for entry in message.get("entry", [])] or [message]
    for resource in resources:
        for role in ("subject", "patient"):
            if role in resource:
                resource[role] = {"identifier": {"system": _PATIENTS, "value": patient}}
    return message
