"""The folder that holds a hub on this machine (`--data`, `.hub` by default): who runs there, and what must be kept.

lock           held by the one `hub up` (the kernel lets go of it however that process ends)
running.json   where that hub is reached; removed at a clean end, and void when nobody holds the lock
ports.json     the ports of the last run, used again when they are free
pseudonym.key  made at first start
logs/          one log per part
PART/          one folder per part
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox.part import DataInUse, locked

_PATIENCE_S = 1.0
"""A command that only looks whether the lock is held holds it for a moment itself."""


@dataclass(frozen=True, slots=True)
class Client:
    """A vendor's client that HelseID (the stand-in) knows."""

    vkp_id: str
    key_file: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running hub and its parts are reached. Knows secrets: keep it out of logs."""

    api: str
    servicebus: str = field(repr=False)
    cosmos: str = field(repr=False)
    database: str
    helseid: str
    audience: str
    epj: str
    orgnr: str
    vendor: str
    clients: Mapping[str, Client]
    master_key: str = field(default="", repr=False)
    servicebus_counters: str | None = None
    alerts: str = ""
    """Where notices of what is wrong arrive."""


@dataclass(frozen=True, slots=True)
class Running:
    """A hub that runs on a folder: its process, and its addresses once it is ready."""

    pid: int
    api: str
    addresses: Addresses | None
    pids: Mapping[str, int]


class NotRunning(Exception):
    """No hub runs on this folder, or it is not ready yet."""


class AlreadyRunning(Exception):
    """Another hub runs on this folder."""


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Hold the folder as its one hub. Raises AlreadyRunning naming who does, OSError when it cannot be written."""
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder, _PATIENCE_S))
        except DataInUse:
            raise AlreadyRunning(_who(folder)) from None
        try:
            yield
        finally:
            _running_file(folder).unlink(missing_ok=True)


def write_running(folder: Path, running: Running) -> None:
    """Tell the other commands where this hub is. Readable by its owner only: it holds keys."""
    write_private(_running_file(folder), json.dumps(asdict(running), indent=2).encode())


def left_by_the_dead(folder: Path) -> bool:
    """Whether the hub that ran here last did not end cleanly. Only for who holds the folder."""
    return _running_file(folder).exists()


def find_running(folder: Path) -> Addresses:
    """Where the hub on this folder is reached. Raises NotRunning with what to do."""
    start = f"start it with: ./hub up{_data_option(folder)}"
    running = _read_running(folder) if _held(folder) else None
    if running is None:
        raise NotRunning(f"no hub is running on {folder}; {start}")
    if running.addresses is None:
        raise NotRunning(f"the hub on {folder} is still starting (pid {running.pid}); try again in a moment")
    return running.addresses


def secret(folder: Path, name: str, size: int = 32) -> str:
    """Random bytes in base64 that stay the same for this folder: made when first asked for, kept for the owner only."""
    path = folder / name
    if not path.exists():
        write_private(path, base64.b64encode(secrets.token_bytes(size)))
    return path.read_text(encoding="ascii")


def remembered_ports(folder: Path) -> dict[str, int]:
    """The ports of the last run, by part; empty when there was none."""
    try:
        kept = json.loads((folder / "ports.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: port for name, port in kept.items() if isinstance(port, int) and 0 < port < 65_536}


def remember_ports(folder: Path, ports: Mapping[str, int]) -> None:
    """Keep the ports for the next run."""
    write_private(folder / "ports.json", json.dumps(dict(ports)).encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner only, all of it or nothing."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _running_file(folder: Path) -> Path:
    return folder / "running.json"


def _held(folder: Path) -> bool:
    """Whether some process holds the folder."""
    try:
        handle = os.open(folder / "lock", os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _read_running(folder: Path) -> Running | None:
    try:
        raw: dict[str, Any] = json.loads(_running_file(folder).read_bytes())
    except FileNotFoundError:
        return None
    addresses = raw["addresses"]
    if addresses is not None:
        clients = {name: Client(**client) for name, client in addresses.pop("clients").items()}
        addresses = Addresses(**addresses, clients=clients)
    return Running(raw["pid"], raw["api"], addresses, raw["pids"])


def _who(folder: Path) -> str:
    running = _read_running(folder)
    if running is None:
        return f"a hub is already running on {folder}"
    return f"a hub is already running on {folder}: pid {running.pid}, {running.api}"


def _data_option(folder: Path) -> str:
    return "" if folder == Path.cwd() / ".hub" else f" --data {folder}"
