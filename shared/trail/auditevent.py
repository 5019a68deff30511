"""An entry as a FHIR R4 AuditEvent (http://hl7.org/fhir/R4/auditevent.html).

Codes are DICOM's, ISO 21089's and the hub's own; looks have the shape of IHE BALP PatientRead. MedCom's EDS is not
claimed: it forbids what a hub must tell (periods, reasons, failures). The chain's own data is not in the resource, so
that a resource never carries its own hash; it is beside it in an extension of the Bundle's entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared import clock
from shared.messages.documents import Document
from shared.registry.model import is_orgnr
from shared.trail.chain import HUB, Header, owner_of, read_body, read_header
from shared.trail.entry import Kind

BASE: Final = "https://knutepunkt.no/fhir"
STATION: Final = f"{BASE}/CodeSystem/hub-station"
MESSAGE: Final = f"{BASE}/NamingSystem/message"
PATIENT_KEY: Final = f"{BASE}/NamingSystem/patient-key"
SYSTEM_ID: Final = f"{BASE}/NamingSystem/system"
SUBJECT: Final = f"{BASE}/NamingSystem/subject"
CHAIN: Final = f"{BASE}/StructureDefinition/trail-chain"
ORGNR: Final = "urn:oid:2.16.578.1.12.4.1.4.101"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
ISO: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
EVENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
REST: Final = "http://hl7.org/fhir/restful-interaction"
REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ROLE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
REQUEST_ID: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
PATIENT_READ: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
EDS: Final = "http://medcomehmi.dk/ig/terminology/CodeSystem/ehmi-delivery-status-sub-types"


@dataclass(frozen=True, slots=True)
class _Codes:
    type: tuple[str, str]
    action: str
    also: tuple[tuple[str, str], ...] = ()


_APPLICATION: Final = (DCM, "110100")
_CODES: Final[Mapping[Kind, _Codes]] = {
    Kind.ACCEPTED: _Codes((ISO, "receive"), "C", ((EDS, "msg-received"),)),
    Kind.REFUSED: _Codes((ISO, "receive"), "E"),
    Kind.ROUTED: _Codes(_APPLICATION, "E"),
    Kind.ATTEMPT: _Codes((ISO, "transmit"), "E"),
    Kind.DELIVERED: _Codes((ISO, "transmit"), "E", ((ISO, "disclose"),)),
    Kind.JOURNALED: _Codes((ISO, "receive"), "E", ((EDS, "msg-finalized"),)),
    Kind.QUARANTINED: _Codes(_APPLICATION, "E"),
    Kind.REPLAYED: _Codes((ISO, "transmit"), "E"),
    Kind.REPLAY_STOPPED: _Codes(_APPLICATION, "E"),
    Kind.WITHDRAWN: _Codes((ISO, "deprecate"), "U"),
    Kind.EXPIRED: _Codes((ISO, "destroy"), "D"),
    Kind.PAYLOAD_LOOK: _Codes((EVENT_TYPE, "rest"), "R", ((REST, "read"),)),
    Kind.REGISTRY_CHANGE: _Codes((DCM, "110113"), "U", ((DCM, "110136"),)),
    Kind.GENESIS: _Codes(_APPLICATION, "E", ((DCM, "110134"),)),
    Kind.HEARTBEAT: _Codes(_APPLICATION, "E"),
    Kind.LOG_READ: _Codes((DCM, "110101"), "R"),
    Kind.RETENTION_PURGE: _Codes((ISO, "destroy"), "D"),
    Kind.VERIFICATION: _Codes((DCM, "110101"), "E"),
}
"""By kind: `type`, `action`, and what is in `subtype` beside the hub's own code (DICOM PS3.15 A.5, ISO 21089)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an entry the reader may see."""

    patients: bool
    people: bool


def resource_id(chain: str, seq: int) -> str:
    """The entry's id as FHIR allows ids to be: `310000019-2026-11-0000000042`."""
    return f"{chain.replace(':', '-')}-{seq:010d}"


