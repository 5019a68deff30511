"""The sandbox is for this machine: it neither speaks in the name of a real HelseID host nor talks to one."""

import ipaddress

from yarl import URL


class NotAStandIn(ValueError):
    """An issuer on a host that is not this machine's own."""


def refuse_real_host(address: str) -> None:
    """Raise NotAStandIn unless the host is this machine's own or in a name space set aside for tests."""
    host = (URL(address).host or "").lower()
    if host == "localhost" or host.endswith((".localhost", ".test", ".example", ".invalid")):
        # `helseid-sts.test.nhn.no` ends in `.no`; no real host can end in these (RFC 2606, RFC 6761).
        return
    try:
        own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise NotAStandIn("the sandbox's HelseID is for this machine only, never a real HelseID host")
