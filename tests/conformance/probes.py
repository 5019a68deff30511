"""Messages written by hand for the differential test: what checks are known to read differently, one thing in each."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.fhir.identifiers import FNR
from tests.unit.fhir.messages import KARI

LITERALS: Final = (
    *r"""
true ; false ; "true" ; null ; [] ; {} ; "" ; " " ; "a" ; " a" ; "a " ; "a b" ; "a  b" ; "æ\u00a0ø" ; "\u0001" ;
"\u007f" ; "a\nb" ; "\u00a0" ; "\u2003" ; "\ufeff" ; "{}" ; "x-1.A" ; "under_score" ; "Patient/1" ; "#p" ;
"http://a.example/æ" ; "http://a.example/a b" ; 0 ; 1 ; -1 ; -0 ; 1.0 ; 0.5 ; 1e2 ; 1E+2 ; 36.50 ;
0.10000000000000000001 ; 2147483647 ; 2147483648 ; -2147483648 ; -2147483649 ; 1e400 ; NaN ; "5" ; "5.0" ;
"36.5" ; 1720000000 ; 01 ; +1 ; .5 ; "0" ; "1" ; "-1" ; "2024" ; "2024-07" ; "2024-07-03" ; "2024-13" ;
"2024-02-30" ; "2023-02-29" ; "2024-02-29" ; "0000" ; "0001" ; "0000-01-01" ; "24-07-03" ; "2024-7-3" ;
"20240703" ; "2024-07-03T08" ; "2024-07-03T08:36Z" ; "2024-07-03T08:36:37" ; "2024-07-03T08:36:37Z" ;
"2024-07-03T08:36:37z" ; "2024-07-03 08:36:37Z" ; "2024-07-03t08:36:37Z" ; "2024-07-03T08:36:37+02:00" ;
"2024-07-03T08:36:37+0200" ; "2024-07-03T08:36:37.1678092+00:00" ; "2024-07-03T08:36:37.Z" ;
"2024-07-03T08:36:37.123456789012Z" ; "2016-12-31T23:59:60Z" ; "2024-07-03T24:00:00Z" ; "2024-07-03T08:60:00Z" ;
"2024-07-03T08:36:61Z" ; "2024-07-03T08:36:37+14:00" ; "2024-07-03T08:36:37+14:30" ; "2024-07-03T08:36:37-00:00" ;
"08:36:37" ; "08:36" ; "08:36:37Z" ; "08:36:37.5" ; "24:00:00" ; "08:36:60" ; "8:36:37" ; "2024-02-30T08:36:37Z" ;
"QUJD" ; "QUI=" ; "QQ==" ; "QUJ" ; "QU JD" ; "QUJD QUJD" ; "QUJD\nQUJD" ; "@@@@" ; "QUI=QUI=" ; "QUJ-" ;
"urn:oid:1.2.3" ; "urn:oid:1" ; "urn:oid:1.02" ; "urn:oid:3.1" ; "urn:oid:" ; "1.2.3" ;
"urn:uuid:c757873d-ec9a-4326-a141-556f43239520" ; "urn:uuid:c757873d-ec9a-1326-a141-556f43239520" ;
"urn:uuid:C757873D-EC9A-4326-A141-556F43239520" ; "c757873d-ec9a-4326-a141-556f43239520" ; "urn:uuid:1" ;
"Skyresponse:timestamp" ; "mailto:a@a.example" ; "http://a.example/x|1.0" ; "http://a.example/x|1.0#y"
""".strip()
    .replace(" ;\n", " ; ")
    .split(" ; "),
    f'"{"i" * 64}"',
    f'"{"i" * 65}"',
    "9" * 30,
)
"""JSON texts, most of them a value of some primitive type and of none of the others."""

TYPES: Final = (
    *("base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer"),
    *("markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid"),
)

_ANY: Final = {"url": "a", "valueCode": "a"}
_HTTP: Final = "http://a.example/"
_URN: Final = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
_XHTML: Final = 'xmlns="http://www.w3.org/1999/xhtml"'


def _patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **members}


def _named(**members: Any) -> dict[str, Any]:
    return _patient(name=[members])


def _basic(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Basic", "code": {"text": "a"}, **members}


def _extended(**members: Any) -> dict[str, Any]:
    return _basic(extension=[members])


def _observed(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, **members}


def _bundle(*entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", **({"entry": list(entries)} if entries else {}), **members}


def _narrated(div: str) -> dict[str, Any]:
    return _basic(text={"status": "generated", "div": div})


def _deep(levels: int) -> dict[str, Any]:
    extension: dict[str, Any] = _ANY
    for _ in range(levels):
        extension = {"url": "a", "extension": [extension]}
    return _basic(extension=[extension])


_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nothing": "",
        "blanks-only": "  \n",
        "no-json": "Patient",
        "cut-off": '{"resourceType": "Patient"',
        "comma-at-end": '{"resourceType": "Patient",}',
        "comment": '{"resourceType": "Patient" /* a */}',
        "single-quotes": "{'resourceType': 'Patient'}",
        "array-at-top": '[{"resourceType": "Patient"}]',
        "text-at-top": '"Patient"',
        "null-at-top": "null",
        "two-values": '{"resourceType": "Patient"} {"resourceType": "Patient"}',
        "byte-order-mark": '\ufeff{"resourceType": "Patient"}',
        "name-twice": '{"resourceType": "Patient", "gender": "male", "gender": "female"}',
        "type-twice": '{"resourceType": "Patient", "resourceType": "Patient"}',
        "half-pair": '{"resourceType": "Patient", "name": [{"text": "\\ud83d"}]}',
        "whole-pair": '{"resourceType": "Patient", "name": [{"text": "\\ud83d\\ude00"}]}',
        "raw-control": '{"resourceType": "Patient", "name": [{"text": "a\tb"}]}',
        "null-character": '{"resourceType": "Patient", "name": [{"text": "\\u0000"}]}',
        "escaped-name": '{"resource\\u0054ype": "Patient"}',
    }
)

_TYPES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "no-type": {"id": "a"},
        "unknown-type": {"resourceType": "FooType"},
        "abstract-type": {"resourceType": "DomainResource"},
        "data-type": {"resourceType": "HumanName", "text": "a"},
        "type-in-lower-case": {"resourceType": "patient"},
        "type-no-string": {"resourceType": 1},
        "type-of-r4b-only": {"resourceType": "Citation", "status": "draft"},
        "type-of-r4-only": {
            "resourceType": "EffectEvidenceSynthesis",
            "status": "draft",
            **{name: {"display": "a"} for name in ("population", "exposure", "exposureAlternative", "outcome")},
        },
        "type-in-data-type": _named(resourceType="HumanName", text="a"),
        "entry-no-type": _bundle({"resource": {"id": "a"}}),
        "entry-unknown-type": _bundle({"resource": {"resourceType": "FooType"}}),
        "contained-no-type": _basic(contained=[{"id": "a"}], author={"reference": "#a"}),
    }
)

_MEMBERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "unknown-member": _patient(names=["a"]),
        "comments-of-dstu2": _patient(fhir_comments=["a"]),
        "python-name": _patient(resource_type="Patient"),
        "python-extension": _observed(status__ext={"id": "a"}),
        "twin-of-complex": _patient(_name=[{"id": "a"}]),
        "twin-of-id": _patient(id="a", _id={"id": "a"}),
        "twin-of-element-id": _named(id="a", _id={"id": "b"}, text="a"),
        "twin-of-extension-url": _extended(_url={"id": "a"}, valueCode="a"),
        "twin-of-type": _patient(_resourceType={"id": "a"}),
        "value-meta": _extended(url="a", valueMeta={"versionId": "a"}),
        "value-of-r4b": _extended(url="a", valueCodeableReference={"concept": {"text": "a"}}),
        "value-of-r5": _extended(url="a", valueInteger64="5"),
        "value-of-no-type": _extended(url="a", value="a"),
        "extension-without-url": _extended(valueCode="a"),
        "extension-of-nothing": _extended(url="a"),
        "extension-of-both": _extended(**_ANY, extension=[_ANY]),
        "deep": _deep(20),
        "deeper": _deep(60),
        "deepest": _deep(300),
    }
)

_CARDINALITIES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "required-missing": {"resourceType": "Observation", "code": {"text": "a"}},
        "required-by-twin": {
            "resourceType": "Observation",
            "code": {"text": "a"},
            "_status": {"extension": [_ANY]},
        },
        "required-two-missing": {"resourceType": "Observation"},
        "required-choice-missing": {"resourceType": "Media", "status": "completed"},
        "two-values-of-a-choice": _observed(valueString="a", valueBoolean=True),
        "value-and-twin-of-another": _observed(valueString="a", _valueBoolean={"id": "a"}),
        "object-for-array": _patient(name={"text": "a"}),
        "array-for-object": _observed(subject=[{"display": "a"}]),
        "object-in-text": _observed(subject='{"display": "a"}'),
        "text-for-array": _named(given="a"),
        "empty-array": _patient(name=[]),
        "empty-array-of-text": _named(family="a", given=[]),
        "empty-object": _named(),
        "id-only": _named(id="a"),
        "null-object": _observed(subject=None),
        "null-array": _patient(name=None),
        "null-in-array-of-objects": _patient(name=[None, {"text": "a"}]),
        "null-in-array-of-text": _named(given=["a", None]),
        "null-beside-twin": _named(given=["a", None], _given=[None, {"id": "a", "extension": [_ANY]}]),
        "twin-shorter": _named(given=["a", "b"], _given=[{"id": "a"}]),
        "twin-of-nulls": _named(given=["a"], _given=[None]),
        "twin-with-id-only": _patient(_birthDate={"id": "a"}),
        "twin-with-extension": _patient(_birthDate={"extension": [_ANY]}),
        "twin-array-for-one": _patient(_birthDate=[{"extension": [_ANY]}]),
    }
)

_MEANINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "reference-to-wrong-type": _observed(encounter={"reference": "Patient/1"}),
        "reference-dangling": _observed(subject={"reference": "#p"}),
        "reference-of-wrong-type": _observed(encounter={"type": "Patient", "display": "a"}),
        "reference-of-r4b": _observed(subject={"reference": "Organization/1"}),
        "contained-alone": _basic(contained=[_patient(id="p")]),
        "contained-in-contained": _basic(
            author={"reference": "#p"}, contained=[_patient(id="p", contained=[_patient(id="q")])]
        ),
        "bundle-of-unknown-kind": _bundle(type="documents"),
        "full-url-relative": _bundle({"fullUrl": "Basic/1", "resource": _basic()}),
        "full-url-of-one-version": _bundle({"fullUrl": _HTTP + "Basic/1/_history/1", "resource": _basic()}),
        "full-url-twice": _bundle(*({"fullUrl": _URN, "resource": _basic()} for _ in range(2))),
        "empty-entry": _bundle({"fullUrl": _URN}),
        "total-of-a-collection": _bundle(total=1),
        "link-twice": _bundle(link=[{"relation": "self", "url": each} for each in "ab"]),
        "element-id-twice": _patient(name=[{"id": "a", "text": each} for each in "ab"]),
        "attachment-size": {
            "resourceType": "Media",
            "status": "completed",
            "content": {"contentType": "a/b", "data": "QUJD", "size": 4},
        },
        "wrong-check-digits": _observed(subject={"identifier": {"system": FNR, "value": KARI[:-1] + "1"}}),
        "wrong-code": _observed(status="finale"),
        "wrong-coded-concept": {
            "resourceType": "AllergyIntolerance",
            "patient": {"display": "a"},
            "clinicalStatus": {"coding": [{"system": _HTTP, "code": "active"}]},
        },
        "two-answers": _observed(valueString="a", dataAbsentReason={"text": "a"}),
        "end-before-start": _named(text="a", period={"start": "2024", "end": "2023"}),
        "code-without-system": _observed(valueQuantity={"value": 1, "code": "kg"}),
        "comparator-in-range": _observed(valueRange={"low": {"value": 1, "comparator": "<"}}),
        "narrative-plain": _narrated(f"<div {_XHTML}><p>a &#160; b</p></div>"),
        "narrative-without-div": _basic(text={"status": "generated"}),
        "narrative-empty": _narrated(f"<div {_XHTML}> </div>"),
        "narrative-without-namespace": _narrated("<div>a</div>"),
        "narrative-without-markup": _narrated("a"),
        "narrative-not-closed": _narrated(f"<div {_XHTML}><p>a</div>"),
        "narrative-script": _narrated(f"<div {_XHTML}><script>a</script></div>"),
        "narrative-named-entity": _narrated(f"<div {_XHTML}>&nbsp;</div>"),
        "narrative-another-element": _narrated(f"<p {_XHTML}>a</p>"),
        "narrative-two": _narrated(f"<div {_XHTML}>a</div><div {_XHTML}>b</div>"),
    }
)


def _literals() -> Iterator[tuple[str, str]]:
    for type_name in TYPES:
        member = "value" + type_name[0].upper() + type_name[1:]
        without = json.dumps(_extended(url="a"))
        for literal in LITERALS:
            yield f"{type_name}={literal}", without.replace('"a"}]', f'"a", "{member}": {literal}}}]')


def probes() -> dict[str, bytes]:
    """Every probe by its name."""
    messages = {**_TYPES, **_MEMBERS, **_CARDINALITIES, **_MEANINGS}
    texts = {**_TEXTS, **{name: json.dumps(message) for name, message in messages.items()}, **dict(_literals())}
    return {name: text.encode() for name, text in texts.items()} | {
        "not-utf-8": b'{"resourceType": "Patient", "language": "\xe6"}',
        "utf-16": '{"resourceType": "Patient"}'.encode("utf-16"),
    }
