"""The gate that apps pass before they are deployed, on toy apps."""

from pathlib import Path

import pytest

from tests.wire.host.running import APPS
from tests.wire.host.worker_check import Refused, duplicate_routes, indexed

HEAD = "import typing\nimport azure.functions as func\napp = func.FunctionApp()\n"
TRIGGER = "@app.service_bus_queue_trigger(arg_name='m', queue_name='q', connection='C')\n"


def app(folder: Path, text: str) -> Path:
    (folder / "function_app.py").write_text(HEAD + text, encoding="utf-8")
    return folder


def test_functions_bindings_queues_and_settings_are_told() -> None:
    found = indexed(APPS / "queues")
    assert set(found) == {"on_lane", "on_plain", "on_text"}
    assert all(function.coroutine for function in found.values())
    lane = found["on_lane"]
    assert lane.queue({"LANES": "lanes"}) == "lanes"
    assert lane.settings == {"LANES", "ServiceBus"}
    assert lane.trigger["isSessionsEnabled"] is True
    assert (lane.binary, found["on_text"].binary) == (True, False)


def test_routes_are_told_with_their_methods() -> None:
    found = indexed(APPS / "web")
    assert found["echo"].routes == (("GET", "echo/{first:int}/{second?}"), ("POST", "echo/{first:int}/{second?}"))
    assert duplicate_routes(found) == []


def test_a_route_claimed_twice_and_a_synchronous_function_are_told(tmp_path: Path) -> None:
    text = "".join(
        f"@app.route(route='{route}', methods=['GET'])\n{kind} {name}(req: func.HttpRequest) -> str:\n    return ''\n"
        for route, kind, name in (("Same", "async def", "one"), ("same", "def", "two"))
    )
    found = indexed(app(tmp_path, text))
    assert duplicate_routes(found) == ["GET same: one, two"]
    assert (found["one"].coroutine, found["two"].coroutine) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        TRIGGER + "async def f(m: list[func.ServiceBusMessage]) -> None: ...\n",
        TRIGGER + "async def f(m: func.ServiceBusMessage, more: int = 1) -> None: ...\n",
        TRIGGER + "async def f(message: func.ServiceBusMessage) -> None: ...\n",
        "@app.route(route='x')\nasync def f(req: func.HttpRequest) -> func.HttpResponse | None: ...\n",
        "import nowhere_to_be_found\n",
        "",
    ],
)
def test_an_app_that_the_platform_would_not_load_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused):
        indexed(app(tmp_path, text))
