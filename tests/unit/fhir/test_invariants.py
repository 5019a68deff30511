"""Every invariant the hub enforces: what keeps it, what breaks it, and where the breach is told."""

from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fhir.findings import Findings
from shared.fhir.r4.checker import ELSEWHERE, enforced
from shared.fhir.r4.compiled import CHECKS
from shared.fhir.r4.coverage import in_use
from shared.fhir.r4.definitions import definitions, shape_of
from shared.fhir.r4.invariants import HOLDS, PLACES
from shared.fhir.r4.invariants.facts import in_order
from shared.fhir.r4.visit import Visit
from shared.fhir.rules import rules

UCUM: Final = "http://unitsofmeasure.org"
KG: Final = {"value": 1, "unit": "kg", "system": UCUM, "code": "kg"}
HOME: Final = {"use": "home", "system": "phone", "value": "1"}
VERIFIED: Final = "http://terminology.hl7.org/CodeSystem/"


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": VERIFIED + system, "code": code}]}


WRONG_ALLERGY: Final = {"verificationStatus": concept("allergyintolerance-verification", "entered-in-error")}
WRONG_CONDITION: Final = {"verificationStatus": concept("condition-ver-status", "entered-in-error")}


def entries(kind: str, *each: Any) -> dict[str, Any]:
    return {"type": kind, "entry": list(each)}


def entry(**members: Any) -> dict[str, Any]:
    return {"resource": {"resourceType": "Basic"}, **members}


