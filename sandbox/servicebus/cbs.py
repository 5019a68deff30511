"""Claims-based security: who may use which queue of this broker, told by SAS tokens put to `$cbs`.

Source: Microsoft Learn, "Service Bus access control with Shared Access Signatures".
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

KEY_NAME = "RootManageSharedAccessKey"


@dataclass(frozen=True, slots=True)
class Claim:
    """A right to a path (empty: everything) until a time in seconds since 1970."""

    path: str
    expires_at: int

    def covers(self, path: str) -> bool:
        """Whether the right is to this path or to something above it."""
        return self.path in ("", path) or path.startswith(self.path + "/")


@dataclass(frozen=True, slots=True)
class Key:
    """A shared access key."""

    name: str
    secret: str


class NotAuthorized(Exception):
    """The token gives no right."""


def load_key(folder: Path) -> Key:
    """The namespace's key: made at the first start, readable by its owner only. Raises OSError."""
    path = folder / "sas-key"
    if not path.exists():
        made = path.with_suffix(".new")
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        made.write_text(base64.b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
        made.rename(path)
    return Key(KEY_NAME, path.read_text(encoding="ascii").strip())


def path_of(address: str) -> str:
    """`amqps://host:port/Queue/$DeadLetterQueue` as `queue/$deadletterqueue`."""
    if "://" in address:
        address = urlsplit(address).path
    return unquote(address).strip("/").lower()


def verify(token: object, audience: object, key: Key | None, now: int) -> Claim:
    """What a token gives a right to, at `now` (seconds since 1970). Without a key anything goes.

    Raises NotAuthorized.
    """
    if key is None:
        return Claim(path_of(str(audience)), 2**62)
    text = token.decode("utf-8", "replace") if isinstance(token, bytes) else str(token)
    scheme, _, rest = text.partition(" ")
    if scheme != "SharedAccessSignature":
        raise NotAuthorized("InvalidToken: only shared access signatures can be verified here.")
    # Not parse_qsl for the values that are signed: they are signed as they are written.
    written = dict(part.split("=", 1) for part in rest.split("&") if "=" in part)
    fields = dict(parse_qsl(rest))
    if not {"sr", "sig", "se", "skn"} <= fields.keys() or fields["skn"] != key.name or not fields["se"].isdecimal():
        raise NotAuthorized("InvalidSignature: the token names another key, or no resource or expiry.")
    if not hmac.compare_digest(fields["sig"].encode(), _sign(written["sr"], written["se"], key)):
        raise NotAuthorized("InvalidSignature: The token has an invalid signature.")
    if int(fields["se"]) <= now:
        raise NotAuthorized("ExpiredToken: The token is expired.")
    claim = Claim(path_of(fields["sr"]), int(fields["se"]))
    asked = path_of(str(audience))
    if not claim.covers(asked):
        raise NotAuthorized("InvalidAudience: the token is for another entity.")
    return Claim(asked, claim.expires_at)


def verify_plain(response: bytes, key: Key | None) -> bool:
    """SASL PLAIN with the key's name and secret."""
    parts = response.split(b"\0")
    if key is None:
        return True
    return len(parts) == 3 and hmac.compare_digest(b"\0".join(parts[1:]), f"{key.name}\0{key.secret}".encode())


def token(resource: str, key: Key, expires_at: int) -> str:
    """A token for a resource URI until a time in seconds since 1970."""
    written = quote_plus(resource)
    signature = quote_plus(_sign(written, str(expires_at), key))
    return f"SharedAccessSignature sr={written}&sig={signature}&se={expires_at}&skn={key.name}"


def _sign(resource: str, expires_at: str, key: Key) -> bytes:
    digest = hmac.new(key.secret.encode(), f"{resource}\n{expires_at}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest)
