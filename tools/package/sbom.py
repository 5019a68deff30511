"""The bill of materials: CycloneDX 1.6, JSON, the same for the same lock.

It names what is in the zip by package URL, with the hash of the file each was installed from.
"""

import json
import uuid
from collections.abc import Iterable

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools.package.licences import Licensed
from tools.package.lock import Pin
from tools.package.release import version


def bill(pins: Iterable[Pin], licences: Iterable[Licensed], content: str) -> str:
    """The bill of materials of a package whose content has this digest."""
    named = {each.name: each.licence for each in licences}
    whole = Component(name="knutepunkt", version=version(), type=ComponentType.APPLICATION, bom_ref="knutepunkt")
    # Of the content, not of chance: the same package has the same bill.
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"urn:knutepunkt:{content}"))
    bom.metadata.component = whole
    parts = [_component(pin, named.get(pin.name, "")) for pin in pins]
    bom.components.update(parts)
    bom.register_dependency(whole, parts)
    return _without_time(JsonV1Dot6(bom).output_as_string())


def _component(pin: Pin, licence: str) -> Component:
    purl = PackageURL("pypi", None, pin.name, pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=pin.sha256)],
        licenses=[LicenseExpression(licence)] if licence else [],
    )


def _without_time(text: str) -> str:
    """When it was made says nothing about what is in it, and would make two of the same package differ."""
    whole = json.loads(text)
    del whole["metadata"]["timestamp"]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
