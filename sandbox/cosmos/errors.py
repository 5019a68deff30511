"""The refusals the endpoint gives, with Cosmos DB's own status, code and wording where the SDKs look at them.

Statuses: https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
"""

SUBSTATUS_PARTITION_KEY_MISMATCH = 1001
"""The partition key in the header is not the document's."""
SUBSTATUS_OWNER_MISSING = 1003
"""The container or database that should hold the thing does not exist (the SDKs refresh their caches on it)."""


class CosmosError(Exception):
    """A request is refused: HTTP status, Cosmos' code, a message, a sub-status."""

    def __init__(self, status: int, code: str, message: str, substatus: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.substatus = substatus


class QueryError(CosmosError):
    """The text of a query cannot be understood, or asks for what is not here."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)


def bad_request(message: str, substatus: int = 0) -> CosmosError:
    """400: the caller must change something."""
    return CosmosError(400, "BadRequest", message, substatus)


def not_supported(what: str) -> CosmosError:
    """400: Cosmos DB has this, the sandbox has not."""
    return CosmosError(400, "BadRequest", f"The sandbox's Cosmos endpoint does not do this: {what}.")


def not_found(substatus: int = 0) -> CosmosError:
    """404: no such document, container or database."""
    return CosmosError(404, "NotFound", "Entity with the specified id does not exist in the system.", substatus)


def conflict() -> CosmosError:
    """409: the id is taken."""
    return CosmosError(409, "Conflict", "Entity with the specified id already exists in the system.")


def unique_key_conflict() -> CosmosError:
    """409: another document of the partition has the same value of a unique key."""
    return CosmosError(409, "Conflict", "Unique index constraint violation.")


def precondition_failed() -> CosmosError:
    """412: the etag has moved on, or a patch's condition does not hold."""
    return CosmosError(
        412, "PreconditionFailed", "Operation cannot be performed because one of the specified precondition is not met."
    )


def too_large() -> CosmosError:
    """413: a document over 2 MB, or a batch of more than 2 MB."""
    return CosmosError(413, "RequestEntityTooLarge", "Request size is too large")


def unauthorized(message: str) -> CosmosError:
    """401: the authorisation header is missing or its signature is not the account key's."""
    return CosmosError(401, "Unauthorized", message)
