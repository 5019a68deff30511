"""The minimum of each kind of message as mutations of our examples: what is taken away or changed, and what is said.

Paths and expressions are within the resource that a change is in. A change that another layer must notice (base R4, the
envelope) names no rule: any finding at the place will do.
"""

from dataclasses import dataclass

HER = "urn:oid:2.16.578.1.12.4.1.2"
LOCAL = "http://vendor.example/patient"


@dataclass(frozen=True)
class Mutation:
    """One change of one example, and the finding due."""

    file: str
    about: str
    """Path of the resource the change is in, from the top of the message; empty for the message."""
    path: str
    to: object
    """The new value; `GONE` takes the element away."""
    rule: str | None
    """None for a rule of another layer."""
    expression: str

    def __str__(self) -> str:
        change = "" if self.to is GONE else f"={self.to!r}"
        return f"{self.file.partition('/')[2]}:{self.about}:{self.path}{change}"[:100]


GONE = object()


def _of(file: str, about: str, *rows: tuple[str, object, str | None, str]) -> list[Mutation]:
    return [Mutation(file, about, path, to, rule, expression) for path, to, rule, expression in rows]


def _gone(rule: str | None, *paths: str) -> list[tuple[str, object, str | None, str]]:
    return [(path, GONE, rule, path) for path in paths]


def _composition(file: str, other: str = "Digital hjemmeoppfølging") -> list[Mutation]:
    return _of(
        file,
        "entry.0.resource",
        *_gone(None, "status", "type", "date", "author", "title"),
        *_gone("profile-required", "category", "subject"),
        ("category.0.coding.0.code", "9", "profile-code", "category[0]"),
        ("category.0.coding.0.system", "urn:vendor", "profile-code", "category[0]"),
        ("category.0.coding", GONE, None, "category[0]"),
        (
            "category.0.coding.0.system",
            "http://ehelse.no/fhir/ValueSet/vkp-composition-category-v090",
            "profile-code-spelling",
            "category[0].coding[0].system",
        ),
        (
            "category.0.coding.0.system",
            "http://ehelse.no/fhir/CodeSystem/vkp-composition-category-v06",
            "profile-code-older-list",
            "category[0].coding[0].system",
        ),
        ("category.0.coding.0.display", other, "profile-text-contradicts-code", "category[0].coding[0].display"),
    )


def _alert(file: str) -> list[Mutation]:
    return [
        *_of(file, "", *_gone(None, "timestamp", "identifier.system", "identifier.value")),
        *_composition(file),
        *_of(
            file,
            "entry.0.resource",
            ("event.0.code.0.coding.0.code", "2", "profile-code", "event[0].code[0]"),
            ("event.1.code.0.coding.0.code", "99", "profile-code", "event[1].code[0]"),
        ),
        *_of(
            file,
            "entry.1.resource",
            *_gone(None, "status"),
            ("code", GONE, "vkp-alert-kind", "code"),
            ("patient", GONE, "profile-required", "patient"),
            ("code.coding.0.code", "4.99", "vkp-alert-code", "code"),
            ("code.coding", GONE, "vkp-alert-code", "code"),
            ("code.coding.0.code", "7", "profile-text-contradicts-code", "code.text"),
        ),
    ]


_DISPENSE = "derived-r4/medication-dispense-message.json"
_EVENTS = "http://ehelse.no/fhir/CodeSystem/vkp-medicationdispense-events-{}"
_ENCOUNTER = "derived-r4/encounter-digital-supervision-document.json"
_BP = "derived-r4/dho-blood-pressure.json"
_GLUCOSE = "derived-r4/dho-glucose.json"
_BATCH = "derived-r4/dho-pmd-batch.json"
_TEMPERATURE = "vkpobservation-0.5.2/Observation-vkp-body-temperature-create.json"

