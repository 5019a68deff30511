"""The documents of a container over HTTP: which request is which operation on them, and what its answer carries."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

from sandbox.cosmos import batching, changes, charge, pushdown, search
from sandbox.cosmos.catalogue import Container
from sandbox.cosmos.documents import Conditions, Documents, Outcome
from sandbox.cosmos.errors import CosmosError, bad_request, not_supported
from sandbox.cosmos.indexes import Indexes
from sandbox.cosmos.messages import Request, Response, answer
from sandbox.cosmos.partition import Range
from sandbox.cosmos.reading import body_of, is_query, query_of
from sandbox.cosmos.sql.query import compile_text
from sandbox.cosmos.storage import Storage
from sandbox.cosmos.values import Json, Undefined

_INLINE: Final = 200
"""Documents in a partition up to which a query runs at once; larger ones and whole containers go to a thread."""
_EPK: Final = re.compile(r"[0-9A-Fa-f]*")
_WRITE_ONLY_HEADERS: Final = ("x-ms-documentdb-pre-trigger-include", "x-ms-documentdb-post-trigger-include")

type Work = Callable[[sqlite3.Connection], Outcome]


class Collection:
    """Everything under `docs`."""

    def __init__(self, storage: Storage, documents: Documents, indexes: Indexes) -> None:
        self._storage = storage
        self._documents = documents
        self._indexes = indexes

    def forget(self, container: Container) -> None:
        """The container is about to go."""
        self._indexes.forget(container)

    def route(self, request: Request, container: Container, name: str | None) -> tuple[str, Awaitable[Response]]:
        """The kind of the operation, for counting, and the operation. Raises CosmosError (400, 405)."""
        if any(header in request.headers for header in _WRITE_ONLY_HEADERS):
            raise not_supported("triggers")
        if name is not None:
            return self._one(request, container, name)
        if request.method == "GET":
            if "a-im" in request.headers:
                return "changes", self._changes(request, container)
            return "query", self._query(request, container, "SELECT * FROM c", {})
        if request.method != "POST":
            raise CosmosError(405, "MethodNotAllowed", "This address does not take this method.")
        if request.flag("x-ms-cosmos-is-query-plan-request"):
            return "plan", self._plan(request)
        if is_query(request):
            text, parameters = query_of(request)
            return "query", self._query(request, container, text, parameters)
        if request.flag("x-ms-cosmos-is-batch-request"):
            return "batch", self._batch(request, container)
        return self._new(request, container)

    def _new(self, request: Request, container: Container) -> tuple[str, Awaitable[Response]]:
        epk, document, conditions = _optional_key(request, container), body_of(request), _conditions(request)
        if request.flag("x-ms-documentdb-is-upsert"):
            return "upsert", self._write(
                request, lambda db: self._documents.upsert(db, container, epk, document, conditions)
            )
        return "create", self._write(request, lambda db: self._documents.create(db, container, epk, document))

    def _one(self, request: Request, container: Container, name: str) -> tuple[str, Awaitable[Response]]:
        epk, conditions, documents = _key(request, container), _conditions(request), self._documents
        match request.method:
            case "GET":
                return "read", self._read(request, container, epk, name)
            case "PUT":
                document = body_of(request)
                return "replace", self._write(
                    request, lambda db: documents.replace(db, container, epk, name, document, conditions)
                )
            case "PATCH":
                body = body_of(request)
                return "patch", self._write(
                    request, lambda db: documents.patch(db, container, epk, name, body, conditions)
                )
            case "DELETE":
                return "delete", self._write(request, lambda db: documents.delete(db, container, epk, name, conditions))
            case _:
                raise CosmosError(405, "MethodNotAllowed", "This address does not take this method.")

    async def _read(self, request: Request, container: Container, epk: str, name: str) -> Response:
        none_match = request.headers.get("if-none-match")
        return _shown(self._documents.read(self._storage.reader, container, epk, name, none_match))

    async def _write(self, request: Request, work: Work) -> Response:
        outcome = await self._storage.write(work)
        minimal = request.headers.get("prefer", "").lower() == "return=minimal"
        return _shown(outcome, minimal)

    async def _batch(self, request: Request, container: Container) -> Response:
        epk = _key(request, container)
        operations = batching.read_operations(body_of(request), len(request.body))
        minimal = request.headers.get("prefer", "").lower() == "return=minimal"
        if batching.only_reads(operations):
            outcome = batching.run(self._documents, self._storage.reader, container, epk, operations, minimal)
        else:
            outcome = await self._storage.write(
                lambda db: batching.run(self._documents, db, container, epk, operations, minimal)
            )
        return Response(outcome.status, outcome.body, {"x-ms-request-charge": str(outcome.charge)})

    async def _changes(self, request: Request, container: Container) -> Response:
        since = changes.start(request.headers, self._storage.lsn)
        await self._indexes.order_changes(container)
        most = _page_size(request, changes.DEFAULT_PAGE)
        area = _area(request, container)
        window = Range(area, area + "\x01") if isinstance(area, str) else area or changes.EVERYTHING
        page = changes.read(
            self._storage.reader, container, window, since, self._storage.lsn, self._documents.now(), most
        )
        headers = {"etag": page.token, "x-ms-item-count": str(len(page.documents))}
        headers["x-ms-request-charge"] = str(page.charge)
        if not page.documents:
            return Response(304, None, headers)
        return Response(200, _listed(container, page.documents), headers)

    async def _plan(self, request: Request) -> Response:
        """The query runs here as a whole, so to a client that asks it is a plain one over the one range there is."""
        compile_text(query_of(request)[0])
        info: Json = {
            "distinctType": "None",
            "top": None,
            "offset": None,
            "limit": None,
            "orderBy": [],
            "orderByExpressions": [],
            "groupByExpressions": [],
            "groupByAliases": [],
            "aggregates": [],
            "groupByAliasToAggregateType": {},
            "rewrittenQuery": "",
            "hasSelectValue": False,
            "hasNonStreamingOrderBy": False,
        }
        everything: Json = [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}]
        return answer(200, {"partitionedQueryExecutionInfoVersion": 2, "queryInfo": info, "queryRanges": everything})

    async def _query(
        self, request: Request, container: Container, text: str, given: dict[str, Json | Undefined]
    ) -> Response:
        compiled = compile_text(text)
        parameters = compiled.bind(given)
        predicates = pushdown.predicates(compiled)
        area = _area(request, container)
        if area is None:
            area = pushdown.partition(predicates, parameters, container.key)
        conditions = pushdown.conditions(predicates, parameters)
        index = None if isinstance(area, str) else self._indexes.fitting(container, conditions)
        found = search.Search(
            container,
            compiled,
            parameters,
            area,
            conditions,
            index,
            self._documents.now(),
            _page_size(request, search.DEFAULT_PAGE),
            request.headers.get("x-ms-continuation"),
        )
        page = await self._run(found)
        if index is None and not isinstance(area, str):
            await self._indexes.asked(container, conditions)
        headers = {"x-ms-item-count": str(len(page.results))}
        if page.token is not None:
            headers["x-ms-continuation"] = page.token
        headers["x-ms-request-charge"] = str(_charge(page, isinstance(area, str)))
        return Response(200, _listed(container, page.results), headers)

    async def _run(self, wanted: search.Search) -> search.Page:
        if isinstance(wanted.area, str):
            counting = wanted.container.sql.size_of_partition
            size = self._storage.reader.execute(counting, (wanted.area, _INLINE + 1)).fetchone()[0]
            if size <= _INLINE:
                return search.run(self._storage.reader, wanted)

        def beside() -> search.Page:
            with self._storage.borrowed() as connection:
                return search.run(connection, wanted)

        return await asyncio.to_thread(beside)


def _charge(page: search.Page, partition: bool) -> float:
    return charge.query(page.examined, len(page.results), page.size, partition=partition)


def _conditions(request: Request) -> Conditions:
    return Conditions(request.headers.get("if-match"), request.headers.get("if-none-match"))


def _shown(outcome: Outcome, minimal: bool = False) -> Response:
    headers = {"x-ms-request-charge": str(outcome.charge)}
    if outcome.etag is not None:
        headers["etag"] = outcome.etag
    return Response(outcome.status, None if minimal else outcome.body, headers)


def _listed(container: Container, documents: list[str]) -> str:
    return f'{{"_rid":"{container.rid}","Documents":[{",".join(documents)}],"_count":{len(documents)}}}'


def _optional_key(request: Request, container: Container) -> str | None:
    text = request.headers.get("x-ms-documentdb-partitionkey")
    if text is None:
        return None
    place = container.key.header(text)
    if not isinstance(place, str):
        raise bad_request("This operation needs every part of the partition key.", 1001)
    return place


def _key(request: Request, container: Container) -> str:
    place = _optional_key(request, container)
    if place is None:
        raise bad_request("PartitionKey value must be supplied for this operation.")
    return place


def _area(request: Request, container: Container) -> str | Range | None:
    low, high = request.headers.get("x-ms-start-epk"), request.headers.get("x-ms-end-epk")
    if low is not None and high is not None:
        if not _EPK.fullmatch(low) or not _EPK.fullmatch(high):
            raise bad_request("The range of effective partition keys is not one.")
        return Range(low.upper(), high.upper())
    text = request.headers.get("x-ms-documentdb-partitionkey")
    return None if text is None else container.key.header(text)


def _page_size(request: Request, default: int) -> int:
    text = request.headers.get("x-ms-max-item-count", "")
    if not text:
        return default
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise bad_request("The header x-ms-max-item-count is not a number.")
    return int(text) if int(text) > 0 else default
