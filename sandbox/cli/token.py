"""Print an access token from the sandbox's HelseID, or from its Entra ID."""

import argparse
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, print_json
from sandbox.helseid import dpop as proofs
from sandbox.helseid.client import TIMEOUT, fetch_token, read_pair
from sandbox.helseid.entra import OPERATOR

EXAMPLES = """
  hub token
  hub token --vendor natugla
  hub token --scope nhn:vkp/api/user/bundle.write
  curl -H "Authorization: Bearer $(./hub token)" ...
  curl -H @<(./hub token --proof GET URL) URL
  hub token --entra --role operator
"""
ROLES: Final = {"operator": OPERATOR}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--vendor", metavar="ID", help="the client that asks (default: the one the hub lets in)")
    parser.add_argument("--scope", nargs="+", action="extend", help="scopes to ask for (default: all it may have)")
    parser.add_argument("--dpop", action="store_true", help="a token bound to the client's key (RFC 9449)")
    parser.add_argument(
        "--proof", nargs=2, metavar=("METHOD", "URL"), help="print both headers of one call with a bound token"
    )
    parser.add_argument("--entra", action="store_true", help="a token of somebody of the hub's own, from Entra ID")
    parser.add_argument("--role", choices=sorted(ROLES), action="append", help="with --entra: what they may do")


def run(args: argparse.Namespace) -> int:
    """Fetch and print it."""
    addresses = here.running(args)
    if args.entra:
        return _entra(args, addresses.helseid)
    if args.role:
        raise Failure("--role goes with --entra: what others may do is not in their token but in the register")
    vendor = args.vendor or addresses.vendor
    client = here.client_of(addresses, vendor)
    scope = " ".join(args.scope) if args.scope else None
    dpop = bool(args.dpop or args.proof)
    token = call(fetch_token(addresses.helseid, vendor, client.key_file, scope, dpop=dpop))
    answer: dict[str, object] = {"access_token": token.access_token, "expires_in": token.expires_in}
    text = token.access_token
    if dpop:
        answer["token_type"] = token.token_type
    if args.proof:
        method, url = args.proof
        pair = call(read_pair(client.key_file))
        answer["proof"] = proofs.proof(pair, method, url, datetime.now(UTC), token=token.access_token)
        text = f"Authorization: DPoP {token.access_token}\nDPoP: {answer['proof']}"
    if args.json:
        print_json(answer)
    else:
        print(text)
    return 0


def _entra(args: argparse.Namespace, helseid: str) -> int:
    if args.vendor or args.scope or args.dpop or args.proof:
        raise Failure("--entra takes --role alone: Entra ID knows no vendors, and no DPoP")
    answer = call(_minted(helseid, [ROLES[each] for each in args.role or ()]))
    if args.json:
        print_json({name: answer[name] for name in ("access_token", "expires_in", "token_type")})
    else:
        print(answer["access_token"])
    return 0


async def _minted(helseid: str, roles: list[str]) -> dict[str, Any]:
    url = f"{helseid}/_sandbox/entra/mint"
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.post(url, json={"roles": roles}) as answer:
        answer.raise_for_status()
        minted: dict[str, Any] = await answer.json()
        return minted
