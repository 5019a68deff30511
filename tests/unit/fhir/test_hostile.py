"""Whatever is posted, the answer is a refusal or a reading, and it never repeats what was posted."""

import copy
import json
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import HubError
from shared.fhir.json_text import MAX_DEPTH
from shared.fhir.outcome import accepted_outcome, operation_outcome, to_bytes
from shared.fhir.reading import Judging, read_message
from shared.fhir.resources import ADDRESSES
from shared.fhir.rules import DEFAULT, STRICT, Policy
from tests.data import NHN_ALARM, example
from tests.unit.fhir.messages import body, document, observation
from tests.unit.fhir.strategies import examples, fhir_like, mutated_examples, places

CANARY = "Canary05834410070"
_NUMBERS: tuple[str, ...] = ("0", "-0", "-0.0", "1E+2", "1e400", "1e-400", "-1e-300", "NaN", "-Infinity", "2147483648")
_NUMBERS += ("9" * 64, "9" * 65, "1" * 5000, "0." + "0" * 60 + "1", "1." + "0" * 70, "1e" + "9" * 30)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def judge(sent: bytes, resource: str, policy: Policy = DEFAULT) -> str:
    """Everything that anybody gets to see of a judgement: the answer, and what a log could print.

    Anything raised but the typed refusals fails the test.
    """
    try:
        reading = read_message(sent, resource, Judging(policy))
    except HubError as error:
        answer = to_bytes(operation_outcome(error)).decode()
        return "\n".join((answer, repr(error), str(error), repr(error.findings), *traceback.format_exception(error)))
    return to_bytes(accepted_outcome("id", reading.warnings)).decode() + repr(reading)


def address(message: Any) -> str:
    """Where a message belongs; bundles are taken for what belongs nowhere."""
    resource_type = message.get("resourceType") if isinstance(message, dict) else None
    return resource_type if isinstance(resource_type, str) and resource_type.lower() in ADDRESSES else "bundle"


def with_numbers(message: Any, numbers: list[str]) -> bytes:
    """The message with its numbers, and strings that say so, written in these ways."""
    written = iter(numbers)
    pieces = re.split(rb'"NUMBER"|(?<=: )-?[0-9][0-9.]*(?=[,}])', body(message))
    return b"".join([*(piece + next(written, "1").encode() for piece in pieces[:-1]), pieces[-1]])


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.sampled_from(sorted(ADDRESSES)))
def test_any_bytes_are_judged(sent: bytes, resource: str) -> None:
    assert judge(sent, resource)


@settings(deadline=None, max_examples=50)
@given(_JSON, st.sampled_from(sorted(ADDRESSES)))
def test_any_json_is_judged(message: Any, resource: str) -> None:
    assert judge(json.dumps(message).encode(), resource)


@settings(deadline=None, max_examples=50)
@given(fhir_like(), st.sampled_from(sorted(ADDRESSES.values())))
def test_anything_like_fhir_is_judged(message: Any, resource_type: str) -> None:
    assert judge(body(message | {"resourceType": resource_type}), resource_type)


@settings(deadline=None, max_examples=50)
@given(mutated_examples(), st.sampled_from([DEFAULT, STRICT]))
def test_any_altered_example_is_judged(message: Any, policy: Policy) -> None:
    assert judge(body(message), address(message), policy)


@settings(deadline=None, max_examples=50)
@given(fhir_like(), st.data())
def test_a_good_message_with_anything_put_into_it_is_judged(part: Any, data: st.DataObject) -> None:
    message = document()
    holder = data.draw(st.sampled_from(list(objects(message))))
    name = data.draw(st.sampled_from([*sorted(holder), "contained", "extension", "meta", "text", "id", "_status"]))
    holder[name] = data.draw(st.sampled_from([part, [part], [part, holder.get(name)], "", None, 5, json.dumps(part)]))
    assert judge(body(message), "bundle")


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_message_cut_off_or_altered_by_a_byte_is_judged(data: st.DataObject) -> None:
    sent = bytearray(data.draw(st.sampled_from(examples())))
    at = data.draw(st.integers(0, len(sent) - 1))
    if data.draw(st.booleans()):
        sent[at] = data.draw(st.integers(0, 255))
    else:
        del sent[at:]
    assert judge(bytes(sent), "bundle")


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(examples()), st.lists(st.sampled_from(_NUMBERS), min_size=1))
def test_numbers_however_written_are_judged(sent: bytes, numbers: list[str]) -> None:
    message = json.loads(sent)
    message["extension"] = [{"url": "http://a.example", "valueDecimal": "NUMBER", "valueInteger": "NUMBER"}]
    assert judge(with_numbers(message, numbers), address(message))


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ('{"extension":', "}"), ('{"extension":[', "]}"), ('{"contained":[{"resourceType":"Bundle"},', "]}")],
)
def test_any_nesting_is_judged(depth: int, opening: str, closing: str) -> None:
    times = depth // (opening.count("[") + opening.count("{") - opening.count("}"))
    for inside in ("{}", '"x"', '{"resourceType":"Patient"}', ""):
        sent = '{"resourceType":"Bundle","entry":' + opening * times + inside + closing * times + "}"
        assert judge(sent.encode(), "bundle")


@pytest.mark.parametrize(
    "item", ['""', '{"given":[null],"_given":[""]}', "[[]]", '{"x":1}', '{"family":[" a"]}', "1e5"]
)
def test_a_large_message_of_one_fault_is_judged_and_gets_a_short_answer(item: str) -> None:
    sent = '{"resourceType":"Patient","name":[' + ",".join([item] * (200_000 // len(item))) + "]}"
    assert len(judge(sent.encode(), "bundle")) < 200_000


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


def marked(value: Any, *, replace: bool) -> Any:
    """The message with the canary in every string, resource types excepted, and one unknown member in every object."""
    if isinstance(value, dict):
        inside = {
            name: member if name == "resourceType" else marked(member, replace=replace)
            for name, member in value.items()
        }
        return {**inside, CANARY: CANARY}
    if isinstance(value, list):
        return [marked(item, replace=replace) for item in value]
    if isinstance(value, str):
        return CANARY if replace else f"{value}{CANARY}"
    return value


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("policy", [DEFAULT, STRICT], ids=["default", "strict"])
def test_nothing_is_repeated_of_messages_marked_in_every_string_and_object(policy: Policy, replace: bool) -> None:
    for sent in examples():
        message = json.loads(sent)
        for each in (
            marked(message, replace=replace),
            {**message, "entry": marked(message.get("entry"), replace=replace)},
        ):
            shown = judge(body(each), address(message), policy)
            assert CANARY.lower() not in shown.lower()


@settings(deadline=None, max_examples=50)
@given(mutated_examples(), st.randoms(use_true_random=False))
def test_nothing_is_repeated_of_an_altered_example_marked_here_and_there(message: Any, random: Any) -> None:
    for holder, step in places(message):
        if isinstance(holder[step], str) and step != "resourceType" and random.random() < 0.2:
            holder[step] = random.choice((CANARY, f" {holder[step]}{CANARY}", f"urn:uuid:{CANARY}", f"#{CANARY}"))
        elif isinstance(holder[step], dict) and random.random() < 0.2:
            holder[step][CANARY] = holder[step]["_" + CANARY] = None
    assert CANARY.lower() not in judge(body(message), "bundle").lower()
