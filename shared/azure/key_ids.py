"""The address of a key in Azure Key Vault, taken apart."""

import re
from dataclasses import dataclass
from typing import Final

_URL: Final = re.compile(
    r"(?P<vault>https://[a-z0-9.:-]+)/keys/(?P<name>[0-9A-Za-z-]{1,127})/(?P<version>[0-9a-f]{32})/?"
)


@dataclass(frozen=True, slots=True)
class KeyId:
    """One version of a key. The version is part of it: a new one is another key, with another public half."""

    vault: str
    name: str
    version: str

    @property
    def url(self) -> str:
        """As Key Vault writes it."""
        return f"{self.vault}/keys/{self.name}/{self.version}"


def key_id(url: str) -> KeyId:
    """Read a key's identifier, `https://VAULT.vault.azure.net/keys/NAME/VERSION`. Raises ValueError."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("must be https://VAULT.vault.azure.net/keys/NAME/VERSION")
    return KeyId(found["vault"], found["name"], found["version"])
