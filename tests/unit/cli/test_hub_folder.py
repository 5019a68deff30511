"""What the data folder promises: one hub at a time, found while it runs and only then, secrets kept."""

import base64
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import hub_folder
from sandbox.hub_folder import Addresses, AlreadyRunning, Client, NotRunning, Running
from sandbox.process import ROOT

ADDRESSES = Addresses(
    api="http://127.0.0.1:7071",
    servicebus="Endpoint=sb://127.0.0.1:1;SharedAccessKey=very-secret",
    cosmos="AccountEndpoint=http://127.0.0.1:2;AccountKey=very-secret",
    database="knutepunkt",
    helseid="http://127.0.0.1:3",
    audience="nhn:vkp",
    epj="http://127.0.0.1:4",
    orgnr="310000019",
    vendor="trygghetsvakt",
    clients={"trygghetsvakt": Client("trygghetsvakt-test", "key.json")},
    master_key="very-secret",
)
READY = Running(4711, ADDRESSES.api, ADDRESSES, {"app": 4712})
STARTING = Running(4711, ADDRESSES.api, None, {})


def test_a_running_hub_is_found_with_all_its_addresses(tmp_path: Path) -> None:
    with hub_folder.claim(tmp_path):
        hub_folder.write_running(tmp_path, READY)
        assert hub_folder.find_running(tmp_path) == ADDRESSES


def test_a_hub_that_is_still_starting_is_not_used_yet(tmp_path: Path) -> None:
    with hub_folder.claim(tmp_path):
        hub_folder.write_running(tmp_path, STARTING)
        with pytest.raises(NotRunning, match="still starting"):
            hub_folder.find_running(tmp_path)


def test_after_a_clean_end_nothing_says_that_a_hub_runs(tmp_path: Path) -> None:
    with hub_folder.claim(tmp_path):
        hub_folder.write_running(tmp_path, READY)
    assert not (tmp_path / "running.json").exists()
    with pytest.raises(NotRunning, match="no hub is running"):
        hub_folder.find_running(tmp_path)


def test_what_a_killed_hub_left_is_recognised_as_stale(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from sandbox import hub_folder
from tests.unit.cli.test_hub_folder import READY
with hub_folder.claim(Path({str(tmp_path)!r})):
    hub_folder.write_running(Path({str(tmp_path)!r}), READY)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)  # noqa: S603 - our own program
    assert hub_folder.left_by_the_dead(tmp_path)
    with pytest.raises(NotRunning):
        hub_folder.find_running(tmp_path)
    with hub_folder.claim(tmp_path):
        pass
    assert not hub_folder.left_by_the_dead(tmp_path)


def test_a_second_hub_on_the_folder_is_told_who_is_there(tmp_path: Path) -> None:
    with hub_folder.claim(tmp_path):
        hub_folder.write_running(tmp_path, STARTING)
        with pytest.raises(AlreadyRunning) as refusal, hub_folder.claim(tmp_path):
            pass
        assert "pid 4711" in str(refusal.value)
        assert ADDRESSES.api in str(refusal.value)
        assert (tmp_path / "running.json").exists()


def test_running_json_is_for_its_owner_only_and_addresses_do_not_show_keys(tmp_path: Path) -> None:
    with hub_folder.claim(tmp_path / "new"):
        hub_folder.write_running(tmp_path / "new", READY)
        assert stat.S_IMODE((tmp_path / "new" / "running.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert "very-secret" not in repr(READY)


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = hub_folder.secret(tmp_path, "pseudonym.key")
    assert hub_folder.secret(tmp_path, "pseudonym.key") == first
    assert len(base64.b64decode(first, validate=True)) == 32
    assert stat.S_IMODE((tmp_path / "pseudonym.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, "", "[]", '{"app": "x", "epj": 70000}'])
def test_ports_that_cannot_be_remembered_are_forgotten(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ports.json").write_text(content)
    assert hub_folder.remembered_ports(tmp_path) == {}


def test_ports_are_remembered(tmp_path: Path) -> None:
    hub_folder.remember_ports(tmp_path, {"app": 7071, "epj": 20001})
    assert hub_folder.remembered_ports(tmp_path) == {"app": 7071, "epj": 20001}
