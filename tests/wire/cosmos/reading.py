"""Everything that a paged answer of the SDK holds, as a list."""

from collections.abc import AsyncIterable, Mapping
from typing import Any

from azure.cosmos.aio import ContainerProxy


async def everything(pages: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in pages]


async def select(
    container: ContainerProxy, text: str, values: Mapping[str, Any] | None = None, **options: Any
) -> list[Any]:
    """The results of a query; `values` are its parameters without the at-sign."""
    parameters = [{"name": f"@{name}", "value": value} for name, value in (values or {}).items()]
    return await everything(container.query_items(text, parameters=parameters, **options))
