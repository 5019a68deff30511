"""Notices by webhook, as Standard Webhooks has it: id, timestamp and signature in headers, the body signed as sent.

https://www.standardwebhooks.com. The signature is the standard's own library's.
"""

from datetime import timedelta
from typing import Final

import aiohttp
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shared.clock import utc_now
from shared.watch.ports import Message, NotSent

PATIENCE: Final = timedelta(seconds=15)
"""How long the other end has to answer (the standard: 15 to 30 s)."""
_TAKEN: Final = range(200, 300)


class WebhookChannel:
    """One address. Belongs to one event loop; connects when first needed."""

    name: str = "webhook"

    def __init__(self, url: str, secret: str) -> None:
        """`secret` is base64, with `whsec_` before it or not. Raises ValueError when it is none."""
        self._url = url
        try:
            self._signer = Webhook(secret)
        except (ValueError, EmptyWebhookSecretError) as error:
            raise ValueError("not the base64 of a secret") from error
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Message) -> None:
        """See Channel."""
        # The other end compares it with its own clock: the true time, and anew at every try.
        now = utc_now()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(message.id, now, message.body.decode()),
        }
        try:
            async with self._open().post(
                self._url, data=message.body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except TimeoutError:
            raise NotSent("NO_ANSWER") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NotSent(type(error).__name__) from None
        if status not in _TAKEN:
            raise NotSent(f"STATUS_{status}")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=PATIENCE.total_seconds()),
            )
        return self._session

    async def close(self) -> None:
        """See Channel."""
        if self._session is not None:
            await self._session.close()
            self._session = None
