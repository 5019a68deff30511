"""Index an app folder under Microsoft's worker, in a process of its own, and tell what the platform would see.

`indexed(folder, environment)` for tests; `python -m tests.wire.host.worker_check FOLDER` prints the same as JSON. The
worker's state is global to a process, and it refuses apps that `get_functions()` accepts (azure-functions.md 2.4):
this is the gate an app has to pass before it is deployed.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]

_SETTING = re.compile(r"%([^%]+)%")


class Refused(Exception):
    """The worker does not index the app; the message is the worker's."""


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """One function as the worker reports it to the platform."""

    name: str
    coroutine: bool
    """Whether the worker will await it; a synchronous one would run on the small thread pool."""
    bindings: tuple[dict[str, Any], ...]

    @property
    def trigger(self) -> dict[str, Any]:
        """The trigger's binding."""
        return next(binding for binding in self.bindings if binding["type"].lower().endswith("trigger"))

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """(method, route) of an HTTP function, the route in lower case; none for other functions."""
        if self.trigger["type"] != "httpTrigger":
            return ()
        route = str(self.trigger.get("route") or self.name).strip("/").lower()
        return tuple((str(method).upper(), route) for method in self.trigger.get("methods") or ("*",))

    @property
    def settings(self) -> frozenset[str]:
        """Names of the app settings that the bindings use: `%NAME%` expressions and connections."""
        names = {name for binding in self.bindings for name in _SETTING.findall(json.dumps(binding))}
        return frozenset(names | {binding["connection"] for binding in self.bindings if binding.get("connection")})

    def queue(self, settings: Mapping[str, str]) -> str | None:
        """The queue of a Service Bus trigger, `%NAME%` replaced. Raises KeyError when that setting is missing."""
        name = self.trigger.get("queueName")
        return None if name is None else _SETTING.sub(lambda match: settings[match.group(1)], name)

    @property
    def binary(self) -> bool:
        """Whether the trigger's value reaches the function as bytes."""
        return str(self.trigger.get("dataType", "")).lower() == "binary"


def indexed(app_folder: Path, environment: Mapping[str, str] | None = None) -> dict[str, IndexedFunction]:
    """The functions of an app folder by name. Raises Refused with the worker's words when it does not index."""
    done = subprocess.run(  # noqa: S603 - this interpreter and this module
        [sys.executable, "-m", "tests.wire.host.worker_check", str(app_folder.resolve())],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    found = json.loads(done.stdout.splitlines()[-1])
    return {one["name"]: IndexedFunction(one["name"], one["coroutine"], tuple(one["bindings"])) for one in found}


def duplicate_routes(functions: Mapping[str, IndexedFunction]) -> list[str]:
    """(method, route) pairs that more than one function claims; neither the SDK nor the worker complains."""
    owners: dict[tuple[str, str], list[str]] = {}
    for function in functions.values():
        for route in function.routes:
            owners.setdefault(route, []).append(function.name)
    return [f"{method} {route}: {', '.join(names)}" for (method, route), names in owners.items() if len(names) > 1]


async def _index(app_folder: Path) -> list[dict[str, Any]]:
    from azure_functions_runtime import handle_event  # noqa: PLC0415 - only in the process that indexes

    from sandbox.host.worker import Worker  # noqa: PLC0415

    found = await Worker(app_folder).index()
    registry = handle_event._functions
    return [
        {
            "name": one.name,
            "coroutine": registry.get_function(one.function_id).is_async,
            "bindings": [json.loads(binding) for binding in one.raw_bindings],
        }
        for one in found
    ]


def _main() -> int:
    from sandbox.host.settings import StartRefused  # noqa: PLC0415

    try:
        found = asyncio.run(_index(Path(sys.argv[1])))
    except StartRefused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
