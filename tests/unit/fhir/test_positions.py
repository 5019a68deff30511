"""Every place in a JSON text is found where an editor shows it, whatever the text."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.fhir.positions import positions
from shared.fhir.values import Path

_SCALARS = st.none() | st.booleans() | st.integers() | st.text()
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


def position(text: str, *path: str | int) -> tuple[int, int]:
    return positions(text, [path])[path]


def test_a_member_is_where_its_name_begins_and_an_item_where_its_value_begins() -> None:
    text = '{\n  "a": [1,\n    {"b": "å", "c": 2}],\r\n "d" : null}'
    assert position(text) == (1, 1)
    assert position(text, "a") == (2, 3)
    assert position(text, "a", 0) == (2, 9)
    assert position(text, "a", 1) == (3, 5)
    assert position(text, "a", 1, "c") == (3, 16)
    assert position(text, "d") == (4, 2)


def test_what_is_missing_is_where_the_nearest_thing_around_it_is() -> None:
    text = '{"a":\n {"b": [1, 2]}}'
    assert position(text, "a", "x", 0, "y") == (1, 2)
    assert position(text, "a", "b", 2) == (2, 3)
    assert position(text, "a", "b", "c") == (2, 3)
    assert position(text, "x") == (1, 1)
    assert position("  \n [1]", 7) == (2, 2)


def test_a_byte_order_mark_is_not_counted() -> None:
    assert position('\ufeff{"a": 1}', "a") == (1, 2)


def test_marks_within_strings_are_no_marks() -> None:
    text = r'{"a": "\"}],{\\", "\"b": ["]", "\\"], "c": 1}'
    assert position(text, "c") == (1, text.index('"c"') + 1)
    assert position(text, '"b', 1) == (1, text.index('"\\\\"]') + 1)


def test_names_are_found_however_they_are_escaped() -> None:
    assert position(r'{"x": 1, "\u0061\n": {"b": 2}}', "a\n", "b") == (1, 23)


def test_a_member_written_twice_is_where_it_was_written_last() -> None:
    text = '{"a": {"b": 1},\n "a": {"c": 1}}'
    assert position(text, "a") == (2, 2)
    assert position(text, "a", "c") == (2, 8)
    assert position(text, "a", "b") == (2, 2)


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict | list):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, step))


@settings(deadline=None)
@given(_JSON, st.sampled_from([None, 0, 3]), st.booleans())
def test_what_stands_at_a_position_is_what_is_at_the_path(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    # `splitlines` knows more line ends than JSON does.
    lines = text.split("\n")
    there = dict(places(value))
    found = positions(text, there)
    assert list(found) == list(there)
    for path, (line, column) in found.items():
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        read, end = json.JSONDecoder().raw_decode(rest)
        if path and isinstance(path[-1], str):
            assert read == path[-1]
            read, _ = json.JSONDecoder().raw_decode(rest[end:].lstrip(": "))
        assert read == there[path]


@settings(deadline=None)
@given(st.text() | st.text('{}[]",:\\ \n\ufeffa1'), st.lists(st.lists(st.sampled_from(["a", "", 0, 1])).map(tuple)))
@example("{", [()])
@example('{"\\', [("\\",)])
@example("]]}{", [(0, "a")])
def test_any_text_has_positions_within_it(text: str, paths: list[Path]) -> None:
    lines = text.removeprefix("\ufeff").split("\n")
    for line, column in positions(text, paths).values():
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


def test_a_mebibyte_of_one_name_written_again_and_again_is_read_once() -> None:
    text = "{" + '"a":{"b":{}},' * 80_000 + '"a":{}}'
    paths: list[Path] = [("a", "b", *range(index)) for index in range(50)]
    assert set(positions(text, paths).values()) == {(1, text.rindex('"a"') + 1)}
