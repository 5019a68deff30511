"""Makes `.venv` and installs what the sandbox and the tests need.

Run by `hub` with the Python it found; imports nothing outside the standard library.

Safe when several start at once (one installs, the others wait) and when interrupted: `.venv` counts as complete only
when `installed-requirements.txt` in it equals the requirements, and that file is written last. Where packages come from
is pip's own configuration.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
STAMP = "installed-requirements.txt"
UNFINISHED = "unfinished"
LOG = "install.log"

_FOUND = re.compile(r"\s*(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)")
_TALK_EVERY_S = 10.0


def wanted(root: Path) -> bytes:
    """The requirements files, one after the other, as `hub` compares them."""
    return b"".join((root / name).read_bytes() for name in REQUIREMENTS)


def complete(root: Path) -> bool:
    """Whether `.venv` holds what the requirements say now."""
    venv = root / ".venv"
    stamp = venv / STAMP
    return os.access(venv / "bin" / "python", os.X_OK) and stamp.is_file() and stamp.read_bytes() == wanted(root)


@contextmanager
def _alone(root: Path) -> Iterator[int]:
    """Hold the checkout for one installation at a time. The lock is on the folder itself, so nothing is left behind."""
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another hub is installing here: waiting for it …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def install(root: Path) -> int:
    """Bring `.venv` up to date. Returns 0, or 1 with the reason and the end of pip's words on standard error."""
    venv = root / ".venv"
    started = time.monotonic()
    with _alone(root) as lock:
        if complete(root):
            return 0
        if not _usable(venv):
            _say(f"Making .venv with Python {sys.version_info.major}.{sys.version_info.minor} ({sys.executable}).")
            shutil.rmtree(venv, ignore_errors=True)
            venv.mkdir(exist_ok=True)
        (venv / UNFINISHED).touch()
        (venv / STAMP).unlink(missing_ok=True)
        python = str(venv / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--no-input", "--progress-bar=off", "-r", REQUIREMENTS[-1]]
        steps = [(pip, _Progress("Installing"))]
        if not (venv / "pyvenv.cfg").exists():
            steps.insert(0, ([sys.executable, "-I", "-m", "venv", str(venv)], _Progress("Making .venv")))
        with (venv / LOG).open("wb") as log:
            for step, progress in steps:
                if _run(step, root, log, lock, progress) != 0:
                    return _failed(venv / LOG)
        _write_stamp(venv, wanted(root))
        (venv / UNFINISHED).unlink()
    _say(f"Installed in {time.monotonic() - started:.0f} s.")
    return 0


def _usable(venv: Path) -> bool:
    """Whether to install into this `.venv` rather than make it anew: an interrupted one may hold half a package."""
    if (venv / UNFINISHED).exists() or not (venv / "pyvenv.cfg").exists():
        return False
    check = "import sys, pip; sys.exit(sys.version_info < (3, 13))"
    command = [str(venv / "bin" / "python"), "-I", "-c", check]
    try:
        # Our own command, no shell.
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def _write_stamp(venv: Path, content: bytes) -> None:
    fresh = venv / (STAMP + ".new")
    fresh.write_bytes(content)
    fresh.replace(venv / STAMP)


def _run(step: list[str], root: Path, log: IO[bytes], lock: int, progress: "_Progress") -> int:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PIP_USER"] = "0"
    # The child holds the lock too: were we killed, nobody else may install while pip is still writing.
    child = subprocess.Popen(  # noqa: S603 - our own command, no shell
        step,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(lock,),
    )
    progress.begin()
    reader = threading.Thread(target=_read, args=(child.stdout or (), log, progress), daemon=True)
    reader.start()
    try:
        while reader.is_alive():
            progress.show()
            reader.join(0.2)
        return child.wait()
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    finally:
        progress.clear()


def _read(lines: Iterable[bytes], log: IO[bytes], progress: "_Progress") -> None:
    for line in lines:
        log.write(line)
        log.flush()
        progress.heard(line.decode(errors="replace").rstrip())


class _Progress:
    """A short moving line on a terminal, now and then a plain line elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._started = self._spoke = 0.0
        self._packages: set[str] = set()
        self._now = ""

    def begin(self) -> None:
        """Start the clock."""
        self._started = self._spoke = time.monotonic()

    def heard(self, line: str) -> None:
        """Take in a line that pip wrote."""
        if match := _FOUND.match(line):
            self._packages.add(match[1].lower())
            self._now = match[1]
        elif line.startswith("Installing collected packages"):
            self._now = "writing them"
        elif line.lstrip().startswith("Building wheel"):
            self._now = line.strip()

    def show(self) -> None:
        """Show where it is now."""
        moment = time.monotonic()
        so_far = f": {len(self._packages)} packages, {self._now}" if self._packages else ""
        text = f"{self._what}{so_far} … {moment - self._started:.0f} s"
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + text[:width] + "\x1b[K")
            sys.stderr.flush()
        elif moment - self._spoke >= _TALK_EVERY_S:
            self._spoke = moment
            _say(text)

    def clear(self) -> None:
        """Take the moving line away."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _failed(log: Path) -> int:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    _say("The installation failed. The end of what was said (all of it is in .venv/install.log):\n")
    _say("\n".join(lines[-30:]))
    return 1


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main() -> int:
    """Install for the checkout named by the first argument."""
    try:
        return install(Path(sys.argv[1]))
    except KeyboardInterrupt:
        _say("Interrupted. Run it again: it starts over.")
        return 130
    except OSError as error:
        _say(f"hub: cannot install: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
