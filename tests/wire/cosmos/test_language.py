"""Rules of the query language and of its shortcuts that must hold for any document and any text."""

import json
import sqlite3
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from azure.cosmos.partition_key import PartitionKey as SdkPartitionKey
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.cosmos import pushdown
from sandbox.cosmos.errors import CosmosError, QueryError
from sandbox.cosmos.partition import PartitionKey
from sandbox.cosmos.sql.compile import compare
from sandbox.cosmos.sql.conditions import holds, lifted
from sandbox.cosmos.sql.functions import FUNCTIONS
from sandbox.cosmos.sql.parser import parse_condition
from sandbox.cosmos.sql.query import compile_root, compile_text
from sandbox.cosmos.sql.tokens import KEYWORDS
from sandbox.cosmos.values import UNDEFINED, Json, NotJson, Undefined, Value, dump, equal, parse, read_back, sort_key

numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=6), st.sampled_from(["a", "b", "", 0, 1, 1.5]))
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
documents = st.fixed_dictionaries({"id": st.text(max_size=3)}, optional=dict.fromkeys(("a", "b", "c"), values))


def normal(value: Any) -> Any:
    """As a document holds it once stored."""
    return parse(dump(value))


def results(text: str, found: list[Any], parameters: dict[str, Value] | None = None) -> list[Value]:
    compiled = compile_text(text)
    row = compiled.bind(parameters or {})
    return compiled.gathered((made for item in found for made in compiled.rows(item, row)), row)


@given(values)
def test_json_round_trips(value: Any) -> None:
    once = normal(value)
    assert equal(normal(once), once)
    assert equal(once, value) or "e" in json.dumps(value)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1e999", "-1e999", "[1,]", '{"a":1', "", "\x00", "1" * 5000, "[" * 100_000]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        parse(text)


@given(values, values, values)
def test_order_of_values_is_total(a: Any, b: Any, c: Any) -> None:
    x, y, z = sort_key(a), sort_key(b), sort_key(c)
    assert (x < y) + (y < x) + (x == y) == 1
    if x <= y <= z:
        assert x <= z
    assert sort_key(UNDEFINED) < x


@given(scalars, scalars)
def test_comparisons_agree_with_each_other(a: Json, b: Json) -> None:
    assert compare("=", a, b) is not compare("!=", a, b)
    assert compare("<", a, b) == compare(">", b, a)
    assert compare("<=", a, b) == compare(">=", b, a)
    if isinstance(compare("<", a, b), bool):
        assert compare("<=", a, b) is (compare("<", a, b) or compare("=", a, b))


OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
CONDITIONS = st.one_of(
    st.tuples(st.sampled_from(["c.a", "c.b", "c.a.b", "c.id"]), st.sampled_from(OPERATORS)).map(
        lambda parts: f"{parts[0]} {parts[1]} @x"
    ),
    st.sampled_from(
        ["@x = c.a", "@y < c.b", "c.a IN (@x, @y, 'a')", "c.b BETWEEN @x AND @y", "c.a = @x AND c.b >= @y"]
    ),
    st.sampled_from(["c.a = true", "c.b = null", "c.a = 1 OR c.b = 2", "c.a[0] = @x", "c.a = @x AND NOT c.b = @y"]),
)


@given(st.lists(documents, max_size=8), CONDITIONS, values, values)
@example([{"id": "", "a": 0.1 + 0.2}], "c.a = @x", 0.1 + 0.2, 0)
@example([{"id": "", "a": "\u0000"}], "c.a = @x", "\u0000", 0)
@example([{"id": "", "a": "b\u0000"}], "c.a > @x", "b", 0)
@example([{"id": "", "a": "\ud800"}], "c.a >= @x", "", 0)
def test_what_sqlite_decides_beforehand_never_loses_a_result(found: list[Any], condition: str, x: Any, y: Any) -> None:
    compiled = compile_text(" ".join(("SELECT * FROM c WHERE", condition)))
    parameters: dict[str, Value] = {"@x": normal(x), "@y": normal(y)}
    said = pushdown.conditions(pushdown.predicates(compiled), parameters)
    where = " AND ".join(["1", *(condition.sql for condition in said)])
    bound = [value for condition in said for value in condition.values]
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, id TEXT, ts INTEGER, body TEXT)")
        stored = [normal(item) for item in found]
        for at, item in enumerate(stored):
            name = item["id"].encode("utf-8", "replace").decode()
            connection.execute("INSERT INTO t VALUES (?, ?, 0, ?)", (at, name, dump(item)))
            item["id"] = name
        passed = {row[0] for row in connection.execute(" ".join(("SELECT seq FROM t WHERE", where)), bound)}
    finally:
        connection.close()
    wanted = {at for at, item in enumerate(stored) if list(compiled.rows(item, parameters))}
    assert wanted <= passed


