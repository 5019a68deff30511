"""The trail's settings: where it and its checkpoints are kept, who signs, whose signatures count, and for how long."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretBytes, SecretStr, ValidationError

from shared import clock
from shared.azure.key_ids import KeyId, key_id
from shared.azure.settings import CosmosSettings, SettingsError
from shared.trail.retention import Policy, policies
from shared.trail.signing import SEED_BYTES, Signer, TrustedKey


def _seed(text: object) -> object:
    if not isinstance(text, str):
        return text
    raw = _bytes(text)
    if len(raw) != SEED_BYTES:
        raise ValueError(f"must be base64 of {SEED_BYTES} bytes")
    return raw


def _trusted(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(_trusted_key(word) for word in text.split())


def _trusted_key(word: str) -> TrustedKey:
    key, _, until = word.partition("/until=")
    return TrustedKey(_bytes(key), clock.read(until) if until else None)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None


def _key_id(text: object) -> object:
    return key_id(text) if isinstance(text, str) else text


def _retention(text: object) -> object:
    return policies(text) if isinstance(text, str) else text


class TrailSettings(BaseModel):
    """Everything about the trail that is set from outside."""

    model_config = ConfigDict(
        frozen=True, populate_by_name=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    connection_string: SecretStr | None = Field(
        None, alias="Trail", description="Connection string of the trail's account; without one, the hub's own"
    )
    account_endpoint: str | None = Field(
        None, alias="Trail__accountEndpoint", description="The trail's account, reached by the app's identity"
    )
    database: str = Field("knutepunkt-trail", alias="Trail__database", description="Name of the trail's database")
    deployment: str = Field(
        "local", alias="Trail__deployment", description="Name of this deployment, as entries name their observer"
    )
    longest_delay_s: float = Field(
        120.0, alias="Trail__longestDelay", gt=0, description="Seconds after which a station must be in the log"
    )
    retention: Annotated[tuple[Policy, ...], BeforeValidator(_retention)] = Field(
        (), alias="Trail__retention", description="`standard/1 station=730 …`; several with `;`, the last is in force"
    )
    checkpoints_connection_string: SecretStr | None = Field(
        None, alias="Checkpoints", description="Connection string of the checkpoints' account; without one, the hub's"
    )
    checkpoints_account_endpoint: str | None = Field(
        None, alias="Checkpoints__accountEndpoint", description="The checkpoints' account: another one than the trail's"
    )
    checkpoints_database: str = Field(
        "knutepunkt-checkpoints", alias="Checkpoints__database", description="Name of the checkpoints' database"
    )
    key: Annotated[SecretBytes | None, BeforeValidator(_seed)] = Field(
        None, alias="Checkpoints__key", description="Base64 of the 32 bytes of the Ed25519 key that signs checkpoints"
    )
    vault_key: Annotated[KeyId | None, BeforeValidator(_key_id)] = Field(
        None,
        alias="Checkpoints__keyVaultKey",
        description="Id, with version, of the Key Vault key (EC, P-256) that signs checkpoints, not `Checkpoints__key`",
    )
    trusted: Annotated[tuple[TrustedKey, ...], BeforeValidator(_trusted)] = Field(
        (),
        alias="Checkpoints__publicKeys",
        description="Base64 of public keys that count (32 bytes: Ed25519; 65: a point of P-256), each with "
        "`/until=TIME` once it is retired",
    )
    blob_container: str | None = Field(
        None,
        alias="Checkpoints__blobContainer",
        pattern=r"^https://[^/?#\s]+/[^?#\s]+$",
        description="Blob container under an immutability policy that checkpoints are copied to: its https address",
    )
    silence_s: float = Field(
        1800.0, alias="Checkpoints__silence", gt=0, description="Seconds between two checkpoints at the most"
    )

    always_on: bool = Field(
        True,
        alias="Trail__alwaysOn",
        description="Whether every time without checkpoints is wrong, or the hub may rest",
    )

    def signer(self) -> Signer | None:
        """Who signs checkpoints with a key of the settings; None where there is none."""
        return None if self.key is None else Signer.of(self.key.get_secret_value())

    @property
    def trusts_somebody(self) -> bool:
        """Whether there is any key by which checkpoints can be verified."""
        return bool(self.trusted or self.key or self.vault_key)

    @property
    def silence(self) -> timedelta:
        """See `silence_s`."""
        return timedelta(seconds=self.silence_s)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the trail and its checkpoints are."""

    trail: CosmosSettings
    checkpoints: CosmosSettings


def places(settings: TrailSettings, hub: CosmosSettings) -> Places:
    """The accounts; where none is set, the hub's own account, in a database apart."""
    return Places(
        _account(settings.connection_string, settings.account_endpoint, settings.database, hub),
        _account(
            settings.checkpoints_connection_string,
            settings.checkpoints_account_endpoint,
            settings.checkpoints_database,
            hub,
        ),
    )


def _account(
    connection_string: SecretStr | None, endpoint: str | None, database: str, hub: CosmosSettings
) -> CosmosSettings:
    if connection_string is None and endpoint is None:
        connection_string, endpoint = hub.connection_string, hub.account_endpoint
    return CosmosSettings(
        connection_string=connection_string,
        account_endpoint=endpoint,
        database=database,
        patience_s=hub.patience_s,
    )


def load(environment: Mapping[str, str]) -> TrailSettings:
    """Read the settings. Raises SettingsError that names the first one at fault."""
    values: dict[str, Any] = {name: value for name, value in environment.items() if value.strip()}
    try:
        return TrailSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"setting {first['loc'][0] if first['loc'] else '?'}: {first['msg']}") from None
