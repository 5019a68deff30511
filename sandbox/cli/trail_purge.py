"""`hub trail purge`: what the retention policy allows to take away; with an approver, it is written down and done.

In Azure this runs under an identity of its own, since the app's may neither change nor delete an entry.
"""

import argparse

from sandbox.cli.calls import call
from sandbox.cli.output import Failure, console, print_json
from sandbox.cli.trail_verify import parts_of
from shared.trail.purging import Purged


def run(args: argparse.Namespace) -> int:
    """Purge, or tell what would be: 0 done."""
    done = call(_purge(args))
    really = args.approver is not None
    if args.json:
        purged = [{"chain": each.chain, "what": each.what, "count": each.count} for each in done]
        print_json({"done": really, "purged": purged})
        return 0
    out = console()
    for each in done:
        out.print(f"  {each.chain}  {each.what:<7} {each.count} entries")
    if not done:
        out.print("Nothing is old enough.")
    elif not really:
        out.print("Nothing was taken away: say who approved it with --approver.")
    return 0


async def _purge(args: argparse.Namespace) -> list[Purged]:
    async with parts_of(args) as parts:
        if not parts.settings.retention:
            raise Failure("there is no retention policy: set Trail__retention (how long is the controller's to decide)")
        report = await parts.verify(lambda *_: None)
        if not report.holds:
            raise Failure("the trail does not hold, and evidence is not taken away: see hub trail verify")
        return await parts.purge(args.approver)
