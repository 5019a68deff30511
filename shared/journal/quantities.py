"""How a note writes numbers and units: the sender's own precision, a decimal comma, no-break spaces, known units.

No value is converted, rounded or judged here. Sources: Språkrådet on numbers and spaces (comma, no-break space in
thousands and before units, `%` and `°C` among them, en dash as minus); UCUM for the codes.
"""

from decimal import Decimal
from typing import Final

from shared.journal.model import Language
from shared.journal.writing import NBSP

_NO_UNIT: Final = frozenset({"", "1", "{score}", "{Score}", "{count}", "{index}", "{number}"})
_UNITS: Final = {
    "mm[Hg]": "mmHg",
    "/min": "/min",
    "{beats}/min": "/min",
    "{breaths}/min": "/min",
    "1/min": "/min",
    "Cel": "°C",
    "[degF]": "°F",
    "%": "%",
    "kg": "kg",
    "g": "g",
    "mg": "mg",
    "ug": "µg",
    "m": "m",
    "cm": "cm",
    "mm": "mm",
    "km": "km",
    "kg/m2": "kg/m²",
    "mmol/L": "mmol/L",
    "mmol/l": "mmol/L",
    "mmol/mol": "mmol/mol",
    "mg/dL": "mg/dL",
    "mg/dl": "mg/dL",
    "L": "L",
    "l": "L",
    "dL": "dL",
    "mL": "mL",
    "ml": "mL",
    "L/min": "L/min",
    "l/min": "L/min",
    "s": "s",
    "min": "min",
    "h": "t",
    "d": "døgn",
    "kPa": "kPa",
    "[iU]": "IE",
    "[IU]": "IE",
}
"""UCUM code to what journals write."""

_SPOKEN: Final = {
    "mmhg": "mmHg",
    "/minute": "/min",
    "per min": "/min",
    "per minutt": "/min",
    "beats/min": "/min",
    "beats/minute": "/min",
    "bpm": "/min",
    "slag/min": "/min",
    "breaths/min": "/min",
    "breaths/minute": "/min",
    "pust/min": "/min",
    "c": "°C",
    "°c": "°C",
    "degc": "°C",
    "degrees c": "°C",
    "degree celsius": "°C",
    "degrees celsius": "°C",
    "grader": "°C",
    "grader celsius": "°C",
    "prosent": "%",
    "percent": "%",
    "kilogram": "kg",
    "gram": "g",
    "kg/m²": "kg/m²",
    "centimeter": "cm",
    "hour": "t",
    "hours": "t",
    "timer": "t",
    "ie": "IE",
    "score": "",
    "skår": "",
    "poeng": "",
}
"""What senders write in `Quantity.unit`, lower case."""

_COMPARED: Final = {
    "<": ("under {}", "under {}"),
    "<=": ("{} eller lavere", "{} eller lågare"),
    ">=": ("{} eller høyere", "{} eller høgare"),
    ">": ("over {}", "over {}"),
}
_LONGEST_PLAIN: Final = 30


def number(value: Decimal | int) -> str:
    """`6,30`, `10 000`, `–5`: as many decimals as the sender wrote; four digits stay closed up."""
    exact = Decimal(value)
    if not exact.is_finite():
        return str(value)
    sign = "–" if exact.is_signed() else ""
    size = exact.copy_abs()
    if len(size.as_tuple().digits) > _LONGEST_PLAIN or abs(size.adjusted()) > _LONGEST_PLAIN:
        mantissa, _, exponent = f"{size:E}".partition("E")
        return f"{sign}{mantissa.replace('.', ',')}{NBSP}×{NBSP}10^{int(exponent)}"
    whole, _, decimals = f"{size:f}".partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", NBSP)
    return f"{sign}{whole},{decimals}" if decimals else f"{sign}{whole}"


def unit_text(unit: str | None, code: str | None) -> str | None:
    """What to write after the number; `""` where no unit belongs (scores), None where none was given.

    `Quantity.unit` is what the sender shows people: it stands as sent unless it is a known spelling of a unit that
    journals write in another way. Without it the code tells. Both are to be cleaned text.
    """
    if unit is not None and unit.strip():
        known = _known_name(unit)
        return unit if known is None else known
    if code is None:
        return None
    known = _known_name(code)
    return code if known is None else known


def units_agree(unit: str | None, code: str | None) -> bool:
    """False when `Quantity.unit` and `Quantity.code` name two different units. What we do not know agrees."""
    if unit is None or code is None:
        return True
    written, coded = _known_name(unit), _known_name(code)
    return written is None or coded is None or written == coded or unit.casefold() == code.casefold()


def quantity(value: Decimal | int, unit: str | None) -> str:
    """`37,2 °C`, from a number and what `unit_text` gave."""
    return f"{number(value)}{NBSP}{unit}" if unit else number(value)


def grams(value: Decimal | int) -> str:
    """`72 500 g (72,5 kg)`: the official example has body weight in grams. Below a kilogram the grams alone."""
    text = quantity(value, "g")
    if abs(Decimal(value)) < 1000:
        return text
    return f"{text} ({quantity(Decimal(value).scaleb(-3).normalize(), 'kg')})"


def blood_pressure(systolic: Decimal | int, diastolic: Decimal | int, unit: str | None) -> str:
    """`128/81 mmHg`."""
    both = f"{number(systolic)}/{number(diastolic)}"
    return f"{both}{NBSP}{unit}" if unit else both


def compared(comparator: str, text: str, language: Language) -> str:
    """`under 35,0 °C`, `35,0 °C eller høyere`. A comparator that R4 does not have stands before the text as sent."""
    words = _COMPARED.get(comparator)
    if words is None:
        return f"{comparator} {text}".strip()
    return words[language is Language.NYNORSK].format(text)


def _known_name(text: str) -> str | None:
    plain = text.strip()
    if plain in _NO_UNIT:
        return ""
    return _UNITS.get(plain) or _SPOKEN.get(plain.casefold())
