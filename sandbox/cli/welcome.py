"""What `hub up` shows: one real event's journey, the addresses, and what to try next."""

import argparse
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import aiohttp
from rich.console import Console
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.output import Stations, show_issues
from sandbox.example import OWN, RESOURCE, example
from sandbox.hub_folder import Addresses
from sandbox.journey import follow
from sandbox.timelines import timelines
from sandbox.vendor import vendor
from shared.clock import utc_now
from shared.trail.timeline import Entry

_PATIENCE_S = 60.0
_SHORT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the EPJ has of a message. `sha256` is taken from the bytes it hands out, not from what it says of them."""

    at: datetime
    sha256: str
    calls: int


async def send_example(addresses: Addresses, out: Console) -> str | None:
    """Send the example event and show its journey. Returns what is wrong when it did not arrive."""
    event = example()
    checksum = sha256(event.body).hexdigest()
    client = addresses.clients[addresses.vendor]
    out.print()
    out.print(f"One real event, {event.name}, from a vendor's call to the municipality's EPJ", style="bold")
    async with (
        vendor(addresses.api, addresses.helseid, addresses.vendor, client.key_file) as sender,
        aiohttp.ClientSession(timeout=_SHORT) as http,
        timelines(addresses.cosmos, addresses.database) as read,
    ):
        await sender.token()
        call = f"POST /epj/r4/{addresses.orgnr}/{RESOURCE}, {len(event.body)} bytes"
        sent = Entry(utc_now(), "sent", addresses.vendor, call)
        answer = await sender.send(addresses.orgnr, RESOURCE, event.body)
        event_id = answer.message_id
        if not answer.accepted or event_id is None:
            show_issues(out, answer.issues)
            return f"the example event was not accepted: {answer.status}"
        answered = Entry(utc_now(), str(answer.status), addresses.vendor, f"id {event_id}")

        async def witnessed(_: str) -> tuple[Entry, ...]:
            """What the hub, the vendor and the EPJ have seen, in the order of its happening."""
            hub = await read(event_id)
            before = bool(hub) and hub[0].at < sent.at
            arrival = await _arrival(http, addresses, checksum)
            epj = () if arrival is None else (Entry(arrival.at, "in the EPJ", "its own record", ""),)
            return tuple(sorted((*(() if before else (sent, answered)), *hub, *epj), key=lambda entry: entry.at))

        so_far = await witnessed(event_id)
        before = so_far[0].at < sent.at
        if before:
            out.print("  This folder has seen it before: the same answer, and nothing is delivered again. Its journey:")
        show = Stations(out, dates=before).show
        end = await follow(answer.location or "", event_id, sender.status, witnessed, show, _PATIENCE_S)
        if not end.arrived:
            return f"the example event is {end.state}; follow it with: hub status {event_id}"
        return _compare(checksum, await _arrival(http, addresses, checksum), out)


def _compare(checksum: str, arrival: Arrival | None, out: Console) -> str | None:
    """Show what went in and what came out, by their checksums. Returns what is wrong."""
    out.print()
    out.print(f"  sha256 in   {checksum}")
    if arrival is None:
        return "the EPJ has no message with these bytes"
    same = arrival.sha256 == checksum
    word = ("identical", "bold green") if same else ("DIFFERENT", "bold red")
    times = "once" if arrival.calls == 1 else f"{arrival.calls} times"
    out.print(Text.assemble(f"  sha256 out  {arrival.sha256}  ", word))
    out.print(f"  It was sent to the EPJ {times}.")
    return None if same else "what the EPJ got differs from what was sent"


async def _arrival(http: aiohttp.ClientSession, addresses: Addresses, checksum: str) -> Arrival | None:
    async with http.get(f"{addresses.epj}/received") as answer:
        found: list[dict[str, Any]] = await answer.json()
    for each in found:
        if each["sha256"] == checksum and each["orgnr"] == addresses.orgnr:
            async with http.get(f"{addresses.epj}/received/{each['idempotencyKey']}") as answer:
                body = await answer.read()
            at = datetime.fromisoformat(each["receivedAt"])
            return Arrival(at, sha256(body).hexdigest(), int(each["calls"]))
    return None


def show_addresses(args: argparse.Namespace, addresses: Addresses, out: Console) -> None:
    """Print where everything is and what to try."""
    hub, data = here.hub_command(args), here.data_option(args)
    file = here.short(OWN)
    inbox = f"{addresses.api}/epj/r4/{addresses.orgnr}/{RESOURCE}"
    out.print()
    out.print(Text.assemble(("The hub is up.", "bold green"), f" Its data is in {here.short(here.data_folder(args))}"))
    for name, address in (
        ("API", addresses.api),
        ("EPJ", f"{addresses.epj}/received"),
        ("HelseID", addresses.helseid),
        ("Service Bus", _without_key(addresses.servicebus)),
        ("Cosmos DB", _without_key(addresses.cosmos)),
    ):
        out.print(f"  {name:<12} {address}", markup=False)
    out.print(f"  {'':<12} (connection strings with keys: running.json in the data folder)")
    out.print()
    out.print("Try, in another terminal:", style="bold")
    for line in (
        f"{hub} send {file} --wait{data}",
        f"{hub} token{data}",
        f'curl -i -H "Authorization: Bearer $({hub} token{data})" -H "Content-Type: application/fhir+json"'
        f" --data-binary @{file} {inbox}",
    ):
        out.print(f"  {line}", markup=False)
    out.print()
    out.print("Ctrl-C stops it.")


def _without_key(connection_string: str) -> str:
    fields = connection_string.split(";")
    return next((field.split("=", 1)[1] for field in fields if "endpoint=" in field.lower()), "")
