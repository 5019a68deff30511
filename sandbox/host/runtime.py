"""The host put together: index the app, open the HTTP door, start timers and queue listeners, drain at the end."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.host import functions as indexed
from sandbox.host import hostjson, keys, logs, settings
from sandbox.host.admin import Admin
from sandbox.host.bus import Bus, namespace
from sandbox.host.functions import Function, ServiceBusTrigger, TimerTrigger
from sandbox.host.groups import Group
from sandbox.host.hostjson import ServiceBusOptions
from sandbox.host.listeners import Listener
from sandbox.host.timers import Timer
from sandbox.host.web import Door, table
from sandbox.host.worker import Worker

DRAIN_S = 30.0
"""How long running functions may take to finish when the host is told to end."""

log = logging.getLogger("host")


@asynccontextmanager
async def serve(
    app_folder: Path, data_folder: Path, port: int, verbose: bool = False, group: Group = Group.ALL
) -> AsyncIterator[dict[str, Any]]:
    """Run an app folder on 127.0.0.1 until the context ends; yields the facts a client needs.

    The whole app is indexed; only the functions of `group` are served.

    Raises StartRefused when the app, its host.json or a setting does not allow it. One app per process.
    """
    config = hostjson.load(app_folder)
    logs.configure(config, verbose)
    for warning in config.warnings:
        log.warning(warning)
    os.environ.update(settings.read(os.environ, app_folder))
    worker = Worker(app_folder, config.function_timeout)
    with contextlib.redirect_stdout(sys.stderr):
        functions = indexed.read(await worker.index(), os.environ)
    access = keys.load(data_folder, [function.name for function in functions])
    served = tuple(function for function in functions if group.serves(function))
    door = Door(worker, table(served, config.route_prefix), access, tuple(config.custom_headers.items()))
    timers = _timers(served, worker, data_folder)
    buses, listeners = _listeners(served, config.service_bus, worker)
    state = "Running"
    admin = Admin(worker, access, functions, group, timers, lambda: state)
    door.admin = admin.handle
    runner = web.ServerRunner(web.Server(door.handle, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, shutdown_timeout=DRAIN_S, reuse_address=True, backlog=1024)
    await site.start()
    bound: int = runner.addresses[0][1]
    # From the next turn of the loop on, what functions print goes where logs go: standard output is for "ready" alone.
    asyncio.get_running_loop().call_soon(setattr, sys, "stdout", sys.stderr)
    ticking = [asyncio.create_task(timer.run(), name=f"timer {name}") for name, timer in timers.items()]
    connecting = [asyncio.create_task(bus.run(), name="service bus") for bus in buses.values()]
    for listener in listeners:
        listener.start()
    try:
        yield {
            "port": bound,
            "url": f"http://127.0.0.1:{bound}",
            "group": group.value,
            "functions": sorted(function.name for function in served),
            "masterKey": access.master,
        }
    finally:
        state = "Stopping"
        door.closing = True
        await _end(ticking)
        await _drain(worker, runner, site, listeners)
        for bus in buses.values():
            await bus.close()
        await _end(connecting)
        worker.stop()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(worker: Worker, runner: web.ServerRunner, site: web.TCPSite, listeners: list[Listener]) -> None:
    """Take nothing new; let what runs finish, be answered and be settled."""
    deadline = asyncio.get_running_loop().time() + DRAIN_S
    await site.stop()
    await asyncio.gather(*(listener.stop(DRAIN_S) for listener in listeners))
    left = await worker.drain(deadline - asyncio.get_running_loop().time())
    if left:
        log.warning("%d running functions did not finish within %.0f s", left, DRAIN_S)
    await runner.cleanup()


def _timers(functions: tuple[Function, ...], worker: Worker, folder: Path) -> dict[str, Timer]:
    return {
        function.name: Timer(function, function.trigger, worker, folder)
        for function in functions
        if isinstance(function.trigger, TimerTrigger) and not function.disabled
    }


def _listeners(
    functions: tuple[Function, ...], options: ServiceBusOptions, worker: Worker
) -> tuple[dict[tuple[str, str], Bus], list[Listener]]:
    """A connection and a listener for each queue trigger.

    One connection for all would do as long as its links had room in its one AMQP session: the service takes 256.
    """
    triggers = [
        (function, function.trigger)
        for function in functions
        if isinstance(function.trigger, ServiceBusTrigger) and not function.disabled
    ]
    buses = {
        (trigger.connection, trigger.queue): Bus(namespace(trigger.connection), [trigger.queue])
        for _, trigger in triggers
    }
    return buses, [
        Listener(function, trigger, options, buses[trigger.connection, trigger.queue], worker)
        for function, trigger in triggers
    ]
