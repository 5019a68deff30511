"""What the script `hub` promises before any command runs: it finds an interpreter and makes .venv, or says why not.

Each test has a checkout of its own (the script, the installer, requirements without packages, and a stand-in for the
commands), in a folder with a space in its name, and a PATH that holds nothing but what the test puts there.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.install import STAMP, UNFINISHED
from sandbox.process import ROOT

PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
TOOLS = ("sh", "dirname", "readlink", "cat", "cmp", "env")
STAND_IN = """
import os, sys
print(*sys.argv[1:], sep="|")
print(os.getcwd())
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout and the surroundings in which its `hub` is run."""

    root: Path
    path: Path
    pyenv: Path

    def hub(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run it to its end, without a terminal."""
        with self.start(*arguments, cwd=cwd) as running:
            out, err = running.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, running.returncode, out, err)

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Start it."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        environment = {**kept, "PATH": str(self.path), "PYENV_ROOT": str(self.pyenv), "HOME": str(self.root.parent)}
        return subprocess.Popen(  # noqa: S603 - our own script
            [self.root / "hub", *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def program(self, name: str, text: str) -> None:
        """Put a program on its PATH."""
        script(self.path / name, text)


def script(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def checkout(folder: Path) -> Checkout:
    root, path = folder / "a checkout", folder / "bin"
    (root / "sandbox" / "cli").mkdir(parents=True)
    for name in ("hub", "sandbox/install.py"):
        shutil.copy(ROOT / name, root / name)
    (root / "requirements.txt").write_text("# nothing\n")
    (root / "requirements-dev.txt").write_text("-r requirements.txt\n")
    (root / "sandbox" / "__init__.py").touch()
    (root / "sandbox" / "cli" / "__init__.py").touch()
    (root / "sandbox" / "cli" / "__main__.py").write_text(STAND_IN)
    path.mkdir()
    for tool in TOOLS:
        (path / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool} here"))
    return Checkout(root, path, folder / "pyenv")


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without any Python."""
    return checkout(tmp_path)


@dataclass(frozen=True)
class Used:
    """A checkout whose first use were two calls at the same moment."""

    checkout: Checkout
    first: tuple[subprocess.CompletedProcess[str], ...]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Used:
    """A used checkout; its Python is on PATH."""
    made = checkout(tmp_path_factory.mktemp("used"))
    made.program("python3", f'exec "{PYTHON}" "$@"')
    with made.start("one") as one, made.start("two") as two:
        ends = [(*process.communicate(timeout=120), process.wait()) for process in (one, two)]
    return Used(made, tuple(subprocess.CompletedProcess((), code, out, err) for out, err, code in ends))


@pytest.fixture
def ready(used: Used) -> Checkout:
    """A checkout that has been used."""
    return used.checkout


def test_without_python_it_names_the_three_ways_to_get_one(bare: Checkout) -> None:
    # A shim for a version that is not chosen, one that is too old, and uv without any.
    bare.program("python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')
    bare.program("python3", "exit 1")
    bare.program("uv", "exit 2")
    ended = bare.hub("up", "--json")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Python 3.13" in ended.stderr
    for way in ("on PATH", "pyenv install 3.13", "uv python install 3.13"):
        assert way in ended.stderr
    assert not (bare.root / ".venv").exists()


def test_a_python_without_venv_is_named(bare: Checkout) -> None:
    bare.program("python3.13", "exit 3")
    ended = bare.hub("up")
    assert ended.returncode == 1
    assert f"{bare.path}/python3.13 (lacks one of venv" in ended.stderr


INTERPRETER = """
case "$*" in
    *install.py*)
        mkdir -p "$3/.venv/bin"
        printf '#!/bin/sh\\necho "$@"\\n' >"$3/.venv/bin/python"
        chmod +x "$3/.venv/bin/python" ;;
    *) echo "$0" ;;
esac
"""
"""Says it will do, and installs a .venv that repeats how it was called."""


@pytest.mark.parametrize("where", ["PATH", "pyenv", "uv"])
def test_a_python_is_found_on_path_by_pyenv_and_by_uv(bare: Checkout, where: str) -> None:
    for tool in ("mkdir", "chmod"):
        (bare.path / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool} here"))
    bare.program("python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')
    script(bare.pyenv / "versions" / "3.9.1" / "bin" / "python", "exit 1")
    if where == "PATH":
        bare.program("python3", INTERPRETER)
    elif where == "pyenv":
        script(bare.pyenv / "versions" / "3.13.99" / "bin" / "python", INTERPRETER)
    else:
        script(bare.root.parent / "uv's own" / "python3.13", INTERPRETER)
        answer = bare.root.parent / "uv's own" / "python3.13"
        bare.program("uv", f'[ "$*" = "python find --system >=3.13" ] && [ "$PWD" = / ] && echo "{answer}"')
    ended = bare.hub("token")
    assert (ended.returncode, ended.stdout) == (0, "-P -m sandbox.cli token\n"), ended.stderr


def test_two_that_start_at_once_install_once(used: Used) -> None:
    assert [end.returncode for end in used.first] == [0, 0], used.first
    assert [end.stdout.splitlines()[0] for end in used.first] == ["one", "two"]
    said = "".join(end.stderr for end in used.first)
    assert said.count("Making .venv with") == said.count("Installed in") == 1


def test_it_runs_where_you_stand_with_your_arguments_and_says_nothing_more(ready: Checkout, tmp_path: Path) -> None:
    # Packages by our names where the user stands are not ours.
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    ended = ready.hub("send", "my file.json", "--data", "", cwd=tmp_path)
    assert ended.stdout.splitlines() == ["send|my file.json|--data|", str(tmp_path)]
    assert (ended.returncode, ended.stderr) == (0, "")


def test_it_can_be_called_through_a_link(ready: Checkout, tmp_path: Path) -> None:
    (tmp_path / "knutepunkt").symlink_to(ready.root / "hub")
    called = subprocess.run([tmp_path / "knutepunkt", "x"], capture_output=True, text=True, check=True)  # noqa: S603
    assert called.stdout.startswith("x\n")


def test_changed_requirements_are_installed_before_anything_runs(ready: Checkout) -> None:
    requirements = ready.root / "requirements.txt"
    before = requirements.read_text()
    try:
        requirements.write_text("./no-such-package\n")
        ended = ready.hub("up", "--json")
        assert ended.returncode == 1
        assert ended.stdout == ""
        assert "The installation failed" in ended.stderr
        assert "no-such-package" in ended.stderr
        assert "no-such-package" in (ready.root / ".venv" / "install.log").read_text()
    finally:
        requirements.write_text(before)
    # It did not end well: .venv may hold half a package, and does not count although the requirements are the old ones.
    (ready.root / ".venv" / "half-a-package").touch()
    assert not (ready.root / ".venv" / STAMP).exists()
    mended = ready.hub("token")
    assert mended.returncode == 0
    assert "Making .venv" in mended.stderr
    assert not (ready.root / ".venv" / "half-a-package").exists()
    assert not (ready.root / ".venv" / UNFINISHED).exists()