def place_of(resource: str) -> tuple[str, int] | None:
    """The chain and number behind a resource's id; None when it is none."""
    parts = resource.split("-")
    match parts:
        case [owner, year, month, seq] if seq.isascii() and seq.isdecimal() and len(seq) == 10:
            return f"{owner}:{year}-{month}", int(seq)
        case _:
            return None


def audit_event(document: Document, shown: Shown) -> dict[str, Any]:
    """The AuditEvent of a stored entry. Raises NotAnEntry. Of a purged one only what the header says is left."""
    header = read_header(document["header"])
    body = read_body(document) or {}
    codes = _CODES[header.kind]
    found: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": resource_id(header.chain, header.seq),
        "meta": _meta(header, body),
        "type": _coding(codes.type),
        "subtype": [_coding((STATION, header.kind.value)), *map(_coding, codes.also), *_emergency(body)],
        "action": codes.action,
        "period": _period(header, body),
        "recorded": clock.written(header.recorded),
        "outcome": str(header.outcome.value),
        "outcomeDesc": body.get("reason"),
        "purposeOfEvent": [{"coding": [_coding((REASON, body["purpose"]))]}] if "purpose" in body else None,
        "agent": _agents(header, body, shown),
        "source": {
            "site": header.observer.partition("/")[2] or None,
            "observer": {"type": "Device", "identifier": {"system": SYSTEM_ID, "value": header.observer}},
            "type": [_coding((SOURCE_TYPE, "4"))],
        },
        "entity": _entities(body, shown),
    }
    bare: dict[str, Any] = _without_nothing(found)
    return bare


def chain_extension(document: Document) -> dict[str, Any]:
    """Where the entry stands in its chain, to be put beside the resource."""
    header = read_header(document["header"])
    return {
        "url": CHAIN,
        "extension": [
            {"url": "chain", "valueString": header.chain},
            {"url": "seq", "valueUnsignedInt": header.seq},
            {"url": "hash", "valueString": document["hash"]},
        ],
    }


def _meta(header: Header, body: Mapping[str, Any]) -> dict[str, Any] | None:
    # BALP's profiles are for what succeeded, and for a patient who is named.
    look = header.kind is Kind.PAYLOAD_LOOK and header.outcome == 0 and "patient" in body
    return {"profile": [PATIENT_READ]} if look else None


def _emergency(body: Mapping[str, Any]) -> list[dict[str, str]]:
    return [_coding((DCM, "110127"))] if body.get("details", {}).get("emergency") == "yes" else []


def _period(header: Header, body: Mapping[str, Any]) -> dict[str, str]:
    start = clock.written(header.occurred)
    return {"start": start, "end": body.get("ended", start)}


def _agents(header: Header, body: Mapping[str, Any], shown: Shown) -> list[dict[str, Any]]:
    person: Mapping[str, str] | None = body.get("person")
    agents: list[dict[str, Any]] = []
    if person is not None:
        agents.append(_person(person, body, shown))
        if person.get("orgnr"):
            agents.append(_organisation((ROLE_CLASS, "PROV"), person["orgnr"]))
    if header.kind is Kind.PAYLOAD_LOOK:
        # BALP: data flows from the server (110153, Source) to the client (110152, Destination), each with its network.
        client, server = body.get("system", HUB), header.observer.partition("/")[0]
        agents += [_device("110152", client, network=True), _device("110153", server, network=True)]
    elif "sender" in body:
        agents.append(_device("110153", body["sender"], requestor=person is None))
    elif person is None:
        agents.append(_device("110150", body.get("system", HUB), requestor=True))
    if "receiver" in body and header.kind is not Kind.PAYLOAD_LOOK:
        agents.append(_receiver(body["receiver"], body.get("details", {}).get("host", "")))
    owner = owner_of(header.chain)
    if owner != HUB and not any(each["who"]["identifier"]["value"] == owner for each in agents):
        agents.append(_organisation((PARTICIPATION, "CST"), owner))
    return agents


