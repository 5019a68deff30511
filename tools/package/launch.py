"""Start a module on an unpacked package's own packages and nothing of this machine's: as Azure would find it.

    python -m tools.package.launch --package FOLDER [--beside FOLDER] [--module NAME] ARGUMENTS...

It becomes (`exec`) the Python that the virtual environment was made from, isolated (`-I`: no PYTHONPATH, no user's
packages, not where one stands) and without its own site-packages (`-S`), and puts first the package's site-packages and
then the app's folder on the path, as Microsoft's worker does. The stand-in of Azure's host runs in the same process
while the real one is a program of its own; what it needs for itself lies in the folder given by `--beside`, last on the
path (`tools.package.running`). All other arguments are the module's.
"""

import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from typing import Final

_BARE: Final = "--bare-interpreter"


def _become(arguments: Sequence[str]) -> None:
    """Go on as the bare interpreter."""
    python = getattr(sys, "_base_executable", sys.executable)
    # Our own command; nothing of it comes from outside.
    os.execv(python, [python, "-I", "-S", "-B", "-u", __file__, _BARE, *arguments])  # noqa: S606


def _run(arguments: Sequence[str]) -> None:
    """Set the path and run the module."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--package", required=True)
    parser.add_argument("--beside")
    parser.add_argument("--module", default="sandbox.host")
    args, rest = parser.parse_known_args(arguments)
    sys.path[:0] = [f"{args.package}/.python_packages/lib/site-packages", args.package]
    if args.beside:
        sys.path.append(args.beside)
    os.chdir(args.package)
    sys.argv = [args.module, *rest]
    runpy.run_module(args.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if _BARE in sys.argv[1:2]:
        _run(sys.argv[2:])
    else:
        _become(sys.argv[1:])
