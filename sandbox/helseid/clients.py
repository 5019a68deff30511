"""The clients that may fetch tokens: who they are, the public keys they authenticate with, the scopes they were given.

Kept as JSON in the data folder, beside one private key file per sandbox vendor (which a real HelseID would never have).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.helseid import jwk
from sandbox.helseid.files import read_json, write_json

AUDIENCE: Final = "nhn:vkp"
WRITES: Final = ("bundle", "composition", "medicationdispense", "encounter", "communication", "observation")
READS: Final = (
    "patient",
    "episodeofcare",
    "careplan",
    "composition",
    "condition",
    "allergyintolerance",
    "medicationstatement",
)
VKP_SCOPES: Final = tuple(
    [f"nhn:vkp/api/user/{name}.write" for name in WRITES] + [f"nhn:vkp/api/user/{name}.read" for name in READS]
)
"""What VKP's published sample client asks for (domain/vkp-api.md 2.2), and observations."""


@dataclass(frozen=True, slots=True)
class Client:
    """One registered client."""

    client_id: str
    name: str
    vkp_id: str
    jwks: tuple[dict[str, Any], ...]
    scopes: tuple[str, ...]
    orgnr_parent: str | None = None
    """The organisation the client belongs to; put into its tokens when set."""

    def to_json(self) -> dict[str, Any]:
        """As kept in the registry file."""
        return {
            "clientId": self.client_id,
            "name": self.name,
            "vkpId": self.vkp_id,
            "jwks": {"keys": list(self.jwks)},
            "scopes": list(self.scopes),
            "orgnrParent": self.orgnr_parent,
        }


def read_client(entry: dict[str, Any]) -> Client:
    """A client from its JSON. Raises KeyError, TypeError or ValueError when it is not one."""
    keys = tuple(dict(key) for key in entry["jwks"]["keys"])
    if not keys or any("d" in key or "k" in key for key in keys):
        raise ValueError("a client is registered with its public keys only")
    client_id, vkp_id = entry["clientId"], entry["vkpId"]
    if not (isinstance(client_id, str) and client_id and isinstance(vkp_id, str) and vkp_id):
        raise ValueError("clientId and vkpId must be set")
    return Client(
        client_id=client_id,
        name=str(entry.get("name") or client_id),
        vkp_id=vkp_id,
        jwks=keys,
        scopes=tuple(str(scope) for scope in entry.get("scopes", VKP_SCOPES)),
        orgnr_parent=entry.get("orgnrParent"),
    )


class Registry:
    """The registered clients, kept in one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "clients.json"
        self._clients: dict[str, Client] = {}

    def load(self) -> None:
        """Read the registry; at the first start, make the two sandbox vendors."""
        try:
            kept = read_json(self._path)
        except FileNotFoundError:
            # Two vendors, so that a refusal of the one can be shown beside the other; and two kinds of key.
            self._make_vendor("trygghetsvakt", "Trygghetsvakt (sandbox)", "RS256")
            self._make_vendor("natugla", "Natugla (sandbox)", "ES256")
            self._save()
            return
        self._clients = {client.client_id: client for client in map(read_client, kept["clients"])}

    def find(self, client_id: str) -> Client | None:
        """The client with this id, or None."""
        return self._clients.get(client_id)

    def register(self, client: Client) -> None:
        """Take in a client, or replace the one with its id."""
        self._clients[client.client_id] = client
        self._save()

    def facts(self) -> dict[str, dict[str, str]]:
        """What a user of the sandbox needs of each client: its vkp-id and, if it is the sandbox's own, its key file."""
        facts: dict[str, dict[str, str]] = {}
        for client in self._clients.values():
            facts[client.client_id] = {"vkpId": client.vkp_id}
            if self._key_file(client.client_id).is_file():
                facts[client.client_id]["keyFile"] = str(self._key_file(client.client_id).resolve())
        return facts

    def _make_vendor(self, client_id: str, name: str, alg: Literal["RS256", "ES256"]) -> None:
        pair = jwk.make(alg)
        write_json(self._key_file(client_id), pair.private_jwk())
        self._clients[client_id] = Client(client_id, name, f"{client_id}-test", (pair.public_jwk(),), VKP_SCOPES)

    def _key_file(self, client_id: str) -> Path:
        return self._folder / f"client-{client_id}.jwk.json"

    def _save(self) -> None:
        write_json(self._path, {"clients": [client.to_json() for client in self._clients.values()]})
