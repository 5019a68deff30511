"""Microsoft's Python worker library, driven in-process: index an app folder, run a function once.

The library's state is global to the process: one app per process. Requires `azure-functions-runtime`.
"""

import asyncio
import contextvars
import logging
import os
import sys
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import azure_functions_runtime as runtime

from sandbox.host import protos
from sandbox.host.functions import Function
from sandbox.host.protos import InvocationRequest, StreamingMessage, TypedData, WorkerRequest
from sandbox.host.settings import StartRefused

log = logging.getLogger("host.worker")

# For each Service Bus message the library tries 26 date formats in turn (a naive time fits only the last ones); the
# standard library keeps five compiled formats, so each try compiled its format again: 0.6 of 0.9 ms of a message's CPU.
vars(import_module("_strptime"))["_CACHE_MAX_SIZE"] = 64


@dataclass(frozen=True, slots=True)
class Invocation:
    """The function run that is going on, for log records."""

    function: str
    invocation_id: str


current: contextvars.ContextVar[Invocation | None] = contextvars.ContextVar("current_invocation", default=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended. `value` is the return value, None when there is none or the run failed."""

    succeeded: bool
    value: TypedData | None = None


@dataclass(slots=True)
class Tally:
    """How often each function ran and failed since the start."""

    invocations: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)


def traceparent(caller: str | None = None) -> str:
    """A new W3C span of the host's own, in the caller's trace when there is a valid one."""
    span = os.urandom(8).hex()
    if caller and len(caller) == 55 and caller.startswith("00-") and caller[35] == "-" and caller[52] == "-":
        return f"{caller[:36]}{span}{caller[52:]}"
    return f"00-{os.urandom(16).hex()}-{span}-01"


class Worker:
    """One app, indexed. Runs functions; each run is a task of its own so that no context leaks between runs."""

    def __init__(self, app_folder: Path, timeout: timedelta | None = None) -> None:
        self._folder = str(app_folder)
        self._timeout = None if timeout is None else timeout.total_seconds()
        self._properties: dict[str, Any] = {"host": "127.0.0.1", "protos": protos}
        self._running: set[asyncio.Task[Outcome]] = set()
        self.tally = Tally()

    async def index(self) -> tuple[protos.RpcFunctionMetadata, ...]:
        """Import the app and index its functions. Raises StartRefused with the worker's message when it refuses."""
        if self._folder not in sys.path:
            sys.path.insert(0, self._folder)
        runtime.start_threadpool_executor()
        answer: protos.WorkerInitResponse = await runtime.worker_init_request(
            self._envelope(StreamingMessage(worker_init_request=protos.WorkerInitRequest(self._folder)))
        )
        if answer.result.status != protos.StatusResult.Success:
            error = answer.result.exception or protos.RpcException("no reason given")
            raise StartRefused(f"the worker cannot index the app: {error.message}\n{error.stack_trace}".rstrip())
        found: protos.FunctionMetadataResponse = await runtime.functions_metadata_request(
            self._envelope(StreamingMessage(functions_metadata_request=protos.FunctionsMetadataRequest(self._folder)))
        )
        if not found.function_metadata_results:
            raise StartRefused("no functions found: is there a function_app.py, and are its blueprints registered?")
        for metadata in found.function_metadata_results:
            await runtime.function_load_request(
                self._envelope(
                    StreamingMessage(function_load_request=protos.FunctionLoadRequest(metadata.function_id, metadata))
                )
            )
        return tuple(found.function_metadata_results)

    async def invoke(
        self,
        function: Function,
        value: TypedData,
        metadata: dict[str, TypedData] | None = None,
        trace_parent: str = "",
    ) -> Outcome:
        """Run a function once. Never raises for what the function does: a failure is logged and counted.

        Cancelling the caller does not cancel the run (as in Azure, where a caller that goes away stops nothing).
        """
        task = asyncio.get_running_loop().create_task(
            self._run(function, value, metadata or {}, trace_parent or traceparent())
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self, patience_s: float) -> int:
        """Wait until no function runs. Returns how many still ran after `patience_s` seconds and were cancelled."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while self._running and loop.time() < deadline:
            await asyncio.wait(tuple(self._running), timeout=deadline - loop.time())
        left = tuple(self._running)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)
        return len(left)

    def stop(self) -> None:
        """Stop the threads that synchronous functions run on."""
        runtime.stop_threadpool_executor()

    async def _run(
        self, function: Function, value: TypedData, metadata: dict[str, TypedData], trace_parent: str
    ) -> Outcome:
        invocation_id = str(uuid.uuid4())
        current.set(Invocation(function.name, invocation_id))
        request = InvocationRequest(
            invocation_id=invocation_id,
            function_id=function.function_id,
            input_data=[protos.ParameterBinding(function.parameter, value)],
            trigger_metadata=metadata,
            trace_context=protos.RpcTraceContext(trace_parent),
            retry_context=protos.RetryContext(),
        )
        self._count(self.tally.invocations, function)
        try:
            async with asyncio.timeout(self._timeout):
                answer: protos.InvocationResponse = await runtime.invocation_request(
                    self._envelope(StreamingMessage(invocation_request=request))
                )
        except TimeoutError:
            self._count(self.tally.failures, function)
            log.error("Timeout value of %s s exceeded by function '%s'", self._timeout, function.name)
            return Outcome(False)
        if answer.result.status != protos.StatusResult.Success:
            self._count(self.tally.failures, function)
            error = answer.result.exception or protos.RpcException("no reason given")
            log.error(
                "Executed 'Functions.%s' (Failed): %s", function.name, error.message, extra={"stack": error.stack_trace}
            )
            return Outcome(False)
        return Outcome(True, answer.return_value)

    def _envelope(self, message: StreamingMessage) -> WorkerRequest:
        return WorkerRequest(message, self._properties)

    @staticmethod
    def _count(counts: dict[str, int], function: Function) -> None:
        counts[function.name] = counts.get(function.name, 0) + 1
