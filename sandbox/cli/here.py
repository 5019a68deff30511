"""What commands need to know about the hub that runs on `--data`."""

import os
import shlex
from argparse import Namespace
from pathlib import Path

from sandbox import hub_folder
from sandbox.cli.output import Failure
from sandbox.hub_folder import Addresses, Client, NotRunning
from sandbox.process import ROOT


def data_folder(args: Namespace) -> Path:
    """The folder given by `--data`, absolute."""
    data: Path = args.data
    return Path.cwd() / data


def running(args: Namespace) -> Addresses:
    """Where the hub on that folder is reached. Raises Failure when none is running."""
    try:
        return hub_folder.find_running(data_folder(args))
    except NotRunning as reason:
        raise Failure(str(reason)) from None


def client_of(addresses: Addresses, vendor: str) -> Client:
    """A vendor's client. Raises Failure naming those there are."""
    client = addresses.clients.get(vendor)
    if client is None:
        raise Failure(f"HelseID knows no client {vendor!r}; it knows {', '.join(sorted(addresses.clients))}")
    return client


def hub_command(args: Namespace) -> str:
    """How to call `hub` from where the user stands."""
    cwd = Path.cwd()
    return "./hub" if cwd == ROOT else shlex.quote(str(ROOT / "hub"))


def data_option(args: Namespace) -> str:
    """` --data DIR` when the user chose a folder, else nothing."""
    return "" if str(args.data) == ".hub" else f" --data {shlex.quote(str(args.data))}"


def short(path: Path) -> str:
    """A path as the user would write it: relative when that is shorter; quoted for the shell when needed."""
    relative = os.path.relpath(path)
    return shlex.quote(min(relative, str(path), key=len))
