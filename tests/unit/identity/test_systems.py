"""One system under its many URIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity.systems import NATIONAL, IdentifierKind, kind_of, normal_system

SPELLINGS = {
    IdentifierKind.FNR: [
        "http://hl7.no/fhir/NamingSystem/FNR",
        "http://ehelse.no/fhir/NamingSystem/FNR",
        "http://ehelse.no/fhir/identifiertypes/FNR",
        "2.16.578.1.12.4.1.4.1",
        "URN:OID:2.16.578.1.12.4.1.4.1",
        " urn:oid:2.16.578.1.12.4.1.4.1 ",
    ],
    IdentifierKind.DNR: ["http://hl7.no/fhir/NamingSystem/DNR", "2.16.578.1.12.4.1.4.2"],
    IdentifierKind.FHN: ["http://hl7.no/fhir/NamingSystem/FHNR"],
    IdentifierKind.HNR: ["HNR"],
    IdentifierKind.HPR: ["http://hl7.no/fhir/NamingSystem/HPR", "http://ehelse.no/fhir/NamingSystem/HPR"],
    IdentifierKind.DUF: ["http://hl7.no/fhir/NamingSystem/DUFN"],
    IdentifierKind.ORGNR: ["urn:oid:2.16.578.1.12.4.1.2.101"],
    IdentifierKind.RESH: ["urn:oid:2.16.578.1.12.4.1.2.102"],
    IdentifierKind.HER: ["http://ehelse.no/fhir/identifiertypes/HERID", "2.16.578.1.12.4.1.2"],
}


def test_every_kind_has_its_spellings_here() -> None:
    assert set(SPELLINGS) == set(IdentifierKind)


@pytest.mark.parametrize(("kind", "uri"), [(kind, uri) for kind, uris in SPELLINGS.items() for uri in [kind, *uris]])
def test_every_spelling_of_a_system_is_known(kind: IdentifierKind, uri: str) -> None:
    assert kind_of(uri) is kind
    assert normal_system(uri) == kind.value


@pytest.mark.parametrize(
    "uri", ["", "Skyresponse:productId", "http://cosdoc.dips.no/lopenummer", "urn:oid:2.16.578.1.12.4.1", "hnr"]
)
def test_other_systems_stay_as_they_are(uri: str) -> None:
    assert kind_of(uri) is None
    assert normal_system(uri) == uri


def test_only_persons_numbers_are_national() -> None:
    assert {IdentifierKind.FNR, IdentifierKind.DNR, IdentifierKind.FHN} == NATIONAL


@given(st.text())
def test_making_a_system_normal_again_changes_nothing(uri: str) -> None:
    assert normal_system(normal_system(uri)) == normal_system(uri)
