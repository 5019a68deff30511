"""Notices by e-mail, over SMTP (RFC 5321). The Message-ID is made of the notice's id: the same at every try."""

import hashlib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from shared.clock import utc_now
from shared.watch.ports import Message, NotSent

PATIENCE_S: Final = 20.0
_PORTS: Final = {"smtp": 25, "smtps": 465}
_FORM: Final = "must be smtp://host:port or smtps://user:password@host:port"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in."""

    host: str
    port: int
    tls: bool
    """From the first byte; else STARTTLS is used where it is offered."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def server_of(url: str) -> Server:
    """`smtp://host:25` or `smtps://user:password@host:465`. Raises ValueError."""
    try:
        parts = urlsplit(url)
        usual = _PORTS[parts.scheme]
        port = parts.port or usual
    except (KeyError, ValueError):
        # Without the cause: it may show a part of the password.
        raise ValueError(_FORM) from None
    if not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(_FORM)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Server(parts.hostname, port, parts.scheme == "smtps", user, password)


class MailChannel:
    """One server and those who get mail."""

    name: str = "mail"

    def __init__(self, server: Server, sender: str, to: tuple[str, ...]) -> None:
        self._server = server
        self._sender = sender
        self._to = to

    async def send(self, message: Message) -> None:
        """See Channel. Taken means taken by the server, for every one of the addresses."""
        # Read by whoever sends mail, and not by each instance at its start.
        import aiosmtplib  # noqa: PLC0415

        server = self._server
        try:
            refused, _ = await aiosmtplib.send(
                self._mail(message),
                hostname=server.host,
                port=server.port,
                use_tls=server.tls,
                username=server.user,
                password=server.password,
                timeout=PATIENCE_S,
                tls_context=ssl.create_default_context() if server.tls else None,
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        if refused:
            raise NotSent("RECIPIENTS_REFUSED")

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(utc_now())
        # An id's characters are those of addresses; what a vkp-id may have beside is not.
        mail["Message-ID"] = f"<{hashlib.sha256(message.id.encode()).hexdigest()[:32]}@knutepunkt.invalid>"
        mail["X-Knutepunkt-Notice"] = message.id
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail

    async def close(self) -> None:
        """See Channel: each mail has a connection of its own."""
