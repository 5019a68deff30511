"""Packages and secrets come from inside: from a peered network that is named, and from nowhere else."""

from tests.data import REPOSITORY
from tools.infra_checks import everything
from tools.infra_checks.evaluating import Edit, Evaluated, Job, run

NAMED = Edit(
    "infra/env/prod.bicepparam", "readEnvironmentVariable('KNUTEPUNKT_DEPLOY_FROM', '')", "'10.9.0.0/24'"
)  # fmt: skip


def _let_in(environment: Evaluated) -> dict[str, str]:
    """Who reaches private endpoints: range to ports."""
    (rules,) = (
        each
        for each in environment.of("Microsoft.Network/networkSecurityGroups")
        if each.last.startswith("nsg-endpoints")
    )
    return {
        each["properties"]["sourceAddressPrefix"]: " ".join(each["properties"]["destinationPortRanges"])
        for each in rules.at("securityRules")
        if (each["properties"]["direction"], each["properties"]["access"]) == ("Inbound", "Allow")
    }


def test_the_network_that_is_named_reaches_the_endpoints_by_https_and_no_other_does() -> None:
    as_it_is, named = run(REPOSITORY, [Job(environments=("prod",)), Job((NAMED,), ("prod",))])
    hub = {"10.60.0.0/20": "443 5671 5672"}
    assert _let_in(as_it_is.evaluated["prod"]) == hub
    assert _let_in(named.evaluated["prod"]) == {**hub, "10.9.0.0/24": "443"}
    assert named.not_applied == ()
    assert everything.findings(REPOSITORY, named.evaluated) == []
