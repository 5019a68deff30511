"""What kinds of event there are, and which code of which list means which kind.

Kinds are what a municipality routes by, so they are fewer than the codes. Their values are stable: they stand in
registrations and statistics. The lists are those of `shared.fhir.codes`, old ones too, since a list's own url tells
which edition a code is of. Which deviations of a dispenser concern the dose and which the machine: the definitions in
vkp-alert-code-v090.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What happened, as coarse as it is handled."""

    TRYGGHETSALARM = "trygghetsalarm"
    LOKALISERING = "lokalisering"
    SYKESIGNAL = "sykesignal"
    INKONTINENS = "inkontinens"
    DORLAS = "dorlas"

    FALL = "fall"
    SENG_ELLER_STOL = "seng-eller-stol"
    ROM = "rom"
    DOR = "dor"
    FORLATT_BOLIG = "forlatt-bolig"
    INAKTIVITET = "inaktivitet"
    BEVEGELSE = "bevegelse"
    LYD = "lyd"
    BRANN = "brann"
    VANN = "vann"
    EPILEPSI = "epilepsi"
    BRUKERANROP = "brukeranrop"
    TILSYN = "tilsyn"
    """Digital supervision, and it is not told whether planned."""
    TILSYN_PLANLAGT = "tilsyn-planlagt"
    TILSYN_HENDELSE = "tilsyn-hendelse"

    MEDISIN_UTLEVERT = "medisin-utlevert"
    MEDISIN_UTLEVERT_BEHOV = "medisin-utlevert-behov"
    MEDISIN_UTLEVERT_REISE = "medisin-utlevert-reise"
    MEDISIN_MELDING_LEST = "medisin-melding-lest"
    """A message on the dispenser was confirmed; nothing was handed out."""
    MEDISIN_AVVIK = "medisin-avvik"
    """About the dose: not handed out, not confirmed, medicine or plan missing."""
    MEDISIN_TEKNISK = "medisin-teknisk"
    """About the machine."""
    MEDISIN_UKJENT = "medisin-ukjent"
    """Nobody can tell from the message whether medicine was handed out."""

    MALING = "maling"
    MALEVARSEL = "malevarsel"
    """A measurement that raised an alert."""
    MALING_MANGLER = "maling-mangler"
    SKJEMA = "skjema"
    SKJEMA_MANGLER = "skjema-mangler"
    INAKTIV_PASIENT = "inaktiv-pasient"
    """Nothing heard from the patient in home monitoring; says nothing about movement."""
    HJEMMEOPPFOLGING = "hjemmeoppfolging"
    """Another alert of home monitoring, or a summary of several."""

    NOTAT = "notat"
    MELDING = "melding"
    """A Communication."""
    UKJENT = "ukjent"


def _of(kind: Kind, *codes: str) -> dict[str, Kind]:
    return dict.fromkeys(codes, kind)


