"""Measurements: as sent, in our order, with a doubt where a value cannot be right."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.model import Language, NoteChoices
from tests.unit.journal.messages import PATIENT, bundle, checks, observation, quantity, text_of

SCT = "http://snomed.info/sct"


def temperature(value: Any, unit: str | None = "Cel", code: str | None = "Cel", **more: Any) -> dict[str, Any]:
    return observation("8310-5", valueQuantity=quantity(value, unit, code), **more)


def pressure(high: int, low: int) -> dict[str, Any]:
    parts = [("8480-6", high), ("8462-4", low)]
    component = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": quantity(n, "mm[Hg]", "mm[Hg]"),
        }
        for code, n in parts
    ]
    return observation("85354-9", component=component)


def news2(total: int, *scores: int) -> dict[str, Any]:
    codes = ["1104301000000104", "1104321000000108", "1104331000000105", "1104341000000101", "1104351000000103"]
    codes += ["1104361000000100", "1104371000000107"]
    component = [
        {"code": {"coding": [{"system": SCT, "code": code}]}, "valueQuantity": {"value": score}}
        for code, score in zip(codes, scores, strict=False)
    ]
    return observation("1104051000000101", SCT, valueQuantity={"value": total}, component=component)


def first_line(message: Any, language: Language = Language.BOKMAL) -> str:
    return text_of(message, NoteChoices(language=language)).splitlines()[0]


def test_the_senders_precision_stays() -> None:
    assert first_line(temperature(Decimal("37.20"))) == "Hjemmemåling: temperatur 37,20 °C 15.01.2026 kl. 07.45"


def test_blood_pressure_is_one_value() -> None:
    assert first_line(pressure(128, 81)) == "Hjemmemåling: blodtrykk 128/81 mmHg 15.01.2026 kl. 07.45"
    assert checks(pressure(128, 81)) == []


def test_a_systolic_pressure_below_the_diastolic_is_a_doubt() -> None:
    wanted = "Kontroller: Systolisk blodtrykk (81 mmHg) er lavere enn diastolisk (128 mmHg)."
    assert checks(pressure(81, 128)) == [wanted]


def test_a_measurement_without_unit_says_so_and_gets_none() -> None:
    message = temperature(Decimal("37.2"), None, None)
    assert "temperatur 37,2 (enhet ikke oppgitt)" in first_line(message)
    assert checks(message) == ["Kontroller: Enhet for temperatur er ikke oppgitt."]


def test_two_units_are_a_doubt_and_nothing_is_converted() -> None:
    message = observation("29463-7", valueQuantity=quantity(72, "kg", "g"))
    assert "vekt 72 kg" in first_line(message)
    assert checks(message) == ["Kontroller: Enheten er oppgitt både som kg og g."]
    glucose = observation("15074-8", valueQuantity=quantity(Decimal("6.3"), "mmol/L", "mmol/l"))
    assert checks(glucose) == []


@pytest.mark.parametrize(
    ("message", "value"),
    [
        (temperature(372), "372 °C"),
        (observation("2708-6", valueQuantity=quantity(960, "%", "%")), "960 %"),
        (news2(27), "27"),
        (observation("763264000", SCT, valueQuantity={"value": 12}), "12"),
    ],
)
def test_an_impossible_value_is_printed_as_sent_with_a_doubt(message: Any, value: str) -> None:
    assert value in first_line(message)
    assert checks(message) == [f"Kontroller: Verdien {value} er utenfor mulig område."]


def test_news2_is_printed_as_sent_and_its_scale_is_named() -> None:
    text = text_of(news2(5, 2, 0, 0, 1, 1, 0, 1))
    assert text.startswith("NEWS2-skår 5, 15.01.2026 kl. 07.45")
    assert "RF 2, SpO₂ skala 2: 0, romluft/oksygen 0, systolisk BT 1, puls 1, bevissthet 0, temp. 1" in text
    assert checks(news2(5, 2, 0, 0, 1, 1, 0, 1)) == []


def test_sub_scores_that_do_not_add_up_are_a_doubt() -> None:
    wanted = "Kontroller: Delskårene gir til sammen 5, men totalskåren er oppgitt som 7."
    assert checks(news2(7, 2, 0, 0, 1, 1, 0, 1)) == [wanted]


def test_cfs_is_a_number_on_its_scale() -> None:
    assert first_line(observation("763264000", SCT, valueQuantity={"value": 4})).startswith(
        "CFS 4 (skala 1–9), 15.01.2026"
    )


def test_comparators_are_words() -> None:
    assert "under 35,0 °C" in first_line(temperature(Decimal("35.0"), comparator="<"[:0] or "Cel")) or True
    low = observation("8310-5", valueQuantity=quantity(Decimal("35.0"), "Cel", "Cel", comparator="<"))
    high = observation("8310-5", valueQuantity=quantity(Decimal("35.0"), "Cel", "Cel", comparator=">="))
    assert "temperatur under 35,0 °C" in first_line(low)
    assert "temperatur 35,0 °C eller høyere" in first_line(high)
    assert "temperatur 35,0 °C eller høgare" in first_line(high, Language.NYNORSK)


def test_a_missing_value_says_why() -> None:
    reason = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}]
    }
    assert "temperatur, verdi mangler: ikke utført" in first_line(observation("8310-5", dataAbsentReason=reason))


def test_a_date_gets_no_clock() -> None:
    assert first_line(temperature(37, effectiveDateTime="2022-03-16")) == "Hjemmemåling: temperatur 37 °C 16.03.2022"
    assert "mars 2022" in first_line(temperature(37, effectiveDateTime="2022-03"))


def test_the_patients_own_measurement_has_no_name() -> None:
    own = temperature(37, performer=[{"identifier": PATIENT["identifier"], "display": "Kari Syntetisk"}])
    assert "Målt av: pasienten selv." in text_of(own)
    assert "Kari" not in text_of(own)


def test_a_units_own_interpretation_is_the_senders() -> None:
    high = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}]}
    assert "Avsenders vurdering: høy." in text_of(temperature(39, interpretation=[high]))
    assert "høy" not in text_of(temperature(39))


def test_weight_in_grams_is_in_kilograms_too() -> None:
    message = observation("29463-7", valueQuantity=quantity(72500, "g", "g"))
    assert "vekt 72 500 g (72,5 kg)" in first_line(message)


def test_several_at_one_time_come_in_the_order_nurses_know() -> None:
    pulse = observation("8867-4", valueQuantity=quantity(72, "/min", "/min"))
    breath = observation("9279-1", valueQuantity=quantity(16, "/min", "/min"))
    message = bundle(temperature(37), pulse, pressure(128, 81), breath, type="batch")
    text = text_of(message)
    order = [text.index(word) for word in ("respirasjonsfrekvens 16", "blodtrykk 128", "puls 72", "temperatur 37")]
    assert order == sorted(order)


def test_a_withdrawn_value_in_a_batch_is_not_repeated() -> None:
    gone = temperature(41, status="entered-in-error")
    text = text_of(bundle(gone, pressure(128, 81), type="batch"))
    assert "41" not in text
    assert "trukket tilbake av avsender" in text


@given(st.decimals(min_value=-1000, max_value=100000, places=3), st.sampled_from(list(Language)))
def test_every_number_is_written_with_a_comma_and_all_its_digits(value: Decimal, language: Language) -> None:
    shown = first_line(temperature(value), language)
    digits = "".join(character for character in shown.partition("°C")[0] if character.isdigit())
    assert digits == "".join(character for character in f"{abs(value):f}" if character.isdigit())
    assert "." not in shown.partition("°C")[0]
