"""The app's settings: read once from the environment, typed, checked at start.

Connections follow Azure's identity-based form (`ServiceBus__fullyQualifiedNamespace`, `Cosmos__accountEndpoint`); the
name alone (`ServiceBus`, `Cosmos`) holds a connection string instead, which is how the sandbox and emulators are
reached. Secrets come as Key Vault references, which Azure resolves before the app sees them.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    SecretBytes,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from shared.access.claims import Sender
from shared.access.entra import SCOPE, EntraClaims, entra_policy, is_tenant, issuer_of_tenant
from shared.access.modes import DpopMode
from shared.access.tokens import TokenPolicy
from shared.identity.series import Environment
from shared.watch import mail

PSEUDONYM_KEY_BYTES: Final = 32
WEBHOOK_SECRET_BYTES: Final = (24, 64)
"""Least and most, as Standard Webhooks recommends."""


class SettingsError(Exception):
    """A setting is missing or malformed; the message names it, in one line, and never shows its value."""


def _key(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None
    if len(raw) != PSEUDONYM_KEY_BYTES:
        raise ValueError(f"must be base64 of {PSEUDONYM_KEY_BYTES} bytes")
    return raw


def _keys(text: object) -> object:
    return tuple(_key(part) for part in text.split()) if isinstance(text, str) else text


def _words(text: object) -> object:
    return frozenset(text.split()) if isinstance(text, str) else text


_URL: Final = TypeAdapter(HttpUrl)


def _url(text: str) -> str:
    # Kept as written: an issuer is compared letter by letter, and the parsed form has a slash of its own at the end.
    _URL.validate_python(text)
    return text


Url = Annotated[str, AfterValidator(_url)]
_BY_NAME: Final = "Secret__"


def _networks(text: object) -> object:
    return tuple(ip_network(part) for part in text.split()) if isinstance(text, str) else text


def _schedule(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        waits = tuple(timedelta(seconds=float(part)) for part in text.split())
    except (ValueError, OverflowError):
        raise ValueError("must be seconds, separated by spaces") from None
    if not all(wait > timedelta() for wait in waits):
        raise ValueError("each wait must be longer than nothing")
    return waits


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, hide_input_in_errors=True, allow_inf_nan=False)


def _tenant(text: str) -> str:
    if not is_tenant(text.lower()):
        raise ValueError("must be the id (a GUID) of one tenant")
    return text.lower()


class ServiceBusSettings(_Frozen):
    """How Service Bus is reached: a namespace by identity, or a connection string."""

    connection_string: SecretStr | None = Field(
        None, alias="ServiceBus", description="Connection string, where there is no identity"
    )
    namespace: str | None = Field(
        None, alias="ServiceBus__fullyQualifiedNamespace", description="Namespace, reached by the app's identity"
    )
    patience_s: float = Field(4.0, alias="ServiceBus__patience", gt=0, description="Seconds to wait for a send")


class CosmosSettings(_Frozen):
    """How Cosmos DB is reached: an account by identity, or a connection string."""

    connection_string: SecretStr | None = Field(
        None, alias="Cosmos", description="Connection string, where there is no identity"
    )
    account_endpoint: str | None = Field(
        None, alias="Cosmos__accountEndpoint", description="Account, reached by the app's identity"
    )
    database: str = Field("knutepunkt", alias="Cosmos__database", description="Name of the database")
    patience_s: float = Field(5.0, alias="Cosmos__patience", gt=0, description="Seconds to wait for an operation")


Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class HelseIdSettings(_Frozen):
    """Which tokens are accepted."""

    issuer: Url = Field(alias="HelseId__issuer", description="HelseID environment, without a trailing slash")
    audience: str = Field(alias="HelseId__audience", min_length=1, description="This API's name at HelseID")
    test_environment: bool = Field(
        False, alias="HelseId__testEnvironment", description="Accept the scope for everything, as VKP's test does"
    )
    algorithms: Annotated[frozenset[Algorithm], BeforeValidator(_words)] = Field(
        frozenset({"RS256", "PS256", "ES256"}),
        alias="HelseId__algorithms",
        min_length=1,
        description="What access tokens may be signed with, separated by spaces: some of HelseID's nine",
    )
    required: Annotated[frozenset[Sender], BeforeValidator(_words)] = Field(
        frozenset({"vkp_id"}),
        alias="HelseId__requiredClaims",
        description="Which of `vkp_id`, `orgnr_parent`, `orgnr_child` a token must have, separated by spaces",
    )
    revoked_keys: Annotated[frozenset[str], BeforeValidator(_words)] = Field(
        frozenset(),
        alias="HelseId__revokedKeys",
        description="Kill switch: ids (`kid`) of HelseID's keys that must not count any longer, separated by spaces",
    )
    dpop: DpopMode = Field(
        DpopMode.OPTIONAL,
        alias="HelseId__dpop",
        description="`off`, `optional` or `required`, for systems of which the register says nothing else",
    )
    proof_age_s: float = Field(
        15.0, alias="HelseId__proofAge", gt=0, le=300, description="Seconds a DPoP proof may be old"
    )


class EntraSettings(_Frozen):
    """Which tokens of Microsoft Entra ID are accepted from people; none where no tenant is named."""

    tenant: Annotated[str, AfterValidator(_tenant)] | None = Field(
        None,
        alias="Entra__tenant",
        description="Id (GUID) of the one tenant that the hub's own people log in at; empty: HelseID alone",
    )
    audience: str | None = Field(
        None, alias="Entra__audience", description="This API's application (client) id there; needed with the tenant"
    )
    issuer: Url | None = Field(
        None, alias="Entra__issuer", description="Another issuer than the public cloud's, without a trailing slash"
    )
    scope: str = Field(
        SCOPE, alias="Entra__scope", min_length=1, description="The scope a person's token must have (`scp`)"
    )
    auth_context: str = Field(
        "",
        alias="Entra__authContext",
        description="Authentication context (`acrs`, for instance `c1`) that a login must have satisfied; empty: what "
        "the tenant demands by itself",
    )

    def policy(self) -> TokenPolicy | None:
        """What is demanded of Entra ID's tokens; None where no tenant is named."""
        if self.tenant is None or self.audience is None:
            return None
        claims = EntraClaims(self.tenant, self.scope, self.auth_context)
        return entra_policy(self.issuer or issuer_of_tenant(self.tenant), self.audience, claims)


