"""Which addresses there are, and what they take."""

import pytest

from shared.errors import UnknownAddress
from shared.fhir.r4.definitions import resource_types
from shared.fhir.resources import ADDRESSES, resource_type_at


@pytest.mark.parametrize("spelled", ["bundle", "Bundle", "BUNDLE", "medicationDispense", "Observation"])
def test_addresses_are_taken_in_any_letter_case(spelled: str) -> None:
    assert resource_type_at(spelled).lower() == spelled.lower()


@pytest.mark.parametrize("spelled", ["patient", "", "bundles", "KARI"])
def test_other_addresses_do_not_exist(spelled: str) -> None:
    with pytest.raises(UnknownAddress):
        resource_type_at(spelled)


def test_every_address_takes_a_type_that_r4_has() -> None:
    assert resource_types() >= set(ADDRESSES.values())
