"""Microsoft's JavaScript SDK, a client written by others, sees the same account."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from sandbox.cosmos import Served

FOLDER = Path(__file__).parent / "js"
INSTALL_S = 240


async def run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), INSTALL_S)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_javascript_sdk_sees_what_the_python_sdk_sees(account: Served) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        if os.environ.get("KNUTEPUNKT_NO_NODE") == "1":
            pytest.skip("KNUTEPUNKT_NO_NODE=1: the JavaScript SDK is not tried")
        pytest.fail("node and npm are needed for the JavaScript SDK; set KNUTEPUNKT_NO_NODE=1 to leave it out")
    if not (FOLDER / "node_modules" / "@azure" / "cosmos").is_dir():
        await run("npm", "ci", "--no-audit", "--no-fund")
    seen = json.loads(await run("node", "smoke.mjs", account.endpoint, account.key))
    assert seen == {
        "create": 201,
        "conflict": 409,
        "text": "blåbær",
        "missing": 404,
        "replace": 200,
        "stale": 412,
        "patched": 42,
        "batch": [201, 200],
        "failed": [207, 424, 409],
        "partition": 10,
        "parameter": ["11", "12", "13"],
        "ordered": [13, 12, 11, 10, 5],
        "count": [22],
        "grouped": ["a2", "even10", "odd10"],
        "distinct": ["a", "even", "odd"],
        "top": [42, 29],
        "pages": [8, 8, 6],
        "changes": 10,
        "wrongKey": 401,
        "remove": 204,
    }
