"""The guard over what tests make the code log sees numbers and tokens, wherever in a record they are."""

import logging

import pytest

from tests.conftest import Guard
from tests.unit.identity.numbers import issued

NUMBER = issued(3, 86, 57)
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJoZWxzZWlkIn0"


def heard(**how: object) -> set[str]:
    guard = Guard()
    guard.emit(logging.makeLogRecord({"name": "knutepunkt", "levelno": logging.INFO, **how}))
    return guard.found


@pytest.mark.parametrize(("what", "name"), [(NUMBER, "a person's number"), (f"Bearer {TOKEN}.x", "a token")])
def test_what_must_not_be_logged_is_heard_and_not_repeated(what: str, name: str) -> None:
    for how in ({"msg": f"for {what}"}, {"msg": "for %s", "args": (what,)}, {"msg": "for", "patient": what}):
        (found,) = heard(**how)
        assert found.startswith(f"{name} from knutepunkt in ")
        assert what not in found
    assert len(heard(msg="failed", exc_info=(ValueError, ValueError(what), None))) == 1


def test_ordinary_lines_are_none_of_it() -> None:
    assert heard(msg="HUB-1001 Accepted event_id=abc.def due=12345678901", count=20261122120000) == set()
