"""Where bytes may be sent: asked of every address that a connection is about to be made to.

A name in the register says nothing about where it leads tomorrow. So the question is not asked of names, nor of what a
look-up gave a moment ago, but of the address itself as its socket is made: between question and connection nothing can
change (OWASP API7:2023, server-side request forgery; DNS rebinding).
"""

import asyncio
import errno
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from shared.identity.series import Environment
from shared.registry.reaching import fit_port

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

_NEVER: Final[tuple[Network, ...]] = tuple(
    ip_network(each)
    for each in (
        "168.63.129.16/32",  # Azure's own services to a virtual machine: global in form, but only it can reach them
        "169.254.0.0/16",  # link-local, and the metadata services of the clouds
        "100.100.100.200/32",  # a metadata service
        "fd00:ec2::/32",  # a metadata service
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local (RFC 3879)
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2001::/32",  # Teredo: the same
        "64:ff9b:1::/48",  # NAT64 of one's own network (RFC 8215): leads inside
    )
)
"""Addresses that no setting opens."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})
_LOOKING_UP: Final = 16
"""Names looked up at once. Threads of their own: a name server that hangs must not take those that notes are written
on."""


class Forbidden(OSError):
    """The address is not one that the hub may send to."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "not an address that may be sent to")


@dataclass(frozen=True, slots=True)
class Rules:
    """Which addresses may be sent to.

    Those of the open network by https, always. In a test environment also this machine's own (the sandbox), and in any
    the networks that the operator has opened, for municipalities that are reached through a private network.
    """

    environment: Environment
    opened: tuple[Network, ...] = ()

    def fit(self, address: str, port: int, *, plain: bool) -> bool:
        """Whether a connection may be made. `plain`: without TLS, which never leaves a test environment's own
        networks."""
        try:
            at = _inside(ip_address(address))
        except ValueError:
            return False
        test = self.environment is Environment.TEST
        if at is None or any(at in each for each in _NEVER if each.version == at.version):
            return False
        if at.is_multicast or at.is_unspecified:
            return False
        if test and at.is_loopback:
            return True
        if any(at in each for each in self.opened if each.version == at.version):
            return (test or not plain) and not at.is_loopback
        return not plain and fit_port(port) and at.is_global and not at.is_reserved


def _inside(address: Address) -> Address | None:
    """The address that is meant by one that holds another; None for a form that nobody has a use for."""
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _COMPATIBLE and int(address) > 1:
        return None
    return None if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP else address


def scheme(url: str) -> str:
    """`https` or `http`; nothing for what is no address of a web service."""
    try:
        parts = URL(url)
        found = parts.scheme if parts.host and parts.port else ""
    except ValueError:
        return ""
    return found if found in ("https", "http") else ""


class Guard:
    """Makes sockets to addresses that the rules allow, as aiohttp's connectors want them made."""

    def __init__(self, rules: Rules, *, plain: bool) -> None:
        self._rules = rules
        self._plain = plain

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for this address (as of getaddrinfo). Raises Forbidden."""
        family, kind, protocol, _, place = info
        if not self._rules.fit(str(place[0]), int(place[1]), plain=self._plain):
            raise Forbidden
        return socket.socket(family, kind, protocol)


class Names(AbstractResolver):
    """Looks names up as the system does, on threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKING_UP, "names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises OSError."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host, host=str(place[0]), port=int(place[1]), family=kind, proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, place in found
        ]  # fmt: skip

    async def close(self) -> None:
        """Wait for nothing: a look-up that hangs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: int) -> Iterable[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


def networks(text: str) -> tuple[Network, ...]:
    """Networks written with spaces between. Raises ValueError."""
    return tuple(ip_network(each) for each in text.split())
