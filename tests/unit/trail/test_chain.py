"""How entries are written and hashed: once in use, this can never change for what is written already."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trail.chain import Head, NotAnEntry, commitment, entry_hash, intact, read_header, seal, source_digest
from shared.trail.entry import Entry, Kind, Outcome, Person

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ENTRY = Entry(
    kind=Kind.PAYLOAD_LOOK, outcome=Outcome.SUCCESS, occurred=T0, source="look/1", orgnr="310000019", system="console",
    person=Person("helseid:1", "Kåre Ås", "administration", "310000019"), message="m", patient="p", purpose="HOPERAT",
    details={"reference": "case-7"},
)  # fmt: skip
DOCUMENT = seal("310000019:2026-11", Head(6, "ab" * 32), ENTRY, T0, "knutepunkt/0.1.0/test", bytes(range(32)))


def test_an_entry_is_written_as_it_always_was() -> None:
    """Golden: entries of years ago must verify, so neither form nor prefixes may change without a new version."""
    assert DOCUMENT["id"] == "310000019:2026-11:0000000007"
    assert DOCUMENT["body"] == (
        '{"details":{"reference":"case-7"},"message":"m","patient":"p","person":{"name":"K\\u00e5re \\u00c5s",'
        '"orgnr":"310000019","role":"administration","subject":"helseid:1"},"purpose":"HOPERAT","source":"look/1",'
        '"system":"console"}'
    )
    body = hashlib.sha256(b"knutepunkt/trail/body/1\0" + bytes(range(32)) + DOCUMENT["body"].encode()).hexdigest()
    source = hashlib.sha256(b"knutepunkt/trail/source/1\0look/1").hexdigest()[:40]
    assert DOCUMENT["header"] == (
        f'{{"alg":"SHA-256","bodyCommitment":"{body}","canonVersion":1,"chain":"310000019:2026-11","family":"look",'
        '"kind":"payload-look","observer":"knutepunkt/0.1.0/test","occurred":"2026-11-22T12:00:00.000000Z",'
        f'"outcome":0,"prevHash":"{"ab" * 32}","recorded":"2026-11-22T12:00:00.000000Z","seq":7,"source":"{source}"}}'
    )
    hashed = hashlib.sha256(b"knutepunkt/trail/entry/1\0" + DOCUMENT["header"].encode()).hexdigest()
    assert DOCUMENT["hash"] == hashed


def test_a_header_tells_nothing_of_who_or_which_message() -> None:
    """It stays when the body is purged."""
    told = json.loads(DOCUMENT["header"])
    kept = {"m", "p", "look/1", "helseid:1", "console", "case-7"}
    assert kept.isdisjoint(map(str, told.values()))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.text())
def test_a_commitment_cannot_be_guessed_without_its_salt(one: bytes, other: bytes, body: str) -> None:
    text = json.dumps(body)
    assert (commitment(one, text) == commitment(other, text)) == (one == other)


def test_no_hash_can_be_taken_for_another() -> None:
    assert len({entry_hash("x"), commitment(b"", "x"), source_digest("x"), hashlib.sha256(b"x").hexdigest()}) == 4


@pytest.mark.parametrize("changes", [{"hash": "0" * 64}, {"body": "{}"}, {"salt": ""}, {"header": "{}"}, {"salt": 1}])
def test_an_entry_that_was_changed_is_not_intact(changes: dict[str, object]) -> None:
    assert intact(DOCUMENT)
    assert not intact({**DOCUMENT, **changes})


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "{}", DOCUMENT["header"].replace("SHA-256", "SHA-1"),
     DOCUMENT["header"].replace('"seq":7', '"seq":"7"'), DOCUMENT["header"].replace('"seq":7', '"seq":true'),
     DOCUMENT["header"].replace("payload-look", "look"), DOCUMENT["header"].replace('"outcome":0', '"outcome":1')],
)  # fmt: skip
def test_what_is_no_header_is_not_read_as_one(text: str) -> None:
    with pytest.raises(NotAnEntry):
        read_header(text)
