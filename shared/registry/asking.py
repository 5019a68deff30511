"""What a call to the registry's HTTP API says: its body, the version it is about, the page it wants."""

from collections.abc import Mapping
from typing import Any, Final

from shared.errors import Finding
from shared.registry.bodies import NotReadable, json_object
from shared.registry.keeping import MAX_PAGE, PAGE
from shared.registry.refusals import ConditionMissing, EntryChanged, EntryInvalid, EntryNotJson, PageOutOfBounds
from shared.registry.shapes import Fault, Invalid

MAX_BODY: Final = 64 * 1024
ENDS_SOON: Final = "endsSoon"
"""The query of the list of people that leaves those out whose access does not end soon."""
_MAX_CURSOR: Final = 1200


def body_of(body: bytes) -> tuple[str, dict[str, Any] | None]:
    """The reason, and the fields of the entry that is wanted (None: none). Raises EntryNotJson, Invalid."""
    try:
        read = json_object(body, MAX_BODY)
    except NotReadable as error:
        raise EntryNotJson((finding(Fault("", f"The body {error}.")),)) from None
    extra = sorted(read.keys() - {"why", "entry"})
    if extra:
        raise Invalid((Fault("", "the body has the members why and entry, and no other"),))
    why, entry = read.get("why"), read.get("entry", "")
    if not isinstance(why, str):
        raise Invalid((Fault("why", "must say why it is changed"),))
    if entry is not None and not isinstance(entry, dict):
        raise Invalid((Fault("entry", "must be an object, or null for none"),))
    return why, entry


def check_condition(if_match: str | None, if_none_match: str | None, version: int, *, there: bool) -> None:
    """RFC 9110, 13.1: a change says what it is a change of. Raises ConditionMissing, EntryChanged."""
    if if_match is None and if_none_match is None:
        raise ConditionMissing
    if if_none_match is not None and (if_none_match.strip() != "*" or there):
        raise EntryChanged
    if if_match is not None and (if_match.strip() != etag(version) or not there):
        raise EntryChanged


def page_of(query: Mapping[str, str], more: frozenset[str] = frozenset()) -> tuple[str, int]:
    """Where to go on, and how many at the most. `more`: what else may be asked. Raises PageOutOfBounds."""
    limit, after = query.get("limit", str(PAGE)), query.get("after", "")
    number = limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MAX_PAGE
    if query.keys() - {"limit", "after"} - more or not number or len(after) > _MAX_CURSOR or not after.isprintable():
        raise PageOutOfBounds
    return after, int(limit)


def etag(version: int) -> str:
    """A version, as If-Match wants it."""
    return f'"{version}"'


def finding(fault: Fault) -> Finding:
    """A fault, as the caller is told of it."""
    return Finding(
        rule="registry",
        text=fault.text,
        expression=fault.field or "entry",
        issue_type=EntryInvalid.issue_type,
        vkp_code=EntryInvalid.vkp_code,
    )
