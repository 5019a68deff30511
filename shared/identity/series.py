"""Which series of numbers each environment takes.

Production is about real patients: a synthetic number there is a test message gone astray. A test environment is open
to developers: a number there that may be a living person's is personal data where it must not be. What the digits do
not tell is let through: common help numbers, and numbers with 40 on the month where a local help number may stand.
Organisations are not persons and their numbers are public, so real ones may be used in a test; synthetic ones do not
exist in production.
"""

from enum import StrEnum

from shared.identity.organisation import OrganisationNumber, OrganisationSeries
from shared.identity.person import PersonNumber, Series

_SYNTHETIC = frozenset({Series.PLUS_80, Series.PLUS_65, Series.PLUS_40})


class Environment(StrEnum):
    """Where the hub runs."""

    PRODUCTION = "production"
    TEST = "test"
    """Everything else, the sandbox too."""


class Refused(StrEnum):
    """Why an environment does not take a number."""

    SYNTHETIC = "synthetic"
    """It belongs to no real person or organisation."""
    REAL = "real"
    """It may be a living person's."""


def person_refused(number: PersonNumber, environment: Environment, *, local_help: bool = False) -> Refused | None:
    """Whether this environment refuses a valid number of this series, and why.

    `local_help` says that the number stands where a local help number (H-number) is announced: 40 on the month is no
    sign of a synthetic person there.
    """
    if environment is Environment.TEST:
        return Refused.REAL if number.series is Series.ORDINARY else None
    if number.series is Series.PLUS_40 and local_help:
        return None
    return Refused.SYNTHETIC if number.series in _SYNTHETIC else None


def organisation_refused(number: OrganisationNumber, environment: Environment) -> Refused | None:
    """Whether this environment refuses an organisation number of this series, and why."""
    synthetic = number.series is OrganisationSeries.SYNTHETIC
    return Refused.SYNTHETIC if synthetic and environment is Environment.PRODUCTION else None
