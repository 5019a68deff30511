"""The words: two languages with one schema, a term for every code, nothing that judges."""

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest

from shared.fhir.codes import code_lists
from shared.journal.model import Language
from shared.journal.naming import LISTS
from shared.journal.terms import terms
from tests.data import REPOSITORY

JOURNAL = REPOSITORY / "shared" / "journal"
LANGUAGES = {language: json.loads((JOURNAL / "data" / f"{language}.json").read_text("utf-8")) for language in Language}
UNWRITTEN = {"triage"}
"""Lists whose words are printed as sent."""
FORBIDDEN = {
    Language.BOKMAL: r"\b(falt|tatt|falsk|angivelig|påstår|hevder|masete|krevende|ok|alt bra|ingen skade)\b",
    Language.NYNORSK: r"\b(fall|falle|falt|teken|falsk|angiveleg|påstår|hevdar|masete|krevjande|ok|alt bra|ingen skade)"
    r"\b",
}
ABOUT_DOSES = {"dispensed-not-taken", "1.10", "position-kept-out"}
"""Where `tatt` stands to say that nobody knows, that a dose lies waiting, or that a position is left out."""


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    if isinstance(value, str):
        return {path: value}
    return {key: text for name, each in value.items() for key, text in leaves(each, (*path, name)).items()}


def test_both_languages_have_the_same_keys() -> None:
    nb, nn = (leaves(LANGUAGES[language]) for language in Language)
    assert nb.keys() == nn.keys()


def test_a_sentence_has_the_same_placeholders_in_both_languages() -> None:
    nb, nn = (leaves(LANGUAGES[language]) for language in Language)
    for key, text in nb.items():
        assert placeholders(text) == placeholders(nn[key]), key


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", list(Language))
def test_every_code_of_every_list_has_a_term(language: Language) -> None:
    for name, of in LISTS.items():
        if of in UNWRITTEN or name == "flag-code":
            continue
        for code, found in code_lists()[name].codes.items():
            if found.current is not None:
                assert terms(language).code(of, code) is not None, (name, code)


def test_every_meaning_that_changed_says_when() -> None:
    for name in LISTS:
        for code in code_lists()[name].codes.values():
            for meaning in code.earlier:
                assert meaning.since or meaning.until, (name, code.code)


@pytest.mark.parametrize("language", list(Language))
def test_our_words_never_judge_or_claim(language: Language) -> None:
    for key, text in leaves(LANGUAGES[language]).items():
        if not ABOUT_DOSES & set(key):
            assert not re.search(FORBIDDEN[language], text.casefold()), key


@pytest.mark.parametrize("language", list(Language))
def test_our_words_hold_no_technical_words(language: Language) -> None:
    for key, text in leaves(LANGUAGES[language]).items():
        assert not re.search(r"\b(fhir|json|null|undefined|coding|bundle|resource|url|uuid)\b", text.casefold()), key


@pytest.mark.parametrize("language", list(Language))
def test_a_doubt_begins_as_doubts_do(language: Language) -> None:
    assert all(text.startswith("Kontroller: ") and text.endswith(".") for text in terms(language).checks.values())


def test_every_key_that_the_code_names_is_there() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in sorted(Path(JOURNAL).glob("*.py")))
    known = {key for group in LANGUAGES[Language.BOKMAL].values() if isinstance(group, dict) for key in group}
    for method in ("word", "label", "heading", "say", "lead", "step", "doubt", "fact"):
        for key in re.findall(rf'\.{method}\("([^"{{]+)"', sources):
            assert key in known, (method, key)


def test_every_sentence_is_used() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in sorted(Path(JOURNAL).glob("*.py")))
    for group in ("words", "headings", "sentences", "checks"):
        for key in LANGUAGES[Language.BOKMAL][group]:
            stem = key.removesuffix("-untimed").removesuffix("-what")
            used = any(re.search(rf"[\"']{re.escape(each)}[\"']", sources) for each in (key, stem))
            assert used or key.startswith("patient."), (group, key)
