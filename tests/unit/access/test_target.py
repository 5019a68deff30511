"""Two spellings of one address are one, and two addresses stay two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.target import normalised, outside

PLAIN = "https://hub.example/epj/r4/310000019/bundle"
paths = st.lists(st.sampled_from([".", "..", "a", "B", "%2F", "%2e", "%C3%A6", "$status", "%24status", ""]), max_size=6)


@pytest.mark.parametrize(
    "same",
    [
        "HTTPS://hub.example/epj/r4/310000019/bundle",
        "https://HUB.Example/epj/r4/310000019/bundle",
        "https://hub.example:443/epj/r4/310000019/bundle",
        "https://hub.example:/epj/r4/310000019/bundle",
        "https://hub.example/epj/r4/310000019/bundle?a=b",
        "https://hub.example/epj/r4/310000019/bundle#c",
        "https://hub.example/epj/r4/310000019/bundle#c?d",
        "https://hub.example/epj/./r4/x/../310000019/bundle",
        "https://hub.example/epj/r4/%33%31%30000019/%62undle",
        "https://hub.example/../epj/r4/310000019/bundle",
    ],
)
def test_spellings_of_one_address_are_one(same: str) -> None:
    assert normalised(same) == PLAIN


@pytest.mark.parametrize(
    "other",
    [
        "http://hub.example/epj/r4/310000019/bundle",
        "https://hub.example:8443/epj/r4/310000019/bundle",
        "https://hub.example./epj/r4/310000019/bundle",
        "https://hub.example.evil.test/epj/r4/310000019/bundle",
        "https://hub.example/epj/r4/310000019/bundle/",
        "https://hub.example/epj/r4/310000019/Bundle",
        "https://hub.example//epj/r4/310000019/bundle",
        "https://hub.example/epj/r4/310000019%2Fbundle",
        "https://hub.example/epj/r4/310000019/bundle%3F",
    ],
)
def test_other_addresses_are_others(other: str) -> None:
    assert normalised(other) not in (None, PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/epj",
        "hub.example/epj",
        "https:///epj",
        "ftp://hub.example/",
        "https://user@hub.example/epj",
        "https://user:pw@hub.example/",
        "https://hub.example\\@evil.test/",
        "https://hub.example/a b",
        "https://hub.example/a\n",
        "https://hub.example/\x00",
        "https://hub.example/æ",
        "https://høb.example/",
        "https://hub.example/%",
        "https://hub.example/%4",
        "https://hub.example/%zz",
        "https://hub.example:99999/",
        "https://hub.example:-1/",
        "https://[::1/",
        " https://hub.example/",
        "https://hub.example/" + "a" * 5000,
    ],
)
def test_text_that_is_not_surely_one_address_is_none(text: str) -> None:
    assert normalised(text) is None


def test_default_port_belongs_to_its_scheme() -> None:
    assert normalised("http://h:80") == normalised("http://h/") == "http://h/"
    assert normalised("http://h:443") == "http://h:443/"
    assert normalised("http://[::1]:0080/") == "http://[::1]/"


@given(paths)
def test_normal_form_is_its_own(segments: list[str]) -> None:
    once = normalised("https://h/" + "/".join(segments))
    assert once is not None
    assert normalised(once) == once


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_none(text: str) -> None:
    for address in (text, f"https://{text}", f"https://h/{text}"):
        found = normalised(address)
        assert found is None or found.startswith(("https://", "http://"))


@pytest.mark.parametrize("url", ["http://10.0.0.4:7071/epj/r4/1/x?y=z", "/epj/r4/1/x", "https://evil.test/epj/r4/1/x#"])
def test_call_is_where_the_hub_is_known_outside_whatever_host_it_names(url: str) -> None:
    for public in ("https://api.example/hub", "https://api.example/hub/"):
        assert outside(public, url) == "https://api.example/hub/epj/r4/1/x"


@pytest.mark.parametrize("url", ["", "https://inner.example", "?a", "/"])
def test_call_without_a_path_is_to_the_root(url: str) -> None:
    assert outside("https://api.example", url) == "https://api.example/"


@pytest.mark.parametrize("url", ["epj", "/a b", "/%", "@evil.test/"])
def test_call_to_no_path_is_to_nowhere(url: str) -> None:
    assert outside("https://api.example", url) is None
