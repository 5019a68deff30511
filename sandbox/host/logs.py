"""Log records as one JSON line each on standard error, with whatever `extra` fields the app put on them."""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.host.hostjson import HostConfig
from sandbox.host.worker import current

_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {10: "Debug", 20: "Information", 30: "Warning", 40: "Error", 50: "Critical"}

SYSTEM_LOGGER = "azure.functions"
"""The worker library's own logger: system logs, which Azure does not show with the app's."""

HTTP_LOGGER = "aiohttp.server"
"""Logs what is no HTTP, before the app has any part in it."""


class JsonLines(logging.Formatter):
    """One JSON object per record: time (UTC), level, category, message, invocation if any, extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": _LEVELS.get(record.levelno, record.levelname),
            "category": record.name,
            "message": record.getMessage(),
        }
        running = current.get()
        if running is not None:
            line |= {"function": running.function, "invocationId": running.invocation_id}
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            line["exception"] = _told(record.name, record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _told(category: str, error: Any) -> str:
    if category == HTTP_LOGGER and error[0] is not None:
        # Its words quote the request that could not be read: its address, and headers with tokens.
        return str(error[0].__name__)
    return "".join(traceback.format_exception(*error)).rstrip()


def configure(config: HostConfig, verbose: bool) -> None:
    """Send every log record of the process to standard error, at the levels host.json asks for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else config.log_level)
    logging.getLogger(SYSTEM_LOGGER).setLevel(logging.INFO if verbose else logging.WARNING)
    for noisy in ("azure.core", "azure.servicebus", "azure.cosmos", "aiohttp.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name, level in _loggers(config.log_levels).items():
        logging.getLogger(name).setLevel(level)


def _loggers(levels: Mapping[str, int]) -> Mapping[str, int]:
    """Categories of the host (`Host.*`, `Function.*`) mean nothing to Python loggers, except as this host's own."""
    named = {name: level for name, level in levels.items() if not name.startswith(("Host", "Function", "Worker"))}
    for name, level in levels.items():
        if name.startswith("Host"):
            named.setdefault("host", level)
    return named
