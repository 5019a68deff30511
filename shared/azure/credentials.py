"""How the app proves who it is to Azure: its managed identity, or a developer's own sign-in."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential


def load() -> None:
    """Load the library, so that the first call need not wait for it."""
    # 90 modules that nobody needs where connection strings are used: sandbox, tests, emulators.
    import azure.identity.aio  # noqa: F401, PLC0415


@cache
def default() -> "DefaultAzureCredential":
    """The credential all clients share, since it caches its tokens."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - see load

    return DefaultAzureCredential()
