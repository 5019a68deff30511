"""The synthetic municipality that `hub up` registers."""

from collections.abc import Iterable

from sandbox import stores


async def seed(
    cosmos_connection_string: str,
    database: str,
    *,
    orgnr: str,
    municipality: str,
    receiver_url: str,
    vkp_ids: Iterable[str],
) -> None:
    """Register a municipality with one EPJ and grant these systems access. Doing it again changes nothing."""
    await stores.seed(
        cosmos_connection_string, database, stores.one_receiver(orgnr, municipality, receiver_url), vkp_ids
    )
