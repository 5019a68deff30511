"""The register's documents are read back as they were, and its ids are fit for the database."""

import json
import re
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.documents import Document
from shared.registry.model import Grant, Municipality, Receiver, grant_from, grant_id, is_orgnr, municipality_from

TEXTS = st.text(max_size=30)
NAMES = st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable() and text == text.strip())
ORGNRS = st.from_regex(r"[0-9]{9}", fullmatch=True)
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
RESOURCES = st.frozensets(st.sampled_from(["bundle", "observation", "encounter"]))
RECEIVERS = st.builds(
    Receiver, id=st.from_regex(r"[a-z0-9][a-z0-9-]{0,15}", fullmatch=True), url=TEXTS, resources=RESOURCES
)  # fmt: skip
MUNICIPALITIES = st.builds(
    Municipality, orgnr=ORGNRS, name=NAMES, receivers=st.lists(RECEIVERS, max_size=20).map(tuple)
)  # fmt: skip
GRANTS = st.builds(
    Grant, orgnr=ORGNRS, vkp_id=NAMES, resources=RESOURCES, service_codes=st.frozensets(NAMES), may_send=st.booleans(),
    may_read=st.booleans(), valid_from=MOMENTS, valid_to=MOMENTS, approved_by=st.just("") | NAMES,
)  # fmt: skip


def kept(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document))
    return found


@given(MUNICIPALITIES)
def test_a_municipality_is_read_back_as_it_was(municipality: Municipality) -> None:
    assert municipality_from(kept(municipality.document())) == municipality


@given(GRANTS)
def test_a_grant_is_read_back_as_it_was(grant: Grant) -> None:
    assert grant_from(kept(grant.document())) == grant


@given(TEXTS, TEXTS)
def test_two_systems_never_share_a_grant(one: str, other: str) -> None:
    assert (grant_id(one) == grant_id(other)) == (one == other)


@given(st.text(max_size=20))
def test_a_grants_id_has_nothing_that_the_database_forbids(vkp_id: str) -> None:
    assert re.fullmatch(r"grant\.[A-Za-z0-9_.~-]*", grant_id(vkp_id))


@given(RESOURCES, st.sampled_from(["bundle", "observation", "communication"]))
def test_no_list_means_all_and_a_list_means_those_on_it(resources: frozenset[str], asked: str) -> None:
    expected = not resources or asked in resources
    assert Grant("999999999", "v", resources).allows(asked) is expected
    assert Receiver("epj", "http://127.0.0.1", resources).takes(asked) is expected


@pytest.mark.parametrize("id", ["", "-epj", "EPJ", "epj.1", "a" * 17, "epj ", "epj\n", "ø", "a/b"])
def test_a_receivers_id_that_would_break_a_key_raises(id: str) -> None:
    with pytest.raises(ValueError, match="receiver's id"):
        Receiver(id, "http://127.0.0.1")


@pytest.mark.parametrize(
    "text", ["", "12345678", "1234567890", "12345678a", "１２３４５６７８９", "123456789\n", " 123456789"]
)
def test_what_is_not_nine_digits_is_no_organisation_number(text: str) -> None:
    assert not is_orgnr(text)


@given(st.from_regex(re.compile(r"[0-9]{9}", re.ASCII), fullmatch=True))
def test_nine_digits_are_an_organisation_number(text: str) -> None:
    assert is_orgnr(text)
