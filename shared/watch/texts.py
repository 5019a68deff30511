"""A notice as people and programs get it: one JSON object, and two short texts made from one template each.

Nothing personal can be in them: a notice knows organisations, systems, codes, counts and times.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared import clock
from shared.watch.alerts import Kind, Notice, Tells
from shared.watch.ports import Message

_DATA: Final = Path(__file__).parent / "data" / "alert_texts.json"
_OSLO: Final[tzinfo] = ZoneInfo("Europe/Oslo")
LANGUAGES: Final = ("en", "nb")


@cache
def _texts() -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(_DATA.read_bytes())
    return read


def message(notice: Notice) -> Message:
    """What is sent, the same at every try."""
    seen = notice.seen
    told = {language: (title(notice, language), text(notice, language)) for language in LANGUAGES}
    body = {
        "type": f"alert.{seen.kind}.{notice.tells}",
        "timestamp": clock.written(notice.at),
        "data": {
            "kind": seen.kind.value,
            "state": notice.tells.value,
            "severity": notice.severity,
            "since": clock.written(seen.since),
            "wellSince": clock.written(notice.well_since) if notice.well_since else None,
            "orgnr": seen.orgnr or None,
            "receiver": seen.receiver or None,
            "sender": seen.sender or None,
            "code": seen.code or None,
            "waiting": seen.waiting,
            "atLeast": seen.at_least,
            "oldest": clock.written(seen.oldest) if seen.oldest else None,
            "runbook": _runbook(seen.kind),
            "text": {language: {"title": each[0], "body": each[1]} for language, each in told.items()},
        },
    }
    return Message(
        id=notice.id,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        subject=f"Knutepunkt: {told['nb'][0]}",
        text="\n\n".join(f"{each[0]}\n{each[1]}" for each in (told["nb"], told["en"])) + "\n",
    )


def title(notice: Notice, language: str) -> str:
    """One line."""
    texts, place = _texts(), LANGUAGES.index(language)
    kind = texts["kinds"][notice.seen.kind]
    severity = texts["severities"][str(notice.severity)][place]
    told: str = texts["tells"][notice.tells][place] + kind[language].format(**_facts(notice))
    line = " ".join(told.split())
    return line if notice.tells is Tells.WELL else f"{severity}: {line}"


def text(notice: Notice, language: str) -> str:
    """The lines below it."""
    texts, facts = _texts(), _facts(notice)
    lines: Mapping[str, str] = texts["lines"][language]
    if notice.tells is Tells.WELL:
        return lines["well"].format(**facts)
    kind = texts["kinds"][notice.seen.kind]
    said = [lines[name].format(**facts) for name in kind["lines"] if _known(name, notice)]
    return "\n".join([*said, lines["runbook"].format(**facts), lines["once"]])


def _known(line: str, notice: Notice) -> bool:
    seen = notice.seen
    return {"code": bool(seen.code), "waiting": seen.oldest is not None, "count": seen.waiting > 0}.get(line, True)


def _facts(notice: Notice) -> dict[str, str]:
    seen = notice.seen
    until = notice.well_since or notice.at
    return {
        "orgnr": seen.orgnr,
        "receiver": seen.receiver,
        "sender": seen.sender,
        "code": seen.code,
        "waiting": f"{'≥ ' if seen.at_least else ''}{seen.waiting}",
        "oldest": _moment(seen.oldest) if seen.oldest else "",
        "since": _moment(seen.since),
        "until": _moment(until),
        "lasted": _lasted(until - seen.since),
        "runbook": _runbook(seen.kind),
    }


def _runbook(kind: Kind) -> str:
    texts = _texts()
    where: str = texts["runbook"] + texts["kinds"][kind]["runbook"]
    return where


def _moment(at: datetime) -> str:
    return f"{at.astimezone(_OSLO):%Y-%m-%d %H:%M:%S %Z}"


def _lasted(span: timedelta) -> str:
    seconds = max(int(span.total_seconds()), 0)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