MUTATIONS: list[Mutation] = [
    *_alert("derived-r4/alarm-document-bundle.json"),
    *_alert("derived-r4/medication-deviation-document.json"),
    *_composition("derived-r4/note-document.json", "Trygghet og mestring"),
    *_of(
        _DISPENSE,
        "entry.0.resource",
        # Without it nothing is left of source.
        ("source.endpoint", GONE, None, "source"),
        ("eventCoding", GONE, None, "event"),
        ("sender.identifier.system", LOCAL, "vkp-her-id", "sender.identifier.system"),
        ("destination.0.receiver.identifier.system", LOCAL, "vkp-her-id", "destination[0].receiver.identifier.system"),
        (
            "eventCoding.system",
            "http://ehelse.no/fhir/ValueSet/vkp-message-event-v05",
            "profile-code-older-list",
            "event.ofType(Coding).system",
        ),
    ),
    *_of(
        _DISPENSE,
        "entry.1.resource",
        *_gone(None, "status"),
        ("medicationCodeableConcept", GONE, None, "medication"),
        ("category", GONE, "vkp-dispense-category", "category"),
        ("category.coding", GONE, "vkp-dispense-code", "category"),
        ("category", {"text": "medisin utlevert"}, "vkp-dispense-category", "category.coding"),
        ("category.coding.0.code", "9", "vkp-dispense-code", "category"),
        ("category.coding.0.code", "2.3", "vkp-dispense-code", "category"),
        ("category.coding.0.system", "urn:vendor", "vkp-dispense-code", "category"),
        ("category.coding.0.system", _EVENTS.format("v06"), "vkp-dispense-code", "category"),
        (
            "category.coding.0",
            {"system": _EVENTS.format("v06"), "code": "1", "display": "medisin_utlevert"},
            "profile-code-older-list",
            "category.coding[0].system",
        ),
        (
            "category.coding.0",
            {"system": _EVENTS.format("v06"), "code": "2", "display": "medisin_ikke_utlevert"},
            "vkp-dispense-code",
            "category",
        ),
        (
            "category.coding.0",
            {"system": _EVENTS.format("v090"), "code": "2", "display": "medisin_ikke_utlevert"},
            "profile-code-contradicted",
            "category.coding[0].display",
        ),
        ("category.text", "Medisinen ble ikke utlevert", "profile-code-contradicted", "category.text"),
        (
            "category.coding.0",
            {"system": _EVENTS.format("v090"), "code": "2"},
            "vkp-dispense-code-alone",
            "category.coding[0].code",
        ),
        *_gone(
            "vkp-dispense-subject",
            "subject",
            "subject.identifier",
            "subject.identifier.system",
            "subject.identifier.value",
        ),
        ("subject.identifier.system", LOCAL, "vkp-dispense-subject", "subject.identifier.system"),
        ("subject.identifier.system", "urn:oid:2.16.578.1.12.4.1", "vkp-dispense-subject", "subject.identifier.system"),
        ("performer", GONE, "vkp-dispense-performer", "performer"),
        ("performer.0.actor.identifier", GONE, "vkp-dispense-performer-identifier", "performer[0].actor.identifier"),
        (
            "performer.0.actor.identifier.system",
            GONE,
            "vkp-dispense-performer-identifier",
            "performer[0].actor.identifier.system",
        ),
        (
            "performer.0.actor.identifier.value",
            GONE,
            "vkp-dispense-performer-identifier",
            "performer[0].actor.identifier.value",
        ),
        ("performer.0.actor.reference", "Device/1", "profile-not-used", "performer[0].actor.reference"),
        ("identifier.0.system", LOCAL, "profile-fixed-value", "identifier[0].system"),
    ),
    *_of(
        _ENCOUNTER,
        "entry.1.resource",
        *_gone(None, "status", "class"),
        *_gone("profile-required", "subject", "participant", "period"),
        ("participant.0.type", GONE, "profile-required", "participant[0].type"),
        ("participant.1.type.0.coding.0.code", "9", "profile-code", "participant[1].type[0]"),
        (
            "participant.0.type",
            [
                {"coding": [{"system": "http://ehelse.no/fhir/CodeSystem/vkp-encounter-mode-v090", "code": n}]}
                for n in "12"
            ],
            "profile-too-many",
            "participant[0].type",
        ),
        (
            "participant.0.type.0.coding.0.system",
            "http://ehelse.no/fhir/CodeSystem/vkp-encounter-type-v090",
            "profile-code-older-list",
            "participant[0].type[0].coding[0].system",
        ),
        (
            "participant.0.type.0.coding.0.display",
            "toveis tale",
            "profile-text-contradicts-code",
            "participant[0].type[0].coding[0].display",
        ),
        ("reasonCode.0.coding.0.code", "3", "profile-code", "reasonCode[0]"),
        ("reasonCode.0.coding.0.display", "fall", "profile-text-contradicts-code", "reasonCode[0].coding[0].display"),
        ("reasonCode", [{"text": "a"}, {"text": "b"}], "profile-too-many", "reasonCode"),
        ("identifier.0.system", LOCAL, "profile-fixed-value", "identifier[0].system"),
    ),
    *_of(
        _BP,
        "",
        *_gone(None, "status", "code"),
        *_gone("profile-required", "subject", "category"),
        ("effectiveDateTime", GONE, "measurement-time", "effective.ofType(dateTime)"),
        ("effectiveDateTime", "2026-01", "measurement-time", "effective.ofType(dateTime)"),
        ("category.0.coding.0.code", "survey", "profile-slice-missing", "category"),
        ("code.coding.0.code", "8867-4", "profile-slice-missing", "code.coding"),
        ("component", GONE, "profile-required", "component"),
        ("component.0", GONE, "profile-slice-missing", "component"),
        ("component.1.code.coding.0.code", "8480-6", "profile-slice-missing", "component"),
        ("component.1.code.coding.0.code", "8480-6", "profile-too-many", "component"),
        ("component.0.valueQuantity", GONE, "measurement-value", "component[0].value.ofType(Quantity)"),
        ("component.0.valueQuantity.value", GONE, "measurement-value", "component[0].value.ofType(Quantity).value"),
        ("component.0.valueQuantity.unit", GONE, "measurement-unit", "component[0].value.ofType(Quantity).unit"),
        ("component.0.valueQuantity.system", GONE, "measurement-unit", "component[0].value.ofType(Quantity).system"),
        ("component.1.valueQuantity.code", GONE, "measurement-unit", "component[1].value.ofType(Quantity).code"),
        ("component.1.valueQuantity.code", "kPa", "measurement-unit", "component[1].value.ofType(Quantity).code"),
        (
            "component.1.valueQuantity",
            {"value": 81},
            "measurement-unit-missing",
            "component[1].value.ofType(Quantity).unit",
        ),
        ("subject.identifier.system", LOCAL, "measurement-subject-system", "subject.identifier.system"),
        ("performer.0.identifier.system", HER, "profile-code", "performer[0].identifier.system"),
        ("performer.0.reference", "Patient/1", "profile-target", "performer[0]"),
        (
            "bodySite",
            {"coding": [{"system": "http://snomed.info/sct", "code": "34402009"}]},
            "profile-code",
            "bodySite",
        ),
        ("method", {"text": "automatisk"}, "profile-code", "method"),
    ),
    *_of(
        _GLUCOSE,
        "",
        *_gone(None, "status", "code"),
        *_gone("profile-required", "subject"),
        ("subject.identifier.system", LOCAL, "measurement-subject-system", "subject.identifier.system"),
        ("performer.0.type", "Device", "profile-target", "performer[0]"),
        ("performer.1.type", "Practitioner", "profile-target", "performer[1]"),
        ("code.coding.0.display", "Heart rate", "profile-text-contradicts-code", "code.coding[0].display"),
    ),
    *_of(
        _TEMPERATURE,
        "",
        *_gone("profile-required", "subject", "category"),
        ("effectiveDateTime", GONE, "measurement-time", "effective.ofType(dateTime)"),
        ("valueQuantity", GONE, "measurement-value", "value.ofType(Quantity)"),
        ("valueQuantity.value", GONE, "measurement-value", "value.ofType(Quantity).value"),
        ("valueQuantity.code", "K", "measurement-unit", "value.ofType(Quantity).code"),
        ("valueQuantity.system", "urn:vendor", "measurement-unit", "value.ofType(Quantity).system"),
        ("valueQuantity", {"value": 37}, "measurement-unit-missing", "value.ofType(Quantity).unit"),
    ),
    *_of(
        _BATCH,
        "",
        ("entry.0.fullUrl", GONE, "profile-required", "entry[0].fullUrl"),
        ("entry.1.request", GONE, "profile-required", "entry[1].request"),
        ("entry.1.request.method", "DELETE", "profile-fixed-value", "entry[1].request.method"),
        ("type", "transaction", "profile-fixed-value", "type"),
        ("entry.0.resource.resourceType", "Basic", "profile-fixed-value", "entry[0].resource.resourceType"),
    ),
    *_of(_BATCH, "entry.0.resource", ("effectiveDateTime", GONE, "measurement-time", "effective.ofType(dateTime)")),
]
