"""The function apps: their settings are what the code reads, no less and no more; each runs its own functions."""

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sandbox import hub_parts
from shared.azure import settings as app_settings
from shared.azure import trail_settings
from tools.infra_checks import code
from tools.infra_checks.evaluating import Evaluated

_SETTINGS: Final = "Microsoft.Web/sites/config"
_NEVER: Final = {
    "ServiceBus": "reached by identity", "Cosmos": "reached by identity", "Trail": "reached by identity",
    "Checkpoints": "reached by identity", "Checkpoints__key": "the vault signs",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "telemetry goes to Application Insights",
}  # fmt: skip
_OF_ONE: Final = {"Checkpoints__": "upkeep", "Alerts__": "upkeep", "Secret__": "road"}
"""Settings that one component alone is given, by how they begin."""
_HOSTS: Final = frozenset({
    "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId",
    "ServiceBus__credential", "ServiceBus__clientId", "AZURE_CLIENT_ID", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_ENABLE_OPENTELEMETRY",
})  # fmt: skip
"""Read by the host, its extensions and Azure's libraries."""
_NOT_ON_FLEX: Final = frozenset({
    "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_PROCESS_COUNT",
    "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE",
    "WEBSITE_CONTENTOVERVNET", "WEBSITE_VNET_ROUTE_ALL", "WEBSITE_TIME_ZONE", "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD", "WEBSITE_NODE_DEFAULT_VERSION", "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
})  # fmt: skip
"""https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations"""
_DISABLED: Final = re.compile(r"AzureWebJobs\.(\w+)\.Disabled")
_REFERENCE: Final = re.compile(
    r"@Microsoft\.KeyVault\(SecretUri=.+/secrets/[\w-]+\)|@Microsoft\.KeyVault\(SecretUri=<.+>secrets/[\w-]+\)"
)
_STANDING: Final = re.compile(r"^  (\w+): '(.*)'$", re.MULTILINE)
_KINDS: Final = {"http": "api", "queue": "road", "timer": "upkeep"}
"""Which component a kind of function belongs to."""


def findings(root: Path, evaluated: Mapping[str, Evaluated]) -> Iterator[str]:
    """What does not agree, a line each."""
    components = {each["name"]: each for each in code.load(root, "infra/components.json")["components"]}
    yield from _functions(root, components)
    yield from _standing(root)
    for environment in evaluated.values():
        for name, given in _apps(environment).items():
            where = f"{environment.environment}: app {name}"
            yield from _complete(root, where, name, given)
            yield from _switched(where, name, given, components)
            yield from _starts(where, given)
            yield from _meant(environment.environment, where, given)
        yield from (
            f"{environment.environment}: app {name}: not made" for name in components.keys() - _apps(environment).keys()
        )


def _apps(environment: Evaluated) -> dict[str, Mapping[str, Any]]:
    return {
        each.module.rpartition("function-app-")[2]: each.properties
        for each in environment.of(_SETTINGS)
        if each.last == "appsettings"
    }


def _functions(root: Path, components: Mapping[str, Any]) -> Iterator[str]:
    has = {each.name: each for each in code.functions(root)}
    given = [name for each in components.values() for name in each["functions"]]
    yield from (
        f"function {each}: components.json has none of this name in any component" for each in has.keys() - set(given)
    )
    yield from (f"function {each}: in components.json, not in the app" for each in sorted(set(given) - has.keys()))
    yield from (f"function {each}: two components run it" for each in sorted({n for n in given if given.count(n) > 1}))
    for component in components.values():
        for name in component["functions"]:
            if name in has and _KINDS.get(has[name].trigger) != component["name"]:
                kind = has[name].trigger
                yield f"function {name}: a {kind} function belongs to {_KINDS.get(kind)}, not to {component['name']}"
        for ready in component["alwaysReady"]:
            if ready != "http" and ready.removeprefix("function:") not in component["functions"]:
                yield f"component {component['name']}: alwaysReady names no function of its own: {ready}"


