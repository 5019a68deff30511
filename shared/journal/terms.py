"""The words of the notes, one file per language with one schema: `data/nb.json`, `data/nn.json`.

The terms are our own; where a published display misleads (`Fall` for an alarm, `ok utrykning` for "accepted") the note
says something else. What senders publish is kept in shared/fhir, and their own words are always shown when they
differ from ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from shared.journal.model import Language


@dataclass(frozen=True, slots=True)
class Terms:
    """One language's words."""

    language: Language
    words: Mapping[str, str]
    labels: Mapping[str, str]
    headings: Mapping[str, str]
    sentences: Mapping[str, str]
    leads: Mapping[str, str]
    log: Mapping[str, str]
    checks: Mapping[str, str]
    extensions: Mapping[str, str]
    """Labels of extensions, by a part of their url."""
    codes: Mapping[str, Mapping[str, str]]

    def word(self, key: str, **values: object) -> str:
        """A word or a phrase."""
        return self.words[key].format(**values)

    def label(self, key: str) -> str:
        """What stands before a colon."""
        return self.labels[key]

    def heading(self, key: str, **values: object) -> str:
        """The kind of event, as a heading begins."""
        return self.headings[key].format(**values)

    def say(self, key: str, **values: object) -> str:
        """A whole sentence."""
        return self.sentences[key].format(**values)

    def lead(self, key: str, **values: object) -> str:
        """What introduces a quotation."""
        return self.leads[key].format(**values)

    def step(self, key: str, **values: object) -> str:
        """Part of a log."""
        return self.log[key].format(**values)

    def doubt(self, key: str, **values: object) -> str:
        """A sentence that begins with `Kontroller:`."""
        return self.checks[key].format(**values)

    def code(self, of: str, code: str | None) -> str | None:
        """Our term for a code of a list; None when we have none."""
        return self.codes[of].get(code) if code is not None else None


@cache
def terms(language: Language) -> Terms:
    """A language's words, read once."""
    read: dict[str, Any] = json.loads((files("shared.journal") / "data" / f"{language}.json").read_text("utf-8"))
    return Terms(language, **{name: read[name] for name in Terms.__dataclass_fields__ if name != "language"})


def capital(text: str) -> str:
    """With a capital first letter; the rest as it is (`NEWS2`, `SpO₂`)."""
    return text[:1].upper() + text[1:]
