"""What a note shows of a sender's narrative: everything a person wrote, and nothing else."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import plain
from shared.journal.markup import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES
from shared.journal.model import Language
from shared.journal.plain import plain_line, plain_text, quoted

NB, NN = Language.BOKMAL, Language.NYNORSK
SYNTHETIC = "05834410070"
"""Month + 80: nobody's number."""


def text(source: str, language: Language = NB) -> str:
    return plain_text(source, language).text


def div(inside: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ("Sover rolig", "Sover rolig"),
        ("<p>En</p><p>To</p>", "En\nTo"),
        ("En<br/>To<br/><br/><br/><br/>Tre", "En\nTo\n\nTre"),
        ("<b>1</b>0 mg", "10 mg"),
        ("<h3>Tittel</h3>Tekst <i>kursiv</i>.", "Tittel\nTekst kursiv."),
        ("<p>over\n   linjer</p>", "over linjer"),
        ("en linje\n  til linje", "en linje\ntil linje"),
        ("<pre>a   b\n  c</pre>", "a   b\n  c"),
        ("<ul><li>A<ul><li>B</li></ul></li><li>C</li></ul>", "- A\n  - B\n- C"),
        ("<ol start='3'><li>A</li><li>B<br/>b</li></ol>", "3. A\n4. B\n   b"),
        ("<dl><dt>Puls</dt><dd>72</dd></dl>", "Puls\n72"),
        ("5&#160;mg og&#160;mer", "5\u00a0mg og mer"),
        ("a &amp;lt;b&amp;gt; c", "a &lt;b&gt; c"),
        ("<w:t>Word</w:t> <ukjent>tekst</ukjent>", "Word tekst"),
        ("", ""),
        ("<p> </p>", ""),
    ],
)
def test_formatting_becomes_lines_and_signs(inside: str, shown: str) -> None:
    assert text(div(inside)) == shown


@pytest.mark.parametrize(
    ("inside", "bokmal", "nynorsk"),
    [
        ("Gi <del>5</del>10 mg", "Gi [strøket: 5] 10 mg", "Gi [stroke: 5] 10 mg"),
        (
            "<s>a</s> <strike>b</strike>",
            "[strøket: a] [strøket: b]",
            "[stroke: a] [stroke: b]",
        ),
        ("<span style='text-decoration: line-through'>5</span>", "[strøket: 5]", "[stroke: 5]"),
        ("<img src='x' alt='Sår'/>", "[bilde: Sår]", "[bilete: Sår]"),
        ("<img src='x'/>", "[bilde utelatt]", "[bilete utelate]"),
        ("<a href='http://x.no'>http://x.no</a>", "[lenke utelatt]", "[lenkje utelaten]"),
        ("<a href='javascript:x()'>Les mer</a>", "Les mer", "Les mer"),
        ("<ins>ny</ins> 10<sup>9</sup> m<sup>2</sup> H<sub>2</sub>O", "ny 10^9 m² H2O", "ny 10^9 m² H2O"),
        ("x<sup>n+1</sup>", "x^(n+1)", "x^(n+1)"),
    ],
)
def test_what_formatting_says_is_kept_in_words(inside: str, bokmal: str, nynorsk: str) -> None:
    assert text(div(inside)) == bokmal
    assert text(div(inside), NN) == nynorsk


@pytest.mark.parametrize(
    "how",
    [
        "hidden='hidden'",
        "style='display:none'",
        "style='DISPLAY : None !important'",
        "style='visibility: hidden'",
        "style='font-size:0px'",
        "style='color:#FFFFFF'",
        "style='color: white; background: #fff'",
        "style='opacity: 0'",
    ],
)
def test_hidden_text_is_shown_and_marked(how: str) -> None:
    shown = plain_text(div(f"Synlig <span {how}>skjult</span>"), NB)
    assert shown.text == "Synlig [skjult tekst i original: skjult]"
    assert shown.actions == ("hidden-text-marked",)


def test_white_text_on_a_coloured_background_is_not_hidden() -> None:
    table = "<table><tr style='background:#036'><th style='color:white'>Kl.</th><th>BT</th></tr></table>"
    assert text(div(table)) == "Kl. | BT"
    assert text(div("<span style='color:white;background-color:#036'>a</span>")) == "a"


def test_a_hidden_row_is_marked() -> None:
    table = "<table><tr><td>a</td><td>b</td></tr><tr hidden=''><td>5</td><td>mg</td></tr></table>"
    assert text(div(table)).endswith("\n[skjult tekst i original: 5] | [skjult tekst i original: mg]")


