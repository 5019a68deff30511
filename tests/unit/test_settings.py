"""A setting that is missing or malformed is named in one line, and no value is ever shown."""

import base64

import pytest

from shared.azure.settings import Settings, SettingsError, load

CANARY = "canary"

IDENTITY = {
    "ServiceBus__fullyQualifiedNamespace": "example.servicebus.windows.net",
    "Cosmos__accountEndpoint": "https://example.documents.azure.com:443/",
    "HelseId__issuer": "https://helseid.example.com",
    "HelseId__audience": "nhn:vkp",
    "Pseudonym__key": base64.b64encode(bytes(range(32))).decode(),
}
LOCAL = {
    **{name: value for name, value in IDENTITY.items() if not name.startswith(("ServiceBus", "Cosmos"))},
    "ServiceBus": "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=canary-bus",
    "Cosmos": "AccountEndpoint=http://127.0.0.1:1/;AccountKey=canary-cosmos",
}
MALFORMED = [
    ("Alerts__webhook", "canary"),
    ("Alerts__webhookSecret", "canary"),
    ("Alerts__webhookSecret", base64.b64encode(b"canary").decode()),
    ("Alerts__smtp", "canary"),
    ("Alerts__smtp", "http://canary:25"),
    ("Alerts__smtp", "smtp://user:host:canary"),
    ("Alerts__alarmAfter", "0"),
    ("HelseId__issuer", "canary"),
    ("HelseId__issuer", "ftp://canary.example.com"),
    ("Hub__publicUrl", "canary example"),
    ("HelseId__testEnvironment", "canary"),
    ("Pseudonym__key", "canary"),
    ("Pseudonym__key", "canary-ø"),
    ("Pseudonym__key", base64.b64encode(b"canary").decode()),
    ("Delivery__timeout", "canary"),
    ("Delivery__timeout", "0"),
    ("Delivery__timeout", "-1"),
    ("Delivery__timeout", "nan"),
    ("ServiceBus__patience", "canary"),
    ("Cosmos__patience", "0"),
    ("Upkeep__grace", "-5"),
    ("Registry__cache", "canary"),
    ("Delivery__schedule", "nan"),
    ("Delivery__schedule", "1 2 canary"),
    ("Delivery__schedule", "inf"),
    ("Delivery__schedule", "-5"),
    ("Delivery__timeout", "inf"),
]


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environment)
    return str(caught.value)


@pytest.mark.parametrize("name", list(IDENTITY))
@pytest.mark.parametrize("gone", [None, "", "  "], ids=["absent", "empty", "blank"])
def test_a_missing_setting_is_named_in_one_line(name: str, gone: str | None) -> None:
    environment = {each: value for each, value in IDENTITY.items() if each != name}
    if gone is not None:
        environment[name] = gone
    told = refusal(environment)
    assert name in told
    assert "required" in told
    assert "\n" not in told


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_setting_is_named_in_one_line_without_its_value(name: str, value: str) -> None:
    told = refusal({**IDENTITY, name: value})
    assert told.startswith(f"setting {name}: ")
    assert "\n" not in told
    assert CANARY not in told


def test_the_error_carries_no_value_in_its_causes_either() -> None:
    with pytest.raises(SettingsError) as caught:
        load({**LOCAL, "Pseudonym__key": "canary"})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"Alerts__webhook": "https://example.com/"}, "Alerts__webhookSecret"),
        ({"Alerts__smtp": "smtps://mail.example.com"}, "Alerts__to"),
    ],
)
def test_a_way_of_telling_people_that_is_not_whole_is_named(given: dict[str, str], missing: str) -> None:
    assert refusal({**IDENTITY, **given}) == f"setting {missing}: Field required where there is " + (
        "a webhook" if "Secret" in missing else "a mail server"
    )


def test_azures_identity_form_is_accepted() -> None:
    settings = load(IDENTITY)
    assert settings.service_bus.namespace == "example.servicebus.windows.net"
    assert settings.service_bus.connection_string is None
    assert settings.cosmos.account_endpoint == "https://example.documents.azure.com:443/"


def test_a_connection_string_is_accepted() -> None:
    settings = load(LOCAL)
    assert settings.service_bus.connection_string is not None
    assert settings.service_bus.connection_string.get_secret_value() == LOCAL["ServiceBus"]
    assert settings.cosmos.connection_string is not None
    assert settings.cosmos.connection_string.get_secret_value() == LOCAL["Cosmos"]


def test_no_secret_can_be_read_off_the_settings() -> None:
    settings = load(LOCAL)
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert CANARY not in shown
    assert LOCAL["Pseudonym__key"] not in shown
    assert repr(bytes(range(32))) not in shown


def test_the_pseudonym_key_is_the_bytes_behind_its_base64() -> None:
    assert load(IDENTITY).pseudonym_key.get_secret_value() == bytes(range(32))


def test_an_issuer_is_kept_letter_by_letter() -> None:
    assert load(IDENTITY).helse_id.issuer == "https://helseid.example.com"


def test_the_scope_for_everything_does_not_count_unless_it_is_said() -> None:
    assert load(IDENTITY).helse_id.test_environment is False


def test_a_schedule_is_seconds_between_tries() -> None:
    schedule = load({**IDENTITY, "Delivery__schedule": "0.5 2 10"}).delivery.schedule
    assert schedule is not None
    assert [wait.total_seconds() for wait in schedule] == [0.5, 2.0, 10.0]


def test_settings_of_others_in_the_environment_do_not_matter() -> None:
    environment = {**IDENTITY, "PATH": "/usr/bin", "FUNCTIONS_WORKER_RUNTIME": "python", "service_bus": "canary"}
    assert isinstance(load(environment), Settings)


@pytest.mark.parametrize("name", ["Secret__310000019_EPJ", "secret__310000019_EPJ", "SECRET__310000019_EPJ"])
def test_a_receivers_secret_is_read_by_its_name_and_not_shown(name: str) -> None:
    settings = load({**IDENTITY, name: '{"apiKey": "canary"}'})
    assert settings.delivery.secrets["310000019_EPJ"].get_secret_value() == '{"apiKey": "canary"}'
    assert CANARY not in repr(settings)


def test_networks_are_opened_by_name_and_one_with_a_slip_in_it_stops_the_start() -> None:
    settings = load({**IDENTITY, "Delivery__openedNetworks": "10.20.0.0/16 fd12::/32"})
    assert [str(each) for each in settings.delivery.opened_networks] == ["10.20.0.0/16", "fd12::/32"]
    assert load(IDENTITY).delivery.opened_networks == ()
    assert "Delivery__openedNetworks" in refusal({**IDENTITY, "Delivery__openedNetworks": "10.20.0.1/16"})
