"""How what waits adds up, and what is said first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.messages.urgency import Urgency
from shared.watch import numbers
from shared.watch.numbers import Aside, Line, Numbers, Waiting, added_up, with_aside

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
moments = st.integers(0, 10_000).map(lambda seconds: T0 - timedelta(seconds=seconds))


@st.composite
def waiting(draw: st.DrawFn) -> Waiting:
    messages = draw(st.integers(0, 5))
    return Waiting(draw(moments), messages, draw(st.integers(0, messages))) if messages else Waiting()


lines = st.lists(
    st.builds(Line, st.sampled_from(["310000019", "310000027"]), st.sampled_from(["epj", ""]), waiting(), waiting()),
    max_size=30,
)


@given(lines)
def test_nothing_is_lost_in_adding_up_and_the_oldest_stays_the_oldest(found: list[Line]) -> None:
    summed = added_up(found)
    for urgency, of in ((Urgency.PROMPT, "prompt"), (Urgency.ROUTINE, "routine")):
        parts: list[Waiting] = [getattr(line, of) for line in found]
        told = [each.classes[urgency] for each in summed.values() if urgency in each.classes]
        assert sum(each.messages for each in told) == sum(each.messages for each in parts)
        oldest = [each.oldest for each in parts if each.oldest is not None]
        assert min((each.oldest for each in told if each.oldest is not None), default=None) == min(oldest, default=None)


@given(lines)
def test_who_has_waited_longest_is_told_first(found: list[Line]) -> None:
    told = numbers.written(Numbers(T0, with_aside(added_up(found), ()), ()))["receivers"]
    ages = [each["oldestSeconds"] for each in told if each["oldestSeconds"] is not None]
    assert ages == sorted(ages, reverse=True)


def test_the_age_of_the_oldest_is_the_first_thing_told_of_a_receiver_and_class() -> None:
    found = [Line("310000019", "epj", Waiting(T0 - timedelta(seconds=90), 1), Waiting())]
    (told,) = numbers.written(Numbers(T0, with_aside(added_up(found), ()), ()))["receivers"]
    assert next(iter(told["classes"]["prompt"])) == "oldestSeconds"
    assert (told["oldestSeconds"], told["classes"]["prompt"]["oldestSeconds"]) == (90.0, 90.0)


def test_a_receiver_with_nothing_but_what_is_set_aside_is_told_of_too() -> None:
    aside = Aside("310000019", "epj", "REC_HTTP_404", 3, T0)
    (found,) = with_aside({}, (aside,))
    assert (found.key, found.aside, found.all.messages) == ("310000019/epj", 3, 0)


def test_a_municipality_sees_its_own() -> None:
    everything = Numbers(
        T0,
        with_aside(added_up([Line(each, "epj", Waiting(), Waiting(T0, 1)) for each in ("310000019", "310000027")]), ()),
        (),
    )
    assert {each.orgnr for each in everything.of("310000019").receivers} == {"310000019"}
