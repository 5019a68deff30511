"""Notes in narrow character sets: everything can be encoded, and a `?` is one that somebody wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.charset import Fitted, codec, fit
from shared.journal.model import Charset, Language

NARROW = [Charset.CP1252, Charset.LATIN1, Charset.PLAIN]


@given(st.text(st.characters(exclude_categories=()), max_size=60), st.sampled_from(Charset), st.sampled_from(Language))
def test_the_result_can_be_encoded_and_has_no_new_question_mark(
    text: str, charset: Charset, language: Language
) -> None:
    fitted = fit(text, charset, language)
    assert fitted.text.encode(codec(charset)).decode(codec(charset)) == fitted.text
    assert fitted.text.count("?") == text.count("?")
    assert fitted.unknown <= fitted.replaced <= len(text)
    assert fit(fitted.text, charset, language).text == fitted.text


@pytest.mark.parametrize("charset", Charset)
def test_norwegian_is_the_same_everywhere(charset: Charset) -> None:
    text = "Pasienten «Ærlig Ønskeså»: 37,2 °C, én kopp? ½ tablett à 5 µg"
    assert fit(text, charset) == Fitted(text)


@pytest.mark.parametrize(
    ("text", "cp1252", "latin1", "plain"),
    [
        ("kl.\u00a008.05–09.00", "kl.\u00a008.05–09.00", "kl.\u00a008.05-09.00", "kl. 08.05-09.00"),
        ("SpO₂ ≥ 90", "SpO2 >= 90", "SpO2 >= 90", "SpO2 >= 90"),
        ("\u22125 kg/m²", "-5 kg/m²", "-5 kg/m²", "-5 kg/m^2"),
        ("10⁻⁹ 10²⁰", "10^-9 10^20", "10^-9 10^20", "10^-9 10^20"),
        ("1⅓", "1 1/3", "1 1/3", "1 1/3"),
        ("“a” …", "“a” …", '"a" ...', '"a" ...'),
        ("Čáŋŋa đ ŧ š ž", "Cánna d t š ž", "Cánna d t s z", "Cánna d t s z"),
        ("e\u0301 ﬁ", "é fi", "é fi", "é fi"),
    ],
)
def test_what_a_character_set_lacks_is_written_as_people_would(text: str, cp1252: str, latin1: str, plain: str) -> None:
    assert [fit(text, charset).text for charset in NARROW] == [cp1252, latin1, plain]
    assert fit(text, Charset.UTF8).text == text


def test_an_emoji_is_an_answer_and_gets_its_name() -> None:
    assert fit("👍🏽", Charset.LATIN1).text == "[emoji: tommel opp]"
    assert fit("❤️", Charset.LATIN1, Language.BOKMAL).text == "[emoji: hjerte]"
    assert fit("❤️", Charset.LATIN1, Language.NYNORSK).text == "[emoji: hjarte]"
    assert fit("🇳🇴", Charset.CP1252).text == "[emoji: flagg NO]"
    assert fit("👍", Charset.UTF8).text == "👍"


def test_what_has_no_other_form_is_a_counted_mark() -> None:
    assert fit("a 中 b", Charset.LATIN1) == Fitted("a [tegn] b", 1, 1)
    assert fit("a 中文字 b", Charset.LATIN1, Language.NYNORSK) == Fitted("a [3 teikn] b", 3, 3)
    assert fit("？", Charset.PLAIN) == Fitted("[tegn]", 1, 1)
    assert fit("\ud800", Charset.UTF8) == Fitted("[tegn]", 1, 1)
