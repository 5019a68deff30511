"""Build the zip that Azure runs, and prove it: unpacked, it indexes, answers and takes a message to the journal.

It holds the app and, beside it, the packages of requirements.lock for Linux x86-64 and Python 3.13; the same bytes
whenever it is built from the same commit, which is named in it and told by `/health`. Beside it lie its SHA-256, its
bill of materials (CycloneDX) and the licences of all that is in it.
"""

import argparse
import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.output import Failure, console, print_json
from sandbox.process import PartFailed
from tools.package import lock, proof
from tools.package.build import Built, build
from tools.package.target import CannotPackage

EXAMPLES = """
  hub package
  hub package --out dist --json
  hub package --measure
  hub package --lock
"""

_MB = 1e6


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the zip goes (default: package in --data)")
    parser.add_argument("--twice", action="store_true", help="build it a second time and insist on the same bytes")
    parser.add_argument("--measure", action="store_true", help="measure what loading the app takes, from the package")
    parser.add_argument("--no-proof", action="store_true", help="only build; nothing is started")
    parser.add_argument(
        "--lock", action="store_true", help="only renew requirements.lock from requirements.txt (needs the index)"
    )


def run(args: argparse.Namespace) -> int:
    """Build, prove, and say what was made."""
    say = console(stderr=args.json)
    try:
        if args.lock:
            pins = lock.renew()
            say.print(f"requirements.lock: {len(pins)} packages.")
            if args.json:
                print_json({"packages": len(pins)})
            return 0
        found = asyncio.run(_package(args, say))
    except (CannotPackage, PartFailed) as error:
        raise Failure(str(error)) from None
    if args.json:
        print_json(found)
    return 0


async def _package(args: argparse.Namespace, say: Console) -> dict[str, object]:
    out = Path.cwd() / args.out if args.out else here.data_folder(args) / "package"
    say.print("Building the package …", style="bold")
    built = await asyncio.to_thread(build, out)
    _done(say, f"release {built.release}")
    _done(say, f"{built.files} files, {built.size / _MB:.1f} MB, {built.unpacked / _MB:.0f} MB unpacked")
    found: dict[str, object] = asdict(built) | {"path": str(built.path)}
    with tempfile.TemporaryDirectory(prefix="knutepunkt-proof-") as folder:
        if args.twice:
            await _again(built, Path(folder) / "again")
            _done(say, "built a second time: the same bytes")
        if not args.no_proof:
            found |= await _prove(built, Path(folder), say)
        if args.measure:
            found |= await _measure(built.path, Path(folder) / "measured", say)
    say.print(Text.assemble(("  ", ""), (here.short(built.path), "bold"), f"\n  sha256 {built.sha256}"))
    return found


async def _again(built: Built, folder: Path) -> None:
    second = await asyncio.to_thread(build, folder)
    if second.sha256 != built.sha256:
        raise CannotPackage(f"a second build differs: {built.sha256} and {second.sha256}")


async def _prove(built: Built, folder: Path, say: Console) -> dict[str, object]:
    laid = await asyncio.to_thread(proof.unpacked, built.path, folder / "proof")
    found = await asyncio.to_thread(proof.indexed, laid)
    _done(say, f"Microsoft's worker finds {len(found.functions)} functions, on the package's own packages alone")
    async with proof.hub_from(laid, folder / "hub") as hub:
        await proof.answers(hub, built.release)
        _done(say, "a hub started from it answers /health, and says which release it is")
        state = await proof.delivers(hub)
        _done(say, f"an event sent to it is {state}")
    return {"functions": list(found.functions), "event": state}


async def _measure(path: Path, folder: Path, say: Console) -> dict[str, object]:
    laid = await asyncio.to_thread(proof.unpacked, path, folder)
    start = await asyncio.to_thread(proof.measured, laid)
    _done(say, f"until the host knows the functions: {_told(start.indexable)}")
    _done(say, f"until all that calls need is loaded, in the background: {_told(start.ready)}")
    say.print(f"    the least of {start.runs} fresh processes on this machine, with settings as in Azure")
    return {"start": asdict(start)}


def _told(took: proof.Took) -> str:
    return (
        f"{took.seconds:.2f} s ({took.cpu_seconds:.2f} s of processor time), {took.megabytes:.0f} MB, "
        f"{took.modules} modules"
    )


def _done(say: Console, text: str) -> None:
    say.print(Text.assemble(("  ✓ ", "green"), text))
