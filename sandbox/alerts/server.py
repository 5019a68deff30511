"""The part's two doors on 127.0.0.1: HTTP for webhooks and for those who look, SMTP for mail.

`POST /webhook` takes a webhook whose signature is right (Standard Webhooks, checked by the standard's own library) with
204, any other with 400. `GET /received` lists what came. `POST /behave` with `{"status": 503, "times": 2}` makes the
next so many webhooks fail, and mail with them (SMTP 451), so that it can be seen that notices are sent again.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sandbox.alerts.received import Arrived, Received

MAX_BODY: Final = 256 * 1024
_KEY_FILE: Final = "webhook.key"


@dataclass(slots=True)
class Alerts:
    """The part as it runs."""

    received: Received
    secret: str = field(repr=False)
    port: int = 0
    smtp_port: int = 0
    status: int = 0
    """What the next ones are answered with, as long as `times` is not used up."""
    times: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def facts(self) -> dict[str, Any]:
        """What the hub's settings and the commands need to know."""
        return {
            "port": self.port, "url": self.url, "webhook": f"{self.url}/webhook", "secret": self.secret,
            "smtp": f"smtp://127.0.0.1:{self.smtp_port}",
        }  # fmt: skip

    def failing(self) -> int:
        """The status to fail this one with; 0: none."""
        if self.times <= 0:
            return 0
        self.times -= 1
        return self.status


@asynccontextmanager
async def serve(folder: Path, port: int = 0, smtp_port: int = 0) -> AsyncIterator[Alerts]:
    """Run it with what it has received in this folder. Port 0: a free one. Raises OSError."""
    part = Alerts(Received(folder / "received.jsonl"), _secret(folder))
    app = web.Application(client_max_size=MAX_BODY)
    app.add_routes(_routes(part))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    mail = None
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        part.port = int(runner.addresses[0][1])
        handler = _Mail(part)
        loop = asyncio.get_running_loop()
        mail = await loop.create_server(
            lambda: SMTP(handler, hostname="127.0.0.1", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", smtp_port
        )
        part.smtp_port = int(mail.sockets[0].getsockname()[1])
        yield part
    finally:
        if mail is not None:
            mail.close()
        await runner.cleanup()


def _secret(folder: Path) -> str:
    path = folder / _KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
    return path.read_text(encoding="ascii")


def _routes(part: Alerts) -> list[web.RouteDef]:
    async def webhook(request: web.Request) -> web.Response:
        body = await request.read()
        status = part.failing()
        if status:
            return web.Response(status=status)
        try:
            found = Webhook(part.secret).verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            part.received.add(Arrived("webhook", request.headers.get("webhook-id", ""), _now(), False, "", ""))
            return web.json_response({"error": "the signature is not right"}, status=400)
        text = found["data"]["text"]["nb"]
        part.received.add(
            Arrived("webhook", request.headers["webhook-id"], _now(), True, text["title"], text["body"], found)
        )
        return web.Response(status=204)

    async def listing(_: web.Request) -> web.Response:
        return web.json_response(part.received.all())

    async def behave(request: web.Request) -> web.Response:
        try:
            told = await request.json()
            part.status, part.times = int(told["status"]), int(told["times"])
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "send status and times, both numbers"}, status=400)
        return web.json_response({"status": part.status, "times": part.times})

    return [web.post("/webhook", webhook), web.get("/received", listing), web.post("/behave", behave)]


class _Mail:
    """Takes mail for whoever it is."""

    def __init__(self, part: Alerts) -> None:
        self._part = part

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep it. The name is aiosmtpd's."""
        if self._part.failing():
            return "451 Told to fail"
        raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        mail = message_from_bytes(raw, _class=EmailMessage, policy=default)
        content = mail.get_body(("plain",))
        text = content.get_content() if content is not None else ""
        self._part.received.add(
            Arrived("mail", str(mail["X-Knutepunkt-Notice"] or "").strip(), _now(), True, str(mail["Subject"]), text)
        )
        return "250 Taken"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