def _person(person: Mapping[str, str], body: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": {"coding": [_coding((PARTICIPATION, "IRCP"))]},
        "role": [{"text": person["role"]}] if person.get("role") else None,
        "who": {"identifier": {"system": SUBJECT, "value": person["subject"] if shown.people else "withheld"}},
        "name": (person.get("name") or None) if shown.people else None,
        "requestor": True,
        "policy": [f"{BASE}/decision/{body['details']['reference']}"]
        if body.get("details", {}).get("reference")
        else None,
    }
    return found


def _device(code: str, value: str, *, requestor: bool = False, network: bool = False) -> dict[str, Any]:
    return {
        "type": {"coding": [_coding((DCM, code))]},
        "who": {"type": "Device", "identifier": {"system": SYSTEM_ID, "value": value}},
        "requestor": requestor,
        "network": {"address": value, "type": "1"} if network else None,
    }


def _receiver(value: str, host: str) -> dict[str, Any]:
    found = _organisation((DCM, "110152"), value) if is_orgnr(value) else _device("110152", value)
    # A name in the network (1), without the path: http://hl7.org/fhir/R4/valueset-network-type.html
    return {**found, "network": {"address": host, "type": "1"}} if host else found


def _organisation(code: tuple[str, str], orgnr: str) -> dict[str, Any]:
    return {
        "type": {"coding": [_coding(code)]},
        "who": {"type": "Organization", "identifier": {"system": ORGNR, "value": orgnr}},
        "requestor": False,
    }


def _entities(body: Mapping[str, Any], shown: Shown) -> list[dict[str, Any]]:
    details = dict(body.get("details", {}))
    if body.get("why"):
        details["why"] = body["why"]
    entities: list[dict[str, Any]] = []
    told = [{"type": name, "valueString": value} for name, value in sorted(details.items()) if value]
    changes = [
        {"type": f"{side} {field}", "valueString": value}
        for field, before, after in body.get("changes", ())
        for side, value in (("before", before), ("after", after))
        if value
    ]
    if "message" in body:
        entities.append(_entity(MESSAGE, body["message"], "2", "4", told))
    elif details.get("object"):
        place = f"{BASE}/NamingSystem/registry"
        entities.append(_entity(place, details["object"], "2", "13", [*told, *changes]))
    elif told:
        entities.append({"type": _coding((ENTITY_TYPE, "4")), "detail": told})
    if "original" in body:
        relation = [{"type": "relation", "valueString": "original"}]
        entities.append(_entity(MESSAGE, body["original"], "2", "4", relation))
    if "patient" in body:
        value = body["patient"] if shown.patients else "withheld"
        what = {"type": "Patient", "identifier": {"system": PATIENT_KEY, "value": value}}
        entities.append({"what": what, "type": _coding((ENTITY_TYPE, "1")), "role": _coding((OBJECT_ROLE, "1"))})
    if "trace" in body:
        request = {"identifier": {"value": body["trace"]}}
        entities.append({"what": request, "type": _coding((REQUEST_ID, "XrequestId"))})
    return entities


def _entity(system: str, value: str, kind: str, role: str, details: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "what": {"identifier": {"system": system, "value": value}},
        "type": _coding((ENTITY_TYPE, kind)),
        "role": _coding((OBJECT_ROLE, role)),
        "detail": details,
    }


def _coding(code: tuple[str, str]) -> dict[str, str]:
    return {"system": code[0], "code": code[1]}


def _without_nothing(value: Any) -> Any:
    """FHIR has no nulls and no empty lists."""
    if isinstance(value, dict):
        found = {name: _without_nothing(each) for name, each in value.items()}
        return {name: each for name, each in found.items() if each not in (None, [], {}, "")}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value]
    return value
