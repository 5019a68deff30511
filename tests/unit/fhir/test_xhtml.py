"""Narratives: what R4 allows in them, what it does not, and what would run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fhir.r4.xhtml import ACTIVE, EMPTY, WRONG, broken_rules


def div(inside: str, attributes: str = "") -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml"{attributes}>{inside}</div>'


@pytest.mark.parametrize(
    "narrative",
    [
        div("Kari falt på badet"),
        div("<p>a</p><ul><li>b</li></ul><table border='1'><tr><td colspan='2'>c</td></tr></table>"),
        div('<img src="#bilde" alt="x"/>'),
        div('<a href="https://a.example" title="b">c</a>', ' xml:lang="nb" lang="nb" class="x" style="color: red"'),
        div("&lt;b&gt; &#160; &amp;"),
        div("<!-- merknad -->a"),
        '<x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>a</x:p></x:div>',
    ],
)
def test_formatted_text_is_allowed(narrative: str) -> None:
    assert broken_rules(narrative) == ()


@pytest.mark.parametrize(
    "narrative",
    [
        "Kari falt på badet",
        "<div>no namespace</div>",
        '<p xmlns="http://www.w3.org/1999/xhtml">no div</p>',
        div("<p>not closed"),
        div("&nbsp;a"),
        div("<section>a</section>"),
        div("<svg xmlns='http://www.w3.org/2000/svg'>a</svg>"),
        div("<p data-x='1'>a</p>"),
        div("<p src='x'>a</p>"),
        '<!DOCTYPE div SYSTEM "file:///etc/passwd">' + div("a"),
        '<!DOCTYPE div [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + div("&b;"),
        div("a") + div("b"),
        "\ud800",
    ],
)
def test_what_is_not_plain_xhtml_breaks_txt_1(narrative: str) -> None:
    assert WRONG in broken_rules(narrative)


@pytest.mark.parametrize("narrative", [div(""), div(" \n\u00a0"), div("<p> </p>")])
def test_a_narrative_without_content_breaks_txt_2(narrative: str) -> None:
    assert broken_rules(narrative) == (EMPTY,)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>a",
        "<iframe src='https://a.example'/>a",
        "<form><input/></form>a",
        "<p onclick='x()'>a</p>",
        "<p ONCLICK='x()'>a</p>",
        "<a href='javascript:x()'>a</a>",
        "<a href=' java&#10;script:x()'>a</a>",
        "<img src='vbscript:x'/>",
        "<SCRIPT/>a",
        "<script>not closed",
    ],
)
def test_what_would_run_is_told_apart(inside: str) -> None:
    assert ACTIVE in broken_rules(div(inside))


_PIECES = [*"<>&;/ab =\"'", "div", "script", "<!DOCTYPE ", "<![CDATA["]


@given(st.text() | st.lists(st.sampled_from(_PIECES)).map("".join))
def test_any_text_is_judged(text: str) -> None:
    assert set(broken_rules(text)) <= {WRONG, EMPTY, ACTIVE}
