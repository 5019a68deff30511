"""A patient's pseudonym: what stands for a person in queue sessions, partition keys, logs and status.

HMAC-SHA-256 under a key of the hub's own, so that nobody without the key can try all eleven-digit numbers. The same
person under the same identifier always gets the same pseudonym; a new key gives all of them new ones. 100 bits are
kept: among ten million patients the chance of any two sharing one is below 10^-16.
"""

import base64
import hashlib
import hmac
import re
from typing import Final

KEY_BYTES: Final = 32
LENGTH: Final = 20
"""Characters of lower-case base32 (a-z, 2-7), five bits each."""

_LABEL: Final = b"knutepunkt/patient/1"
_OID: Final = re.compile(r"(?:[uU][rR][nN]:[oO][iI][dD]:)?([0-2](?:\.[0-9]+)+)")


def pseudonym(key: bytes, system: str, value: str) -> str:
    """The pseudonym of the patient with this identifier.

    White space around both is ignored, and an OID is the same with and without `urn:oid:` in front; nothing else is
    changed (a local number is only unique under its own system, letter for letter). An identifier without a system has
    the system "". Raises ValueError for a key that is not 32 bytes or an empty value, without showing either.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"the pseudonym key must be {KEY_BYTES} bytes")
    number = value.strip()
    if not number:
        raise ValueError("a patient's identifier must have a value")
    name = _system(system).encode("utf-8", "surrogatepass")
    # The length in front keeps ("ab", "c") and ("a", "bc") apart.
    message = b"\0".join((_LABEL, len(name).to_bytes(4, "big") + name, number.encode("utf-8", "surrogatepass")))
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:LENGTH]


def _system(system: str) -> str:
    name = system.strip()
    oid = _OID.fullmatch(name)
    return f"urn:oid:{oid[1]}" if oid else name
