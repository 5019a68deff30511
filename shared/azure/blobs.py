"""Copies of checkpoints in Azure Blob Storage: one blob each, `2026-11/00000012.json`, created and never overwritten.

What makes them unchangeable is the container's immutability policy, locked by those who run the storage
(https://learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies), not this code. The app's
identity needs to create, list and read blobs there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceExistsError

from shared.azure import credentials
from shared.messages.documents import Unreachable

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

_SUFFIX: Final = ".json"


class BlobCopies:
    """See shared.trail.copying.Copies. Belongs to one event loop; connects when first needed.

    `url` is the container's. `options` go to the SDK's client: tests give a certificate to trust.
    """

    def __init__(self, url: str, credential: AsyncTokenCredential | None = None, **options: Any) -> None:
        self._url = url
        self._credential = credential
        self._options = options
        self._client: ContainerClient | None = None

    async def series(self) -> list[str]:
        """See Copies."""
        async with _unreachable():
            return [each.name.rstrip("/") async for each in self._open().walk_blobs(delimiter="/")]

    async def newest(self, series: str) -> int | None:
        """See Copies."""
        async with _unreachable():
            names = [name async for name in self._open().list_blob_names(name_starts_with=f"{series}/")]
        numbers = (name.removeprefix(f"{series}/").removesuffix(_SUFFIX) for name in names)
        return max((int(number) for number in numbers if number.isdecimal()), default=None)

    async def keep(self, series: str, number: int, text: str) -> None:
        """See Copies."""
        async with _unreachable():
            with suppress(ResourceExistsError):
                await self._open().upload_blob(_name(series, number), text.encode(), overwrite=False)

    async def read(self, series: str, number: int) -> str:
        """See Copies."""
        async with _unreachable():
            found = await self._open().download_blob(_name(series, number))
            return (await found.readall()).decode("utf-8", "replace")

    async def close(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> "ContainerClient":
        if self._client is None:
            # 80 modules that only a timer needs: no instance should wait for them at its start.
            from azure.storage.blob.aio import ContainerClient  # noqa: PLC0415

            credential = self._credential or credentials.default()
            self._client = ContainerClient.from_container_url(self._url, credential, **self._options)
        return self._client


def _name(series: str, number: int) -> str:
    return f"{series}/{number:08d}{_SUFFIX}"


@asynccontextmanager
async def _unreachable() -> AsyncIterator[None]:
    try:
        yield
    except AzureError as error:
        status = getattr(error, "status_code", None)
        raise Unreachable(f"STATUS_{status}" if status else type(error).__name__) from None