# key, type it is placed on, objects that keep it, objects that break it
CASES: Final[list[tuple[str, str, list[Any], list[Any]]]] = [
    ("age-1", "Age", [KG, {"unit": "a"}], [KG | {"value": 0}, {"value": 1}, KG | {"system": "x"}]),
    ("att-1", "Attachment", [{"data": "QUJD", "contentType": "a/b"}, {"url": "x"}], [{"data": "QUJD"}]),
    (
        "cnt-3",
        "Count",
        [KG | {"code": "1"}, {"unit": "x"}],
        [KG, KG | {"code": "1", "value": Decimal("1.0")}, {"value": 1}],
    ),
    ("cpt-2", "ContactPoint", [{"system": "phone", "value": "1"}, {"system": "phone"}], [{"value": "1"}]),
    ("dis-1", "Distance", [KG, {"unit": "m"}], [{"value": 1}, KG | {"system": "x"}]),
    ("drq-1", "DataRequirement.codeFilter", [{"path": "a"}, {"searchParam": "a"}], [{"id": "a"}]),
    ("drq-1", "DataRequirement.codeFilter", [], [{"path": "a", "searchParam": "a"}]),
    ("drq-2", "DataRequirement.dateFilter", [{"path": "a"}], [{"path": "a", "searchParam": "a"}]),
    ("drt-1", "Duration", [KG, {"value": 1}], [{"code": "min", "value": 1}, {"code": "min", "system": UCUM}]),
    ("exp-1", "Expression", [{"expression": "a"}, {"reference": "a"}], [{"language": "text/cql"}]),
    (
        "ext-1",
        "Extension",
        [{"url": "a", "valueBoolean": True}, {"url": "a", "_valueCode": {"id": "a"}}],
        [{"url": "a"}],
    ),
    ("ext-1", "Extension", [{"url": "a", "extension": []}], [{"url": "a", "extension": [], "valueCode": "a"}]),
    (
        "per-1",
        "Period",
        [{"start": "2026-01"}, {"start": "2026", "end": "2026-01-01"}],
        [{"start": "2027", "end": "2026"}],
    ),
    ("qty-3", "Quantity", [KG, {"value": 1}], [{"code": "kg"}]),
    (
        "rat-1",
        "Ratio",
        [{"numerator": KG, "denominator": KG}, {"extension": []}],
        [{"numerator": KG}, {"denominator": KG}],
    ),
    ("rat-1", "Ratio", [], [{}, {"id": "a"}]),
    ("rng-2", "Range", [{"low": KG, "high": KG}, {"low": KG}], [{"low": KG, "high": KG | {"value": Decimal("0.9")}}]),
    ("rng-2", "Range", [{"low": KG, "high": KG | {"value": 0, "code": "g"}}, {"low": KG, "high": 1}], []),
    ("sqty-1", "Range", [{"low": KG}], [{"low": KG | {"comparator": "<"}}, {"high": KG | {"comparator": ">"}}]),
    ("tim-1", "Timing.repeat", [{"duration": 1, "durationUnit": "h"}], [{"duration": 1}]),
    ("tim-2", "Timing.repeat", [{"period": 1, "periodUnit": "h"}], [{"period": 1}]),
    ("tim-4", "Timing.repeat", [{"duration": 0}, {"duration": "x"}], [{"duration": Decimal("-0.1")}]),
    ("tim-5", "Timing.repeat", [{"period": 0}], [{"period": -1}]),
    ("tim-6", "Timing.repeat", [{"periodMax": 1, "period": 1}], [{"periodMax": 1}]),
    ("tim-7", "Timing.repeat", [{"durationMax": 1, "duration": 1}], [{"durationMax": 1}]),
    ("tim-8", "Timing.repeat", [{"countMax": 1, "count": 1}], [{"countMax": 1}]),
    ("tim-9", "Timing.repeat", [{"offset": 1, "when": ["AC"]}, {}], [{"offset": 1}, {"offset": 1, "when": ["C"]}]),
    ("tim-10", "Timing.repeat", [{"when": ["AC"]}], [{"when": ["AC"], "timeOfDay": ["08:00:00"]}]),
    ("trd-1", "TriggerDefinition", [{"data": []}], [{"data": [], "timingDate": "2026"}]),
    ("trd-2", "TriggerDefinition", [{"condition": {}, "data": []}], [{"condition": {}}]),
    ("trd-3", "TriggerDefinition", [{"type": "named-event", "name": "a"}], [{"type": "named-event"}]),
    ("trd-3", "TriggerDefinition", [{"type": "periodic", "timingDate": "2026"}], [{"type": "periodic", "name": "a"}]),
    ("trd-3", "TriggerDefinition", [{"type": "data-added", "data": []}, {}], [{"type": "data-added"}]),
    (
        "ait-1",
        "AllergyIntolerance",
        [{"clinicalStatus": {}}, WRONG_ALLERGY],
        [{}, {"verificationStatus": {"coding": 1}}],
    ),
    ("ait-2", "AllergyIntolerance", [WRONG_ALLERGY], [WRONG_ALLERGY | {"clinicalStatus": {}}]),
    ("app-1", "Appointment.participant", [{"actor": {}}, {"type": []}], [{"status": "accepted"}]),
    ("app-2", "Appointment", [{"start": "x", "end": "x"}, {}], [{"start": "x"}, {"end": "x"}]),
    ("app-3", "Appointment", [{"start": "x", "end": "x"}, {"status": "proposed"}], [{"status": "booked"}]),
    (
        "app-4",
        "Appointment",
        [{"cancelationReason": {}, "status": "noshow"}],
        [{"cancelationReason": {}, "status": "booked"}],
    ),
    ("cmp-1", "Composition.section", [{"text": {}}, {"entry": []}, {"section": []}], [{"title": "a"}]),
    ("cmp-2", "Composition.section", [{"emptyReason": {}}, {"entry": []}], [{"emptyReason": {}, "entry": []}]),
    ("con-1", "Condition.stage", [{"summary": {}}], [{"type": {}}]),
    ("con-2", "Condition.evidence", [{"code": []}, {"detail": []}], [{"id": "a"}]),
    (
        "con-4",
        "Condition",
        [{"abatementString": "a", "clinicalStatus": concept("condition-clinical", "resolved")}, {}],
        [{"abatementString": "a"}, {"abatementAge": {}, "clinicalStatus": concept("condition-clinical", "active")}],
    ),
    ("con-5", "Condition", [WRONG_CONDITION], [WRONG_CONDITION | {"clinicalStatus": {}}]),
    ("cpl-3", "CarePlan.activity", [{"detail": {}}, {"reference": {}}], [{"detail": {}, "reference": {}}]),
    ("gol-1", "Goal.target", [{"detailString": "a", "measure": {}}, {}], [{"detailString": "a"}]),
    ("grp-1", "Group", [{"member": [], "actual": True}, {"actual": False}], [{"member": [], "actual": False}]),
    ("imm-1", "Immunization.education", [{"documentType": "a"}, {"reference": "a"}], [{"id": "a"}]),
    ("inv-1-parameters", "Parameters.parameter", [{"valueCode": "a"}, {"resource": {}}, {"part": []}], [{"name": "a"}]),
    ("inv-1-parameters", "Parameters.parameter", [], [{"valueCode": "a", "part": []}]),
    (
        "inv-1-task",
        "Task",
        [{"authoredOn": "2026", "lastModified": "2026"}],
        [{"authoredOn": "2026", "lastModified": "2025"}],
    ),
    ("lst-1", "List", [{"emptyReason": {}}], [{"emptyReason": {}, "entry": []}]),
    (
        "lst-2",
        "List",
        [{"mode": "changes", "entry": [{"deleted": True}]}],
        [{"mode": "working", "entry": [{"deleted": True}]}],
    ),
    (
        "lst-3",
        "List",
        [{"mode": "working", "entry": [{"date": "2026"}]}],
        [{"mode": "snapshot", "entry": [{"date": "2026"}]}],
    ),
    ("mad-1", "MedicationAdministration.dosage", [{"dose": KG}, {"rateQuantity": KG}], [{"text": "a"}]),
    (
        "mdd-1",
        "MedicationDispense",
        [
            {"whenPrepared": "2026-01-15T08:00:00+01:00", "whenHandedOver": "2026-01-15T07:00:00Z"},
            {"whenPrepared": "2026"},
        ],
        [{"whenPrepared": "2026-01-15T08:00:01+01:00", "whenHandedOver": "2026-01-15T07:00:00Z"}],
    ),
    ("obs-3", "Observation.referenceRange", [{"low": KG}, {"text": "a"}], [{"type": {}}]),
    ("obs-6", "Observation", [{"dataAbsentReason": {}}], [{"dataAbsentReason": {}, "valueString": "a"}]),
    (
        "obs-7",
        "Observation",
        [{"code": concept("a", "b"), "component": [{"code": concept("a", "c")}], "valueString": "a"}],
        [{"code": concept("a", "b"), "component": [{"code": concept("a", "b")}], "valueString": "a"}],
    ),
    ("org-1", "Organization", [{"name": "a"}, {"identifier": []}], [{"active": True}]),
    ("org-2", "Organization", [{"address": [{"use": "work"}]}], [{"address": [{"use": "home"}]}]),
    ("org-3", "Organization", [{"telecom": [HOME | {"use": "work"}]}], [{"telecom": [HOME]}]),
    ("pat-1", "Patient.contact", [{"name": {}}, {"organization": {}}], [{"gender": "male"}]),
    ("prr-1", "ServiceRequest", [{"orderDetail": [], "code": {}}], [{"orderDetail": []}]),
    ("qrs-1", "QuestionnaireResponse.item", [{"answer": []}, {"item": []}], [{"answer": [], "item": []}]),
    (
        "ras-1",
        "RiskAssessment.prediction",
        [{"probabilityRange": {"low": KG | {"code": "%"}}}, {"probabilityDecimal": 1}],
        [{"probabilityRange": {"low": KG}}, {"probabilityRange": {"high": {"code": "%"}}}],
    ),
    ("ras-2", "RiskAssessment.prediction", [{"probabilityDecimal": 100}], [{"probabilityDecimal": Decimal("100.1")}]),
    ("sev-1", "AuditEvent.entity", [{"name": "a"}], [{"name": "a", "query": "QUJD"}]),
    ("que-1", "Questionnaire.item", [{"type": "group", "item": []}, {"type": "string"}], [{"type": "group"}]),
    ("que-1", "Questionnaire.item", [{"type": "display"}], [{"type": "display", "item": []}]),
    (
        "que-2",
        "Questionnaire",
        [{"item": [{"linkId": "1", "item": [{"linkId": "1.1"}]}]}, {"item": [{"linkId": 1}, {"linkId": 1}]}],
        [{"item": [{"linkId": "1", "item": [{"linkId": "1"}]}]}],
    ),
    ("que-3", "Questionnaire.item", [{"type": "display"}], [{"type": "display", "code": []}]),
    ("que-4", "Questionnaire.item", [{"answerOption": []}], [{"answerOption": [], "answerValueSet": "a"}]),
    (
        "que-5",
        "Questionnaire.item",
        [{"type": "choice", "answerOption": []}],
        [{"type": "boolean", "answerOption": []}],
    ),
    ("que-6", "Questionnaire.item", [{"type": "string", "required": True}], [{"type": "display", "repeats": True}]),
    (
        "que-7",
        "Questionnaire.item.enableWhen",
        [{"operator": "exists", "answerBoolean": True}, {"operator": "=", "answerInteger": 1}],
        [{"operator": "exists", "answerInteger": 1}],
    ),
    ("que-8", "Questionnaire.item", [{"type": "string", "initial": []}], [{"type": "group", "initial": []}]),
    ("que-9", "Questionnaire.item", [{"type": "string", "readOnly": True}], [{"type": "display", "readOnly": True}]),
    ("que-10", "Questionnaire.item", [{"type": "text", "maxLength": 1}], [{"type": "date", "maxLength": 1}]),
    ("que-11", "Questionnaire.item", [{"initial": []}], [{"initial": [], "answerOption": []}]),
    (
        "que-12",
        "Questionnaire.item",
        [{"enableWhen": [{}, {}]}, {"enableWhen": [{}, {}, {}], "enableBehavior": "all"}],
        [{"enableWhen": [{}, {}, {}]}],
    ),
    (
        "que-13",
        "Questionnaire.item",
        [{"initial": [{}]}, {"repeats": True, "initial": [{}, {}]}],
        [{"initial": [{}, {}]}],
    ),
    ("bdl-1", "Bundle", [{"type": "searchset", "total": 1}, {"type": "document"}], [{"type": "document", "total": 1}]),
    ("bdl-2", "Bundle", [entries("searchset", entry(search={}))], [entries("batch", entry(search={}))]),
    ("bdl-3", "Bundle", [entries("batch", entry(request={}))], [entries("batch", entry())]),
    ("bdl-3", "Bundle", [entries("collection", entry())], [entries("collection", entry(request={}))]),
    ("bdl-4", "Bundle", [entries("batch-response", entry(response={}))], [entries("batch", entry(response={}))]),
    ("bdl-5", "Bundle.entry", [entry(), {"request": {}}], [{"fullUrl": "urn:x:1"}]),
    ("bdl-8", "Bundle.entry", [entry(fullUrl="http://a/Basic/1")], [entry(fullUrl="http://a/Basic/1/_history/1")]),
    (
        "ctm-1",
        "CareTeam.participant",
        [{"onBehalfOf": {}, "member": {"reference": "Practitioner/1"}}, {"onBehalfOf": {}, "member": {"display": "a"}}],
        [{"onBehalfOf": {}, "member": {"reference": "Patient/1"}}],
    ),
    ("dom-2", "Basic", [{"contained": [{}]}], [{"contained": [{"contained": []}]}]),
    ("dom-3", "Basic", [{"contained": [{"id": "a"}], "author": {"reference": "#a"}}], [{"contained": [{"id": "a"}]}]),
    ("dom-4", "Basic", [{"contained": [{"meta": {}}]}], [{"contained": [{"meta": {"lastUpdated": "a"}}]}]),
    ("dom-5", "Basic", [{"contained": [{"meta": {}}]}], [{"contained": [{"meta": {"security": []}}]}]),
    ("fhir-attachment-size", "Attachment", [{"data": "QUJD", "size": 3}, {"size": 3}], [{"data": "QUJD", "size": 4}]),
    (
        "fhir-full-url-other-id",
        "Bundle.entry",
        [
            {"fullUrl": "http://a/Basic/1", "resource": {"resourceType": "Basic", "id": "1"}},
            {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Basic", "id": "2"}},
        ],
        [{"fullUrl": "http://a/Basic/1", "resource": {"resourceType": "Basic", "id": "2"}}],
    ),
    (
        "fhir-full-url-relative",
        "Bundle.entry",
        [entry(fullUrl="urn:oid:1.2")],
        [entry(fullUrl="Basic/1"), entry(fullUrl="x")],
    ),
    (
        "fhir-link-twice",
        "Bundle",
        [{"link": [{"relation": "self"}, {"relation": "next"}]}],
        [{"link": [{"relation": "self"}, {"relation": "self"}]}],
    ),
]
IN_WALK: Final = {"ele-1", "ref-1", "txt-1", "txt-2"}
"""Enforced by the walk itself: see test_checker.py and test_xhtml.py."""


def noted(type_name: str, value: dict[str, Any]) -> set[str]:
    """The rules that the compiled check of a type finds broken."""
    if shape_of(type_name).is_resource:
        value = {"resourceType": type_name, **value}
    findings = Findings()
    visit = Visit(value, findings)
    CHECKS[type_name](value, visit)
    visit.tell()
    return {each.rule for each in findings.rendered(value)}


@pytest.mark.parametrize(("key", "type_name", "good", "bad"), CASES, ids=[f"{each[0]}-{each[1]}" for each in CASES])
def test_an_invariant_is_kept_or_broken(key: str, type_name: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert key not in noted(type_name, value), value
    for value in bad:
        assert key in noted(type_name, value), value


def test_every_invariant_has_cases_of_both_kinds() -> None:
    assert {key for key, _, good, _ in CASES if good} == {key for key, _, _, bad in CASES if bad}
    assert {key for key, *_ in CASES} == {*HOLDS, *PLACES}


def test_every_invariant_enforced_is_a_rule_with_a_text_and_is_r4s_own_or_ours() -> None:
    for key in (*HOLDS, *PLACES, *IN_WALK):
        assert key in rules()
        assert key.startswith("fhir-") or definitions()["rules"][key]["severity"] == "error"


def test_every_rule_of_the_layer_that_names_an_invariant_is_enforced() -> None:
    layer = [key for key, rule in rules().items() if rule.layer == "r4" and not key.startswith("fhir-")]
    assert all(enforced(key) for key in layer)
    assert {*HOLDS, *PLACES, *IN_WALK} >= set(layer)


def test_what_is_left_to_the_envelope_is_a_rule_there() -> None:
    assert all(rules()[key].layer == "envelope" for key in ELSEWHERE.values())


def test_the_cases_are_of_the_resources_in_use() -> None:
    roots = {type_name.partition(".")[0] for _, type_name, _, _ in CASES}
    assert {name for name in roots if shape_of(name).is_resource} <= in_use()


def places_of(key: str, value: dict[str, Any]) -> list[str]:
    """Where a resource breaks an invariant."""
    findings = Findings()
    visit = Visit(value, findings)
    CHECKS[value["resourceType"]](value, visit)
    visit.tell()
    return [each.expression for each in findings.rendered(value) if each.rule == key]


def test_a_breach_inside_a_bundle_is_told_at_the_entry_that_makes_it() -> None:
    value = {"resourceType": "Bundle", **entries("batch", entry(request={}), entry())}
    assert places_of("bdl-3", value) == ["Bundle.entry[1].request"]


def test_an_address_at_home_is_told_at_the_address() -> None:
    value = {"resourceType": "Organization", "name": "a", "address": [{"use": "work"}, {"use": "home"}]}
    assert places_of("org-2", value) == ["Organization.address[1]"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["#", "#a", "home", "document", "exists", "T", "2026"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "coding", "entry", "meta"]), inner)
    ),
    max_leaves=8,
)


