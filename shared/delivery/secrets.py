"""A receiver's secret: what the hub needs to be let in, as JSON in Key Vault under the name that the register gives.

Closed forms: what is not understood is a fault, so that a secret with a slip in it is noticed before it is used. No
value of a secret is ever in an error or a log line, only the place that is wrong.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Protocol, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from shared.registry.model import Receiver
from shared.registry.reaching import Auth

MISSING: Final = "HUB_SECRET_MISSING"
MALFORMED: Final = "HUB_SECRET_MALFORMED"

_OURS: Final = frozenset({
    "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "correlation-id",
    "expect", "host", "idempotency-key", "te", "traceparent", "trailer", "transfer-encoding", "upgrade", "user-agent",
})  # fmt: skip
"""Headers that the hub itself fills in, or that say where a message ends."""


class Secrets(Protocol):
    """Where secrets are kept."""

    async def get(self, name: str) -> str | None:
        """The secret of this name as it is now; None when there is none."""


class NamedSecrets:
    """Secrets that the app was given in its settings, where Azure has resolved their Key Vault references.

    A setting's name has no hyphens and, on some systems, no case: `310000019-epj` is kept as `310000019_EPJ`.
    """

    def __init__(self, given: Mapping[str, SecretStr]) -> None:
        self._given = {_plain(name): value for name, value in given.items()}

    async def get(self, name: str) -> str | None:
        """See Secrets."""
        found = self._given.get(_plain(name))
        return None if found is None else found.get_secret_value()


def _plain(name: str) -> str:
    return name.replace("-", "_").upper()


class _Closed(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, hide_input_in_errors=True
    )


def _header_value(value: SecretStr) -> SecretStr:
    if re.fullmatch(r"[!-~](?:[ -~]{0,8190}[!-~])?", value.get_secret_value()) is None:
        raise ValueError("must be visible ASCII on one line")
    return value


def _header_name(name: str) -> str:
    if name.lower() in _OURS:
        raise ValueError("is a header that the hub fills in itself")
    return name


def _token_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.fragment or parts.username is not None:
        raise ValueError("must be an address: https, a host and a path")
    return url


class ApiKey(_Closed):
    """A header with a fixed value."""

    header: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"), AfterValidator(_header_name)
    ]
    value: Annotated[SecretStr, AfterValidator(_header_value)]


class Tls(_Closed):
    """Certificates, as PEM."""

    ca: Annotated[str, StringConstraints(min_length=1, max_length=200_000)] | None = None
    """Those that the receiver's certificate must go back to, in place of the system's."""
    certificate: Annotated[str, StringConstraints(min_length=1, max_length=200_000)] | None = None
    """The hub's own at this receiver, with those between it and its root."""
    key: SecretStr | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self


class Oauth2(_Closed):
    """A client at a token service (RFC 6749 4.4; how it shows who it is, by the names of RFC 7591)."""

    token_url: Annotated[str, StringConstraints(max_length=2048), AfterValidator(_token_address)]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"]
    client_secret: SecretStr | None = None
    private_key: SecretStr | None = None
    """PEM, for private_key_jwt (RFC 7523)."""
    key_id: str | None = None
    algorithm: Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] = "RS256"
    audience: str | None = None
    """Of the assertion; the token service's address unless said."""
    scope: str | None = None
    resource: str | None = None
    """RFC 8707."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wanted = {"private_key_jwt": (False, True), "tls_client_auth": (False, False)}.get(self.method, (True, False))
        if (self.client_secret is not None, self.private_key is not None) != wanted:
            raise ValueError(f"{self.method} takes another secret than the one given")
        return self


class Secret(_Closed):
    """Everything a receiver's secret may hold."""

    tls: Tls = Field(default_factory=Tls)
    api_key: ApiKey | None = None
    oauth2: Oauth2 | None = None


class Unusable(Exception):
    """A secret that the hub cannot use: the operator's fault, and no message's."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code, place)
        self.code = code
        self.place = place
        """Where in the secret; never what stands there."""


NOTHING: Final = Secret()


def opened(receiver: Receiver, text: str | None) -> Secret:
    """The receiver's secret from its text, with what its way in needs. Raises Unusable."""
    if not receiver.credentials:
        if receiver.auth is not Auth.NONE:
            raise Unusable(MISSING)
        return NOTHING
    if text is None or not text.strip():
        raise Unusable(MISSING)
    try:
        secret = Secret.model_validate_json(text)
    except ValidationError as error:
        raise Unusable(MALFORMED, _place(error)) from None
    lacks = {
        Auth.API_KEY: "apiKey" if secret.api_key is None else "",
        Auth.OAUTH2: "oauth2" if secret.oauth2 is None else "",
        Auth.MTLS: "tls.certificate" if secret.tls.certificate is None else "",
    }.get(receiver.auth, "")
    if lacks:
        raise Unusable(MALFORMED, lacks)
    if secret.oauth2 is not None and secret.oauth2.method == "tls_client_auth" and secret.tls.certificate is None:
        raise Unusable(MALFORMED, "tls.certificate")
    return secret


def schema() -> dict[str, Any]:
    """A secret's form as JSON Schema."""
    return Secret.model_json_schema(by_alias=True)


def _place(error: ValidationError) -> str:
    """Only names that are fields of ours: a slip may have put a secret where a name should be."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    steps = [str(step) for step in first["loc"]]
    return ".".join(step if step in _NAMES else "?" for step in steps) or "json"


_NAMES: Final = frozenset(to_camel(name) for kind in (Secret, Tls, ApiKey, Oauth2) for name in kind.model_fields)
