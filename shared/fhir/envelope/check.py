"""How the parts of a message belong together: what R4 asks of each kind of Bundle, and one patient per message.

Kinds of Bundle taken, and who sends them:

| type                 | sent as |
|----------------------|---------|
| document             | alarms, notes, digital supervision (NHN's published alarm) |
| message              | medicine handed out (VkpMessageHeader), and what is posted to `$process-message` |
| batch                | measurements (the profile pmd-Bundle-Observation) |
| collection           | measurements (PMD's API pages) |
| transaction          | NHN's journal service JFT, its example of January 2026 |

The others (`batch-response`, `transaction-response`, `history`, `searchset`) are answers, not events. So is a message
whose MessageHeader has a `response`.
"""

from dataclasses import dataclass

from shared.fhir.envelope.patients import mentions, names_nobody, one_patient
from shared.fhir.envelope.references import Survey, check_references, entries_of, objects, survey, unreachable
from shared.fhir.findings import Findings
from shared.fhir.identifiers import PatientKey
from shared.fhir.values import JsonObject, JsonValue, Path

BUNDLE_TYPES = frozenset({"document", "message", "batch", "collection", "transaction"})
"""The kinds of Bundle this hub takes."""
_ANSWERS = frozenset({"batch-response", "transaction-response", "history", "searchset"})
_FIRST = {"document": "Composition", "message": "MessageHeader"}
_LOOSE_ENTRIES = frozenset({"batch", "collection", "transaction"})
"""Kinds of Bundle whose entries have nothing to do with one another: each says for itself whom it is about."""
_NAMED_BY = {
    "Communication": "subject",
    "Composition": "subject",
    "DetectedIssue": "patient",
    "Encounter": "subject",
    "Flag": "subject",
    "MedicationDispense": "subject",
    "Observation": "subject",
    "QuestionnaireResponse": "subject",
}
_ENTRY_DEPTH = len(("entry", 0, "resource"))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the envelope of a message says."""

    bundle_type: str | None
    patient: PatientKey | None
    """None when nobody is named, or more than one: there is an error then."""
    survey: Survey


def check_envelope(message: JsonObject, findings: Findings) -> Envelope:
    """Note how a message's parts fail to belong together, in a message of whatever shape."""
    surveyed = survey(message)
    check = _Check(message, surveyed, findings)
    bundle_type = check.bundle() if message.get("resourceType") == "Bundle" else None
    patient = check.patient()
    if patient is not None and bundle_type in _LOOSE_ENTRIES:
        check.everybody()
    check_references(surveyed, findings, sealed=bundle_type in _FIRST)
    if bundle_type == "document":
        for index in unreachable(message, surveyed):
            findings.add("envelope-unreachable-entry", ("entry", index))
    return Envelope(bundle_type, patient, surveyed)


class _Check:
    def __init__(self, message: JsonObject, surveyed: Survey, findings: Findings) -> None:
        self.message = message
        self.surveyed = surveyed
        self.note = findings.add
        self.is_answer = False

    def bundle(self) -> str | None:
        bundle_type = self.message.get("type")
        if not isinstance(bundle_type, str) or bundle_type not in BUNDLE_TYPES:
            if isinstance(bundle_type, str) and bundle_type in _ANSWERS:
                self.answer(("type",))
            else:
                self.note("envelope-bundle-type", ("type",))
            return None
        if bundle_type == "document":
            self.document()
        self.first_entry(bundle_type)
        self.full_urls()
        return bundle_type

    def document(self) -> None:
        identifier = self.message.get("identifier")
        for name in ("system", "value"):
            if not isinstance(identifier, dict) or name not in identifier:
                self.note("envelope-document-identifier", ("identifier", name))
        if "timestamp" not in self.message:
            self.note("envelope-document-timestamp", ("timestamp",))

    def first_entry(self, bundle_type: str) -> None:
        first = _FIRST.get(bundle_type)
        if first is None:
            return
        index, entry = next(entries_of(self.message), (0, {}))
        resource = entry.get("resource")
        path = ("entry", index, "resource")
        if not isinstance(resource, dict) or resource.get("resourceType") != first:
            invariant = "bdl-11" if first == "Composition" else "bdl-12"
            self.note("envelope-first-entry", path, type=first, invariant=invariant)
        elif first == "MessageHeader":
            self.header(resource, path)

    def header(self, header: JsonObject, path: Path) -> None:
        if "response" in header:
            self.answer((*path, "response"))
        elif not any("reference" in each for each in objects(header.get("focus"))):
            self.note("envelope-focus-missing", (*path, "focus"))

    def answer(self, path: Path) -> None:
        self.is_answer = True
        self.note("envelope-answer", path)

    def full_urls(self) -> None:
        seen: set[tuple[str, str]] = set()
        for index, entry in entries_of(self.message):
            url = entry.get("fullUrl")
            if isinstance(url, str):
                named = (url, _version(entry.get("resource")))
                if named in seen:
                    self.note("envelope-full-url-twice", ("entry", index, "fullUrl"))
                seen.add(named)

    def patient(self) -> PatientKey | None:
        patients = one_patient(list(mentions(self.surveyed)))
        if patients.conflict is not None:
            self.note("envelope-patient-mixed", patients.conflict)
        elif patients.key is None and not self.is_answer:
            self.note("envelope-patient-missing", ())
        return patients.key

    def everybody(self) -> None:
        for found in self.surveyed.resources:
            named_by = _NAMED_BY.get(str(found.resource.get("resourceType")))
            if named_by is not None and len(found.path) == _ENTRY_DEPTH and names_nobody(found, self.surveyed):
                self.note("envelope-entry-without-patient", (*found.path, named_by))


def _version(resource: JsonValue) -> str:
    meta = resource.get("meta") if isinstance(resource, dict) else None
    return str(meta.get("versionId", "")) if isinstance(meta, dict) else ""
