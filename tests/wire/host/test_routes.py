"""Route templates: precedence, constraints, matching."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.host.routes import BadTemplate, Template, decode_path, parse


def first(templates: list[str], path: str) -> str | None:
    """The template that the host would choose."""
    ordered = sorted((parse(one) for one in templates), key=lambda one: (one.precedence, one.text.lower()))
    return next((one.text for one in ordered if one.match(path) is not None), None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/things/list", "things/list"),
        ("/things/7", "things/{id:int}"),
        ("/things/seven", "things/{any}"),
        ("/things/seven/more", "{*rest}"),
        ("/", "{*rest}"),
    ],
)
def test_literal_wins_over_constrained_over_free_over_catch_all(path: str, expected: str) -> None:
    assert first(["{*rest}", "things/{any}", "things/{id:int}", "things/list"], path) == expected


def test_matching_ignores_letter_case_but_keeps_the_value_as_sent() -> None:
    assert parse("Epj/R4/{org}").match("/EPJ/r4/AbC") == {"org": "AbC"}


def test_a_missing_optional_value_has_no_key_and_a_default_has_its_value() -> None:
    assert parse("a/{b?}").match("/a") == {}
    assert parse("a/{b?}").match("/a/x") == {"b": "x"}
    assert parse("a/{b=5}").match("/a") == {"b": "5"}


def test_catch_all_takes_the_rest_with_its_slashes() -> None:
    assert parse("files/{*rest}").match("/files/a/b/c") == {"rest": "a/b/c"}
    assert parse("files/{*rest}").match("/files") == {}


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", "-2147483648", "2147483648"),
        ("long", "9223372036854775807", "9223372036854775808"),
        ("guid", "0af76519-16cd-43dd-8448-eb211c80319c", "0af76519-16cd"),
        ("alpha", "abcXYZ", "ab1"),
        ("bool", "TRUE", "yes"),
        ("decimal", "1.5", "1,5"),
        ("datetime", "2026-11-22", "yesterday"),
        ("length(9)", "123456789", "12345678"),
        ("length(2,3)", "abc", "abcd"),
        ("minlength(2)", "ab", "a"),
        ("maxlength(2)", "ab", "abc"),
        ("min(3)", "3", "2"),
        ("max(3)", "3", "4"),
        ("range(1,3)", "2", "9"),
        (r"regex(^\d{{9}}$)", "123456789", "12345678x"),
        ("required", "x", ""),
    ],
)
def test_each_constraint_admits_what_it_should_and_nothing_else(constraint: str, good: str, bad: str) -> None:
    template = parse(f"x/{{value:{constraint}}}")
    assert template.match(f"/x/{good}") == {"value": good}
    assert template.match(f"/x/{bad}") is None


def test_a_parameter_may_be_part_of_a_segment() -> None:
    assert parse("files/{name}.json").match("/files/a.b.json") == {"name": "a.b"}
    assert parse("x/{id}/$status").match("/x/7/$status") == {"id": "7"}


@pytest.mark.parametrize("template", ["a/{b", "a/{b}}", "{1x}", "a/{b}/{B}", "a/{b:nosuch}", "a/{b:regex([)}"])
def test_a_template_that_cannot_be_used_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        parse(template)


def test_an_encoded_slash_splits_no_segment() -> None:
    assert parse("x/{id}").match(decode_path("/x/a%2fb%20c")) == {"id": "a%2Fb c"}


@given(st.text(max_size=60))
def test_any_path_either_matches_or_does_not(path: str) -> None:
    template: Template = parse("a/{b:int}/{c?}")
    found = template.match(decode_path(f"/a/{path}"))
    assert found is None or set(found) <= {"b", "c"}


@given(st.text(alphabet="ab{}:*?=()/.,$1", max_size=20))
def test_any_template_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text)
    except BadTemplate:
        return
