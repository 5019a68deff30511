"""The layouts of a note as text and as XHTML, and the note as a DocumentReference."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fhir.resources.R4B.documentreference import DocumentReference
from hypothesis import given
from hypothesis import strategies as st

from shared.fhir.r4.xhtml import broken_rules
from shared.fhir.values import JsonObject
from shared.journal.document_reference import Filing, document_reference, note_uuid, to_bytes
from shared.journal.model import Charset, Language, Layout, Note, NoteChoices, NoteContext
from shared.journal.subject import subject_of
from shared.journal.text import as_text
from shared.journal.xhtml import as_xhtml
from tests.data import NHN_ALARM
from tests.unit.journal.notes import CONTEXT, EXAMPLES, RECEIVED, SAMPLE, message_in, notes

NBSP = "\u00a0"
"""For the first look at a note; what is asserted elsewhere is exact."""


def lines(layout: Layout) -> list[str]:
    return as_text(SAMPLE, layout).replace(NBSP, " ").split("\n")


def test_prose_has_sentences_a_running_log_and_quotations() -> None:
    assert lines(Layout.PROSE) == [
        "Trygghetsalarm 20.11.2026 kl. 21.09",
        "Årsak: «Sklei». Tiltak: «Hjulpet opp».",
        "Behandlingslogg: steg 0 kl. 08.000, steg 1 kl. 08.001.",
        "Notat fra Kari Syntetisk: «Alt bra.",
        "“Kontroller: <b>ingen</b> & “slutt””»",
        "Kontroller: Enheten er oppgitt både som kg og g.",
        "Automatisk notat fra Trygghetsvakt via Knutepunkt. Ref. 03083502.",
    ]


def test_a_list_has_one_labelled_fact_a_line() -> None:
    assert lines(Layout.LIST)[1:6] == [
        "Årsak: «Sklei»",
        "Tiltak: «Hjulpet opp»",
        "Steg 0: kl. 08.000",
        "Steg 1: kl. 08.001",
        "Notat (Kari Syntetisk): «Alt bra.",
    ]


def test_a_table_has_caption_header_and_bars_without_padding() -> None:
    assert lines(Layout.TABLE)[2:6] == [
        "Behandlingslogg",
        "Kl. | Hendelse | Utført av",
        "08.000 | Steg 0 | Kari",
        "08.001 | Steg 1 | Kari",
    ]


def seen(xhtml: str) -> str:
    return "".join(ElementTree.fromstring(xhtml).itertext())  # noqa: S314 - our own text


@given(notes, st.sampled_from(Layout))
def test_xhtml_is_a_narrative_r4_takes_and_shows_the_same_words(note: Note, layout: Layout) -> None:
    xhtml = as_xhtml(note, layout)
    assert broken_rules(xhtml) == ()
    shown = seen(xhtml)
    for line in as_text(note, layout).split("\n"):
        for part in re.split(r" \| |: ", line):
            assert part in shown


def test_xhtml_escapes_all_text_and_says_its_language() -> None:
    xhtml = as_xhtml(SAMPLE, Layout.PROSE)
    assert "&lt;b&gt;ingen&lt;/b&gt; &amp; “slutt”" in xhtml
    assert 'lang="nb-NO"' in xhtml
    assert 'lang="nn-NO"' in as_xhtml(replace(SAMPLE, language=Language.NYNORSK), Layout.PROSE)


def test_a_table_in_xhtml_has_caption_and_headers_with_scope() -> None:
    xhtml = as_xhtml(SAMPLE, Layout.TABLE)
    assert '<caption>Behandlingslogg</caption><thead><tr><th scope="col">Kl.</th>' in xhtml
    assert "<dl><dt>Årsak</dt><dd>«Sklei»</dd>" in as_xhtml(SAMPLE, Layout.LIST)


def filing(path: Path = NHN_ALARM, **more: Any) -> Filing:
    return Filing("0123abc", message_in(path), CONTEXT, **more)


def attachments(resource: JsonObject) -> list[dict[str, Any]]:
    read: dict[str, Any] = json.loads(to_bytes(resource))
    return [content["attachment"] for content in read["content"]]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_becomes_a_document_reference_that_r4_libraries_read(path: Path) -> None:
    body = to_bytes(document_reference(SAMPLE, NoteChoices(), filing(path, original=b"{}", corrects_event="0")))
    read = DocumentReference.model_validate_json(body)
    assert read.subject is not None
    assert len(read.content) == 2


def test_the_first_content_is_the_note_in_the_receivers_characters() -> None:
    choices = NoteChoices(layout=Layout.LIST, charset=Charset.LATIN1)
    (attachment,) = attachments(document_reference(SAMPLE, choices, filing()))
    data = base64.b64decode(attachment["data"])
    assert attachment["contentType"] == "text/plain;charset=iso-8859-1"
    assert data.decode("iso-8859-1") == as_text(SAMPLE, Layout.LIST).replace("“", '"').replace("”", '"')
    assert attachment["size"] == len(data)
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(data, usedforsecurity=False).digest()
    assert (attachment["language"], attachment["title"]) == ("nb-NO", SAMPLE.heading)


def test_the_second_content_is_the_message_byte_for_byte() -> None:
    original = NHN_ALARM.read_bytes()
    _, attachment = attachments(document_reference(SAMPLE, NoteChoices(), filing(original=original)))
    assert base64.b64decode(attachment["data"]) == original
    assert attachment["contentType"] == "application/fhir+json"


def test_the_same_event_gives_the_same_bytes_and_another_event_another_id() -> None:
    one, same = (to_bytes(document_reference(SAMPLE, NoteChoices(), filing())) for _ in range(2))
    assert one == same
    assert json.loads(one)["masterIdentifier"]["value"] == note_uuid("0123abc") != note_uuid("0123abd")


def test_the_subject_is_the_patient_under_the_identifier_that_was_sent() -> None:
    message: JsonObject = {
        "resourceType": "Observation",
        "subject": {
            "reference": "Patient/17",
            "display": "Kari Syntetisk 05834410070",
            "identifier": {"system": "2.16.578.1.12.4.1.4.1", "value": "05834410070", "period": {"start": "2020"}},
        },
    }
    assert subject_of(message) == {
        "type": "Patient",
        "identifier": {"system": "2.16.578.1.12.4.1.4.1", "value": "05834410070"},
    }


def test_a_patient_known_by_reference_only_is_passed_on_as_that() -> None:
    message: JsonObject = {"resourceType": "Observation", "subject": {"reference": "Patient/17"}}
    assert subject_of(message) == {"reference": "Patient/17", "type": "Patient"}
    assert subject_of({"resourceType": "Observation"}) is None


def test_a_correction_is_added_to_the_earlier_note_and_replaces_nothing() -> None:
    resource = document_reference(SAMPLE, NoteChoices(), filing(corrects_event="earlier"))
    assert resource["relatesTo"] == [
        {
            "code": "appends",
            "target": {"identifier": {"system": "urn:ietf:rfc:3986", "value": note_uuid("earlier")}},
        }
    ]


def test_it_says_when_it_happened_and_which_message_it_is_of() -> None:
    message = message_in(NHN_ALARM)
    resource = document_reference(SAMPLE, NoteChoices(), Filing("1", message, NoteContext("", RECEIVED, "1")))
    assert resource["context"] == {
        "period": {"start": "2026-11-21T08:00:00.000000Z"},
        "related": [{"identifier": message["identifier"]}],
    }
    assert resource["date"] == "2026-11-21T08:00:00.000000Z"
    assert resource["author"] == [{"type": "Device", "display": "Knutepunkt"}]


def test_a_preliminary_message_gives_a_preliminary_document() -> None:
    message: JsonObject = {
        "resourceType": "Composition",
        "status": "preliminary",
        "subject": {"reference": "Patient/1"},
    }
    made = document_reference(SAMPLE, NoteChoices(), Filing("1", message, CONTEXT))
    assert made["docStatus"] == "preliminary"
    assert document_reference(SAMPLE, NoteChoices(), filing())["docStatus"] == "final"


def test_nothing_of_a_note_is_markup_for_whoever_shows_it() -> None:
    hostile = replace(SAMPLE, heading="<script>x</script>", footer="]]>&<!--")
    xhtml = as_xhtml(hostile, Layout.PROSE)
    assert "<script" not in xhtml
    assert html.escape("]]>&<!--") in xhtml
