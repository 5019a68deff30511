"""Traces and metrics of the app, as OpenTelemetry would take them to Application Insights, into a file instead.

Off unless the setting `Sandbox__telemetry` is `file`: tests look into that file for what must not be there.
"""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SETTING: Final = "Sandbox__telemetry"
FILE: Final = "telemetry.jsonl"


@contextmanager
def recorded(settings: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Record what the app tells until the context ends, if that is wished. Once in a process."""
    if settings.get(SETTING) != "file":
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    # Only now: a host that records nothing should not wait for the SDK to be imported.
    recording = importlib.import_module("sandbox.host.recording")
    with recording.to(folder / FILE):
        yield