@given(st.lists(documents, max_size=10))
def test_counts_of_groups_add_up(found: list[Any]) -> None:
    groups = results("SELECT c.a, COUNT(1) AS n FROM c GROUP BY c.a", found)
    assert sum(group["n"] for group in groups if isinstance(group, dict) and isinstance(group["n"], int)) == len(found)
    assert len(groups) == len(results("SELECT DISTINCT c.a FROM c", found)) or not found


@given(st.lists(documents, max_size=10))
def test_a_condition_its_negation_and_undefined_share_out_everything(found: list[Any]) -> None:
    yes = results("SELECT * FROM c WHERE c.a < c.b", found)
    no = results("SELECT * FROM c WHERE NOT (c.a < c.b)", found)
    neither = results("SELECT * FROM c WHERE NOT IS_DEFINED(c.a < c.b)", found)
    assert len(yes) + len(no) + len(neither) == len(found)


@given(st.lists(documents, max_size=10))
def test_order_by_sorts_and_keeps_all(found: list[Any]) -> None:
    ordered = results("SELECT * FROM c ORDER BY c.a DESC, c.b", found)
    keys = [
        (sort_key(item.get("a", UNDEFINED)), sort_key(item.get("b", UNDEFINED)))
        for item in ordered
        if isinstance(item, dict)
    ]
    assert len(ordered) == len(found)
    for (a1, b1), (a2, b2) in pairwise(keys):
        assert a1 > a2 or (a1 == a2 and b1 <= b2)


WORDS = st.one_of(
    st.sampled_from(
        [*KEYWORDS, *FUNCTIONS, "c", "t", "@p", "*", "(", ")", "[", "]", "{", "}", ",", ".", ":", "?", "??"]
    ),
    st.sampled_from(
        [
            "c.a",
            "c.b[0]",
            "=",
            "<",
            ">=",
            "+",
            "-",
            "/",
            "||",
            "%",
            "1",
            "0",
            "1e400",
            "'x'",
            '"y"',
            "'%_[a-'",
            "COUNT(",
        ]
    ),
    st.text(max_size=3),
)


@given(st.lists(WORDS, max_size=14).map(" ".join), st.lists(documents, max_size=3))
def test_any_text_gives_results_or_a_refusal(text: str, found: list[Any]) -> None:
    for form in ("?", "SELECT VALUE ? FROM c", "SELECT * FROM c WHERE ?", "SELECT ?"):
        query = form.replace("?", text)
        try:
            for value in results(query, found, {"@p": [1, "x"]}):
                assert isinstance(value, Undefined) or dump(value)
        except QueryError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "NOT " * 5000,
        "- " * 5000,
        "1" + "+1" * 5000,
        "c" + ".a" * 5000,
        "[" * 5000,
        "1 ?? " * 5000,
        "1 ? " * 5000,
        "CONCAT(" * 5000,
    ],
)
def test_text_that_nests_without_end_is_refused(text: str) -> None:
    with pytest.raises(CosmosError) as caught:
        compile_text(f"SELECT VALUE {text}")
    assert caught.value.status == 400


