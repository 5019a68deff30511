"""`hub note` prints the note that a nurse would read, with no hub running."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli.main import main
from sandbox.cli.note import HELD
from shared.journal.model import Charset, HeldReason, Language, Layout
from tests.data import NHN_ALARM, REPOSITORY

EXAMPLES = sorted((REPOSITORY / "sandbox" / "data" / "examples").glob("*.json"))
EXAMPLES_AT = ("--received", "2026-11-21T08:00:00Z")
AT = ("--received", "2024-07-03T08:36:40Z", "--sender", "Trygghetsvakt")


def note(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["note", *argv]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["note", *argv]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def two_patients() -> bytes:
    message: dict[str, Any] = json.loads(NHN_ALARM.read_bytes())
    for entry in message["entry"]:
        if entry["resource"]["resourceType"] == "DetectedIssue":
            entry["resource"]["patient"] = {"identifier": {"system": "http://example.test/lopenummer", "value": "2"}}
    return json.dumps(message).encode()


def test_the_published_alarm_as_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    lines = note(capsys, str(NHN_ALARM), *AT).replace("\u00a0", " ").splitlines()
    assert "03.07.2024 kl. 10.35" in lines[0]
    assert lines[-1].startswith(
        "Automatisk notat fra Trygghetsvakt via Knutepunkt. Mottatt 03.07.2024 kl. 10.36. Ref. "
    )
    assert any("kvittert ut kl. 10.36.23" in line for line in lines)


def test_the_same_file_gives_the_same_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert note(capsys, str(NHN_ALARM), *AT) == note(capsys, str(NHN_ALARM), *AT)


def test_standard_input_is_read(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(NHN_ALARM.read_bytes())))
    assert note(capsys, "-", *AT) == note(capsys, str(NHN_ALARM), *AT)


@pytest.mark.parametrize("style", Layout)
@pytest.mark.parametrize("language", Language)
def test_every_example_has_a_note_in_every_style_and_language(
    style: Layout, language: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in EXAMPLES:
        shown = note(capsys, str(path), "--style", style.value, "--language", language.value, *EXAMPLES_AT)
        assert len(shown.splitlines()) > 2


@pytest.mark.parametrize("charset", Charset)
def test_a_note_keeps_to_the_characters_asked_for(charset: Charset, capsys: pytest.CaptureFixture[str]) -> None:
    shown = note(capsys, str(NHN_ALARM), "--charset", charset.value, *AT)
    codec = "utf-8" if charset is Charset.UTF8 else "cp1252" if charset is Charset.CP1252 else "iso-8859-1"
    assert shown.encode(codec)
    assert ("\u00a0" in shown) is (charset is not Charset.PLAIN)


def test_as_a_document_reference_with_the_original_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    resource = json.loads(note(capsys, str(NHN_ALARM), "--as", "documentreference", "--with-original", *AT))
    assert resource["resourceType"] == "DocumentReference"
    assert base64.b64decode(resource["content"][1]["attachment"]["data"]) == NHN_ALARM.read_bytes()
    assert len(json.loads(note(capsys, str(NHN_ALARM), "--as", "documentreference", *AT))["content"]) == 1


def test_as_xhtml(capsys: pytest.CaptureFixture[str]) -> None:
    shown = note(capsys, str(NHN_ALARM), "--as", "xhtml", "--style", "c", *AT)
    assert shown.startswith("<div xmlns=")
    assert "<caption>" in shown


def test_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(note(capsys, str(NHN_ALARM), "--limit", "400", "--json", *AT))
    assert len(shown["parts"]) > 1
    assert all(len(part["title"]) + 1 + len(part["body"]) <= 400 for part in shown["parts"])
    assert "no room" in refused(capsys, str(NHN_ALARM), "--limit", "20", *AT)


def test_json_says_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(note(capsys, str(NHN_ALARM), "--json", *AT))
    assert shown["heading"] == shown["parts"][0]["title"]
    assert shown["occurredAt"] == "2024-07-03T08:35:32.000000Z"
    assert {"path", "why"} == set(shown["leftOut"][0])


def test_a_message_that_a_person_must_see_has_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    # Received two years before the medicine was handed out.
    ahead = str(next(path for path in EXAMPLES if path.stem == "medication-dispensed"))
    assert "more than a day ahead (medication-future)" in refused(capsys, ahead, *AT)
    assert main(["note", ahead, "--json", *AT]) == 1
    assert json.loads(capsys.readouterr().out) == {"held": "medication-future"}


def test_every_reason_to_hold_a_message_is_explained() -> None:
    assert set(HELD) == set(HeldReason)


def test_what_the_api_would_refuse_has_no_note_and_says_how_to_learn_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.json"
    for content, code in ((two_patients(), "SEND_ENVELOPE"), (b"{", "SEND_NOT_JSON"), (b"", "SEND_BODY_EMPTY")):
        path.write_bytes(content)
        said = refused(capsys, str(path))
        assert code in said
        assert f"hub check {path}" in said
    assert "cannot read" in refused(capsys, str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    "argv", [["--received", "i går"], ["--received", "2026-01-01T10:00:00"], ["--limit", "-1"], ["--style", "d"]]
)
def test_wrong_use_is_told_apart(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["note", str(NHN_ALARM), *argv])
    assert ended.value.code == 2
    assert "hub note" in capsys.readouterr().err
