"""The registered clients and APIs, kept in one file.

Beside it lies one private key file for each sandbox vendor (which a real HelseID would never have).
"""

from pathlib import Path
from typing import Any, Final

from sandbox.helseid import jwk
from sandbox.helseid.files import read_json, write_json
from sandbox.helseid.jose import Alg
from sandbox.helseid.registrations import AUDIENCE, Api, Client, Jwks

DEFAULT_APIS: Final = (Api(audience=AUDIENCE),)


class Registry:
    """What is registered. Every change is on disk before it counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "clients.json"
        self._clients: dict[str, Client] = {}
        self._apis: dict[str, Api] = {}

    def load(self) -> None:
        """Read what is kept; at the first start, make the two sandbox vendors."""
        try:
            kept = read_json(self._path)
        except FileNotFoundError:
            # Two vendors, so that a refusal of the one can be shown beside the other; and two kinds of key.
            vendors = (
                self._make_vendor("trygghetsvakt", "Trygghetsvakt (sandbox)", "RS256"),
                self._make_vendor("natugla", "Natugla (sandbox)", "ES256"),
            )
            self._keep({each.client_id: each for each in vendors}, {api.audience: api for api in DEFAULT_APIS})
            return
        clients = [Client.model_validate(entry) for entry in kept["clients"]]
        apis = [Api.model_validate(entry) for entry in kept["apis"]] if "apis" in kept else DEFAULT_APIS
        self._clients = {client.client_id: client for client in clients}
        self._apis = {api.audience: api for api in apis}

    @property
    def clients(self) -> tuple[Client, ...]:
        """All clients."""
        return tuple(self._clients.values())

    @property
    def apis(self) -> tuple[Api, ...]:
        """All APIs."""
        return tuple(self._apis.values())

    def find(self, client_id: str) -> Client | None:
        """The client with this id, or None."""
        return self._clients.get(client_id)

    def register(self, client: Client) -> None:
        """Take in a client, or replace the one with its id."""
        self._keep({**self._clients, client.client_id: client}, self._apis)

    def remove(self, client_id: str) -> bool:
        """Take a client out. False when there is none with this id."""
        if client_id not in self._clients:
            return False
        self._keep({name: client for name, client in self._clients.items() if name != client_id}, self._apis)
        return True

    def register_api(self, api: Api) -> None:
        """Take in an API, or replace the one with its audience."""
        self._keep(self._clients, {**self._apis, api.audience: api})

    def facts(self) -> dict[str, dict[str, str]]:
        """What a user of the sandbox needs of each client: its vkp-id and, if it is the sandbox's own, its key file."""
        facts: dict[str, dict[str, str]] = {}
        for client in self._clients.values():
            facts[client.client_id] = {"vkpId": client.vkp_id or ""}
            if self._key_file(client.client_id).is_file():
                facts[client.client_id]["keyFile"] = str(self._key_file(client.client_id).resolve())
        return facts

    def _make_vendor(self, client_id: str, name: str, alg: Alg) -> Client:
        pair = jwk.make(alg)
        write_json(self._key_file(client_id), pair.private_jwk())
        return Client(client_id=client_id, name=name, vkp_id=f"{client_id}-test", jwks=Jwks(keys=(pair.public_jwk(),)))

    def _key_file(self, client_id: str) -> Path:
        return self._folder / f"client-{client_id}.jwk.json"

    def _keep(self, clients: dict[str, Client], apis: dict[str, Api]) -> None:
        kept: dict[str, Any] = {
            "clients": [client.to_json() for client in clients.values()],
            "apis": [api.model_dump(by_alias=True, mode="json") for api in apis.values()],
        }
        write_json(self._path, kept)
        self._clients, self._apis = clients, apis