def _complete(root: Path, where: str, name: str, given: Mapping[str, Any]) -> Iterator[str]:
    read = {each.name: each for each in code.settings(root)}
    schedules = {each.schedule for each in code.functions(root) if each.schedule}
    for setting in sorted({*read, *schedules, *_HOSTS} - given.keys() - _NEVER.keys() - {"Secret__NAME"}):
        owner = next((each for begin, each in _OF_ONE.items() if setting.startswith(begin)), name)
        if owner == name:
            yield f"{where}: setting {setting} is read and not set"
    for setting in sorted(given):
        if setting in _NEVER:
            yield f"{where}: setting {setting} must not be set: {_NEVER[setting]}"
        elif setting in _NOT_ON_FLEX:
            yield f"{where}: setting {setting} must not be set on Flex Consumption"
        elif not (
            setting in read or setting in schedules or setting in _HOSTS
            or _DISABLED.fullmatch(setting) or setting.startswith("Secret__")
        ):  # fmt: skip
            yield f"{where}: setting {setting} is set and nothing reads it"
        owner = next((each for begin, each in _OF_ONE.items() if setting.startswith(begin)), name)
        if owner != name:
            yield f"{where}: setting {setting} is for {owner} alone"
        secret = setting.startswith("Secret__") or (setting in read and read[setting].secret)
        secret = secret and setting != "APPLICATIONINSIGHTS_CONNECTION_STRING" and bool(given[setting])
        if secret and not _REFERENCE.fullmatch(str(given[setting])):
            yield f"item 8: {where}: setting {setting} is a secret and not a reference to Key Vault"


def _switched(where: str, name: str, given: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[str]:
    if name not in components:
        return
    off = {found[1] for each in given if (found := _DISABLED.fullmatch(each)) and given[each] == "true"}
    others = {each for other in components.values() if other["name"] != name for each in other["functions"]}
    yield from (
        f"{where}: function {each} is another component's and not switched off" for each in sorted(others - off)
    )
    yield from (f"{where}: function {each} is its own and switched off" for each in sorted(off - others))


_NEEDED: Final = {
    "ServiceBus__fullyQualifiedNamespace": "sb", "Cosmos__accountEndpoint": "https://x.invalid",
    "HelseId__issuer": "https://x.invalid", "HelseId__audience": "x",
    "Pseudonym__key": base64.b64encode(bytes(32)).decode(),
}  # fmt: skip
_KNOWN_LATER: Final = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x;IngestionEndpoint=https://x.invalid/",
    "Pseudonym__key": _NEEDED["Pseudonym__key"],
    "Alerts__webhookSecret": _NEEDED["Pseudonym__key"],
    "Alerts__smtp": "smtp://127.0.0.1:25",
    "Cosmos__accountEndpoint": "https://x.invalid",
    "Trail__accountEndpoint": "https://x.invalid",
    "Checkpoints__accountEndpoint": "https://x.invalid",
}
"""What stands for values that only Azure has."""


def _starts(where: str, given: Mapping[str, Any]) -> Iterator[str]:
    """The app's own reading of what it is given: it would not start with what that refuses."""
    values = {}
    for name, value in given.items():
        later = "<" in str(value) or str(value).startswith("@")
        if not later or name in _KNOWN_LATER:
            values[name] = _KNOWN_LATER[name] if later else str(value)
    try:
        app_settings.load(values)
        trail_settings.load(values)
    except app_settings.SettingsError as error:
        yield f"{where}: would not start: {error}"


def _standing(root: Path) -> Iterator[str]:
    """Standing settings say what the code takes by itself, and the sandbox's timers are Azure's."""
    text = (root / "infra/modules/standing-settings.bicep").read_text(encoding="utf-8")
    standing = dict(_STANDING.findall(text))
    without = (app_settings.load(_NEEDED).model_dump(), trail_settings.load(_NEEDED).model_dump())
    for name, value in standing.items():
        if name.endswith("Schedule"):
            here = hub_parts._SCHEDULES.get(name)
            if here != value:
                yield f"setting {name}: {value} in Azure, {here} in the sandbox"
            continue
        try:
            now = {**_NEEDED, name: value}
            same = (app_settings.load(now).model_dump(), trail_settings.load(now).model_dump()) == without
        except app_settings.SettingsError as error:
            yield f"setting {name}: {error}"
            continue
        if not same:
            yield f"setting {name}: {value} in standing-settings.bicep is not the code's own default"


def _meant(environment: str, where: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Item 53: real persons in production alone, and no test's leniency there."""
    real = environment == "prod"
    if given.get("Hub__environment") != ("production" if real else "test"):
        yield f"item 53: {where}: Hub__environment is {given.get('Hub__environment')}"
    if real and (given.get("HelseId__testEnvironment") != "false" or "test" in str(given.get("HelseId__issuer"))):
        yield f"item 53: {where}: HelseID's test environment is trusted in production"
    if str(given.get("HelseId__dpop")) == "off":
        yield f"item 27: {where}: HelseId__dpop is off"
