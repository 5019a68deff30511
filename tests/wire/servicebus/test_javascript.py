"""Microsoft's JavaScript SDK, which shares no code with the Python one, finds what it expects."""

import asyncio
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from sandbox.servicebus import serve
from tests.wire.servicebus.conftest import TOPOLOGY

FOLDER = Path(__file__).parent / "js"
LOCK = FOLDER / "package-lock.json"


async def installed() -> str:
    """The path of node, with the locked packages in place. Fails the test when there is no node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail("node and npm are needed for this test; set KNUTEPUNKT_NO_NODE=1 to go without")
    mark, wanted = FOLDER / "node_modules" / ".installed", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text(encoding="ascii") != wanted:
        install = await asyncio.create_subprocess_exec(
            npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts",
            cwd=FOLDER, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await asyncio.wait_for(install.communicate(), 300)
        assert install.returncode == 0, f"npm ci failed: {said.decode()[-500:]}"
        mark.write_text(wanted, encoding="ascii")
    return node


@pytest.mark.skipif(os.environ.get("KNUTEPUNKT_NO_NODE") == "1", reason="KNUTEPUNKT_NO_NODE=1")
async def test_the_javascript_sdk_sends_settles_and_uses_sessions(tmp_path: Path) -> None:
    node = await installed()
    async with serve(tmp_path, TOPOLOGY) as service:
        script = await asyncio.create_subprocess_exec(
            node, "check.mjs", service.connection_string, cwd=FOLDER, stdout=asyncio.subprocess.PIPE
        )
        try:
            told, _ = await asyncio.wait_for(script.communicate(), 60)
        finally:
            if script.returncode is None:
                script.kill()
    assert script.returncode == 0
    assert json.loads(told) == {
        "bodies": ["one", {"two": 2}, "three"],
        "madeUpId": True,
        "deliveryCount": 1,
        "deferred": {"two": 2},
        "dead": ["m3", "s", "why", "because"],
        "peeked": [["later", "scheduled"]],
        "session": "a",
        "state": "state",
        "renewed": True,
        "busy": "SessionCannotBeLocked",
        "order": [0, 1, 2],
        "wrongKey": "UnauthorizedAccess",
    }


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in LOCK.read_text(encoding="utf-8")
