"""What people ask for is read strictly: a filter that is misunderstood would replay more than was meant."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import OrderInvalid, OrderNotJson
from shared.road import orders

RIGHT: dict[str, Any] = {
    "orgnr": "310000019", "receiver": "epj", "cause": "REC_HTTP_422", "since": "2026-11-22T12:00:00+01:00",
    "until": "2026-11-22T12:00:00Z", "ids": ["a" * 20 + "." + "b" * 26], "dryRun": False, "why": "it has been mended",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def body(**changed: object) -> bytes:
    return json.dumps({**RIGHT, **changed}).encode()


def test_a_right_order_is_read_and_its_times_are_utc() -> None:
    order = orders.replay(body())
    assert (order.orgnr, order.dry_run, len(order.ids)) == ("310000019", False, 1)
    assert order.wanted.since is not None
    assert order.wanted.since.isoformat() == "2026-11-22T11:00:00+00:00"


def test_a_replay_is_a_dry_run_unless_it_is_said_otherwise() -> None:
    assert orders.replay(b'{"orgnr": "310000019"}').dry_run


@pytest.mark.parametrize(
    "changed",
    [
        {"dryrun": False}, {"orgnr": None}, {"orgnr": "31000001"}, {"receiver": "Epj"}, {"cause": "' OR true"},
        {"since": "2026-11-22"}, {"since": "2026-11-22T12:00:00"}, {"until": 5}, {"ids": ["x"]}, {"ids": "x"},
        {"dryRun": "no"}, {"why": ""}, {"why": "  a "}, {"why": None}, {"why": "about 12345678901"}, {"why": "a\nb"},
        {"since": "0001-01-01T00:00:00+23:00"}, {"until": "9999-12-31T23:59:59-23:00"},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_wrong_is_refused_by_its_name(changed: dict[str, object]) -> None:
    with pytest.raises(OrderInvalid) as refused:
        orders.replay(body(**changed))
    assert {each.expression for each in refused.value.findings} <= {*changed, "order"}


@given(st.dictionaries(st.sampled_from([*RIGHT, "more"]), JSON))
def test_any_body_is_read_or_refused_and_no_word_of_it_comes_back(changed: dict[str, object]) -> None:
    try:
        order = orders.replay(json.dumps({**RIGHT, **changed}).encode())
    except OrderInvalid as refused:
        told = " ".join(each.text + each.expression for each in refused.findings)
        assert not any(isinstance(each, str) and len(each) > 15 and each in told for each in changed.values())
    else:
        assert order.orgnr


@given(st.binary(max_size=60))
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises((OrderNotJson, OrderInvalid)):
        orders.replay(raw)


@given(
    st.dictionaries(st.sampled_from(["orgnr", "receiver", "cause", "since", "until", "after", "limit", "x"]), st.text())
)
def test_any_query_is_read_or_refused(query: dict[str, str]) -> None:
    try:
        found = orders.search(query)
    except OrderInvalid:
        return
    assert 1 <= found.limit <= orders.MOST


@pytest.mark.parametrize(
    "changed", [{"purpose": "CURIOUS"}, {"reference": ""}, {"reference": "01017000000"}, {"id": "a"}]
)
def test_a_look_needs_a_delivery_a_purpose_and_a_reference(changed: dict[str, str]) -> None:
    right = {"id": "a" * 20 + "." + "b" * 26 + ".epj", "purpose": "HOPERAT", "reference": "case-1"}
    assert orders.words(json.dumps(right).encode()).reference == "case-1"
    with pytest.raises(OrderInvalid):
        orders.words(json.dumps({**right, **changed}).encode())
