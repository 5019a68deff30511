"""A pseudonym stands for one patient, and only for who holds the key."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.access.pseudonym import pseudonym

KEY = bytes(range(32))
keys = st.binary(min_size=32, max_size=32)
texts = st.text(max_size=30)
values = texts.filter(lambda text: text.strip() != "")
spaces = st.text(" \t\n\u00a0", max_size=3)


@given(keys, texts, values)
def test_pseudonym_is_twenty_characters_fit_for_any_key_or_session_name(key: bytes, system: str, value: str) -> None:
    assert re.fullmatch("[a-z2-7]{20}", pseudonym(key, system, value))


@given(keys, texts, values, spaces, spaces)
def test_surrounding_space_makes_no_difference(key: bytes, system: str, value: str, before: str, after: str) -> None:
    spaced = pseudonym(key, before + system + after, before + value + after)
    assert spaced == pseudonym(key, system, value)


@given(keys, st.tuples(texts, values), st.tuples(texts, values))
def test_different_patients_have_different_pseudonyms(key: bytes, one: tuple[str, str], other: tuple[str, str]) -> None:
    assume([part.strip() for part in one] != [part.strip() for part in other])
    assert pseudonym(key, *one) != pseudonym(key, *other)


@given(keys, keys, texts, values)
def test_another_key_gives_another_pseudonym(one: bytes, other: bytes, system: str, value: str) -> None:
    assume(one != other)
    assert pseudonym(one, system, value) != pseudonym(other, system, value)


@given(texts, values)
def test_border_between_system_and_value_cannot_be_moved(system: str, value: str) -> None:
    joined = system.strip() + value.strip()
    for at in range(len(joined)):
        left, right = joined[:at], joined[at:]
        if left.strip() == left and right.strip() == right and (left, right) != (system.strip(), value.strip()):
            assert pseudonym(KEY, left, right) != pseudonym(KEY, system, value)


def test_oid_is_the_same_with_and_without_its_urn() -> None:
    oid = "2.16.578.1.12.4.1.4.1"
    forms = {
        pseudonym(KEY, form, "13838099876") for form in (oid, f"urn:oid:{oid}", f"URN:OID:{oid}", f" urn:oid:{oid} ")
    }
    assert len(forms) == 1


def test_pseudonym_never_changes_for_a_given_key() -> None:
    # Stored documents and queue sessions carry it: a change here would orphan them.
    assert pseudonym(KEY, "urn:oid:2.16.578.1.12.4.1.4.1", "13838099876") == "i7qw5w2ixws6ekerzmky"


@pytest.mark.parametrize("key", [b"", b"short", bytes(31), bytes(33)])
def test_key_of_another_length_is_refused_without_showing_it(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        pseudonym(key, "s", "v")


@pytest.mark.parametrize("value", ["", " ", "\u00a0\n"])
def test_empty_value_has_no_pseudonym(value: str) -> None:
    with pytest.raises(ValueError, match="must have a value"):
        pseudonym(KEY, "s", value)
