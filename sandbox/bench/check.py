"""What the check of a message takes: µs for each layer, beside what others take for reading the same bytes.

The layers are timed where the pipeline calls them: each function that `shared.fhir.reading` has from another module is
timed under that module's name. So a new layer shows up by itself, and nothing is measured that messages do not meet.
"""

import inspect
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Final

import orjson
from fhir.resources.R4B.bundle import Bundle

from sandbox.bench.bundles import bundle
from sandbox.process import ROOT
from shared.fhir import reading

SIZES: Final = (3_000, 6_000, 24_000)
"""Bytes, at least: from an alarm with its log to one with many readings."""

LAYERS: Final = {
    "resources": "address",
    "json_text": "bytes → JSON",
    "repair": "repair",
    "stu3": "STU3 shape",
    "checker": "base R4",
    "profiles": "profiles",
    "numbers": "identifiers",
    "check": "envelope, references",
    "event": "event",
}
"""What the modules are called in the table, in its order; a module that is not here goes by its own name."""
REST: Final = "the rest"
WHOLE: Final = "whole pipeline"
FHIR_RESOURCES: Final = "fhir.resources R4B, parsing alone"
ORJSON: Final = "orjson.loads"
JSON: Final = "json.loads"


type Taken = dict[str, list[float]]
"""µs of each run, by name."""

_BLOCKS: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: µs, one figure for each message."""

    name: str
    median: tuple[float, ...]
    least: tuple[float, ...]
    """What it takes when nothing else disturbs it, as far as that happened."""


@dataclass(frozen=True, slots=True)
class Cold:
    """What a fresh process takes before it can judge: loading our modules, then compiling the usual types."""

    import_ms: float
    preload_ms: float
    first_ms: float
    """The first message after that."""
    added_mb: float
    """Resident memory added by all of it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    sizes: tuple[int, ...]
    """Bytes of each message."""
    layers: tuple[Line, ...]
    whole: Line
    others: tuple[Line, ...]
    cold: Cold


def measure(rounds: int, say: Callable[[str], None]) -> Measured:
    """Measure. Raises the check's refusal if a message is not a good one, RuntimeError if no process starts."""
    bodies = [bundle(size) for size in SIZES]
    say("a fresh process")
    cold = _cold()
    columns = []
    for body in bodies:
        say(f"a message of {len(body):,} bytes")
        columns.append(_column(body, max(2 * _BLOCKS, rounds * SIZES[0] // len(body))))
    met = [name for name in columns[-1] if name not in (WHOLE, ORJSON, JSON, FHIR_RESOURCES, REST)]
    known = list(dict.fromkeys(LAYERS.values()))
    layers = [*(name for name in known if name in met), *(name for name in met if name not in known), REST]
    return Measured(
        sizes=tuple(len(body) for body in bodies),
        layers=tuple(_line(name, columns) for name in layers),
        whole=_line(WHOLE, columns),
        others=tuple(_line(name, columns) for name in (JSON, ORJSON, FHIR_RESOURCES)),
        cold=cold,
    )


def _line(name: str, columns: Sequence[Taken]) -> Line:
    return Line(
        name,
        tuple(statistics.median(column[name]) if name in column else 0.0 for column in columns),
        tuple(min(column[name]) if name in column else 0.0 for column in columns),
    )


def _column(body: bytes, rounds: int) -> Taken:
    """For one message, each in turn in blocks, so that all meet the same machine and none the other's garbage."""
    plain: dict[str, Callable[[], object]] = {
        WHOLE: lambda: reading.read_message(body, "bundle"),
        JSON: lambda: json.loads(body),
        ORJSON: lambda: orjson.loads(body),
        FHIR_RESOURCES: lambda: Bundle.model_validate_json(body),
    }
    taken: Taken = {}
    for _ in range(_BLOCKS):
        for name, work in plain.items():
            work()
            taken.setdefault(name, []).extend(_microseconds(work) for _ in range(rounds // _BLOCKS))
        for _ in range(rounds // _BLOCKS):
            for name, each in _by_layer(body).items():
                taken.setdefault(name, []).append(each)
    return taken


def _microseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1000


def _by_layer(body: bytes) -> dict[str, float]:
    with timed() as taken:
        whole = _microseconds(lambda: reading.read_message(body, "bundle"))
    return taken | {REST: whole - sum(taken.values())}


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """While this lasts, the µs spent in each module that the pipeline calls are summed up under its name."""
    taken: dict[str, float] = {}
    original = {
        name: each
        for name, each in vars(reading).items()
        if inspect.isfunction(each) and each.__module__ != reading.__name__ and each.__module__.startswith("shared.")
    }

    def timed[**P, R](work: Callable[P, R], layer: str) -> Callable[P, R]:
        @wraps(work)
        def timing(*args: P.args, **kwargs: P.kwargs) -> R:
            begun = time.perf_counter_ns()
            try:
                return work(*args, **kwargs)
            finally:
                taken[layer] = taken.get(layer, 0.0) + (time.perf_counter_ns() - begun) / 1000

        return timing

    for name, each in original.items():
        module = each.__module__.rpartition(".")[2]
        setattr(reading, name, timed(each, LAYERS.get(module, module)))
    try:
        yield taken
    finally:
        for name, each in original.items():
            setattr(reading, name, each)


def _cold() -> Cold:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "sandbox.bench.check_cold", str(SIZES[1])],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the fresh process failed: {done.stderr[-500:]}")
    return Cold(**json.loads(done.stdout))
