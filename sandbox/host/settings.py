"""App settings: the environment, then `local.settings.json`; `%NAME%` expressions and connection settings."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

_EXPRESSION = re.compile(r"%([^%]+)%")


class StartRefused(Exception):
    """The app cannot be started as it stands. The message is one clear line for the person who starts it."""


def read(environment: Mapping[str, str], app_folder: Path) -> dict[str, str]:
    """The settings an app sees. `local.settings.json` fills in what the environment lacks (as Core Tools does).

    Raises StartRefused when the file is not JSON of the expected form or is encrypted.
    """
    settings: dict[str, str] = {}
    path = app_folder / "local.settings.json"
    if path.exists():
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            values = raw.get("Values", {})
            settings = {str(name): str(value) for name, value in values.items()}
        except (ValueError, AttributeError) as error:
            raise StartRefused(f"local.settings.json cannot be read: {error}") from error
        if raw.get("IsEncrypted"):
            raise StartRefused("local.settings.json is encrypted; decrypt it with `func settings decrypt`")
    settings.update(environment)
    return settings


def resolve(text: str, settings: Mapping[str, str], function: str) -> str:
    """Replace each `%NAME%` by that setting. Raises StartRefused when a setting is missing."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in settings:
            raise StartRefused(f"function '{function}': the setting '{name}' (used as %{name}%) is not set")
        return settings[name]

    return _EXPRESSION.sub(value, text)


def connection_string(prefix: str, settings: Mapping[str, str], function: str) -> str:
    """The connection string in the setting a trigger names as its connection.

    The identity-based form (`<prefix>__fullyQualifiedNamespace`) exists only in Azure. Raises StartRefused when there
    is no connection string.
    """
    for name in (prefix, f"AzureWebJobs{prefix}"):
        if settings.get(name):
            return settings[name]
    if f"{prefix}__fullyQualifiedNamespace" in settings:
        raise StartRefused(
            f"function '{function}': the local host needs a connection string in the setting '{prefix}'; "
            f"'{prefix}__fullyQualifiedNamespace' works in Azure only"
        )
    raise StartRefused(f"function '{function}': the connection setting '{prefix}' is not set")


def disabled(function: str, settings: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.<function>.Disabled` (or with underscores, for Linux shells) switches the function off."""
    return any(
        settings.get(f"AzureWebJobs{mark}{function}{mark}Disabled", "").lower() in ("true", "1") for mark in "._"
    )