NAMES: Final = {
    key: sorted({name for each in CASES if each[0] == key for value in (*each[2], *each[3]) for name in value})
    for key in (*HOLDS, *PLACES)
}


@given(st.sampled_from(sorted(NAMES)), st.data())
@settings(max_examples=250, deadline=None)
def test_an_invariant_answers_whatever_is_in_the_object(key: str, data: st.DataObject) -> None:
    value: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(NAMES[key]), JUNK))
    if key in HOLDS:
        assert HOLDS[key](value) in (True, False)
    else:
        assert all(isinstance(path, tuple) for path in PLACES[key](value))


MOMENTS = st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat() + "Z")


@given(MOMENTS, MOMENTS)
def test_times_are_in_order_as_they_are_written_in_one_zone(first: str, second: str) -> None:
    assert in_order(first, second) == (first <= second)


@pytest.mark.parametrize(
    ("earlier", "later", "order"),
    [
        ("2026-01-15T08:00:00+01:00", "2026-01-15T07:00:00Z", True),
        ("2026-01-15T08:00:00.1234567Z", "2026-01-15T08:00:00.1234567Z", True),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", True),
        ("2026-01", "2026-01-15", True),
        ("2026-01-15T08:00:00Z", "2026-01-15", True),
        ("2026-02", "2026-01-31", False),
        ("2026-01-16T08:00:00Z", "2026-01-15", False),
        ("i går", "2026", False),
        ("2026-01-15T25:00:00Z", "2026-01-15T08:00:00Z", True),
        (1, "2026", True),
        ("2026-01-15T08:00:00", "2026-01-15T07:00:00Z", True),
    ],
)
def test_times_of_different_precision_are_compared_as_far_as_both_tell(earlier: Any, later: Any, order: bool) -> None:
    assert in_order(earlier, later) is order
