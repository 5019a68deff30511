"""Which parts make up the hub on one machine, in which order they run, and the settings that tie them together."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sandbox import ports, topology
from sandbox.hub_folder import Addresses, Client, left_by_the_dead, remembered_ports, secret
from sandbox.process import ROOT, Facts, Part

APP: Final = "app"
"""The app's HTTP functions and timers; its port is the hub's."""
QUEUES: Final = "queues"
"""The same app's Service Bus functions, in a process of their own as Azure's Flex Consumption scales them."""
GROUPS: Final = {APP: "http", QUEUES: "queues"}
"""What of the app the host serves in each of its processes."""
TELEMETRY: Final = "telemetry"
"""Where the app's traces, metrics and log lines go."""
BACKING: Final = ("servicebus", "cosmos", "helseid", "epj", "alerts", TELEMETRY)
"""What the app stands on; started together, before it."""
ALL: Final = (*BACKING, *GROUPS)
ENDING: Final = (tuple(GROUPS), BACKING)
"""The app first, so that it can finish what it holds while all it needs is still there."""
ENDING_PATIENCE_S: Final = dict.fromkeys(GROUPS, 35.0)

ORGNR: Final = "310000019"
"""A synthetic organisation number, with the right check digit."""
MUNICIPALITY: Final = "Solvik kommune (syntetisk)"
VENDOR: Final = "trygghetsvakt"
GRANTED: Final = ("trygghetsvakt-test",)
"""vkp-ids that may send to the municipality. The other client, natugla, may not: so that a refusal can be shown."""

_SECOND_PORT: Final[Mapping[str, str]] = {"servicebus": "--counters-port", "alerts": "--smtp-port"}
"""Parts that listen at two ports."""

DEFAULT_PORT: Final = 7071
_PORT_PATIENCE_S: Final = 3.0
_SCHEDULES: Final[Mapping[str, str]] = {
    "OrphanCheckSchedule": "*/30 * * * * *",
    "TrailSchedule": "*/10 * * * * *",
    "CheckpointSchedule": "0 */5 * * * *",
    "ReconcileSchedule": "30 */5 * * * *",
    "WakingSchedule": "*/5 * * * * *",
    "WatchSchedule": "*/5 * * * * *",
    "NoticesSchedule": "*/5 * * * * *",
    "NumbersSchedule": "*/30 * * * * *",
    "ReplaySchedule": "*/5 * * * * *",
    "ExpirySchedule": "0 20 3 * * *",
}

_KEPT_FROM_CALLER: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "LD_LIBRARY_PATH"}
)
_SETTINGS_FROM_CALLER: Final = (
    "Alerts__alarmAfter", "Alerts__wellAfter", "Delivery__", "HelseId__", "Hub__", "Limits__", *_SCHEDULES,
    "Pseudonym__", "Registry__", "Replay__", "Upkeep__", "Checkpoints__silence", "Trail__alwaysOn",
    "Trail__longestDelay", "Trail__retention", "Cosmos__patience", "ServiceBus__patience", "Secret__", "Telemetry__",
)  # fmt: skip


class PortTaken(Exception):
    """A port that was asked for is in use by another program."""

    def __init__(self, part: str, port: int) -> None:
        option = "--port" if part == APP else f"--{part}-port"
        super().__init__(f"port {port} is taken by another program: choose another with {option} (0: any free one)")
        self.part = part
        self.port = port


async def choose_ports(folder: Path, asked: Mapping[str, int]) -> dict[str, int]:
    """A port for every part: the one asked for, else the one it had last time, else a free one.

    Raises PortTaken when one that was asked for is in use, ports.NoFreePort when there is none left.
    """
    # Parts of a hub that was killed need a moment to notice it.
    patience_s = _PORT_PATIENCE_S if left_by_the_dead(folder) else 0.0
    before = remembered_ports(folder)
    chosen: dict[str, int] = {}
    taken = {port for port in asked.values() if port}
    for name in ALL:
        wish = asked.get(name, 0)
        last = before.get(name, 0)
        if wish:
            if not await ports.wait_until_free(wish, patience_s):
                raise PortTaken(name, wish)
            chosen[name] = wish
        elif last and last not in taken and await ports.wait_until_free(last, patience_s):
            chosen[name] = last
        else:
            chosen[name] = ports.choose(taken)
        taken.add(chosen[name])
    return chosen


def backing_part(name: str, folder: Path, port: int) -> Part:
    """One of the parts the app stands on."""
    # Chosen here, so that it too stays the same when the part is started again.
    option = _SECOND_PORT.get(name)
    extra = (option, str(ports.choose({port}))) if option else ()
    return Part(name, f"sandbox.{name}", folder / name, port, extra, _base_environment())


