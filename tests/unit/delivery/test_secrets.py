"""A receiver's secret: closed, checked before it is used, and never shown."""

import json
import traceback
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from shared.delivery.secrets import NOTHING, NamedSecrets, Secret, Unusable, opened, schema
from shared.registry.model import Receiver
from shared.registry.reaching import Auth

KEY = {"header": "X-Key", "value": "canary"}
CLIENT = {
    "tokenUrl": "https://login.example.no/token",
    "clientId": "hub",
    "method": "client_secret_basic",
    "clientSecret": "canary",
}
CERTIFICATE = {"certificate": "-----BEGIN", "key": "canary"}


def read(auth: Auth, secret: Any) -> Secret:
    receiver = Receiver("epj", "https://epj.example.no/", credentials="310000019-epj", auth=auth)
    return opened(receiver, secret if isinstance(secret, str) or secret is None else json.dumps(secret))


GOOD: list[tuple[Auth, Any]] = [
    (Auth.NONE, {}),
    (Auth.NONE, {"tls": {"ca": "-----BEGIN"}}),
    (Auth.API_KEY, {"apiKey": KEY}),
    (Auth.API_KEY, {"apiKey": {"header": "Authorization", "value": "Key a b"}, "tls": CERTIFICATE}),
    (Auth.MTLS, {"tls": CERTIFICATE}),
    (Auth.OAUTH2, {"oauth2": CLIENT}),
    (Auth.OAUTH2, {"oauth2": {**CLIENT, "method": "client_secret_post", "scope": "a b", "resource": "https://x.no"}}),
    (Auth.OAUTH2, {"oauth2": {
        "tokenUrl": CLIENT["tokenUrl"], "clientId": "hub", "method": "private_key_jwt", "privateKey": "-----BEGIN",
        "algorithm": "ES256", "keyId": "1", "audience": "https://login.example.no",
    }}),
    (Auth.OAUTH2, {"tls": CERTIFICATE, "oauth2": {
        "tokenUrl": CLIENT["tokenUrl"], "clientId": "hub", "method": "tls_client_auth",
    }}),
]  # fmt: skip


@pytest.mark.parametrize(("auth", "secret"), GOOD)
def test_a_secret_as_it_should_be_is_read(auth: Auth, secret: Any) -> None:
    assert isinstance(read(auth, secret), Secret)
    jsonschema.validate(secret, schema())


@pytest.mark.parametrize(
    ("auth", "secret", "place"),
    [
        (Auth.NONE, "canary", "json"),
        (Auth.NONE, [], "json"),
        (Auth.NONE, {"canary": 1}, "?"),
        (Auth.API_KEY, {}, "apiKey"),
        (Auth.OAUTH2, {"apiKey": KEY}, "oauth2"),
        (Auth.MTLS, {"tls": {"ca": "x"}}, "tls.certificate"),
        (Auth.MTLS, {"tls": {"certificate": "x"}}, "tls"),
        (Auth.API_KEY, {"apiKey": {**KEY, "value": "canary\r\nHost: x"}}, "apiKey.value"),
        (Auth.API_KEY, {"apiKey": {**KEY, "value": ""}}, "apiKey.value"),
        (Auth.API_KEY, {"apiKey": {**KEY, "value": "canaré"}}, "apiKey.value"),
        (Auth.API_KEY, {"apiKey": {**KEY, "header": "X Key"}}, "apiKey.header"),
        (Auth.API_KEY, {"apiKey": {**KEY, "header": "Idempotency-Key"}}, "apiKey.header"),
        (Auth.API_KEY, {"apiKey": {**KEY, "header": "content-length"}}, "apiKey.header"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "tokenUrl": "login.example.no"}}, "oauth2.tokenUrl"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "tokenUrl": "https://u:canary@login.example.no/"}}, "oauth2.tokenUrl"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "method": "password"}}, "oauth2.method"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "method": "private_key_jwt"}}, "oauth2"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "privateKey": "canary"}}, "oauth2"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "algorithm": "none"}}, "oauth2.algorithm"),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "algorithm": "HS256"}}, "oauth2.algorithm"),
        (
            Auth.OAUTH2,
            {"oauth2": {"tokenUrl": "https://x.no/", "clientId": "a", "method": "tls_client_auth"}},
            "tls.certificate",
        ),
        (Auth.OAUTH2, {"oauth2": {**CLIENT, "clientId": 1}}, "oauth2.clientId"),
    ],
)
def test_a_slip_is_named_by_its_place_and_nothing_is_shown(auth: Auth, secret: Any, place: str) -> None:
    with pytest.raises(Unusable) as caught:
        read(auth, secret)
    assert (caught.value.code, caught.value.place) == ("HUB_SECRET_MALFORMED", place)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("auth", "text"), [(Auth.NONE, None), (Auth.API_KEY, None), (Auth.MTLS, ""), (Auth.NONE, " \n")]
)
def test_a_secret_that_is_not_there_is_missing(auth: Auth, text: str | None) -> None:
    with pytest.raises(Unusable) as caught:
        read(auth, text)
    assert caught.value.code == "HUB_SECRET_MISSING"


def test_who_needs_no_secret_has_none() -> None:
    assert opened(Receiver("epj", "https://epj.example.no/"), None) is NOTHING


def test_a_secret_does_not_show_itself() -> None:
    for auth, secret in GOOD:
        assert "canary" not in repr(read(auth, secret))


@pytest.mark.parametrize("setting", ["310000019-epj-key", "310000019_epj_key", "310000019_EPJ_KEY"])
async def test_a_setting_is_found_however_its_system_writes_names(setting: str) -> None:
    secrets = NamedSecrets({setting: SecretStr("canary")})
    assert await secrets.get("310000019-epj-key") == "canary"
    assert await secrets.get("310000019-epj") is None
    assert "canary" not in repr(secrets)
