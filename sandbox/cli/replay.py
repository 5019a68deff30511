"""Replay what is set aside: tell what would be replayed, with --go have it done and wait for its end, or stop one."""

import argparse
import asyncio
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sandbox.cli import aside, here
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, complain, console, full_time, print_json
from sandbox.hub_folder import Addresses
from sandbox.operator import operator

EXAMPLES = """
  hub replay
  hub replay --receiver epj --cause REC_HTTP_422
  hub replay --receiver epj --since 2026-11-22T12:00:00Z --why "the EPJ has been mended" --go
  hub replay --id 3f0c... --why "asked for by the municipality, case 2026/114" --go
  hub replay --stop 9b1d... --why "the wrong receiver"
"""

_REPLAYS = "/operations/replays"
_LOOK_S = 0.5
_BY_A_PERSON = "HUB_REPLAY_STOPPED"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    aside.add_filter(parser)
    parser.add_argument("--id", action="append", default=[], help="this message or delivery alone; may come again")
    parser.add_argument("--why", help="the reason, for the audit log; nothing about a person")
    parser.add_argument("--go", action="store_true", help="have it done; without it nothing is changed")
    parser.add_argument("--stop", metavar="ID", help="stop this replay, instead of beginning one; needs --why")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="how long to wait for the end")


def run(args: argparse.Namespace) -> int:
    """Try it out, have it done, or stop it."""
    if args.stop is not None:
        return _stop(args)
    if args.go and not args.why:
        complain("--go needs --why: the reason goes into the audit log")
        return 2
    addresses = here.running(args)
    order: dict[str, Any] = dict(aside.wanted(args, addresses))
    if args.id:
        order["ids"] = args.id
    if not args.go:
        return _tried_out(args, call(_post(addresses, _REPLAYS, order)))
    order |= {"dryRun": False, "why": args.why}
    job = call(_done(addresses, order, args.timeout))
    if args.json:
        print_json(job)
    else:
        _show(job)
    return 0 if job["state"] == "done" else 1


def _stop(args: argparse.Namespace) -> int:
    if not args.why:
        complain("--stop needs --why: the reason goes into the audit log")
        return 2
    if args.go or any((args.id, args.org, args.receiver is not None, args.cause, args.since, args.until)):
        complain("--stop takes the replay's id and --why alone: a replay is stopped whole")
        return 2
    job = call(_post(here.running(args), f"{_REPLAYS}/{quote(args.stop, safe='')}/stop", {"why": args.why}))
    if args.json:
        print_json(job)
    else:
        _show(job)
    return 0


def _tried_out(args: argparse.Namespace, tried: dict[str, Any]) -> int:
    if args.json:
        print_json(tried)
        return 0
    out = console()
    if not tried["count"]:
        out.print("Nothing is set aside that fits.")
        return 0
    more = " or more" if tried["atLeast"] else ""
    oldest = full_time(datetime.fromisoformat(tried["oldest"]))
    out.print(f"Would replay {tried['count']}{more}, set aside since {oldest}:")
    aside.show_groups(out, tried["groups"])
    if tried["payloadGone"]:
        out.print(f"Of them {tried['payloadGone']} cannot be: their payload has been deleted.")
    out.print("Nothing was changed. Have it done with --go and --why.")
    return 0


async def _post(addresses: Addresses, path: str, order: dict[str, Any]) -> dict[str, Any]:
    async with operator(addresses.api, addresses.helseid) as who:
        return await who.post(path, order)


async def _done(addresses: Addresses, order: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    async with operator(addresses.api, addresses.helseid) as who:
        job = await who.post(_REPLAYS, order)
        path = f"{_REPLAYS}/{job['id']}"
        # It goes on without this command: whoever interrupts that must know what to stop.
        console(stderr=True).print(f"The replay {job['id']} has begun; --stop {job['id']} stops it.")
        while (job := await who.get(path))["state"] == "running":
            if time.monotonic() > deadline:
                raise Failure(f"the replay {job['id']} is still running: {job['replayed']} are back in line")
            await asyncio.sleep(_LOOK_S)
    return job


def _show(job: dict[str, Any]) -> None:
    out = console()
    out.print(f"{job['replayed']} are back in line; the replay {job['id']} is {job['state']}.")
    if job["code"] == _BY_A_PERSON:
        out.print("A person has stopped it: what is back in line is delivered, the rest is still set aside.")
    if job["payloadGone"]:
        out.print(f"{job['payloadGone']} could not be replayed: their payload has been deleted.")
    for each in job["groups"]:
        if each["verdict"] == "failed":
            where = each["receiver"] or "(no receiver)"
            out.print(f"  {where} {each['cause']}: the first {each['first']} were set aside again; the rest was left.")
