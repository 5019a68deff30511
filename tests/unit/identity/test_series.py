"""Production is for real persons, tests are for none."""

import pytest

from shared.identity.organisation import organisation_number
from shared.identity.person import person_number
from shared.identity.series import Environment, Refused, organisation_refused, person_refused
from tests.unit.identity.numbers import help_number, issued, organisation


@pytest.mark.parametrize("added_to_day", [0, 40])
@pytest.mark.parametrize("added_to_month", [40, 65, 80])
def test_production_refuses_synthetic_persons_and_tests_take_them(added_to_day: int, added_to_month: int) -> None:
    number = person_number(issued(5 + added_to_day, 3 + added_to_month, 44))
    assert person_refused(number, Environment.PRODUCTION) is Refused.SYNTHETIC
    assert person_refused(number, Environment.TEST) is None


@pytest.mark.parametrize("added_to_day", [0, 40])
def test_tests_refuse_numbers_that_may_be_a_living_persons_and_production_takes_them(added_to_day: int) -> None:
    number = person_number(issued(5 + added_to_day, 3, 44))
    assert person_refused(number, Environment.TEST) is Refused.REAL
    assert person_refused(number, Environment.PRODUCTION) is None


@pytest.mark.parametrize("environment", Environment)
def test_a_common_help_number_does_not_tell_and_is_taken_everywhere(environment: Environment) -> None:
    assert person_refused(person_number(help_number()), environment) is None


@pytest.mark.parametrize("environment", Environment)
def test_40_on_the_month_is_no_sign_of_a_synthetic_person_where_a_local_help_number_stands(
    environment: Environment,
) -> None:
    assert person_refused(person_number(issued(5, 43, 44)), environment, local_help=True) is None
    synthetic = person_refused(person_number(issued(5, 83, 44)), Environment.PRODUCTION, local_help=True)
    assert synthetic is Refused.SYNTHETIC


def test_synthetic_organisations_are_refused_in_production_only() -> None:
    synthetic, real = (organisation_number(organisation("1090000", first)) for first in "39")
    assert organisation_refused(synthetic, Environment.PRODUCTION) is Refused.SYNTHETIC
    assert organisation_refused(synthetic, Environment.TEST) is None
    assert organisation_refused(real, Environment.PRODUCTION) is None
    assert organisation_refused(real, Environment.TEST) is None
