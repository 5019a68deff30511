"""What a station tells the log beside its state: how a caller was known, by what a message was judged, routed, tried.

The road puts these into `Station.facts`, in the same write as the state itself. The log takes the names listed here and
no others, and each value as a code: never a token, a path or a query, in which personal data may stand.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from shared.trail.entry import opaque

JTI: Final = "jti"
CLIENT: Final = "client"
RULES: Final = "rules"
REGISTER: Final = "register"
HOST: Final = "host"
HTTP_STATUS: Final = "httpStatus"
DURATION_MS: Final = "durationMs"
REPLAY: Final = "replay"
"""Of what came back into line: the replay that it was part of."""
DECISION: Final = "decision"
"""Of what a person took out or put back: which entry of the log says who and why."""

NAMES: Final = frozenset({JTI, CLIENT, RULES, REGISTER, HOST, HTTP_STATUS, DURATION_MS, REPLAY, DECISION})
"""All that a station may tell."""
OF_A_TRY: Final = frozenset({HOST, HTTP_STATUS, DURATION_MS})
"""What only a try has: a station that tells of a host was a try, however it ended."""


def of_acceptance(token_id: str, client_id: str, rules: str) -> Mapping[str, str]:
    """For the station `received`: a hash of the token's `jti` (`Caller.token_id`), the client at the token's issuer,
    and the rules that the message was judged by (`shared.fhir.version.rules_version`)."""
    return {JTI: token_id, CLIENT: opaque(client_id), RULES: rules}


def of_routing(orgnr: str, version: int) -> Mapping[str, str]:
    """For the station `routed`: which version of the municipality's entry in the register the receivers came from."""
    return {REGISTER: f"{orgnr}/{version}"}


def of_try(url: str, status: int, duration_ms: int) -> Mapping[str, str]:
    """For the station that a try leads to: whom it was made to, what came back and how long it took.

    Of the address only host and port are told. `status` 0: there was no answer.
    """
    return of_call(host_of(url), status, duration_ms)


def of_call(host: str, status: int, duration_ms: int) -> Mapping[str, str]:
    """As `of_try`, where the host is known already."""
    told = {HOST: host, DURATION_MS: str(max(0, duration_ms))}
    return told | {HTTP_STATUS: str(status)} if status else told


def host_of(url: str) -> str:
    """Host and port of an address, or `unknown`. A number of IPv6 is no code and is withheld."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "unknown"
    shown = opaque(host) if host else "unknown"
    return shown if port is None else f"{shown}:{port}"
