"""host.json: what this host honours of it, with Azure's defaults, and a warning for what it does not know."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.host.settings import StartRefused

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?")

_KNOWN_TOP = {
    "version",
    "functionTimeout",
    "extensions",
    "extensionBundle",
    "logging",
    "telemetryMode",
    "concurrency",
    "healthMonitor",
    "retry",
    "singleton",
    "watchDirectories",
    "watchFiles",
    "aggregator",
    "customHandler",
    "managedDependency",
    "sendCanceledInvocationsToWorker",
}
_KNOWN_HTTP = {
    "routePrefix",
    "maxOutstandingRequests",
    "maxConcurrentRequests",
    "dynamicThrottlesEnabled",
    "hsts",
    "customHeaders",
}
_SERVICE_BUS_HONOURED = {
    "autoCompleteMessages",
    "maxAutoLockRenewalDuration",
    "maxConcurrentCalls",
    "maxConcurrentSessions",
    "maxConcurrentCallsPerSession",
    "sessionIdleTimeout",
    "prefetchCount",
}
_SERVICE_BUS_NO_EFFECT_HERE = {
    "clientRetryOptions",
    "transportType",
    "webProxy",
    "enableCrossEntityTransactions",
    "maxMessageBatchSize",
    "minMessageBatchSize",
    "maxBatchWaitTime",
}
LEVELS = {
    "trace": 5,
    "debug": 10,
    "information": 20,
    "warning": 30,
    "error": 40,
    "critical": 50,
    "none": 100,
}


@dataclass(frozen=True, slots=True)
class ServiceBusOptions:
    """`extensions.serviceBus`; the defaults are those of the extension 5.x (docs: functions-bindings-service-bus)."""

    auto_complete: bool = True
    max_lock_renewal: timedelta = timedelta(minutes=5)
    max_concurrent_calls: int = 16
    max_concurrent_sessions: int = 8
    max_concurrent_calls_per_session: int = 1
    session_idle_timeout: timedelta = timedelta(seconds=60)
    prefetch_count: int = 0


@dataclass(frozen=True, slots=True)
class HostConfig:
    """host.json as this host uses it."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    log_level: int = LEVELS["information"]
    log_levels: Mapping[str, int] = field(default_factory=dict)
    service_bus: ServiceBusOptions = field(default_factory=ServiceBusOptions)
    warnings: tuple[str, ...] = ()


def time_span(text: str) -> timedelta:
    """A .NET TimeSpan `[d.]hh:mm[:ss[.fffffff]]`. Raises ValueError."""
    match = _TIME_SPAN.fullmatch(text)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or int(match[4] or 0) > 59:
        raise ValueError(f"not a time span of the form hh:mm:ss: {text!r}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    fraction = float(f"0.{match[5]}") if match[5] else 0.0
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds + fraction)


def load(app_folder: Path) -> HostConfig:
    """Read and check host.json. Raises StartRefused when it is missing, not JSON, or holds a value of a wrong kind."""
    path = app_folder / "host.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StartRefused(f"there is no host.json in {app_folder}") from None
    except ValueError as error:
        raise StartRefused(f"host.json is not JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("version") != "2.0":
        raise StartRefused('host.json must be an object with "version": "2.0"')
    try:
        return parse(raw)
    except (ValueError, TypeError, AttributeError) as error:
        raise StartRefused(f"host.json: {error}") from error


def parse(raw: Mapping[str, Any]) -> HostConfig:
    """The settings from host.json's object. Raises ValueError, TypeError or AttributeError for a malformed value."""
    warnings = [f"host.json: unknown key '{key}'" for key in sorted(raw.keys() - _KNOWN_TOP)]
    extensions = raw.get("extensions", {})
    http = extensions.get("http", {})
    warnings += [f"host.json: unknown key 'extensions.http.{key}'" for key in sorted(http.keys() - _KNOWN_HTTP)]
    service_bus = extensions.get("serviceBus", {})
    for key in sorted(service_bus.keys() - _SERVICE_BUS_HONOURED):
        what = "has no effect on this host" if key in _SERVICE_BUS_NO_EFFECT_HERE else "is not a known key"
        warnings.append(f"host.json: 'extensions.serviceBus.{key}' {what}")
    levels = {str(k): _level(v) for k, v in raw.get("logging", {}).get("logLevel", {}).items()}
    return HostConfig(
        route_prefix=_text(http, "routePrefix", "api").strip("/"),
        function_timeout=_timeout(raw.get("functionTimeout", "00:30:00")),
        custom_headers={str(name): str(value) for name, value in http.get("customHeaders", {}).items()},
        log_level=levels.pop("default", LEVELS["information"]),
        log_levels=levels,
        service_bus=_service_bus(service_bus),
        warnings=tuple(warnings),
    )


def _timeout(text: str) -> timedelta | None:
    return None if text == "-1" else time_span(text)


def _service_bus(raw: Mapping[str, Any]) -> ServiceBusOptions:
    plain = ServiceBusOptions()
    return ServiceBusOptions(
        auto_complete=_flag(raw, "autoCompleteMessages", plain.auto_complete),
        max_lock_renewal=_span(raw, "maxAutoLockRenewalDuration", plain.max_lock_renewal),
        max_concurrent_calls=_count(raw, "maxConcurrentCalls", plain.max_concurrent_calls),
        max_concurrent_sessions=_count(raw, "maxConcurrentSessions", plain.max_concurrent_sessions),
        max_concurrent_calls_per_session=_count(
            raw, "maxConcurrentCallsPerSession", plain.max_concurrent_calls_per_session
        ),
        session_idle_timeout=_span(raw, "sessionIdleTimeout", plain.session_idle_timeout),
        prefetch_count=_count(raw, "prefetchCount", plain.prefetch_count, least=0),
    )


def _text(raw: Mapping[str, Any], key: str, default: str) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str):
        raise TypeError(f"'{key}' must be a string")
    return value


def _flag(raw: Mapping[str, Any], key: str, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise TypeError(f"'{key}' must be true or false")
    return value


def _count(raw: Mapping[str, Any], key: str, default: int, least: int = 1) -> int:
    value = raw.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise TypeError(f"'{key}' must be a whole number of at least {least}")
    return value


def _span(raw: Mapping[str, Any], key: str, default: timedelta) -> timedelta:
    if key not in raw:
        return default
    try:
        return time_span(raw[key])
    except (TypeError, ValueError):
        raise ValueError(f"'{key}' must be a time span of the form hh:mm:ss") from None


def _level(name: str) -> int:
    level = LEVELS.get(name.lower())
    if level is None:
        raise ValueError(f"unknown log level '{name}'")
    return level
