"""Log lines as OpenTelemetry's log records, with what they tell as attributes (`code_`, `event_id`, …).

The hub's own lines are coded and hold nothing personal. Lines of libraries may quote anything; of their warnings it is
told where in which library they come from, which with pinned versions says what they say, and never their words (P6).
"""

import logging
from typing import Final

from opentelemetry import context, trace
from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.util.types import AnyValue

from shared.log import NAME

_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SEVERITIES: Final = (
    (logging.CRITICAL, SeverityNumber.FATAL, "FATAL"),
    (logging.ERROR, SeverityNumber.ERROR, "ERROR"),
    (logging.WARNING, SeverityNumber.WARN, "WARN"),
    (logging.INFO, SeverityNumber.INFO, "INFO"),
    (logging.NOTSET, SeverityNumber.DEBUG, "DEBUG"),
)
EXPORTING: Final = ("opentelemetry", "azure.monitor", "azure.core", "urllib3", "requests")
"""Whose lines tell of exporting: exporting them would give the next ones."""
WITHOUT_WORDS: Final = "A library's line; its words are not told"


class Lines(logging.Handler):
    """Exports log lines. Information about a trace that is not kept is not kept either; warnings always are."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._logger = provider.get_logger(NAME)

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        own = record.name == NAME
        warning = record.levelno >= logging.WARNING
        if not own and (not warning or record.name.startswith(EXPORTING)):
            return
        if not warning and not _kept():
            return
        number, text = next((number, text) for level, number, text in _SEVERITIES if record.levelno >= level)
        self._logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                context=context.get_current(),
                severity_number=number,
                severity_text=text,
                body=record.getMessage() if own else WITHOUT_WORDS,
                attributes=_told(record) if own else _whence(record),
            )
        )


def _kept() -> bool:
    current = trace.get_current_span().get_span_context()
    return not current.is_valid or current.trace_flags.sampled


def _told(record: logging.LogRecord) -> dict[str, AnyValue]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


def _whence(record: logging.LogRecord) -> dict[str, AnyValue]:
    error = record.exc_info[0] if record.exc_info else None
    return {
        "category": record.name,
        "line": f"{record.module}:{record.lineno}",
        **({} if error is None else {"error_type": error.__name__}),
    }