_SENSORS: Final = (
    _of(Kind.FALL, "4.1")
    | _of(Kind.SENG_ELLER_STOL, "4.2", "4.3", "4.4", "4.20")
    | _of(Kind.ROM, "4.5", "4.6", "4.8")
    | _of(Kind.INAKTIVITET, "4.7", "4.9", "4.12", "4.19", "4.23")
    | _of(Kind.LYD, "4.10")
    | _of(Kind.BRANN, "4.11")
    | _of(Kind.BRUKERANROP, "4.13", "4.14", "4.22")
    | _of(Kind.DOR, "4.15", "4.16")
    | _of(Kind.VANN, "4.17")
    | _of(Kind.BEVEGELSE, "4.18")
    | _of(Kind.FORLATT_BOLIG, "4.21")
)
_ALERTS: Final = (
    _of(Kind.MEDISIN_AVVIK, "1", "1.1", "1.2", "1.3", "1.4", "1.10", "1.11", "1.12", "1.13", "1.14", "1.15")
    | _of(Kind.MEDISIN_TEKNISK, "1.5", "1.6", "1.7", "1.8", "1.9", *(f"1.{number}" for number in range(16, 24)))
    | _of(Kind.LOKALISERING, "2")
    | _of(Kind.TRYGGHETSALARM, "3")
    | _of(Kind.TILSYN, "4")
    | _SENSORS
    | _of(Kind.EPILEPSI, "4.24")
    | _of(Kind.TILSYN_HENDELSE, "4.25")
    | _of(Kind.TILSYN_PLANLAGT, "4.26")
    | _of(Kind.HJEMMEOPPFOLGING, "5", "5.1", "5.2", "5.2.3")
    | _of(Kind.MALEVARSEL, "5.2.1")
    | _of(Kind.SKJEMA, "5.2.2")
    | _of(Kind.INAKTIV_PASIENT, "5.3")
    | _of(Kind.SKJEMA_MANGLER, "5.3.1")
    | _of(Kind.MALING_MANGLER, "5.3.2")
    | _of(Kind.DORLAS, "6")
    | _of(Kind.SYKESIGNAL, "7")
    | _of(Kind.INKONTINENS, "7.1")
)
_FLAGS: Final = (
    _SENSORS
    | _of(Kind.TILSYN, "4")
    | _of(Kind.HJEMMEOPPFOLGING, "0", "1", "1.3")
    | _of(Kind.MALEVARSEL, "1.1")
    | _of(Kind.SKJEMA, "1.2")
    | _of(Kind.INAKTIV_PASIENT, "2")
    | _of(Kind.SKJEMA_MANGLER, "2.1")
    | _of(Kind.MALING_MANGLER, "2.2")
)
_DISPENSES: Final = (
    _of(Kind.MEDISIN_UTLEVERT, "1", "1.1", "1.2")
    | _of(Kind.MEDISIN_UTLEVERT_BEHOV, "1.3")
    | _of(Kind.MEDISIN_UTLEVERT_REISE, "2", "2.1", "2.2")
    | _of(Kind.MEDISIN_MELDING_LEST, "3")
)
_OLD_DISPENSES: Final = (
    _of(Kind.MEDISIN_UKJENT, "0")
    | _of(Kind.MEDISIN_UTLEVERT, "1", "18")
    | _of(Kind.MEDISIN_AVVIK, "2", "3", "6", "7", "8", "15", "16", "22", "23", "24", "25")
    | _of(Kind.MEDISIN_TEKNISK, "4", "5", "9", "10", "11", "12", "13", "14", "17", "21", "26", "27")
    | _of(Kind.MEDISIN_MELDING_LEST, "19")
    | _of(Kind.MEDISIN_UTLEVERT_REISE, "20")
)

CODES: Final[Mapping[str, Mapping[str, Kind]]] = MappingProxyType({
    "alert-code": _ALERTS,
    "flag-code": _FLAGS,
    # Its first editions had the old numbers under the same url; those above 3 have no other meaning today.
    "medicationdispense-events": _OLD_DISPENSES | _DISPENSES,
    "medicationdispense-events-v06": _OLD_DISPENSES,
    "encounter-reason": _of(Kind.TILSYN_PLANLAGT, "1") | _of(Kind.TILSYN_HENDELSE, "2"),
})  # fmt: skip
"""By the name of the code list (`shared.fhir.codes`), then by code."""


def _serving(service: str, *kinds: Kind) -> dict[Kind, tuple[str, ...]]:
    return dict.fromkeys(kinds, (service,))


SERVICES: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    _serving("TA", Kind.TRYGGHETSALARM)
    | _serving("GPS", Kind.LOKALISERING)
    | _serving("MD", *(kind for kind in Kind if kind.startswith("medisin-")))
    | _serving("DT", *_SENSORS.values(), Kind.EPILEPSI, Kind.TILSYN, Kind.TILSYN_PLANLAGT, Kind.TILSYN_HENDELSE)
    | _serving("DHO", Kind.MALING, Kind.MALEVARSEL, Kind.MALING_MANGLER, Kind.SKJEMA, Kind.SKJEMA_MANGLER)
    | _serving("DHO", Kind.INAKTIV_PASIENT, Kind.HJEMMEOPPFOLGING)
)
"""VKP's service codes a kind belongs to. RT (response service) is of none: it says who acts, not what happened."""
