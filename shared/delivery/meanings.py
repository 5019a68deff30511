"""What an HTTP status means for the message, by a table (`data/answers.json`) that a receiver may differ from."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from shared.registry.reaching import Answers, Meaning

_DATA: Final = Path(__file__).parent / "data" / "answers.json"
_NAME: Final = re.compile(r"[1-5](?:xx|[0-9]{2})")
_CLASSES: Final = frozenset(f"{first}xx" for first in "12345")
_RENEW: Final = "renew"

type Table = Mapping[str, Meaning | Literal["renew"]]
"""By status, and by class of statuses (`4xx`). `renew`: try once more with a new token, where there is one to renew."""


def load(read: Callable[[], str] | None = None) -> Table:
    """The table. Raises ValueError that says what is wrong with it."""
    raw = json.loads(read() if read else _DATA.read_text(encoding="utf-8"))
    if not isinstance(raw, dict) or not raw.keys() >= _CLASSES:
        raise ValueError("answers: an object with a meaning for each of 1xx to 5xx")
    made: dict[str, Meaning | Literal["renew"]] = {}
    for name, meaning in raw.items():
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"answers: {name!r} is no status and no class of statuses")
        try:
            made[name] = _RENEW if meaning == _RENEW else Meaning(meaning)
        except ValueError:
            raise ValueError(f"answers: {name} must mean taken, later, refused or renew") from None
    return MappingProxyType(made)


@cache
def table() -> Table:
    """The hub's own table. A status not in it means what its class means; one outside the classes, later."""
    return load()


def meaning(status: int, own: Answers, known: Table | None = None) -> Meaning | Literal["renew"]:
    """What this status means at a receiver with answers of its `own`.

    A redirect is no answer: bytes go where the register says and nowhere else.
    """
    said = own.get(str(status))
    if said is not None:
        return said
    known = known if known is not None else table()
    return known.get(str(status)) or known.get(f"{status // 100}xx", Meaning.LATER)


def wait(text: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a wait (RFC 9110 10.2.3: seconds or a date); None when there is none or it makes no sense."""
    if text is None:
        return None
    try:
        if text.strip().isascii() and text.strip().isdigit():
            return timedelta(seconds=min(int(text.strip()), 10**7))
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta())
