"""Runs a command's calls to the hub and turns what commonly goes wrong into one clear line."""

import asyncio
from collections.abc import Coroutine

import aiohttp

from sandbox.cli.output import Failure
from sandbox.helseid.client import TokenRefused
from sandbox.vendor import NotFound, Refused
from shared.messages.documents import Unreachable


def call[T](work: Coroutine[None, None, T]) -> T:
    """Run it to its end. Raises Failure."""
    try:
        return asyncio.run(work)
    except aiohttp.ClientConnectorError as error:
        raise Failure(f"nobody answers at {error.host}:{error.port}; is the hub still running?") from None
    except aiohttp.ClientError as error:
        raise Failure(f"the call failed: {error or type(error).__name__}") from None
    except TokenRefused as error:
        raise Failure(f"HelseID gave no token: {error}") from None
    except (NotFound, Refused) as error:
        raise Failure(f"the hub answered {error}") from None
    except Unreachable:
        raise Failure("Cosmos DB does not answer; is the hub still running?") from None
    except TimeoutError:
        raise Failure("no answer in time") from None
