"""The smoke test after a deployment, as it is run there: only Azure's own command is made up."""

import json
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "release" / "smoke.sh"
NEEDS = ("curl", "jq", "unzip")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, NEEDS)), reason=f"{', '.join(NEEDS)}: the script's own tools, not all on this machine"
)
THIS, OTHER = "0.1.0+" + "a" * 40, "0.1.0+" + "b" * 40


class Health:
    """Answers as the gateway would, one answer after the other; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        self.asked: list[str] = []
        health = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                health.asked.append(self.path)
                status, text = (200, "{}") if self.path == "/metadata" else health.next()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def next(self) -> tuple[int, str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def says(self, release: str, status: str = "ok") -> tuple[int, str]:
        return 200, json.dumps({"status": status, "dependencies": {}, "release": release})


@pytest.fixture
def health() -> Iterator[Health]:
    made = Health()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "knutepunkt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("release.json", json.dumps({"release": THIS}))
    return path


def smoke(folder: Path, url: str, package: Path, functions: int = 5) -> subprocess.CompletedProcess[str]:
    """Run it, with an `az` that knows the outputs of the deployment and counts functions."""
    az = folder / "bin" / "az"
    az.parent.mkdir()
    az.write_text(
        f'#!/bin/sh\ncase "$*" in\n  *KNUTEPUNKT_URL*) echo {url} ;;\n  *KNUTEPUNKT_APP_*) echo func ;;\n'
        f"  *function\\ list*) echo {functions} ;;\n  *) exit 2 ;;\nesac\n",
        encoding="utf-8",
    )
    az.chmod(0o755)
    environment = {"PATH": f"{az.parent}:{os.environ['PATH']}", "SMOKE_PAUSE": "0"}
    command = [str(SCRIPT), "dev", str(package)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def test_a_hub_that_is_well_and_is_this_release_passes(tmp_path: Path, health: Health, package: Path) -> None:
    health.answers = [health.says(THIS)]
    done = smoke(tmp_path, health.url, package)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"well: release {THIS}")
    assert health.asked == ["/health", "/metadata"]


def test_an_instance_of_the_release_before_that_answers_for_a_moment_is_waited_out(
    tmp_path: Path, health: Health, package: Path
) -> None:
    health.answers = [(503, "no"), health.says(OTHER), health.says(THIS, "degraded"), health.says(THIS)]
    assert smoke(tmp_path, health.url, package).returncode == 0
    assert health.asked.count("/health") == 4


@pytest.mark.parametrize("answer", [
    pytest.param((200, json.dumps({"status": "ok", "release": OTHER})), id="another release answers"),
    pytest.param((200, json.dumps({"status": "ok", "release": "unpackaged"})), id="no release answers"),
    pytest.param((200, json.dumps({"status": "ok"})), id="a release that cannot say which"),
    pytest.param((200, json.dumps({"status": "degraded", "release": THIS})), id="its stores do not answer it"),
    pytest.param((200, "<html>"), id="something else answers"),
    pytest.param((503, "no"), id="nothing answers"),
])  # fmt: skip
def test_a_hub_that_is_not_well_or_is_another_release_fails(
    tmp_path: Path, health: Health, package: Path, answer: tuple[int, str]
) -> None:
    health.answers = [answer]
    done = smoke(tmp_path, health.url, package)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"not well, or not release {THIS}"


def test_an_app_without_functions_fails(tmp_path: Path, health: Health, package: Path) -> None:
    health.answers = [health.says(THIS)]
    assert smoke(tmp_path, health.url, package, functions=0).returncode == 1
    assert health.asked == []


def test_a_package_that_does_not_say_which_release_it_is_fails(tmp_path: Path, health: Health) -> None:
    package = tmp_path / "old.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("host.json", "{}")
    health.answers = [health.says("null")]
    assert smoke(tmp_path, health.url, package).returncode != 0
    assert health.asked == []