def _webhook_secret(text: object) -> object:
    if isinstance(text, str):
        try:
            raw = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("must be base64, `whsec_` before it") from None
        if not WEBHOOK_SECRET_BYTES[0] <= len(raw) <= WEBHOOK_SECRET_BYTES[1]:
            raise ValueError("must be base64 of {} to {} bytes".format(*WEBHOOK_SECRET_BYTES))
    return text


def _mail_server(text: object) -> object:
    if isinstance(text, str):
        mail.server_of(text)
    return text


def _split(text: object) -> object:
    return tuple(text.split()) if isinstance(text, str) else text


class AlertSettings(_Frozen):
    """Who is told when something is wrong, beside what Azure Monitor makes of log lines and metrics."""

    webhook: Url | None = Field(
        None, alias="Alerts__webhook", description="Address that notices are posted to (Standard Webhooks)"
    )
    webhook_secret: Annotated[SecretStr | None, BeforeValidator(_webhook_secret)] = Field(
        None, alias="Alerts__webhookSecret", description="Base64 of the secret they are signed with, `whsec_` before it"
    )
    smtp: Annotated[SecretStr | None, BeforeValidator(_mail_server)] = Field(
        None, alias="Alerts__smtp", description="Mail server, `smtp://host:port` or `smtps://user:password@host:port`"
    )
    mail_to: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        (), alias="Alerts__to", description="Mail addresses of those who are told, separated by spaces"
    )
    mail_from: str = Field(
        "knutepunkt@knutepunkt.invalid", alias="Alerts__from", description="Mail address that notices come from"
    )
    alarm_after_s: float | None = Field(
        None, alias="Alerts__alarmAfter", gt=0, description="Seconds an alarm may be on its way; the data file's: 60"
    )
    well_after_s: float | None = Field(
        None, alias="Alerts__wellAfter", ge=0, description="Seconds it must be well before that is told, for all kinds"
    )


class DeliverySettings(_Frozen):
    """How receivers are tried."""

    schedule: Annotated[tuple[timedelta, ...], BeforeValidator(_schedule)] | None = Field(
        None,
        alias="Delivery__schedule",
        description="Seconds between tries, separated by spaces; the last one repeats. Instead of the data file's",
    )
    at_once: int = Field(
        20,
        alias="Delivery__atOnce",
        ge=1,
        le=100,
        description="Deliveries on their way to a receiver at once, where the register says nothing else; per instance",
    )
    timeout_s: float = Field(30.0, alias="Delivery__timeout", gt=0, description="Seconds a receiver has to answer")
    opened_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = Field(
        (),
        alias="Delivery__openedNetworks",
        description="Networks that receivers may be in though they are not of the open internet (`10.20.0.0/16`), "
        "separated by spaces; link-local addresses and the cloud's own stay shut",
    )
    secrets: Mapping[str, SecretStr] = Field(
        MappingProxyType({}),
        alias="Secret__NAME",
        description="One setting for each receiver's secret: NAME as in the register, `_` for each hyphen",
    )


def _connection(secret: SecretStr) -> SecretStr:
    parts = dict(each.partition("=")[::2] for each in secret.get_secret_value().split(";"))
    # Without an endpoint the exporter would fall back on one that is not in this country.
    if not parts.get("InstrumentationKey") or not parts.get("IngestionEndpoint", "").startswith("https://"):
        raise ValueError("must have an InstrumentationKey and an IngestionEndpoint")
    return secret


