"""What `hub up` shows: one real event's journey, the addresses, and what to try next."""

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import aiohttp
from rich.console import Console
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.output import Stations, show_issues
from sandbox.example import RESOURCE, Example, example
from sandbox.hub_folder import Addresses
from sandbox.journey import End, follow
from sandbox.timelines import timelines
from sandbox.vendor import Answer, Vendor, vendor

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the EPJ has of a message."""

    at: datetime
    sha256: str
    calls: int


async def send_example(addresses: Addresses, out: Console) -> str | None:
    """Send the example event and show its journey. Returns what is wrong when it did not arrive."""
    event = example()
    client = addresses.clients[addresses.vendor]
    stations = Stations(out)
    async with vendor(addresses.api, addresses.helseid, addresses.vendor, client.key_file) as sender:
        await sender.token()
        out.print()
        out.print(f"One real event, {event.name}, from a vendor's call to the municipality's EPJ", style="bold")
        sent_at = datetime.now(UTC)
        call = f"POST /epj/r4/{addresses.orgnr}/{RESOURCE}, {len(event.body)} bytes"
        stations.line(sent_at, "sent", addresses.vendor, call)
        answer = await sender.send(addresses.orgnr, RESOURCE, event.body)
        if not answer.accepted:
            show_issues(out, answer.issues)
            return f"the example event was not accepted: {answer.status}"
        stations.line(
            datetime.now(UTC), str(answer.status), "the hub's answer", f"id {answer.message_id}", "bold green"
        )
        end = await _journey(addresses, sender, answer, sent_at, stations, out)
        if not end.arrived:
            return f"the example event is {end.state}; follow it with: hub status {answer.message_id}"
        return await _compare(addresses, event, sent_at, stations, out)


async def _journey(
    addresses: Addresses, sender: Vendor, answer: Answer, sent_at: datetime, stations: Stations, out: Console
) -> End:
    location, event_id = answer.location or "", answer.message_id or ""
    async with timelines(addresses.cosmos, addresses.database) as read:
        so_far = await read(event_id)
        if so_far and so_far[0].at < sent_at:
            out.print("  This folder has seen it before: the same answer, and nothing is delivered again. Its journey:")
            stations = Stations(out, dates=True)
        return await follow(location, event_id, sender, read, stations.show, _PATIENCE_S)


async def _compare(
    addresses: Addresses, event: Example, sent_at: datetime, stations: Stations, out: Console
) -> str | None:
    """What went in and what came out, by their checksums; that of what came out is taken from the EPJ's own bytes."""
    checksum = sha256(event.body).hexdigest()
    arrival = await _arrival(addresses, checksum)
    if arrival is not None and arrival.at >= sent_at:
        stations.line(arrival.at, "in the EPJ", "the EPJ's record", f"calls {arrival.calls}", "bold green")
    out.print()
    out.print(f"  sha256 in   {checksum}")
    if arrival is None:
        return "the EPJ has no message with these bytes"
    same = arrival.sha256 == checksum
    word = ("identical", "bold green") if same else ("DIFFERENT", "bold red")
    out.print(Text.assemble(f"  sha256 out  {arrival.sha256}  ", word))
    return None if same else "what the EPJ got differs from what was sent"


async def _arrival(addresses: Addresses, checksum: str) -> Arrival | None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        async with session.get(f"{addresses.epj}/received") as answer:
            found: list[dict[str, Any]] = await answer.json()
        for each in found:
            if each["sha256"] == checksum and each["orgnr"] == addresses.orgnr:
                async with session.get(f"{addresses.epj}/received/{each['idempotencyKey']}") as answer:
                    body = await answer.read()
                at = datetime.fromisoformat(each["receivedAt"])
                return Arrival(at, sha256(body).hexdigest(), int(each["calls"]))
    return None


def show_addresses(args: argparse.Namespace, addresses: Addresses, out: Console) -> None:
    """Print where everything is and what to try."""
    hub, data = here.hub_command(args), here.data_option(args)
    file = here.short(example().path)
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
