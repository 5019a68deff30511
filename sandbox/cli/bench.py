"""Measure: one run on this machine, one table, and what limits it.

Without a word more it measures the hub: it runs one of its own in a temporary folder; the figures are of this machine
and of the sandbox, never of Azure. `hub bench check` measures the check of a message alone, layer by layer, and
`hub bench access` what it takes to know who is calling.
"""

import argparse

EXAMPLES = """
  hub bench
  hub bench --quick --json
  hub bench --backlog 100000 --stored 1000000
  hub bench --profile
  hub bench check
  hub bench access
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "what", nargs="?", choices=("hub", "check", "access"), default="hub", help="what to measure: the whole hub "
        "(default), the check of a message, or the check of who is calling"
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true", help="a small run that shows that it works; its figures are rough"
    )
    hub = parser.add_argument_group("for the whole hub")
    hub.add_argument("--backlog", type=_count, default=0, metavar="N", help="events in the backlog that is drained")
    hub.add_argument(
        "--stored", type=_count, default=0, metavar="N",
        help="drain the backlog once more beside so many messages that are done with"
    )  # fmt: skip
    hub.add_argument("--profile", action="store_true", help="tell where each part's CPU time goes (by py-spy)")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number: {text}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    # Each loads much that the other can do without.
    if args.what == "check":
        from sandbox.cli import bench_check  # noqa: PLC0415

        return bench_check.run(args)
    if args.what == "access":
        from sandbox.cli import bench_access  # noqa: PLC0415

        return bench_access.run(args)
    from sandbox.cli import bench_hub  # noqa: PLC0415

    return bench_hub.run(args)
