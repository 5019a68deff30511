"""`hub bench check` measures good messages, every layer, and leaves the pipeline as it was."""

import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from sandbox.bench import check
from sandbox.bench.bundles import bundle
from sandbox.cli.main import main
from shared.errors import NotJson
from shared.fhir import reading
from shared.fhir.rules import STRICT

each_size = pytest.mark.parametrize("size", check.SIZES)


@pytest.fixture(scope="module")
def measured() -> check.Measured:
    return check.measure(1, lambda _: None)


@each_size
def test_the_messages_are_always_the_same_and_hardly_larger_than_asked_for(size: int) -> None:
    body = bundle(size)
    assert body == bundle(size)
    assert size <= len(body) < size * 1.2


@each_size
def test_not_even_a_strict_reader_has_anything_to_say_about_the_messages(size: int) -> None:
    judgement = reading.judge(bundle(size), "Bundle", reading.Judging(STRICT))
    assert judgement.findings == ()
    Bundle.model_validate_json(bundle(size))


def test_every_layer_is_measured_for_every_message(measured: check.Measured) -> None:
    names = [line.name for line in measured.layers]
    due = ["bytes → JSON", "repair", "base R4", "profiles", "identifiers", "envelope, references", "event", check.REST]
    assert [name for name in names if name in due] == due
    assert [line.name for line in measured.others] == [check.JSON, check.ORJSON, check.FHIR_RESOURCES]
    for line in (*measured.layers[:-1], measured.whole, *measured.others):
        assert len(line.median) == len(check.SIZES)
        assert all(0 < least <= median for least, median in zip(line.least, line.median, strict=True)), line.name


def test_a_fresh_process_is_measured(measured: check.Measured) -> None:
    assert measured.cold.import_ms > 0
    assert measured.cold.added_mb > 0


def test_measuring_leaves_the_pipeline_as_it_was() -> None:
    before = dict(vars(reading))
    with check.timed() as taken:
        reading.read_message(bundle(check.SIZES[0]), "bundle")
    assert taken
    assert dict(vars(reading)) == before


def test_a_refused_message_is_refused_under_measurement_too() -> None:
    before = dict(vars(reading))
    with pytest.raises(NotJson), check.timed():
        reading.read_message(b"{", "bundle")
    assert dict(vars(reading)) == before


def test_the_command_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "check", "--quick", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["whole"]["name"] == check.WHOLE
    assert len(shown["sizes"]) == len(check.SIZES)
