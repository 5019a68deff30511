"""An indexed app as the host needs it: each function with its one trigger, settings resolved."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.host.protos import RpcFunctionMetadata
from sandbox.host.settings import StartRefused, connection_string, disabled, resolve


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """`authLevel` is `anonymous`, `function` or `admin`; no methods means every method."""

    route: str
    methods: tuple[str, ...]
    auth_level: str


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """`schedule` is NCRONTAB with six fields, in UTC."""

    schedule: str
    run_on_startup: bool
    use_monitor: bool


@dataclass(frozen=True, slots=True)
class ServiceBusTrigger:
    """A queue trigger for single messages. `binary` is whether the body reaches the function as bytes."""

    queue: str
    connection: str
    """The connection string (a secret)."""
    sessions: bool
    binary: bool
    auto_complete: bool | None
    """None: as host.json says."""


Trigger = HttpTrigger | TimerTrigger | ServiceBusTrigger


@dataclass(frozen=True, slots=True)
class Function:
    """One function that this host can run. `parameter` is the name the trigger's value is passed under."""

    name: str
    function_id: str
    parameter: str
    trigger: Trigger
    disabled: bool


def read(indexed: Iterable[RpcFunctionMetadata], settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Each indexed function with its trigger. Raises StartRefused for what cannot run here, naming the function."""
    return tuple(_function(metadata, settings) for metadata in indexed)


def _function(metadata: RpcFunctionMetadata, settings: Mapping[str, str]) -> Function:
    name = metadata.name
    bindings: list[dict[str, Any]] = [json.loads(binding) for binding in metadata.raw_bindings]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise StartRefused(f"function '{name}' has {len(triggers)} triggers; it must have one")
    for binding in bindings:
        if binding is not triggers[0] and not (binding["type"] == "http" and binding["name"] == "$return"):
            raise StartRefused(
                f"function '{name}': the binding '{binding['type']}' is not supported by the local host; use the SDK"
            )
    trigger = triggers[0]
    return Function(
        name=name,
        function_id=metadata.function_id,
        parameter=trigger["name"],
        trigger=_trigger(name, trigger, settings),
        disabled=disabled(name, settings),
    )


def _trigger(name: str, raw: Mapping[str, Any], settings: Mapping[str, str]) -> Trigger:
    kind = raw["type"].lower()
    if kind == "httptrigger":
        return HttpTrigger(
            route=resolve(str(raw.get("route") or name), settings, name),
            methods=tuple(str(method).upper() for method in raw.get("methods") or ()),
            auth_level=str(raw.get("authLevel", "function")).lower(),
        )
    if kind == "timertrigger":
        return TimerTrigger(
            schedule=resolve(raw["schedule"], settings, name),
            run_on_startup=bool(raw.get("runOnStartup") or False),
            use_monitor=raw.get("useMonitor") is not False,
        )
    if kind == "servicebustrigger":
        return _service_bus(name, raw, settings)
    raise StartRefused(f"function '{name}': the trigger '{raw['type']}' is not supported by the local host")


def _service_bus(name: str, raw: Mapping[str, Any], settings: Mapping[str, str]) -> ServiceBusTrigger:
    if "queueName" not in raw:
        raise StartRefused(f"function '{name}': Service Bus topics are not supported by the local host")
    if str(raw.get("cardinality", "one")).lower() == "many":
        raise StartRefused(f"function '{name}': cardinality 'many' is not supported by the local host; use 'one'")
    auto_complete = raw.get("autoCompleteMessages")
    return ServiceBusTrigger(
        queue=resolve(raw["queueName"], settings, name),
        connection=connection_string(str(raw["connection"]), settings, name),
        sessions=bool(raw.get("isSessionsEnabled") or False),
        binary=str(raw.get("dataType", "")).lower() == "binary",
        auto_complete=None if auto_complete is None else bool(auto_complete),
    )
