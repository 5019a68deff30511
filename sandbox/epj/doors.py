"""TLS doors to the journal, opened on request: with a right certificate or a wrong one, to anybody or to the hub."""

import asyncio
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from sandbox.epj.authority import Authority, Pair


class Wish(BaseModel):
    """A door as it is asked for: `POST /tls`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate: Literal["right", "wrong-host", "expired", "unknown-issuer"] = "right"
    clients: bool = False
    """Whether it lets in only who shows a certificate of the journal's authority (mTLS)."""
    port: int | None = None
    """A door that is open already and is to show another certificate."""


@dataclass(slots=True)
class _Door:
    context: ssl.SSLContext
    wish: Wish


class NoSuchDoor(Exception):
    """No door is open at this port."""


class Doors:
    """The doors that are open. They last as long as the runner whose sites they are."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._authority: Authority | None = None
        self._doors: dict[int, _Door] = {}

    async def open(self, wish: Wish) -> dict[str, Any]:
        """Open a door, or change one. What a client needs to come in by it. Raises NoSuchDoor."""
        authority = self._authority = self._authority or Authority()
        if wish.port is not None:
            return await self._changed(authority, wish.port, wish)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if wish.clients:
            context.load_verify_locations(cadata=authority.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        await asyncio.to_thread(show, context, authority.server(wish.certificate))
        before = {int(each[1]) for each in self._runner.addresses}
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        port = next(int(each[1]) for each in self._runner.addresses if int(each[1]) not in before)
        self._doors[port] = _Door(context, wish)
        return self._facts(authority, port)

    async def all_wrong(self, wrong: bool) -> None:
        """Every door shows a certificate for another host, or again the one it was opened with."""
        for door in self._doors.values():
            if self._authority is not None:
                kind = "wrong-host" if wrong else door.wish.certificate
                await self._shown(door, self._authority.server(kind))

    async def _changed(self, authority: Authority, port: int, wish: Wish) -> dict[str, Any]:
        door = self._doors.get(port)
        if door is None:
            raise NoSuchDoor
        await self._shown(door, authority.server(wish.certificate))
        return self._facts(authority, port)

    async def _shown(self, door: _Door, pair: Pair) -> None:
        await asyncio.to_thread(show, door.context, pair)
        # Whoever is connected has seen the certificate before: let them come in anew.
        server = self._runner.server
        for connection in server.connections if server is not None else ():
            if connection.transport is not None and connection.transport.get_extra_info("ssl_object") is not None:
                connection.force_close()

    def _facts(self, authority: Authority, port: int) -> dict[str, Any]:
        client = authority.client()
        return {
            "port": port,
            "url": f"https://127.0.0.1:{port}",
            "ca": authority.ca,
            "client": {"certificate": client.certificate, "key": client.key},
        }


def show(context: ssl.SSLContext, pair: Pair) -> None:
    """What the next to come see. OpenSSL reads certificates from files only."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "certificate", Path(folder) / "key"
        certificate.write_text(pair.certificate)
        key.write_text(pair.key)
        context.load_cert_chain(certificate, key)
