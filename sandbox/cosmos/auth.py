"""The authorisation header: a signature with the account's key over what is asked for and when.

https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
"""

import base64
import email.utils
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sandbox.cosmos.errors import CosmosError, unauthorized

PATIENCE: Final = timedelta(minutes=15)
"""How far the date of a request may be from the server's."""
_AS_SENT: Final = "type%3Dmaster%26ver%3D1.0%26sig%3D"
"""How the SDKs begin the header; everything else is taken apart."""


def account_key(folder: Path, name: str = "account") -> str:
    """The key of the account that is kept in `folder`; made when there is none. Only its owner may read the file."""
    path = folder / f"{name}.key"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        key = base64.b64encode(secrets.token_bytes(64)).decode()
        fresh = folder / f"{name}.key.new"
        fresh.touch(mode=0o600)
        fresh.write_text(key, encoding="ascii")
        fresh.rename(path)
        return key


class Authority:
    """Checks requests against one key."""

    def __init__(self, key: str, wall_clock: Callable[[], datetime]) -> None:
        self._key = base64.b64decode(key)
        self._wall_clock = wall_clock
        # Creates, queries and batches of one second carry the same signature. Only good ones are remembered.
        self._signed = lru_cache(maxsize=512)(self._check_signature)

    def check(self, method: str, parts: tuple[str, ...], headers: dict[str, str]) -> None:
        """`parts`: the decoded segments of the path. Raises CosmosError (401, 403)."""
        date, other = headers.get("x-ms-date", ""), headers.get("date", "")
        self._signed(method, parts, headers.get("authorization", ""), date, other)
        sent = _moment(date or other)
        if sent is None or abs(self._wall_clock() - sent) > PATIENCE:
            raise CosmosError(403, "Forbidden", "The authorization token is not valid at the current time.")

    def _check_signature(self, method: str, parts: tuple[str, ...], authorization: str, date: str, other: str) -> None:
        is_feed = len(parts) % 2 == 1
        kind = (parts[-1] if is_feed else parts[-2]) if parts else ""
        link = "/".join(parts[:-1] if is_feed else parts)
        before, after = f"{method.lower()}\n{kind.lower()}\n", f"\n{date.lower()}\n{other.lower()}\n"
        signature = self._signature(before + link + after)
        if _same(_AS_SENT + signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"), authorization):
            return
        fields = dict(part.partition("=")[::2] for part in unquote(authorization).split("&"))
        if not fields.get("sig"):
            raise unauthorized(
                "Required Header authorization is missing. Ensure a valid Authorization token is passed."
            )
        if fields.get("type") != "master" or fields.get("ver") != "1.0":
            raise unauthorized("The sandbox's Cosmos endpoint takes the account key only (type=master, ver=1.0).")
        # Links by resource id are signed in lower case, links by name as they are.
        signatures = (signature, self._signature(before + link.lower() + after))
        if not any(_same(one, fields["sig"].strip()) for one in signatures):
            raise unauthorized(
                "The input authorization token can't serve the request. Please check that the expected payload is built"
                " as per the protocol, and check the key being used."
            )

    def _signature(self, text: str) -> str:
        return base64.b64encode(hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")).decode()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


@lru_cache(maxsize=64)
def _moment(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
