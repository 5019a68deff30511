"""Proves a package: unpacked into an empty folder, it indexes, answers and takes a message to the journal."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox.example import RESOURCE, example
from sandbox.hub_parts import ORGNR, VENDOR
from sandbox.running import Hub, Wishes, running_hub
from sandbox.vendor import vendor
from tools.package import archive
from tools.package.running import from_package, lay_out_host
from tools.package.target import ROOT, CannotPackage

INDEXING: Final[Mapping[str, str]] = {
    "ServiceBus": "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=aw==;UseDevelopmentEmulator=true;",
    "Cosmos": "AccountEndpoint=http://127.0.0.1:1/;AccountKey=aw==;",
    "HelseId__issuer": "http://127.0.0.1:1",
    "HelseId__audience": "nhn:vkp",
    "Pseudonym__key": "A" * 43 + "=",
}
"""Settings that let the app be loaded: nobody is at these addresses, and indexing must not call anybody."""

AS_IN_AZURE: Final[Mapping[str, str]] = {
    "ServiceBus__fullyQualifiedNamespace": "knutepunkt.invalid",
    "Cosmos__accountEndpoint": "https://127.0.0.1:1/",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=00000000-0000-0000-0000-000000000000;"
    "IngestionEndpoint=https://127.0.0.1:1/",
    **{name: value for name, value in INDEXING.items() if name not in ("ServiceBus", "Cosmos")},
}
"""The same by identity and with telemetry, as Azure has it (`infra/`): both have libraries of their own to load."""

_PATIENCE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A package laid out as Azure lays it out, and the stand-in of its host beside it."""

    package: Path
    host: Path


@dataclass(frozen=True, slots=True)
class Indexed:
    """What Microsoft's worker finds in a package."""

    functions: tuple[str, ...]
    first: frozenset[str]
    """Modules loaded when the host is told of the functions."""
    modules: frozenset[str]
    """Loaded with the app, before any function ran."""


@dataclass(frozen=True, slots=True)
class Took:
    """What loading took, from a bare interpreter on."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    """Resident, added by loading."""
    modules: int


@dataclass(frozen=True, slots=True)
class Start:
    """What a cold start takes of the app itself: the least of each over fresh processes."""

    indexable: Took
    """Until the worker can index the app: what the host waits for."""
    ready: Took
    """Until all that calls need is loaded, in the background."""
    runs: int


def unpacked(path: Path, folder: Path) -> Unpacked:
    """Unpack a package into a new folder, with what starts it beside it."""
    laid = Unpacked(folder / "wwwroot", folder / "host")
    archive.unpack(path, laid.package)
    lay_out_host(laid.host)
    return laid


def indexed(laid: Unpacked, settings: Mapping[str, str] = INDEXING) -> Indexed:
    """What Microsoft's worker finds, on nothing but the package's own packages.

    Raises CannotPackage with the worker's words, or with the modules that did not come from the package.
    """
    found = _inside(laid, settings=settings)
    if found["strangers"]:
        raise CannotPackage(f"imported from outside the package: {', '.join(found['strangers'])}")
    return Indexed(tuple(found["functions"]), frozenset(found["first"]), frozenset(found["loaded"]))


def measured(laid: Unpacked, runs: int = 9) -> Start:
    """What loading the app takes on this machine, with settings as in Azure; not what it takes there.

    The least of several runs: whatever else the machine does makes a run longer, and nothing makes one shorter.
    """
    found = [_inside(laid, "--only-import", settings=AS_IN_AZURE) for _ in range(runs)]
    return Start(_least(each["indexable"] for each in found), _least(each["ready"] for each in found), runs)


@asynccontextmanager
async def hub_from(laid: Unpacked, folder: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[Hub]:
    """A whole hub on a folder whose app runs from the package. Raises as `sandbox.running.running_hub` does."""
    wishes = Wishes(settings=settings or {}, started_as=from_package(laid.package, laid.host))
    async with running_hub(folder, wishes=wishes) as hub:
        yield hub


async def answers(hub: Hub, release: str) -> None:
    """Raises CannotPackage unless the app says that it is this release, and that it and what it stands on are well."""
    async with aiohttp.ClientSession() as http, http.get(f"{hub.addresses.api}/health") as answer:
        said = await answer.json()
    if answer.status != 200 or said.get("status") != "ok":
        raise CannotPackage(f"/health answered {answer.status}: {said}")
    if said.get("release") != release:
        raise CannotPackage(f"/health says that this is {said.get('release')}; the package is {release}")


async def delivers(hub: Hub) -> str:
    """Send an event as a vendor and wait until the journal has it; gives its state. Raises CannotPackage."""
    at = hub.addresses
    async with vendor(at.api, at.helseid, VENDOR, at.clients[VENDOR].key_file) as sender:
        answer = await sender.send(ORGNR, RESOURCE, example().body)
        if answer.status != 202 or answer.location is None:
            raise CannotPackage(f"an event was not accepted: {answer.status} {answer.issues}")
        state = "accepted"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while state not in ("delivered", "journaled"):
                    await asyncio.sleep(_LOOK_EVERY_S)
                    state = str((await sender.status(answer.location))["state"])
                return state
    raise CannotPackage(f"an event did not reach the journal within {_PATIENCE_S:.0f} s: it is {state}")


def _least(found: Iterable[Mapping[str, float]]) -> Took:
    runs = list(found)
    seconds, cpu, megabytes, modules = (
        min(each[name] for each in runs) for name in ("seconds", "cpu_seconds", "megabytes", "modules")
    )
    return Took(seconds, cpu, megabytes, int(modules))


def _inside(laid: Unpacked, *options: str, settings: Mapping[str, str] = INDEXING) -> dict[str, Any]:
    launched = (
        sys.executable, "-m", "tools.package.launch", "--package", str(laid.package), "--beside", str(laid.host),
        "--module", "inside", str(laid.package), str(laid.host), *options,
    )  # fmt: skip
    environment = {"PATH": os.environ.get("PATH", ""), **settings}
    # Our own command, no shell.
    done = subprocess.run(launched, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise CannotPackage(f"the app cannot be loaded from the package:\n{done.stderr.strip()[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