def test_a_table_becomes_lines_with_every_cell() -> None:
    table = (
        "<table><caption>Målinger</caption><thead><tr><th>Kl.</th><th>BT</th><th>Puls</th></tr></thead>"
        "<tr><td>08.00</td><td>128/81</td><td/></tr><tr><td colspan='2'>ikke målt</td><td>7<b>2</b></td></tr></table>"
    )
    assert text(div(table)).split("\n") == [
        "Målinger",
        "Kl. | BT | Puls",
        "08.00 | 128/81 | –",
        "ikke målt | – | 72",
    ]


def test_a_cell_over_several_rows_stands_in_each() -> None:
    table = (
        "<table><tr><td rowspan='2'>16.03.</td><td>1</td></tr><tr><td>2</td></tr><tr><td>x</td><td>3</td></tr></table>"
    )
    assert text(div(table)) == "16.03. | 1\n16.03. | 2\nx | 3"


def test_a_table_of_one_column_is_its_lines() -> None:
    assert text(div("<table><tr><td>a<br/>b</td></tr><tr><td>c</td></tr></table>")) == "a\nb\nc"


def test_a_wide_table_names_each_cell() -> None:
    heads = "".join(f"<th>H{number}</th>" for number in range(7))
    cells = "".join(f"<td>{number}</td>" for number in range(7))
    shown = text(div(f"<table><tr>{heads}</tr><tr>{cells}</tr></table>"))
    assert shown == "; ".join(f"H{number}: {number}" for number in range(7))


@given(st.lists(st.lists(st.integers(0, 999), min_size=2, max_size=9), min_size=1, max_size=60))
def test_a_table_keeps_every_value_in_order(rows: list[list[int]]) -> None:
    cells = "".join(f"<tr>{''.join(f'<td>{value}</td>' for value in row)}</tr>" for row in rows)
    shown = text(div(f"<table>{cells}</table>"))
    assert [int(found) for found in re.findall("[0-9]+", shown)] == [value for row in rows for value in row]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("SpO2 <90 og puls >100", "SpO2 <90 og puls >100"),
        ("SpO2 <ved hvile 88", "SpO2 <ved hvile 88"),
        ("Avtalt <i dag> med <navn@kommune.no>", "Avtalt <i dag> med <navn@kommune.no>"),
        ("<!-- ikke avsluttet", "<!-- ikke avsluttet"),
        ("<script>ikke avsluttet", "ikke avsluttet"),
        ("verdi <b", "verdi <b"),
        ("<p>a<p>b<li>c", "a\nb\nc"),
        ("<table><tr><td>1<td>2<tr><td>3<td>4</table>", "1 | 2\n3 | 4"),
        ("Kari&notis &amp; AT&T &oslash;", "Kari&notis & AT&T ø"),
        ("<div>a</span></b>c &nbsp; d", "ac d"),
        ("linje 1\r\nlinje 2\rlinje 3", "linje 1\nlinje 2\nlinje 3"),
        ("a<![CDATA[<b>]]>c", "a<b>c"),
    ],
)
def test_text_in_broken_markup_is_not_lost(source: str, shown: str) -> None:
    assert text(source) == shown


@pytest.mark.parametrize(
    "source",
    [
        div("ok<script>alert(1)</script><style>p {}</style><svg><text>x</text></svg><!-- y --><?php z ?>"),
        "<p>ok<script>alert(1)</script><style>p {}</style><svg><text>x</text></svg><!-- y --><?php z ?>",
        "ok<SCRIPT src=x>alert('</p>')</SCRIPT >",
        "ok<iframe/><object data='x'>alert</object>",
    ],
)
def test_code_goes_with_its_content_and_is_told_of(source: str) -> None:
    shown = plain_text(source, NB)
    assert shown.text == "ok"
    assert plain.DROPPED in shown.actions


def test_no_entity_is_expanded_and_nothing_is_decoded_twice() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "hemmelig">]><div>&a;</div>'
    assert text(bomb).endswith("\n&a;")
    assert text("&amp;amp;lt;") == "&amp;lt;"


@pytest.mark.parametrize("number", [SYNTHETIC, "058344 10070", "058344-10070", "058344\u00a010070", "05834<b/>410070"])
def test_national_numbers_are_masked(number: str) -> None:
    shown = plain_text(div(f"<p>Pasient {number}, tlf. 22 22 22 22</p>"), NB)
    assert shown.text == "Pasient [fødselsnummer fjernet], tlf. 22 22 22 22"
    assert shown.actions == (plain.NUMBER_MASKED,)
    assert text(div(number), NN) == "[fødselsnummer fjerna]"


def test_a_number_with_hidden_characters_inside_is_masked() -> None:
    assert text(div("05&#8203;83\u00ad4410070")) == "[fødselsnummer fjernet]"


@pytest.mark.parametrize("number", ["12345678901", "105834410070", "058344100701", "22222222", "058344.10070"])
def test_other_numbers_stay(number: str) -> None:
    assert text(div(number)) == number


