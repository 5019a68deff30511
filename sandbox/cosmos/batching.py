"""Transactional batch: several operations on one partition, all of them or none.

Limits: 100 operations, 2 MB (https://learn.microsoft.com/azure/cosmos-db/concepts-limits). A batch that fails answers
207 with the culprit's own status, and 424 for all the others.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Final, NamedTuple

from sandbox.cosmos import charge
from sandbox.cosmos.catalogue import Container
from sandbox.cosmos.documents import MAX_BYTES, Conditions, Documents, Outcome
from sandbox.cosmos.errors import CosmosError, bad_request, too_large
from sandbox.cosmos.storage import savepoint
from sandbox.cosmos.values import Json

MAX_OPERATIONS: Final = 100


class _Operation(NamedTuple):
    kind: str
    name: str
    body: Json
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The status of the whole, the body (a JSON list), the charge."""

    status: int
    body: str
    charge: float


class _Stopped(Exception):
    def __init__(self, at: int, cause: CosmosError) -> None:
        super().__init__()
        self.at = at
        self.cause = cause


def read_operations(body: Json, size: int) -> list[_Operation]:
    """Check the request. Raises CosmosError (400, 413)."""
    if size > MAX_BYTES:
        raise too_large()
    if not isinstance(body, list) or not body:
        raise bad_request("A batch must be a list of at least one operation.")
    if len(body) > MAX_OPERATIONS:
        raise bad_request("Batch request has more operations than what is supported.")
    return [_read(entry) for entry in body]


def _read(entry: Json) -> _Operation:
    if not isinstance(entry, dict) or not isinstance(entry.get("operationType"), str):
        raise bad_request("Every operation of a batch must name its operationType.")
    match, none_match = entry.get("ifMatch"), entry.get("ifNoneMatch")
    conditions = Conditions(
        match if isinstance(match, str) else None, none_match if isinstance(none_match, str) else None
    )
    name = entry.get("id")
    return _Operation(
        str(entry["operationType"]), name if isinstance(name, str) else "", entry.get("resourceBody"), conditions
    )


def only_reads(operations: list[_Operation]) -> bool:
    """Whether a batch changes nothing."""
    return all(each.kind == "Read" for each in operations)


def run(
    documents: Documents,
    db: sqlite3.Connection,
    container: Container,
    epk: str,
    operations: list[_Operation],
    minimal: bool,
) -> BatchOutcome:
    """Carry out a batch within `Storage.write`. `minimal`: the answer leaves the documents out."""
    done: list[Outcome] = []
    try:
        with savepoint(db):
            for at, operation in enumerate(operations):
                try:
                    done.append(_run_one(documents, db, container, epk, operation))
                except CosmosError as error:
                    raise _Stopped(at, error) from None
    except _Stopped as stopped:
        entries = [_failed(at, stopped) for at in range(len(operations))]
        return BatchOutcome(207, f"[{','.join(entries)}]", charge.failed_batch(len(operations)))
    shown = [
        _shown(outcome, minimal and operation.kind != "Read")
        for outcome, operation in zip(done, operations, strict=True)
    ]
    return BatchOutcome(200, f"[{','.join(shown)}]", round(sum(outcome.charge for outcome in done), 2))


def _run_one(
    documents: Documents, db: sqlite3.Connection, container: Container, epk: str, operation: _Operation
) -> Outcome:
    match operation.kind:
        case "Create":
            return documents.create(db, container, epk, operation.body)
        case "Upsert":
            return documents.upsert(db, container, epk, operation.body, operation.conditions)
        case "Replace":
            return documents.replace(db, container, epk, operation.name, operation.body, operation.conditions)
        case "Patch":
            return documents.patch(db, container, epk, operation.name, operation.body, operation.conditions)
        case "Delete":
            return documents.delete(db, container, epk, operation.name, operation.conditions)
        case "Read":
            return documents.read(db, container, epk, operation.name, operation.conditions.none_match)
        case _:
            raise bad_request("The operationType must be Create, Upsert, Replace, Patch, Delete or Read.")


def _shown(outcome: Outcome, minimal: bool) -> str:
    # An etag is made here, so that nothing in it but its quotation marks needs an escape.
    etag = "" if outcome.etag is None else f',"eTag":"\\"{outcome.etag[1:-1]}\\""'
    body = "" if outcome.body is None or minimal else f',"resourceBody":{outcome.body}'
    return f'{{"statusCode":{outcome.status},"requestCharge":{outcome.charge}{etag}{body}}}'


def _failed(at: int, stopped: _Stopped) -> str:
    if at != stopped.at:
        return '{"statusCode":424,"requestCharge":0}'
    cause = stopped.cause
    entry = {"statusCode": cause.status, "subStatusCode": cause.substatus, "requestCharge": 0, "message": cause.message}
    return json.dumps(entry, separators=(",", ":"))
