"""Every line the hub logs, as one enumeration of coded events.

A line has a code, a level and a fixed sentence; what varies are a few fields from a closed list. There is no way to log
a payload, a name, a number of a person, free text or a token: fields that are not on the list raise, and a text in a
field is withheld unless it has the form of an id or a code (P6).
"""

import logging
import re
from enum import Enum
from typing import Final

NAME: Final = "knutepunkt"
"""The logger that every line goes by."""

_LOGGER = logging.getLogger(NAME)

FIELDS: Final = frozenset({
    "event_id", "delivery_id", "lane", "receiver", "orgnr", "resource", "vkp_id", "code", "status", "attempt", "count",
    "due", "correlation_id", "queue", "error_type", "duration_ms", "entries", "channel",
})  # fmt: skip
"""What a line may carry. `lane` is a keyed pseudonym; ids are derived from hashes; `error_type` is a class name."""

WITHHELD: Final = "(withheld)"
"""Stands for a value that is no id and no code. Writing it beats raising: by then the message has gone on its way."""

_LONGEST: Final = 128
_PERSON: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])")


class LogEvent(Enum):
    """One member a line: code, level, sentence."""

    ACCEPTED = ("HUB-1001", logging.INFO, "Accepted: the message is stored")
    ACCEPTED_AGAIN = ("HUB-1002", logging.INFO, "The same message was posted again: same answer, one delivery")
    REFUSED = ("HUB-1003", logging.WARNING, "Refused: nothing was stored but this refusal")
    NOT_AVAILABLE = ("HUB-1004", logging.ERROR, "Not available: the caller was told to try again")
    LIMITED = ("HUB-1005", logging.WARNING, "Too many calls: a caller was told to wait; so many in a row")
    STRANGERS = ("HUB-1006", logging.WARNING, "Refused unknown callers: so many more this minute, not written down")
    ROUTED = ("HUB-2001", logging.INFO, "Routed after it was put back: one delivery per receiver is stored")
    NO_RECEIVER = ("HUB-2002", logging.ERROR, "Quarantined: the municipality has no receiver for this kind of message")
    DELIVERED = ("HUB-3001", logging.INFO, "Delivered: the receiver has confirmed it")
    WAITING = ("HUB-3002", logging.WARNING, "Waiting: the receiver did not take it, another try is due")
    QUARANTINED = ("HUB-3003", logging.ERROR, "Quarantined: a person must decide")
    OVERTAKEN = ("HUB-3004", logging.INFO, "Another worker took this step; nothing was done twice")
    BYTES_DIFFER = ("HUB-3005", logging.CRITICAL, "The stored bytes do not match their checksum; not sent")
    PARKED = ("HUB-3006", logging.INFO, "A lane waits for its receiver; it is woken when that takes messages again")
    SECRET_UNUSABLE = ("HUB-3201", logging.ERROR, "A receiver's secret is missing or malformed: nothing is sent there")
    NO_TOKEN = ("HUB-3202", logging.ERROR, "A receiver's token service gave no token; another try is due")
    TLS_FAILED = ("HUB-3203", logging.ERROR, "TLS with a receiver failed: nothing was sent; another try is due")
    BREAKER_OPENED = ("HUB-3301", logging.ERROR, "A receiver does not answer: its routine deliveries wait")
    BREAKER_CLOSED = ("HUB-3302", logging.INFO, "A receiver answers again")
    STANDING_UNREACHABLE = ("HUB-3303", logging.WARNING, "How a receiver stands could not be read or kept just now")
    LANES_WOKEN = ("HUB-3304", logging.INFO, "A receiver takes messages again: so many waiting lanes were signalled")
    WAKING_FAILED = ("HUB-3305", logging.ERROR, "Waiting lanes could not be woken; it is tried again")
    REPLAY_DONE = ("HUB-3401", logging.INFO, "A replay is done: so many messages are back in line")
    REPLAY_STOPPED = ("HUB-3402", logging.WARNING, "A replay stopped: what it replayed first was set aside again")
    REPLAY_FAILED = ("HUB-3403", logging.ERROR, "A replay cannot go on: what is kept of it cannot be read")
    REPLAY_BEHIND = ("HUB-3404", logging.WARNING, "Replays could not be worked on now; they go on later")
    WITHDRAWN = ("HUB-3405", logging.INFO, "Withdrawn before its receiver had it")
    RESTORED = ("HUB-3406", logging.INFO, "Taken back into line after it was withdrawn")
    EXPIRED = ("HUB-3407", logging.WARNING, "Expired: set aside for as long as its municipality keeps messages")
    EXPIRY_BEHIND = ("HUB-3408", logging.ERROR, "It could not be looked for what has expired; it is tried again")
    REPLAY_HALTED = ("HUB-3409", logging.INFO, "A person stopped a replay: so many messages were back in line")
    SIGNAL_LOST = ("HUB-4001", logging.ERROR, "A signal could not be sent; the orphan check will send it again")
    LANE_POSTPONED = ("HUB-4002", logging.WARNING, "A lane could not be worked on now; it is due again shortly")
    ORPHANS_FOUND = ("HUB-5001", logging.WARNING, "Lanes past their due time were signalled again")
    ORPHAN_OVERDUE = ("HUB-5002", logging.CRITICAL, "A lane has been past its due time for too long")
    ORPHAN_MISSING = ("HUB-5004", logging.CRITICAL, "A message stood in no line; it was put back")
    ORPHAN_CHECK_FAILED = ("HUB-5003", logging.ERROR, "The orphan check could not look; it will try again")
    KEYS_UNREACHABLE = ("HUB-6001", logging.ERROR, "HelseID's keys could not be fetched; those known are used on")
    TRAIL_BEHIND = ("HUB-7001", logging.ERROR, "The audit log could not be written; what waits is written later")
    TRAIL_NOT_SIGNED = ("HUB-7002", logging.ERROR, "The audit log could not be signed for; it is tried again")
    TRAIL_NOT_RECONCILED = ("HUB-7003", logging.ERROR, "The audit log could not be compared with the stores")
    TRAIL_UNREADABLE = ("HUB-7004", logging.CRITICAL, "Documents that no entry of the audit log can be made of")
    TRAIL_MISSING = ("HUB-7005", logging.CRITICAL, "Stations that had no entry in the audit log in time; written late")
    TRAIL_BROKEN = ("HUB-7006", logging.CRITICAL, "Chains of the audit log that do not hold together; not signed for")
    TRAIL_TOUCHED = ("HUB-7007", logging.CRITICAL, "A checkpoint of the audit log is not as it was written")
    TRAIL_NOT_COPIED = ("HUB-7008", logging.ERROR, "Checkpoints could not be copied to where nothing can be changed")
    ALERT_OPENED = (
        "HUB-8001",
        logging.ERROR,
        "Something is wrong: people are told once, and once more when it is well",
    )
    ALERT_CLOSED = ("HUB-8002", logging.WARNING, "It is well again")
    NOTICE_SENT = ("HUB-8003", logging.INFO, "A notice was taken by its channel")
    NOTICE_NOT_SENT = ("HUB-8004", logging.ERROR, "A notice could not be sent; it is tried again")
    NOTICE_GIVEN_UP = ("HUB-8005", logging.CRITICAL, "A notice could not be sent by any try, and is given up")
    ALERT_UNREADABLE = ("HUB-8006", logging.ERROR, "A document of an alert that cannot be read; it is left alone")
    WATCH_BLIND = ("HUB-8007", logging.ERROR, "It could not be looked whether anything is wrong; nothing is concluded")
    NUMBERS_NOT_KEPT = ("HUB-8008", logging.WARNING, "This instance's measurements could not be kept; tried again")
    UNEXPECTED = ("HUB-9001", logging.CRITICAL, "Something nobody foresaw went wrong")

    def __init__(self, code: str, level: int, sentence: str) -> None:
        self.code = code
        self.level = level
        self.sentence = sentence


def log(event: LogEvent, **fields: str | int | float | None) -> None:
    """Write one line. Raises ValueError for a field that is not on the list; a value of the wrong form is withheld."""
    unknown = fields.keys() - FIELDS
    if unknown:
        raise ValueError(f"not fields of a log line: {', '.join(sorted(unknown))}")
    if not _LOGGER.isEnabledFor(event.level):
        return
    known = {name: fit(value) for name, value in fields.items() if value is not None}
    tail = " ".join(f"{name}={value}" for name, value in known.items())
    _LOGGER.log(event.level, "%s %s %s", event.code, event.sentence, tail, extra={"code_": event.code, **known})


def fit(value: float | str) -> float | str:
    """The value as it may be written where people look: itself, or WITHHELD for a text that is no id and no code."""
    if not isinstance(value, str):
        return value
    one_word = len(value) <= _LONGEST and value.isprintable() and " " not in value
    return value if one_word and _PERSON.search(value) is None else WITHHELD
