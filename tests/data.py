"""Where the tests' examples are: beside the repository, never copied into it."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"
EXAMPLES = SHARED / "examples"
NHN_ALARM = EXAMPLES / "nhn-vkp-samples" / "Bundle_OppfolgingAvVarsel_TrygghetsAlarm.json"
"""The one real alarm message NHN has published; it breaks the standard in one place."""


def example(name: str) -> bytes:
    """The bytes of an example, by its path under `examples`."""
    return (EXAMPLES / name).read_bytes()
