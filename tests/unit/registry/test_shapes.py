"""What people write is read closed and with nothing converted; what is wrong is told without repeating it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.registry.bodies import NotReadable, json_object
from shared.registry.model import Grant, Municipality, Receiver, System
from shared.registry.partner import PartnerProfile
from shared.registry.shapes import Invalid, kept, schema, written
from tests.unit.registry.samples import ORGNR

A_PERSON = "01880012345"
GRANT: dict[str, Any] = {"orgnr": ORGNR, "vkpId": "v"}
PLACE: dict[str, Any] = {"orgnr": ORGNR, "name": "Solvik", "receivers": []}


def faults(kind: type[Any], fields: dict[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as raised:
        written(kind, fields)
    return [str(each) for each in raised.value.faults]


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        (Grant, {**GRANT, "maySend": "true"}, "maySend"),
        (Grant, {**GRANT, "maySend": 1}, "maySend"),
        (Grant, {**GRANT, "maySend": None}, "maySend"),
        (Grant, {**GRANT, "validFrom": 1768464000}, "validFrom"),
        (Grant, {**GRANT, "validFrom": "2026-01-15"}, "validFrom"),
        (Grant, {**GRANT, "validFrom": "1768464000"}, "validFrom"),
        (Grant, {**GRANT, "validFrom": "0001-01-01T00:00:00+01:00"}, "validFrom"),
        (Grant, {**GRANT, "validFrom": "9999-12-31T23:59:59-01:00"}, "validFrom"),
        (Grant, {**GRANT, "validFrom": "2026-02-30T00:00:00Z"}, "validFrom"),
        (Grant, {**GRANT, "validFrom": "2026-01-15T08:00:00"}, "validFrom"),
        (Grant, {**GRANT, "resources": "bundle"}, "resources"),
        (Grant, {**GRANT, "resources": [1]}, "resources.0"),
        (Grant, {**GRANT, "resources": ["x"] * 2 + [str(each) for each in range(101)]}, "resources"),
        (Grant, {**GRANT, "vkpId": ""}, "vkpId"),
        (Grant, {**GRANT, "vkpId": " v"}, "vkpId"),
        (Grant, {**GRANT, "vkpId": "v\n"}, "vkpId"),
        (Grant, {**GRANT, "vkpId": "v\u202e"}, "vkpId"),
        (Grant, {**GRANT, "vkpId": "v" * 129}, "vkpId"),
        (Grant, {**GRANT, "orgnr": "３１００００019"}, "orgnr"),
        (Grant, {**GRANT, "orgnr": ORGNR + "\n"}, "orgnr"),
        (Grant, {**GRANT, "vkp_id": "v"}, "vkp_id"),
        (Grant, {**GRANT, "MaySend": True}, "MaySend"),
        (Grant, {"orgnr": ORGNR}, "vkpId"),
        (Municipality, {**PLACE, "retentionDays": 0}, "retentionDays"),
        (Municipality, {**PLACE, "retentionDays": 1.5}, "retentionDays"),
        (Municipality, {**PLACE, "retentionDays": True}, "retentionDays"),
        (Municipality, {**PLACE, "environment": "Test"}, "environment"),
        (Municipality, {**PLACE, "receivers": {}}, "receivers"),
        (Municipality, {**PLACE, "receivers": [{"id": "epj"}]}, "receivers.0.url"),
        (Municipality, {**PLACE, "traffic": {"writes": True}}, "traffic.writes"),
        (System, {"vkpId": "v", "rateLimit": {"perSecond": 1}}, "rateLimit.burst"),
        (System, {"vkpId": "v", "rules": {"nope": "error"}}, "rules"),
    ],
)
def test_what_is_not_as_it_must_be_is_told_at_its_place(kind: type[Any], fields: dict[str, Any], field: str) -> None:
    assert any(each.startswith(f"{field}: ") for each in faults(kind, fields))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Grant, {**GRANT, A_PERSON: 1}),
        (Grant, {**GRANT, "validFrom": A_PERSON}),
        (PartnerProfile, {"orgnr": ORGNR, "codes": {A_PERSON: 1}}),
        (System, {"vkpId": "v", "rules": {A_PERSON: "error"}}),
        (System, {"vkpId": "v", "rules": {"nope": A_PERSON}}),
        (Municipality, {**PLACE, "note": {A_PERSON: True}}),
        (Municipality, {**PLACE, "note": {"language": A_PERSON}}),
        (Receiver, {"id": A_PERSON * 2, "url": ""}),
    ],
)
def test_a_fault_repeats_nothing_of_what_was_sent(kind: type[Any], fields: dict[str, Any]) -> None:
    assert A_PERSON not in "".join(faults(kind, fields))


def test_every_form_is_closed_in_its_schema_too() -> None:
    def objects(value: Any) -> list[dict[str, Any]]:
        if isinstance(value, dict):
            mine = [value] if "properties" in value else []
            return mine + [each for one in value.values() for each in objects(one)]
        return [each for one in value for each in objects(one)] if isinstance(value, list) else []

    for kind in (Municipality, Grant, System, PartnerProfile):
        found = objects(schema(kind))
        assert found
        assert all(each["additionalProperties"] is False for each in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["orgnr", "vkpId", "resources", "name", "receivers", "note", "traffic", "rules", "codes", "x"]),
    JSON,
)


@given(st.sampled_from([Municipality, Grant, System, PartnerProfile]), FIELDS)
def test_whatever_is_sent_is_an_entry_or_has_faults(kind: type[Any], fields: dict[str, Any]) -> None:
    with suppress(Invalid):
        entry = written(kind, fields)
        assert kept(kind, entry.document()) == entry


@given(st.binary(max_size=60))
def test_whatever_bytes_are_sent_are_an_object_or_not_readable(body: bytes) -> None:
    with suppress(NotReadable):
        assert isinstance(json_object(body, 50), dict)
