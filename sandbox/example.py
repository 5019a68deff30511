"""The one real event that `hub up` sends through.

NHN's published alarm sample when the folder with shared material lies beside the checkout, else an alarm of our own
making. Always the same bytes: on a folder that has seen it the hub answers as before and delivers nothing again.
"""

from dataclasses import dataclass
from pathlib import Path

from sandbox.process import ROOT

OWN = ROOT / "sandbox" / "data" / "examples" / "safety-alarm-acknowledged.json"
NHN_SAMPLE = (
    ROOT.parent / "shared/data/examples/nhn-vkp-samples" / "Bundle_OppfolgingAvVarsel_TrygghetsAlarm.json"
)  # fmt: skip
RESOURCE = "bundle"


@dataclass(frozen=True, slots=True)
class Example:
    """A message to send, and what to call it."""

    path: Path
    name: str
    body: bytes


def example() -> Example:
    """The example event. Raises OSError when it cannot be read."""
    if NHN_SAMPLE.is_file():
        return Example(NHN_SAMPLE, "NHN's alarm sample", NHN_SAMPLE.read_bytes())
    return Example(OWN, "an alarm", OWN.read_bytes())