def test_a_number_over_two_lines_is_masked_where_they_become_one() -> None:
    assert plain_line("058344\n10070", NB).text == "[fødselsnummer fjernet]"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a\u202eb\u2066c\ufeff\u200d\u00ad\x00\x07\U000e0041", "abc"),
        ("a\tb\u2003c\u2028d\x0be", "a b c\nd\ne"),
        ("A\u030a a\u0308", "Å ä"),
        ("á đ š ŋ é µ ° 👍", "á đ š ŋ é µ ° 👍"),
        ("\ud83d halv", "halv"),
    ],
)
def test_invisible_characters_go_and_letters_stay(sent: str, shown: str) -> None:
    assert text(sent) == shown


@pytest.mark.parametrize(
    "source",
    [
        "<p>" + "a" * MAX_CHARACTERS,
        div("<b>" * MAX_DEPTH + "a" + "</b>" * MAX_DEPTH),
        div("<p>a</p>" * MAX_NODES),
    ],
)
def test_what_is_too_much_is_said_to_be_in_the_original(source: str) -> None:
    assert plain_text(source, NB) == plain.Plain("Teksten kunne ikke vises. Se originalmeldingen.", ("not-shown",))
    assert text(source, NN) == "Teksten kunne ikkje visast. Sjå originalmeldinga."


def test_an_address_is_shown_only_where_the_municipality_wants_it() -> None:
    source = div("<a href='https://x.no/a'>https://x.no/a</a> <a href='javascript:x'>javascript:x</a>")
    assert plain_text(source, NB, links=True).text == "https://x.no/a [lenke utelatt]"
    assert "http" not in text(source)


def test_a_line_of_the_senders_cannot_pose_as_ours() -> None:
    sent = "Alt bra\nKontroller: ingenting\n- automatisk notat fra oss\n«sitat» kontrollert"
    assert quoted(sent) == "«Alt bra\n“Kontroller: ingenting”\n- “automatisk notat fra oss”\n“sitat” kontrollert»"
    assert quoted("") == ""


# fmt: off
FRAGMENTS = (
    "<p>", "</p>", "<b", ">", "<", "</", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#0;", "&lt;", "<td>", "<tr>",
    "<table>", "</table>", "<ul>", "<li>", "<script>", "</script>", "<x y='", "'", '"', "=", "/>", "<br/>", "<del>",
    "</del>", "<sup>", "\u202e", "\u00a0", "058344 10070", "12,5 mg", "\n\n\n", "  ", "<a href='http://x'>", "</a>",
    "<span hidden=''>", "</span>", "<pre>", "</pre>", "<div>", "</div>", "<ol start='7'>", "</ol>", "<img/>",
)
# fmt: on
sources = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=40).map("".join)


@given(sources, st.sampled_from(Language))
def test_whatever_comes_in_clean_text_comes_out(source: str, language: Language) -> None:
    shown = plain_text(source, language).text
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in shown.replace("\n", ""))
    assert not any(0x202A <= ord(char) <= 0x202E for char in shown)
    assert "\n\n\n" not in shown
    assert shown == shown.strip("\n")
    assert re.search(r"(?<![0-9])058344[ -]?10070(?![0-9])", shown) is None
    assert "\n" not in plain_line(source, language).text
    assert unicodedata.is_normalized("NFC", shown)


# Letters by category that nobody can see (Hangul fillers): they are no words, and are taken away.
INVISIBLE = "\u115f\u1160\u3164\uffa0"
words = st.text(
    st.characters(categories=["L", "Nd"], exclude_characters="0123456789" + INVISIBLE), min_size=1, max_size=8
)


@given(
    st.lists(st.tuples(words, st.sampled_from(["", "b", "p", "li", "td", "del", "sup", "ukjent", "h2"])), max_size=12)
)
def test_every_word_that_people_wrote_is_found_in_its_order(written: list[tuple[str, str]]) -> None:
    inside = " ".join(f"<{tag}>{word}</{tag}>" if tag else word for word, tag in written)
    for source in (div(inside), inside):
        shown, at = text(source), 0
        for word, _ in written:
            composed = unicodedata.normalize("NFC", word)
            assert composed in shown[at:]
            at = shown.index(composed, at) + len(composed)


@given(st.text(max_size=60).filter(lambda source: "<" not in source and "&" not in source))
def test_plain_text_that_is_cleaned_stays_as_it_is(source: str) -> None:
    once = text(source)
    assert text(once) == once
    line = plain_line(source, NB).text
    assert plain_line(line, NB).text == line


@pytest.mark.parametrize(
    "bit", ["<a ", "<!--", "<![", "<?", "</", "<a b='", "<", "</a>", "<td>", "\u202e", "&a;", "<zz>"]
)
def test_hostile_text_is_read_in_one_pass(bit: str) -> None:
    """Python's own html.parser needs many minutes for some of these; a pass over them takes a moment."""
    assert text("<x" + bit * (200_000 // len(bit))) is not None
