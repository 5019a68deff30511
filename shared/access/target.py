"""Addresses as DPoP compares them: without query and fragment, after the normalisation of RFC 3986 (RFC 9449, 4.3).

Percent-encoding is undone for every character that may stand in a path segment as it is: hosts and gateways undo it on
the way, and `%24status` and `$status` reach the same door.
"""

import re
from typing import Final

_ADDRESS: Final = re.compile(
    r"(?P<scheme>[A-Za-z]+)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[!-~]*)?"
)
_ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_PERCENT: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_PORTS: Final = {"http": 80, "https": 443}
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@")
"""RFC 3986: pchar."""
_LONGEST: Final = 4096


def normalised(address: str) -> str | None:
    """The address in its one form; None when it is not an http or https address that is surely read one way."""
    if len(address) > _LONGEST:
        return None
    match = _ADDRESS.fullmatch(_cut(address))
    if match is None:
        return None
    scheme, port = match["scheme"].lower(), match["port"]
    path = _path(match["path"] or "/")
    if scheme not in _PORTS or path is None or int(port or 0) > 65535:
        return None
    where = "" if not port or int(port) == _PORTS[scheme] else f":{int(port)}"
    return f"{scheme}://{match['host'].lower()}{where}{path}"


def outside(public_url: str, url: str) -> str | None:
    """Where the call to `url` went, as the hub is known outside: the public address with the path of the call.

    `url` may be whole or a path; its host is the caller's word and counts for nothing. None for a path that is none.
    """
    path = _cut(_ORIGIN.sub("", url, count=1))
    return normalised(f"{public_url.rstrip('/')}{path or '/'}") if path[:1] in ("", "/") else None


def _cut(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]


def _path(path: str) -> str | None:
    if any(match[1] is None for match in _PERCENT.finditer(path)):
        return None
    return _without_dots(_PERCENT.sub(_decoded, path))


def _decoded(match: re.Match[str]) -> str:
    letter = chr(int(match[1], 16))
    return letter if letter in _PLAIN else match[0].upper()


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
