"""The bill follows the template, what was measured and the list of prices, and hides nothing that it does not know."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from croniter import croniter

from sandbox.cli.main import main
from sandbox.cost import bill as bills
from sandbox.cost import parts
from sandbox.cost.bill import bill
from sandbox.cost.parts import Basis
from sandbox.cost.prices import PRICES, measured, prices
from sandbox.cost.template import ENVIRONMENTS, Template, components, template

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"


def changed(environment: str, kind: str, change: dict[str, object]) -> Template:
    found = template(environment)
    return replace(
        found,
        resources=tuple(
            {**each, **change} if each["type"] == f"Microsoft.{kind}" else each for each in found.resources
        ),
    )


def usd(found: Template, part: str, what: str, events: float = 1e6) -> float:
    basis = Basis(found, measured(), prices())
    return float(sum(cost.usd for cost in getattr(parts, part)(basis, events) if what in cost.what))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_resource_of_an_environment_has_a_price_or_is_known_to_need_none(environment: str) -> None:
    found = bill(environment, 1_000_000)
    assert found.usd >= found.fixed > 0


def test_a_resource_that_nobody_has_a_price_of_stops_the_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(template("dev"), resources=(*template("dev").resources, {"type": "Microsoft.Cache/redis"}))
    monkeypatch.setattr(bills, "template", lambda _: other)
    with pytest.raises(LookupError, match="Cache/redis"):
        bill("dev", 0)


def test_more_events_never_cost_less() -> None:
    for environment in ENVIRONMENTS:
        sums = [bill(environment, events).usd for events in (0, 1000, 1_000_000, 50_000_000, 500_000_000)]
        assert sums == sorted(sums)


def test_a_second_unit_of_the_gateway_costs_as_much_as_the_first() -> None:
    one = changed("prod", "ApiManagement/service", {"sku": {"name": "StandardV2", "capacity": 1}})
    two = changed("prod", "ApiManagement/service", {"sku": {"name": "StandardV2", "capacity": 2}})
    assert usd(two, "gateway", "unit") == pytest.approx(2 * usd(one, "gateway", "unit"))


def test_calls_above_those_included_are_paid_for() -> None:
    assert usd(template("prod"), "gateway", "calls", 50e6) == 0
    assert usd(template("prod"), "gateway", "calls", 51e6) == pytest.approx(prices().usd("gateway.million"))


def test_zones_keep_two_instances_of_every_group_that_would_have_fewer() -> None:
    groups = template("prod").groups()
    assert [group.kept for group in groups] == [2] * len(groups)
    functions = [name for component in components() for name in component["functions"]]
    assert sum(len(group.functions) for group in groups) == len(functions)
    assert usd(template("prod"), "functions", "because of zones") == pytest.approx(bill("prod", 0).zones.functions)
    assert usd(template("dev"), "functions", "because of zones") == 0


def test_standard_is_paid_by_operations_and_premium_is_not() -> None:
    assert usd(template("dev"), "service_bus", "operations", 1e6) == 0
    assert usd(template("dev"), "service_bus", "operations", 100e6) > 0
    assert usd(template("prod"), "service_bus", "", 0) == usd(template("prod"), "service_bus", "", 100e6)


def test_autoscale_is_paid_for_between_a_tenth_and_all_of_its_maximum_and_says_when_that_is_not_enough() -> None:
    hour = prices().usd("cosmos.autoscale.hour") * prices().hours
    assert usd(template("prod"), "cosmos", "`knutepunkt`,", 0) == pytest.approx(4 * hour)
    assert usd(template("prod"), "cosmos", "`knutepunkt`,", 1e9) == pytest.approx(40 * hour)
    assert any("more than that is needed" in line.how for line in bill("prod", 1_000_000_000).lines)
    assert not any("more than that is needed" in line.how for line in bill("prod", 1_000_000).lines)


def test_logs_never_cost_more_than_their_cap_and_the_bill_says_when_it_cuts() -> None:
    month = 10 * 365 / 12 * prices().usd("logs.gb")
    assert usd(template("prod"), "logs", "", 1e9) == pytest.approx(month)
    assert any("cap" in line.how for line in bill("prod", 1_000_000_000).lines)


def test_runs_that_overlap_are_not_paid_for_twice() -> None:
    basis = Basis(template("prod"), measured(), prices())
    deliver = next(group for group in basis.template.groups() if group.name == "function:deliver_prompt")
    few, many = (parts._work(basis, deliver, events) for events in (1000.0, 50e6))
    assert few[1] == pytest.approx(few[0], rel=0.01)
    assert many[1] < many[0] / 2


@pytest.mark.parametrize(("schedule", "day"), [("*/5 * * * * *", 17_280), ("30 */5 * * * *", 288), ("0 20 3 * * *", 1)])
def test_a_schedule_is_counted_as_it_comes(schedule: str, day: int) -> None:
    assert croniter.is_valid(schedule, second_at_beginning=True)
    assert parts._runs_in_month(schedule) == pytest.approx(day * 365 / 12)


def test_every_timer_of_the_app_is_counted_by_its_own_setting() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FUNCTIONS.glob("*.py"))
    timers = re.findall(r'function_name\("(\w+)"\)\s+@door\.timer_trigger\([^)]*?"%(\w+)%"', text)
    assert len(timers) == text.count("timer_trigger(")
    assert dict(timers) == dict(parts._TIMERS)


def test_what_was_measured_names_functions_and_databases_that_there_are() -> None:
    functions = {name for component in components() for name in component["functions"]}
    counted = {name.partition("/")[2] for name in measured().events if name.startswith("runs/")}
    assert {"ingest"} < counted <= functions
    databases = {
        str(each["name"]).partition("/")[2] for each in template("prod").of("DocumentDB/databaseAccounts/sqlDatabases")
    }
    kept = {name.partition("/")[2] for name in measured().events if name.startswith("requestUnits/")}
    # A checkpoint is written now and then, and may not have been while events were counted.
    assert databases - {"knutepunkt-checkpoints"} <= kept - {"account"} <= databases


def test_prices_have_a_date_a_source_and_say_how_sure_they_are() -> None:
    listed = prices()
    assert date.fromisoformat(listed.date) <= date.today()  # noqa: DTZ011 - a day more or less does not matter
    assert all(price.sure in {"S", "K"} and price.source and price.per for price in listed.known.values())
    assert "not an offer" in json.loads(PRICES.read_text(encoding="utf-8"))["about"].lower()


def test_the_command_says_fixed_next_million_what_dominates_and_zones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--env", "prod", "--events", "1_000_000"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("fixed", "1,000,000 events", "next million", "What dominates", "Zones:"))
    assert "not confirmed" in said


def test_the_same_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--env", "dev", "--events", "5000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["environment"] == "dev"
    assert found["usd"] == pytest.approx(sum(line["usd"] for line in found["lines"]))
    assert found["prices"]["date"] == prices().date
