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

from shared.errors import BrokenEnvelope, Finding
from shared.fhir.findings import Findings
from shared.fhir.identifiers import PatientKey
from shared.fhir.patients import mentions, one_patient
from shared.fhir.references import Survey, check_references, entries_of, survey
from shared.fhir.repair import Repaired
from shared.fhir.values import JsonObject, Path

BUNDLE_TYPES = frozenset({"document", "message", "batch", "collection", "transaction"})
"""The kinds of Bundle this hub takes."""
_ANSWERS = frozenset({"batch-response", "transaction-response", "history", "searchset"})
_FIRST = {"document": "Composition", "message": "MessageHeader"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the envelope of a good message says."""

    bundle_type: str | None
    patient: PatientKey
    survey: Survey
    warnings: tuple[Finding, ...]


def check_envelope(repaired: Repaired, sent: JsonObject) -> Envelope:
    """Check a message that is R4 otherwise. Raises BrokenEnvelope with every finding."""
    message = repaired.message
    check = _Check(repaired, Findings(sent))
    bundle_type = check.bundle(message) if message.get("resourceType") == "Bundle" else None
    surveyed = survey(message)
    patient = check.patient(surveyed)
    check_references(surveyed, repaired, check.findings, sealed=bundle_type in _FIRST)
    found = check.findings.found()
    if patient is None or check.findings.any_error:
        raise BrokenEnvelope(found)
    return Envelope(bundle_type, patient, surveyed, found)


class _Check:
    def __init__(self, repaired: Repaired, findings: Findings) -> None:
        self.repaired = repaired
        self.findings = findings
        self.is_answer = False

    def bundle(self, message: JsonObject) -> str | None:
        bundle_type = message.get("type")
        if not isinstance(bundle_type, str) or bundle_type not in BUNDLE_TYPES:
            if bundle_type in _ANSWERS:
                self.answer("This kind of Bundle is an answer; this hub takes events.", ("type",))
            else:
                text = "Bundle.type must be document, message, batch, collection or transaction."
                self.note("envelope-bundle-type", text, ("type",), "code-invalid")
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
                text = "A document has an identifier with system and value (R4 bdl-9)."
                self.note("envelope-document-identifier", text, ("identifier", name), "required")
        if "timestamp" not in message:
            text = "A document has a timestamp (R4 bdl-10)."
            self.note("envelope-document-timestamp", text, ("timestamp",), "required")

    def first_entry(self, message: JsonObject, bundle_type: str) -> None:
        first = _FIRST.get(bundle_type)
        if first is None:
            return
        _, entry = next(entries_of(message), (0, {}))
        resource = entry.get("resource")
        found = resource.get("resourceType") if isinstance(resource, dict) else None
        if found != first:
            rule = "bdl-11" if first == "Composition" else "bdl-12"
            text = f"The first entry of this kind of Bundle is a {first} (R4 {rule})."
            self.note("envelope-first-entry", text, ("entry", 0, "resource"), "invariant")
        elif first == "MessageHeader" and isinstance(resource, dict) and "response" in resource:
            text = "This message is an answer to another one; this hub takes events."
            self.answer(text, ("entry", 0, "resource", "response"))

    def answer(self, text: str, path: Path) -> None:
        self.is_answer = True
        self.note("envelope-answer", text, path, "not-supported")

    def full_urls(self, message: JsonObject) -> None:
        seen: set[tuple[str, str]] = set()
        for index, entry in entries_of(message):
            url, resource = entry.get("fullUrl"), entry.get("resource")
            meta = resource.get("meta") if isinstance(resource, dict) else None
            version = meta.get("versionId") if isinstance(meta, dict) else None
            if isinstance(url, str):
                if (url, str(version)) in seen:
                    text = "Another entry has the same fullUrl, so a reference could mean either (R4 bdl-7)."
                    self.note("envelope-full-url-twice", text, ("entry", index, "fullUrl"), "invariant")
                seen.add((url, str(version)))

    def patient(self, surveyed: Survey) -> PatientKey | None:
        patients = one_patient(list(mentions(surveyed)))
        if patients.conflict is not None:
            text = (
                "The message names somebody else here than before: two patients, or one under identifiers that nothing "
                "in the message joins. Name one patient by the same identifier throughout."
            )
            self.note("envelope-patient-mixed", text, patients.conflict, "business-rule")
        elif patients.key is None and not self.is_answer:
            text = "The message names no patient by identifier or reference, so it has no journal to go to."
            self.note("envelope-patient-missing", text, (), "required", "2.1")
        return patients.key

    def note(self, rule: str, text: str, path: Path, issue_type: str, vkp_code: str = "2") -> None:
        self.findings.add(rule, text, self.repaired.as_sent(path), issue_type=issue_type, vkp_code=vkp_code)
