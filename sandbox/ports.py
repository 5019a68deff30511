"""Ports on the loopback interface for the sandbox's parts.

Taken from below the range the kernel hands out to outgoing connections (32768 and up on Linux, 49152 and up on macOS):
a client that keeps calling a part that is down can otherwise be given the part's own port and end up talking to itself.
"""

import asyncio
import random
import socket
import time

LOOPBACK = "127.0.0.1"
RANGE = range(20000, 32000)


class NoFreePort(Exception):
    """Every port that was tried is taken."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As asyncio's servers do: a port whose last connections are winding down is free to listen on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(taken: set[int]) -> int:
    """A free port outside `taken`. Raises NoFreePort."""
    for port in random.sample(RANGE, 200):
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(f"200 ports between {RANGE.start} and {RANGE.stop} are all taken")


async def wait_until_free(port: int, patience_s: float) -> bool:
    """Wait for the port to become free; False when it is still taken after `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while not is_free(port):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.05)
    return True
