"""Which type of resource each address takes, and the base R4 layer as the road calls it."""

from shared.errors import UnknownAddress
from shared.fhir.checker import check_r4, preload

__all__ = ["ADDRESSES", "check_resource", "preload", "resource_type_at"]

ADDRESSES = {
    "bundle": "Bundle",
    "composition": "Composition",
    "medicationdispense": "MedicationDispense",
    "encounter": "Encounter",
    "communication": "Communication",
    "observation": "Observation",
}
"""The resource type that each address under /epj/r4/{orgnr}/ takes."""

check_resource = check_r4


def resource_type_at(resource: str) -> str:
    """The resource type taken at `/epj/r4/{orgnr}/{resource}`, in any letter case. Raises UnknownAddress."""
    taken = ADDRESSES.get(resource.lower())
    if taken is None:
        raise UnknownAddress
    return taken