def test_many_conditions_in_a_row_are_no_nesting() -> None:
    condition = " OR ".join(f"c.a = {at}" for at in range(3000))
    assert results(" ".join(("SELECT VALUE 1 FROM c WHERE", condition)), [{"a": 2999}]) == [1]


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(values | st.just(UNDEFINED), min_size=0, max_size=4))
def test_functions_give_a_value_for_any_arguments(name: str, arguments: list[Value]) -> None:
    function = FUNCTIONS[name]
    if function.least <= len(arguments) <= function.most:
        result = function.call(*arguments)
        assert isinstance(result, Undefined) or dump(result)


@given(st.text(max_size=40), st.booleans() | numbers | st.none())
def test_effective_partition_key_is_the_sdks_own(text: str, scalar: Any) -> None:
    for parts, kind in (((text,), "Hash"), ((scalar,), "Hash"), ((text, scalar), "MultiHash")):
        path: Any = ["/a", "/b"] if kind == "MultiHash" else "/a"
        sdk = SdkPartitionKey(path=path, kind=kind)  # type: ignore[call-overload]
        ours = PartitionKey((("a",),) * len(parts), kind == "MultiHash")
        try:
            theirs = sdk._get_effective_partition_key_string(list(parts))
        except UnicodeEncodeError:
            continue
        assert ours.effective(parts) == theirs


def test_condition_of_a_patch() -> None:
    assert holds("FROM c WHERE c.Status = 'Active'", {"Status": "Active"})
    assert not holds("from c where c.Status = 'active'", {"Status": "Active"})


def test_conditions_that_differ_in_their_constants_are_one_shape() -> None:
    texts = [f"FROM c WHERE c.pending[0].event = '{name}' AND ARRAY_LENGTH(c.pending) = 1" for name in ("a", "it@", "")]
    assert len({lifted(text)[0] for text in texts}) == 1
    assert [list(lifted(text)[1].values()) for text in texts] == [["a"], ["it@"], [""]]


@given(values)
@example([2**53, 2**53 + 1, 1e16, 1e22, -0.0, 0.5, 10**300, "\ud800", "ø"])
def test_stored_text_reads_back_as_what_was_sent(value: Any) -> None:
    sent = parse(json.dumps(value))
    assert repr(read_back(dump(sent))) == repr(sent)


UNCLEAR = (
    "c.a = 'x' -- ''",
    "c.a = /* '' */ 'x'",
    "c.a = 'x\\'' OR c.b = '\\'y'",
    "c.a = \"''\" OR c.a = 'x'",
    "c.a = @p OR c.a = 'x'",
    "c['= '] = 1",
)


@pytest.mark.parametrize("condition", UNCLEAR)
def test_text_that_may_hold_quotation_marks_elsewhere_is_taken_as_it_is(condition: str) -> None:
    assert lifted(condition) == (condition, {})


paths = st.sampled_from(["c.a", "c['a']", "c.b", "c.missing"])
constants = st.sampled_from(["'x'", "'y'", "''", '"x"', "'= '", "1", "@1", "'x'--'\n", "/* = ' */'x'", "'\\''"])
operators = st.sampled_from(["=", " = ", " !=  ", ">= ", " LIKE ", " IN "])
comparisons = st.builds("".join, st.tuples(paths | constants, operators, constants | paths))
joins = st.sampled_from(["AND", " and ", " OR ", "'", "= 'x'"])


@given(
    st.builds("".join, st.tuples(comparisons, joins, comparisons, joins, comparisons)) | comparisons,
    st.sampled_from(["x", "y", "", "'", "= ", 1, None]),
)
@example("c.a = 'x'and c.b = 'y'", "x")
@example("c.a = 'x''y'", "x")
def test_condition_of_a_shape_means_what_its_text_means(condition: str, value: Any) -> None:
    text, document = f"FROM c WHERE {condition}", {"a": value, "b": "y"}
    assert outcome(holds, text, document) == outcome(as_written, text, document)


def as_written(text: str, document: Any) -> bool:
    compiled = compile_root(parse_condition, text)
    return any(True for _ in compiled.rows(document, compiled.bind({})))


def outcome(decide: Callable[[str, Any], bool], text: str, document: Any) -> bool | str:
    try:
        return decide(text, document)
    except QueryError as error:
        return error.message
