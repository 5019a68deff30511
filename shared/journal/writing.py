"""How a note writes dates, clock times and spans of time: as Språkrådet has it, and as nurses read it.

Moments come in with their zone and are written in Norway's time, with seconds cut off, never rounded: a time in a note
is never after the moment it tells of. `kl. 08.05` has a no-break space. In the hour that comes twice when summer time
ends, each time says which of the two it is. Sources: Språkrådet on numbers, time and date, on spaces, and on the colon
or full stop between hours and minutes (we use the full stop).
"""

import re
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.journal.model import Language

NBSP: Final = "\u00a0"
OSLO: Final = ZoneInfo("Europe/Oslo")
"""Read when this module is loaded: a machine without a table of time zones fails at start, not in a note."""

_MONTHS: Final = (
    *("januar", "februar", "mars", "april", "mai", "juni"),
    *("juli", "august", "september", "oktober", "november", "desember"),
)
_PARTIAL: Final = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-([0-9]{2}))?)?")
_SUMMER: Final = {Language.BOKMAL: "sommertid", Language.NYNORSK: "sommartid"}
_NORMAL: Final = "normaltid"


def local(moment: datetime) -> datetime:
    """A moment in Norway's time. The last hour of the year 9999, which has no local time here, stays as it is."""
    try:
        return moment.astimezone(OSLO)
    except OverflowError:
        return moment


def date_text(moment: datetime | date) -> str:
    """`05.06.2026`. A moment is put on its day in Norway."""
    day = local(moment) if isinstance(moment, datetime) else moment
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def date_in_prose(moment: datetime | date) -> str:
    """`5. juni 2026`; the months are the same in bokmål and nynorsk."""
    day = local(moment) if isinstance(moment, datetime) else moment
    return f"{day.day}.{NBSP}{_MONTHS[day.month - 1]} {day.year:04}"


def partial_date(written: str) -> str | None:
    """A FHIR date without time of day: `16.03.2022`, `mars 2022` or `2022`. None for anything else."""
    found = _PARTIAL.fullmatch(written)
    if found is None:
        return None
    year, month, day = found.groups()
    if day is not None:
        try:
            return date_text(date(int(year), int(month), int(day)))
        except ValueError:
            return None
    return f"{_MONTHS[int(month) - 1]} {year}" if month is not None else year


def hours(moment: datetime, language: Language, *, seconds: bool = False) -> str:
    """The clock alone, `08.05` or `08.05.09`; for the cells of a table whose header says `Kl.`."""
    at = local(moment)
    text = f"{at.hour:02}.{at.minute:02}" + (f".{at.second:02}" if seconds else "")
    if _comes_twice(at):
        text += f"{NBSP}({_NORMAL if at.fold else _SUMMER[language]})"
    return text


def clock(moment: datetime, language: Language, *, seconds: bool = False) -> str:
    """`kl. 08.05` or `kl. 08.05.09`."""
    return f"kl.{NBSP}{hours(moment, language, seconds=seconds)}"


def date_and_clock(moment: datetime, language: Language, *, seconds: bool = False) -> str:
    """`05.06.2026 kl. 08.05`."""
    return f"{date_text(moment)} {clock(moment, language, seconds=seconds)}"


def span(start: datetime, end: datetime, language: Language, *, dated: bool = False, seconds: bool = False) -> str:
    """`kl. 10.00–12.00`, and with both dates when it goes over midnight or `dated` asks for them.

    `dated`: `05.06.2026 kl. 10.00–12.00`; `24.12.2025 kl. 23.50 – 25.12.2025 kl. 00.10`. The order is as given: an end
    before its start is the caller's to remark on.
    """
    if local(start).date() != local(end).date():
        return f"{date_and_clock(start, language, seconds=seconds)} – {date_and_clock(end, language, seconds=seconds)}"
    first = date_and_clock(start, language, seconds=seconds) if dated else clock(start, language, seconds=seconds)
    return f"{first}–{hours(end, language, seconds=seconds)}"


def duration(length: timedelta) -> str:
    """`51 s`, `4 min 10 s`, `2 t 5 min`, `3 døgn 2 t`: two units at most, the rest cut off. The same in nynorsk.

    Raises ValueError for a negative one: a note tells both times instead.
    """
    if length < timedelta(0):
        raise ValueError("a duration is not negative")
    whole = length.days * 86_400 + length.seconds
    days, rest = divmod(whole, 86_400)
    of_hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    units = ((days, "døgn"), (of_hours, "t"), (minutes, "min"), (seconds, "s"))
    first = next((index for index, (count, _) in enumerate(units) if count), len(units) - 1)
    shown = [units[first], *(each for each in units[first + 1 : first + 2] if each[0])]
    return " ".join(f"{count}{NBSP}{name}" for count, name in shown)


def missing_hour(wall: datetime) -> bool:
    """Whether a wall clock time without a zone falls in the hour that is skipped when summer time begins."""
    there = wall.replace(tzinfo=OSLO, fold=0)
    return there.utcoffset() != there.replace(fold=1).utcoffset() and not _comes_twice(there)


def _comes_twice(at: datetime) -> bool:
    first, second = at.replace(fold=0).utcoffset(), at.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second