def app_parts(
    folder: Path,
    chosen: Mapping[str, int],
    environment: Mapping[str, str],
    own: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> list[Part]:
    """The hub's own app on the local Functions host: one process for each group, with the same settings but `own`."""
    whole = {**_base_environment(), **environment}
    return [
        Part(
            name, "sandbox.host", folder / name, chosen[name], ("--app", str(ROOT), "--group", group),
            {**whole, **own.get(name, {})},
        )
        for name, group in GROUPS.items()
    ]  # fmt: skip


def process_settings(facts: Mapping[str, Facts], settings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By which key each process of the app reaches its stores: one that opens what its components may do in Azure.

    Not where `settings`, which were meant for this hub, say otherwise.
    """
    names = [name for name in ("Cosmos", "Trail", "Checkpoints") if name not in settings]
    opened: Mapping[str, str] = facts["cosmos"].get("processes", {})
    return {process: dict.fromkeys(names, key) for process, key in opened.items()}


def app_settings(
    folder: Path, port: int, facts: Mapping[str, Facts], caller: Mapping[str, str], settings: Mapping[str, str]
) -> dict[str, str]:
    """The app's settings, as Azure would give them in its environment.

    From the caller's environment only what tunes the app: an address of Azure that lies about there must never be
    reached from the sandbox. `settings` were meant for this hub and win over everything.
    """
    tuned = {name: value for name, value in caller.items() if name.startswith(_SETTINGS_FROM_CALLER)}
    fixed = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "ServiceBus": str(facts["servicebus"]["connectionString"]),
        "Cosmos": str(facts["cosmos"]["connectionString"]),
        "Cosmos__database": topology.load().database,
        # What the app may do with its log: create and read, nothing else.
        "Trail": str(facts["cosmos"]["appConnectionString"]),
        "Checkpoints": str(facts["cosmos"]["appConnectionString"]),
        "Hub__environment": "test",
        "HelseId__issuer": str(facts["helseid"]["issuer"]),
        "HelseId__audience": str(facts["helseid"]["audience"]),
        **_entra(facts["helseid"].get("entra")),
        "Pseudonym__key": secret(folder, "pseudonym.key"),
        "Checkpoints__key": secret(folder, "checkpoints.key"),
        "Hub__publicUrl": f"http://{ports.LOOPBACK}:{port}",
        **_alert_settings(facts.get("alerts")),
        **_telemetry_settings(facts.get(TELEMETRY)),
    }
    return {**_SCHEDULES, **tuned, **fixed, **settings}


def _entra(facts: Mapping[str, str] | None) -> dict[str, str]:
    """Who the hub's own people are vouched for by; nobody where the stand-in has no tenant."""
    return {} if facts is None else {f"Entra__{name}": facts[name] for name in ("tenant", "audience", "issuer")}


def _telemetry_settings(collector: Facts | None) -> dict[str, str]:
    # The host must know, as in Azure: it then hands its trace on to each invocation.
    found = {"PYTHON_ENABLE_OPENTELEMETRY": "true"}
    if collector is None:
        return found
    # Milliseconds: who looks should not have to wait.
    often = {
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OTEL_BLRP_SCHEDULE_DELAY": "1000",
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
    }
    return {**found, **often, "OTEL_EXPORTER_OTLP_ENDPOINT": str(collector["url"])}


def _alert_settings(alerts: Facts | None) -> dict[str, str]:
    if alerts is None:
        return {}
    return {
        "Alerts__webhook": str(alerts["webhook"]),
        "Alerts__webhookSecret": str(alerts["secret"]),
        "Alerts__smtp": str(alerts["smtp"]),
        "Alerts__to": "drift@knutepunkt.invalid",
    }


def receiver_url(facts: Mapping[str, Facts]) -> str:
    """Where the municipality's EPJ takes messages."""
    return f"{facts['epj']['url']}/fhir/{ORGNR}"


def addresses(facts: Mapping[str, Facts]) -> Addresses:
    """Where everything is reached, once all parts are ready."""
    counters = facts["servicebus"].get("countersPort")
    return Addresses(
        api=str(facts[APP]["url"]),
        servicebus=str(facts["servicebus"]["connectionString"]),
        cosmos=str(facts["cosmos"]["connectionString"]),
        database=topology.load().database,
        helseid=str(facts["helseid"]["issuer"]),
        audience=str(facts["helseid"]["audience"]),
        epj=str(facts["epj"]["url"]),
        orgnr=ORGNR,
        vendor=VENDOR,
        clients={
            name: Client(str(client["vkpId"]), str(client["keyFile"]))
            for name, client in facts["helseid"]["clients"].items()
        },
        master_key=str(facts[APP].get("masterKey", "")),
        alerts=str(facts["alerts"]["url"]),
        servicebus_counters=None if counters is None else f"http://{ports.LOOPBACK}:{counters}",
    )


def _base_environment() -> dict[str, str]:
    """What every part gets: no proxies, no credentials, nothing that changes how Python runs."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT_FROM_CALLER or name.startswith("LC_")}
    return kept | {"PYTHONUNBUFFERED": "1", "NO_PROXY": "*"}
