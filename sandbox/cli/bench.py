"""Measure: one run on this machine, one table, and what limits it.

Without a word more it measures the hub: it runs one of its own in a temporary folder; the figures are of this machine
and of the sandbox, never of Azure. `hub bench check` measures the check of a message alone, layer by layer, and
`hub bench access` what it takes to know who is calling.
"""

import argparse

EXAMPLES = """
  hub bench
  hub bench --quick --json
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
