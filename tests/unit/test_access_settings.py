"""The settings of who may call: their defaults, their forms, and what must not be started with."""

import base64

import pytest

from shared.access.modes import DpopMode
from shared.azure.settings import SettingsError, load
from tests.unit.test_settings import LOCAL

KEYS = [base64.b64encode(bytes([number]) * 32).decode() for number in range(2)]


def test_defaults_are_helseids_rules() -> None:
    helse_id = load(LOCAL).helse_id
    assert helse_id.algorithms == {"RS256", "PS256", "ES256"}
    assert helse_id.required == {"vkp_id"}
    assert helse_id.revoked_keys == frozenset()
    assert helse_id.dpop is DpopMode.OPTIONAL
    assert helse_id.proof_age_s == 15
    assert load(LOCAL).earlier_pseudonym_keys == ()


def test_lists_are_separated_by_spaces() -> None:
    settings = load(
        {
            **LOCAL,
            "HelseId__algorithms": "RS256  ES512",
            "HelseId__requiredClaims": "vkp_id orgnr_parent",
            "HelseId__revokedKeys": "AA BB",
            "Pseudonym__earlierKeys": " ".join(KEYS),
        }
    )
    assert settings.helse_id.algorithms == {"RS256", "ES512"}
    assert settings.helse_id.required == {"vkp_id", "orgnr_parent"}
    assert settings.helse_id.revoked_keys == {"AA", "BB"}
    keys = [key.get_secret_value() for key in settings.earlier_pseudonym_keys]
    assert keys == [bytes([0]) * 32, bytes([1]) * 32]
    assert not any(key in repr(settings) for key in KEYS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HelseId__algorithms", "RS256 HS256"),
        ("HelseId__algorithms", "none"),
        ("HelseId__requiredClaims", "canary"),
        ("HelseId__dpop", "canary"),
        ("HelseId__proofAge", "0"),
        ("HelseId__proofAge", "3600"),
        ("Pseudonym__earlierKeys", f"{KEYS[0]} canary"),
        ("Pseudonym__earlierKeys", base64.b64encode(b"canary").decode()),
    ],
)
def test_malformed_setting_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({**LOCAL, name: value})
    assert name in str(caught.value)
    assert "canary" not in str(caught.value)


def test_dpop_cannot_be_required_where_nobody_knows_the_public_address() -> None:
    without = {name: value for name, value in LOCAL.items() if name != "Hub__publicUrl"}
    with pytest.raises(SettingsError, match="Hub__publicUrl"):
        load({**without, "HelseId__dpop": "required"})
    assert load({**without, "HelseId__dpop": "required", "Hub__publicUrl": "https://hub.example"})


TENANT = "5A4DBC0E-0000-4000-8000-00000000E27A"


def test_entra_id_is_off_until_a_tenant_and_an_audience_are_named() -> None:
    assert load(LOCAL).entra.tenant is None
    entra = load({**LOCAL, "Entra__tenant": TENANT, "Entra__audience": "an-app"}).entra
    assert (entra.tenant, entra.audience, entra.issuer) == (TENANT.lower(), "an-app", None)
    assert entra.scope == "access_as_user"


@pytest.mark.parametrize(
    ("named", "missing"), [({"Entra__tenant": TENANT}, "audience"), ({"Entra__audience": "an-app"}, "tenant")]
)
def test_half_a_tenant_is_not_started_with(named: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsError, match=f"Entra__{missing}"):
        load({**LOCAL, **named})


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "canary"])
def test_a_tenant_that_stands_for_many_is_not_started_with(tenant: str) -> None:
    with pytest.raises(SettingsError, match="Entra__tenant") as caught:
        load({**LOCAL, "Entra__tenant": tenant, "Entra__audience": "an-app"})
    assert "canary" not in str(caught.value)
