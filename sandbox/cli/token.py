"""Print an access token from the sandbox's HelseID."""

import argparse

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import print_json
from sandbox.helseid.client import fetch_token

EXAMPLES = """
  hub token
  hub token --vendor natugla
  hub token --scope nhn:vkp/api/user/bundle.write
  curl -H "Authorization: Bearer $(./hub token)" ...
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--vendor", metavar="ID", help="the client that asks (default: the one the hub lets in)")
    parser.add_argument("--scope", nargs="+", action="extend", help="scopes to ask for (default: all it may have)")


def run(args: argparse.Namespace) -> int:
    """Fetch and print it."""
    addresses = here.running(args)
    vendor = args.vendor or addresses.vendor
    client = here.client_of(addresses, vendor)
    scope = " ".join(args.scope) if args.scope else None
    token = call(fetch_token(addresses.helseid, vendor, client.key_file, scope))
    if args.json:
        print_json({"access_token": token.access_token, "expires_in": token.expires_in})
    else:
        print(token.access_token)
    return 0
