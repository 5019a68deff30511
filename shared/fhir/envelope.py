"""How the parts of a message belong together: what R4 asks of each kind of Bundle, and one patient per message.

`fhir.resources` checks none of this (engineering/fhir.md 1.4). Kinds of Bundle taken, and who sends them:

| type                 | sent as |
|----------------------|---------|
| document             | alarms, notes, digital supervision (NHN's sample, domain/profiles.md 1) |
| message              | medicine handed out (domain/profiles.md 1) |
| batch                | measurements, the observation guide's PMD bundle |
| collection           | measurements, PMD's API pages (domain/vkp-api.md 6.3) |
| transaction          | JFT's example of January 2026 (domain/vkp-api.md 6.1) |

The others (`batch-response`, `transaction-response`, `history`, `searchset`) are answers, not events. So is a message
whose MessageHeader has a `response`.
"""

from dataclasses import dataclass

from shared.fhir.findings import Findings
from shared.fhir.identifiers import PatientKey
from shared.fhir.patients import mentions, one_patient
from shared.fhir.references import Survey, check_references, entries_of, survey
from shared.fhir.values import JsonObject, Path

BUNDLE_TYPES = frozenset({"document", "message", "batch", "collection", "transaction"})
"""The kinds of Bundle this hub takes."""
_ANSWERS = frozenset({"batch-response", "transaction-response", "history", "searchset"})
_FIRST = {"document": "Composition", "message": "MessageHeader"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the envelope of a message says."""

    bundle_type: str | None
    patient: PatientKey | None
    """None when nobody is named, or more than one: there is an error then."""
    survey: Survey


def check_envelope(message: JsonObject, findings: Findings) -> Envelope:
    """Note how a message's parts fail to belong together, in a message of whatever shape."""
    check = _Check(findings)
    bundle_type = check.bundle(message) if message.get("resourceType") == "Bundle" else None
    surveyed = survey(message)
    patient = check.patient(surveyed)
    check_references(surveyed, findings, sealed=bundle_type in _FIRST)
    return Envelope(bundle_type, patient, surveyed)


class _Check:
    def __init__(self, findings: Findings) -> None:
        self.note = findings.add
        self.is_answer = False

    def bundle(self, message: JsonObject) -> str | None:
        bundle_type = message.get("type")
        if not isinstance(bundle_type, str) or bundle_type not in BUNDLE_TYPES:
            if bundle_type in _ANSWERS:
                self.answer(("type",))
            else:
                self.note("envelope-bundle-type", ("type",))
            return None
        if bundle_type == "document":
            self.document(message)
        self.first_entry(message, bundle_type)
        self.full_urls(message)
        return bundle_type

    def document(self, message: JsonObject) -> None:
        identifier = message.get("identifier")
        for name in ("system", "value"):
            if not isinstance(identifier, dict) or name not in identifier:
                self.note("envelope-document-identifier", ("identifier", name))
        if "timestamp" not in message:
            self.note("envelope-document-timestamp", ("timestamp",))

    def first_entry(self, message: JsonObject, bundle_type: str) -> None:
        first = _FIRST.get(bundle_type)
        if first is None:
            return
        _, entry = next(entries_of(message), (0, {}))
        resource = entry.get("resource")
        found = resource.get("resourceType") if isinstance(resource, dict) else None
        if found != first:
            invariant = "bdl-11" if first == "Composition" else "bdl-12"
            self.note("envelope-first-entry", ("entry", 0, "resource"), type=first, invariant=invariant)
        elif first == "MessageHeader" and isinstance(resource, dict) and "response" in resource:
            self.answer(("entry", 0, "resource", "response"))

    def answer(self, path: Path) -> None:
        self.is_answer = True
        self.note("envelope-answer", path)

    def full_urls(self, message: JsonObject) -> None:
        seen: set[tuple[str, str]] = set()
        for index, entry in entries_of(message):
            url, resource = entry.get("fullUrl"), entry.get("resource")
            meta = resource.get("meta") if isinstance(resource, dict) else None
            version = meta.get("versionId") if isinstance(meta, dict) else None
            if isinstance(url, str):
                if (url, str(version)) in seen:
                    self.note("envelope-full-url-twice", ("entry", index, "fullUrl"))
                seen.add((url, str(version)))

    def patient(self, surveyed: Survey) -> PatientKey | None:
        patients = one_patient(list(mentions(surveyed)))
        if patients.conflict is not None:
            self.note("envelope-patient-mixed", patients.conflict)
        elif patients.key is None and not self.is_answer:
            self.note("envelope-patient-missing", ())
        return patients.key
