"""Whatever is posted, the answer is a refusal or a reading, and it never repeats what was posted."""

import copy
import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import HubError
from shared.fhir.outcome import accepted_outcome, operation_outcome, to_bytes
from shared.fhir.reading import read_message
from shared.fhir.resources import ADDRESSES
from tests.data import NHN_ALARM, example
from tests.unit.fhir.messages import body, document, observation
from tests.unit.fhir.strategies import fhir_like

CANARY = "Canary05834410070"
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def judge(sent: bytes, resource: str) -> str:
    """Everything that anybody gets to see of a judgement: the answer, and what a log could print."""
    try:
        reading = read_message(sent, resource)
    except HubError as error:
        answer = to_bytes(operation_outcome(error)).decode()
        return "\n".join((answer, repr(error), str(error), repr(error.findings), *traceback.format_exception(error)))
    return to_bytes(accepted_outcome("id", reading.warnings)).decode() + repr(reading)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(sorted(ADDRESSES)))
def test_any_bytes_are_judged(sent: bytes, resource: str) -> None:
    assert judge(sent, resource)


@settings(deadline=None)
@given(_JSON, st.sampled_from(sorted(ADDRESSES)))
def test_any_json_is_judged(message: Any, resource: str) -> None:
    assert judge(json.dumps(message).encode(), resource)


@settings(deadline=None)
@given(fhir_like(), st.sampled_from(sorted(ADDRESSES.values())))
def test_anything_like_fhir_is_judged(message: Any, resource_type: str) -> None:
    assert judge(body(message | {"resourceType": resource_type}), resource_type)


@settings(deadline=None)
@given(fhir_like(), st.data())
def test_a_good_message_with_anything_put_into_it_is_judged(part: Any, data: st.DataObject) -> None:
    message = document()
    places = list(objects(message))
    holder = data.draw(st.sampled_from(places))
    name = data.draw(st.sampled_from([*sorted(holder), "contained", "extension", "meta", "text", "id", "_status"]))
    holder[name] = data.draw(st.sampled_from([part, [part], [part, holder.get(name)], "", None, 5, json.dumps(part)]))
    assert judge(body(message), "bundle")


@settings(deadline=None)
@given(st.data())
def test_a_message_cut_off_or_altered_by_a_byte_is_judged(data: st.DataObject) -> None:
    sent = bytearray(body(document()))
    at = data.draw(st.integers(0, len(sent) - 1))
    if data.draw(st.booleans()):
        sent[at] = data.draw(st.integers(0, 255))
    else:
        del sent[at:]
    assert judge(bytes(sent), "bundle")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in list(value.values()):
            yield from objects(member)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def poisoned(message: Any) -> Iterator[Any]:
    """The message with the canary in the place of each member, as a new member, and as each member's name."""
    for number, original in enumerate(list(objects(message))):
        for name in [*original, None]:
            for kind in range(6):
                changed = copy.deepcopy(message)
                holder = list(objects(changed))[number]
                if name is None:
                    holder[CANARY] = kind
                    holder["_" + CANARY] = [CANARY]
                elif kind == 0:
                    holder[name] = CANARY
                elif kind == 1:
                    holder[name] = {CANARY: CANARY}
                elif kind == 2:
                    holder[name] = [CANARY, {"resourceType": CANARY}]
                elif kind == 3:
                    holder[CANARY] = holder.pop(name)
                elif kind == 4:
                    holder[name] = f" urn:uuid:{CANARY} "
                else:
                    holder[name] = [holder[name], {"reference": CANARY, CANARY: None}, f'{{"a": "{CANARY}"}}']
                yield changed
                if name is None:
                    break


@pytest.mark.parametrize(
    ("sent", "resource"),
    [
        (NHN_ALARM.read_bytes(), "bundle"),
        (example("derived-r4/medication-dispense-message.json"), "bundle"),
        (body(observation(valueQuantity={"value": 1}, effectiveDateTime="2026-01-15")), "observation"),
    ],
    ids=["alarm", "medicine", "measurement"],
)
def test_nothing_posted_is_ever_repeated(sent: bytes, resource: str) -> None:
    for message in poisoned(json.loads(sent)):
        shown = judge(body(message), resource)
        assert CANARY.lower() not in shown.lower()


@pytest.mark.parametrize(
    "sent",
    [
        f"{CANARY}",
        f'{{"{CANARY}": {CANARY}}}',
        f'{{"{CANARY}": 1, "{CANARY}": 2}}',
        f'{{"resourceType": "{CANARY}", "{CANARY}": NaN}}',
        f'{{"resourceType": "Bundle", "id": "{CANARY}\\ud800"}}',
        f'{{"resourceType": "Bundle", "{CANARY}": "unfinished',
        f'["{CANARY}"]',
    ],
)
def test_broken_text_is_never_repeated(sent: str) -> None:
    assert CANARY not in judge(sent.encode(), "bundle")
    assert CANARY not in judge(sent.encode() + b"\xff", "bundle")
    assert CANARY not in judge(sent.encode(), CANARY)
