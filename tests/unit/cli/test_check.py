"""`hub check` says what the API would say, and in which line, with no hub running."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bench.bundles import PATIENT, bundle
from sandbox.checking.one import check
from sandbox.cli.main import main
from shared.errors import HubError
from shared.fhir.json_text import MAX_BYTES
from shared.fhir.reading import Judging, read_message
from shared.fhir.rules import STRICT
from tests.data import NHN_ALARM
from tests.unit.fhir.messages import body, composition, document
from tests.unit.fhir.strategies import fhir_like

GOOD = bundle(2000)
EMPTY_TEXT = GOOD.replace(b'"manufacturer":"Trygghetsvakt"', b'"manufacturer":""')
WRONG = json.dumps(
    json.loads(GOOD.replace(b'"2026-11-20T21:09:03+01:00","author"', b'"i g\\u00e5r","author"')), indent=2
).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each verdict, a hidden one, one of another kind, and one further down."""
    files = {
        "b-good.json": GOOD,
        "a-warned.JSON": EMPTY_TEXT,
        "deep/er/c-wrong.json": WRONG,
        ".hidden/x.json": b"{",
        ".y.json": b"{",
        "readme.md": b"no message",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def write(folder: Path, content: bytes, name: str = "message.json") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def facts(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    main(["check", "--json", *argv])
    shown = capsys.readouterr()
    assert shown.err == ""
    return json.loads(shown.out)


def test_a_good_message_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, GOOD)
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.split() == [str(path), "accepted"]


def test_a_refused_message_is_exit_code_1_with_line_and_column_of_each_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, WRONG, "[bold]wrong.json")
    assert main(["check", str(path)]) == 1
    shown = capsys.readouterr().out
    lines = WRONG.decode().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "identifiedDateTime" in line)
    column = lines[at - 1].index('"') + 1
    expression = "Bundle.entry[1].resource.identified.ofType(dateTime)"
    assert f"  {path}:{at}:{column}  error  {expression}  (fhir-format)" in shown
    assert "refused (SEND_NOT_FHIR)  1 error" in shown
    assert "i går" not in shown


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        WRONG,
        EMPTY_TEXT,
        NHN_ALARM.read_bytes(),
        body(document(timestamp=None)),
        body(composition(subject=None)),
        b'{"a": NaN, "a": 1}',
    ],
)
def test_it_says_what_the_api_says(sent: bytes, *, strict: bool) -> None:
    judging = Judging(STRICT) if strict else Judging()
    checked = check("x", sent, judging)
    code = None
    try:
        findings = read_message(sent, (checked.resource_type or "Bundle"), judging).warnings
    except HubError as refusal:
        code, findings = refusal.code, refusal.findings
    assert (checked.refusal.code if checked.refusal else None) == code
    assert tuple(each.finding for each in checked.findings) == findings


def test_strict_checking_refuses_what_is_else_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, EMPTY_TEXT)
    assert main(["check", str(path)]) == 0
    assert "accepted  1 warning" in capsys.readouterr().out
    assert main(["check", "--strict", str(path)]) == 1
    assert "1 error" in capsys.readouterr().out


def test_a_folder_is_summed_up_with_the_rules_met(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 1
    shown = capsys.readouterr().out
    assert "b-good" not in shown
    assert shown.index("a-warned.JSON") < shown.index("c-wrong.json")
    assert "3 files: 1 accepted, 1 accepted with warnings, 1 refused" in shown
    assert "repair-empty-string  in 1 file" in shown


def test_json_is_one_object_with_every_file_and_the_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = facts(capsys, str(folder))
    assert [(Path(each["file"]).name, each["accepted"]) for each in told["files"]] == [
        ("a-warned.JSON", True),
        ("b-good.json", True),
        ("c-wrong.json", False),
    ]
    summary = told["summary"]
    assert (summary["files"], summary["accepted"], summary["acceptedWithWarnings"], summary["refused"]) == (3, 1, 1, 1)
    (warning,) = told["files"][0]["findings"]
    assert (warning["severity"], warning["rule"], warning["line"]) == ("warning", "repair-empty-string", 1)
    assert warning["expression"] == "Bundle.entry[2].resource.manufacturer"
    assert {"severity": "warning", "rule": "repair-empty-string", "times": 1, "files": 1} in summary["rules"]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD)))
    assert main(["check", "-"]) == 0
    assert capsys.readouterr().out.startswith("standard input")


@pytest.mark.parametrize("argv", [[], ["no-such-file.json"]])
def test_nothing_to_check_is_wrong_use(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", *argv])
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_a_folder_without_messages_is_said_to_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"hub: no .json file below {tmp_path}\n"


def test_a_resource_that_no_address_takes_is_refused_with_those_that_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path, body({"resourceType": "Patient", "identifier": [{"system": "https://x.example", "value": "1"}]})
    )
    assert main(["check", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "refused (SEND_ADDRESS_UNKNOWN)" in shown
    assert "it takes Bundle, Composition," in shown


@pytest.mark.parametrize("sent", [{"resourceType": "Foo"}, {}])
def test_what_is_no_resource_at_all_is_refused_as_no_fhir(sent: Any) -> None:
    checked = check("x", body(sent), Judging())
    assert checked.refusal is not None
    assert checked.refusal.code == "SEND_NOT_FHIR"
    assert checked.reason == ""


@pytest.mark.parametrize(
    ("sent", "code", "place"),
    [
        (b"", "SEND_BODY_EMPTY", None),
        (b" " * (MAX_BYTES + 1), "SEND_BODY_TOO_LARGE", None),
        (b'{\n  "resourceType": Bundle}', "SEND_NOT_JSON", (2, 19)),
        (b'{"resourceType": "\xe6"}', "SEND_NOT_JSON", None),
        (b'{"a": 1,\n "a": 2}', "SEND_NOT_JSON", (2, 2)),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(sent: bytes, code: str, place: tuple[int, int] | None) -> None:
    checked = check("x", sent, Judging())
    assert checked.refusal is not None
    assert checked.refusal.code == code
    if checked.findings:
        (found,) = checked.findings
        assert (None if found.line is None else (found.line, found.column)) == place
    else:
        assert checked.reason


def test_production_refuses_what_a_test_environment_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, GOOD)
    assert PATIENT[2] == "8"
    assert main(["check", "--environment", "production", str(path)]) == 1
    assert "identifier-person-synthetic" in capsys.readouterr().out


@given(st.binary(max_size=40) | fhir_like().map(body) | st.text(max_size=20).map(str.encode))
def test_no_bytes_can_make_it_fail(sent: bytes) -> None:
    checked = check("x", sent, Judging())
    assert checked.accepted or checked.reason or checked.findings