class TelemetrySettings(_Frozen):
    """Where traces, metrics and log lines go; nowhere where neither is set."""

    connection_string: Annotated[SecretStr, AfterValidator(_connection)] | None = Field(
        None, alias="APPLICATIONINSIGHTS_CONNECTION_STRING", description="Application Insights that telemetry goes to"
    )
    otlp_endpoint: Url | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Collector that telemetry goes to (OTLP over HTTP, JSON), without `/v1/traces`",
    )
    sampling_percent: float = Field(
        100.0,
        alias="Telemetry__sampling",
        ge=0,
        le=100,
        description="Per cent of all traces that are kept, whole; errors, warnings and metrics are always kept",
    )


class Settings(_Frozen):
    """Every setting of the app."""

    service_bus: ServiceBusSettings
    cosmos: CosmosSettings
    helse_id: HelseIdSettings
    entra: EntraSettings
    delivery: DeliverySettings
    alerts: AlertSettings
    telemetry: TelemetrySettings
    pseudonym_key: Annotated[SecretBytes, BeforeValidator(_key)] = Field(
        alias="Pseudonym__key", description="Base64 of the 32 bytes that patients' pseudonyms are made with"
    )
    earlier_pseudonym_keys: Annotated[tuple[SecretBytes, ...], BeforeValidator(_keys)] = Field(
        (),
        alias="Pseudonym__earlierKeys",
        description="Keys that pseudonyms were made with before (or will be next), as `Pseudonym__key`, the oldest "
        "first, separated by spaces",
    )
    environment: Environment = Field(
        Environment.PRODUCTION,
        alias="Hub__environment",
        description="`production` refuses synthetic persons and organisations, `test` refuses real persons",
    )
    public_url: Url | None = Field(
        None, alias="Hub__publicUrl", description="The address callers use; Location headers begin with it"
    )
    grace_s: float = Field(
        15.0, alias="Upkeep__grace", gt=0, description="Seconds a signal has before the orphan check takes it for lost"
    )
    replay_per_second: float = Field(
        20.0,
        alias="Replay__perSecond",
        gt=0,
        le=1000,
        description="Messages a second that a replay puts back into one receiver's lanes",
    )
    replay_probes: int = Field(
        5,
        alias="Replay__first",
        ge=1,
        le=100,
        description="Messages of one cause at one receiver that a replay tries first: if most are set aside again, it "
        "stops",
    )
    limit_per_second: int = Field(
        50,
        alias="Limits__perSecond",
        ge=1,
        le=1000,
        description="Calls a second that a system may make for each municipality, where the register says nothing "
        "else; per instance",
    )
    limit_burst: int = Field(
        500, alias="Limits__burst", ge=1, le=10_000, description="Calls it may make at once after a rest; per instance"
    )
    strangers_per_minute: int = Field(
        60,
        alias="Limits__strangers",
        ge=0,
        description="Refusals of unknown callers written down a minute; the rest are counted in a log line",
    )
    registry_cache_s: float = Field(
        5.0, alias="Registry__cache", ge=0, description="Seconds an entry of the register is trusted without a look"
    )


def _secrets(values: Mapping[str, str]) -> dict[str, str]:
    """By name; a setting's name has no case everywhere, so neither has its beginning."""
    named = {name: value for name, value in values.items() if name.lower().startswith(_BY_NAME.lower())}
    return {name[len(_BY_NAME) :]: value for name, value in named.items()}


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError that names the first setting at fault."""
    values: dict[str, Any] = {name: value for name, value in environment.items() if value.strip()}
    try:
        settings = Settings.model_validate(
            {
                **values,
                "service_bus": ServiceBusSettings.model_validate(values),
                "cosmos": CosmosSettings.model_validate(values),
                "helse_id": HelseIdSettings.model_validate(values),
                "entra": EntraSettings.model_validate(values),
                "alerts": AlertSettings.model_validate(values),
                "telemetry": TelemetrySettings.model_validate(values),
                "delivery": DeliverySettings.model_validate({**values, f"{_BY_NAME}NAME": _secrets(values)}),
            }
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"setting {first['loc'][0] if first['loc'] else '?'}: {first['msg']}") from None
    if settings.service_bus.connection_string is None and settings.service_bus.namespace is None:
        raise SettingsError("setting ServiceBus__fullyQualifiedNamespace (or ServiceBus): Field required")
    if settings.cosmos.connection_string is None and settings.cosmos.account_endpoint is None:
        raise SettingsError("setting Cosmos__accountEndpoint (or Cosmos): Field required")
    if (settings.entra.tenant is None) != (settings.entra.audience is None):
        missing = "tenant" if settings.entra.tenant is None else "audience"
        raise SettingsError(f"setting Entra__{missing}: Field required where people come by Entra ID")
    if settings.alerts.webhook is not None and settings.alerts.webhook_secret is None:
        raise SettingsError("setting Alerts__webhookSecret: Field required where there is a webhook")
    if settings.alerts.smtp is not None and not settings.alerts.mail_to:
        raise SettingsError("setting Alerts__to: Field required where there is a mail server")
    if settings.helse_id.dpop is DpopMode.REQUIRED and settings.public_url is None:
        raise SettingsError("setting Hub__publicUrl: Field required where HelseId__dpop is required")
    return settings
