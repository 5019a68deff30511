"""Where our check and those of others disagree about a message, we know why.

`fhirkit-rs` knows the structure of R4 4.0.1; `fhir.resources` has R4B, which is nearly the same. Thousands of messages
are put before all of them. Every disagreement is of a class that `disagreements.json` explains; a disagreement of no
class fails here, and so does a class that nothing is of any more.
"""

from collections import defaultdict
from functools import cache

import pytest

from tests.conformance.corpus import corpus
from tests.conformance.disagreements import Class, classes, explained
from tests.conformance.opinions import Fault, Opinion, of_fhir_resources, of_fhirkit, of_our_base, of_our_judge

OTHERS = {"fhirkit-rs": of_fhirkit, "fhir.resources": of_fhir_resources}


@cache
def opinions(other: str) -> dict[str, Opinion]:
    return {name: OTHERS[other](sent) for name, sent in corpus().items()}


@cache
def ours() -> dict[str, Opinion]:
    return {name: of_our_base(sent) for name, sent in corpus().items()}


@cache
def judged() -> dict[str, tuple[Opinion, frozenset[str]]]:
    return {name: of_our_judge(sent) for name, sent in corpus().items()}


@cache
def compared(other: str) -> tuple[dict[str, list[Fault]], dict[Class, list[str]]]:
    """Disagreements with another check that nothing explains, and those of each class, by name of the message."""
    unexplained: dict[str, list[Fault]] = {}
    of_class: dict[Class, list[str]] = defaultdict(list)

    def take(name: str, opinion: Opinion, *kinds: str) -> None:
        for each in explained(opinion, *kinds):
            if isinstance(each, Fault):
                unexplained.setdefault(name, []).append(each)
            else:
                of_class[each].append(name)

    for name, theirs in opinions(other).items():
        base, (all_layers, warned) = ours()[name], judged()[name]
        if bool(base) != bool(theirs):
            take(name, base, f"{other} takes")
            take(name, theirs, f"{other} refuses")
        if all_layers and not theirs:
            take(name, all_layers, f"{other} takes", "all layers refuse")
        elif theirs and base and not all_layers:
            mended = tuple(Fault(rule) for rule in sorted(warned) if rule.startswith("repair-"))
            take(name, mended or (Fault("taken, and nothing was mended"),), "all layers take")
    return unexplained, of_class


@pytest.mark.parametrize("other", OTHERS)
def test_every_disagreement_with_another_check_is_explained(other: str) -> None:
    unexplained, _ = compared(other)
    assert not unexplained, f"{len(unexplained)} messages, such as {list(unexplained.items())[:3]}"


def test_every_explanation_explains_something() -> None:
    met = {each for other in OTHERS for each in compared(other)[1]}
    assert [each.name for kind in classes().values() for each in kind if each not in met] == []
    assert all(len(each.why) > 20 for kind in classes().values() for each in kind)


def test_the_checks_agree_far_more_often_than_not_and_on_thousands_of_messages_of_each_kind() -> None:
    assert len(corpus()) > 5000
    for other in OTHERS:
        for verdict in (True, False):
            agreed = [name for name, theirs in opinions(other).items() if bool(theirs) is bool(ours()[name]) is verdict]
            assert len(agreed) > 1000
