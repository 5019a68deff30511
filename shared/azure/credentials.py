"""How the app proves who it is to Azure: its managed identity, or a developer's own sign-in."""

from functools import cache

from azure.identity.aio import DefaultAzureCredential


@cache
def default() -> DefaultAzureCredential:
    """The credential all clients share, since it caches its tokens."""
    return DefaultAzureCredential()
