"""Which type of resource each address takes."""

from typing import Final

from shared.errors import UnknownAddress

ADDRESSES: Final = {
    "bundle": "Bundle",
    "composition": "Composition",
    "medicationdispense": "MedicationDispense",
    "encounter": "Encounter",
    "communication": "Communication",
    "observation": "Observation",
}
"""The resource type that each address under /epj/r4/{orgnr}/ takes."""


def resource_type_at(resource: str) -> str:
    """The resource type taken at `/epj/r4/{orgnr}/{resource}`, in any letter case. Raises UnknownAddress."""
    taken = ADDRESSES.get(resource.lower())
    if taken is None:
        raise UnknownAddress
    return taken
