"""Routes of a Cosmos DB account: which request is which operation, and how its answer looks on the wire.

https://learn.microsoft.com/rest/api/cosmos-db/ names the addresses and headers; what the SDKs really send was read on
the wire (engineering notes, part B.4).
"""

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sandbox.cosmos import charge
from sandbox.cosmos.auth import Authority
from sandbox.cosmos.catalogue import Catalogue, Container
from sandbox.cosmos.collection import Collection
from sandbox.cosmos.errors import CosmosError, not_found, not_supported, unauthorized
from sandbox.cosmos.ledger import Ledger
from sandbox.cosmos.messages import Request, Response, answer
from sandbox.cosmos.reading import body_of, is_query, query_of
from sandbox.cosmos.roles import Role
from sandbox.cosmos.sql.query import compile_text
from sandbox.cosmos.storage import Storage
from sandbox.cosmos.values import Json, Undefined, dump

_SCRIPTS: Final = {"sprocs": "stored procedures", "triggers": "triggers", "udfs": "user defined functions"}
_CHARGE: Final = "x-ms-request-charge"
_REFUSED: Final = str(charge.REFUSED)
_METADATA: Final = str(charge.METADATA)


class Account:
    """Answers every request of the Cosmos DB API."""

    def __init__(
        self,
        storage: Storage,
        catalogue: Catalogue,
        collection: Collection,
        doors: Sequence[tuple[Authority, Role | None]],
        endpoint: str,
    ) -> None:
        self._storage = storage
        self._catalogue = catalogue
        self._collection = collection
        self._doors = doors
        self._endpoint = endpoint
        self.requests: Counter[str] = Counter()
        self.ledger = Ledger()

    async def handle(self, request: Request) -> Response:
        """The answer, whatever happens but a defect of the endpoint itself."""
        try:
            kind = "refused"
            self._let_in(request)
            kind, operation = self._route(request)
            self.requests[kind] += 1
            response = await operation
        except CosmosError as error:
            body = dump({"code": error.code, "message": error.message})
            response = Response(error.status, body, {"x-ms-substatus": str(error.substatus), _CHARGE: _REFUSED})
        headers = response.headers
        asked = headers.setdefault(_CHARGE, _METADATA)
        self.ledger.book(request.parts, kind, float(asked))
        headers["x-ms-activity-id"] = request.headers.get("x-ms-activity-id") or str(uuid.uuid4())
        headers["x-ms-session-token"] = f"0:0#{self._storage.lsn}#0={self._storage.lsn}"
        headers["lsn"] = str(self._storage.lsn)
        return response

    def _let_in(self, request: Request) -> None:
        refused = unauthorized("This account has no keys.")
        for authority, role in self._doors:
            try:
                authority.check(request.method, request.parts, request.headers)
            except CosmosError as error:
                if error.status != 401:
                    raise
                refused = error
                continue
            if role is not None:
                role.check(request)
            return
        raise refused

    def _route(self, request: Request) -> tuple[str, Awaitable[Response]]:
        match request.parts:
            case ():
                return "account", _at_once(lambda: answer(200, self._describe()))
            case ("dbs", database, "colls", name, "docs", *rest) if len(rest) <= 1:
                container = self._catalogue.container(database, name)
                return self._collection.route(request, container, rest[0] if rest else None)
            case ("dbs", *rest):
                return "metadata", self._metadata(request, tuple(rest))
            case ("offers", *_):
                return "metadata", _at_once(lambda: self._offers(request))
            case _:
                return "other", _at_once(_nothing_here)

    def _describe(self) -> Json:
        here: Json = [{"name": "Local", "databaseAccountEndpoint": self._endpoint}]
        return {
            "id": "sandbox",
            "_rid": "sandbox",
            "_self": "",
            "_dbs": "//dbs/",
            "writableLocations": here,
            "readableLocations": here,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
            "userReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 4},
            "systemReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 4},
            "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
            "queryEngineConfiguration": "{}",
        }

    async def _metadata(self, request: Request, rest: tuple[str, ...]) -> Response:
        match rest:
            case () if _is_create(request):
                return answer(201, (await self._catalogue.create_database(body_of(request))).resource())
            case () if request.method in ("GET", "POST"):
                return _feed(request, "Databases", [found.resource() for found in self._catalogue.databases()])
            case (name,):
                return await self._database(request, name)
            case (name, "colls"):
                return await self._containers(request, name)
            case (database, "colls", name):
                return await self._container(request, self._catalogue.container(database, name))
            case (database, "colls", name, "pkranges"):
                return self._ranges(request, self._catalogue.container(database, name))
            case (_, "colls", _, scripts, *_) if scripts in _SCRIPTS:
                raise not_supported(_SCRIPTS[scripts])
            case (_, "colls", _, "conflicts", *_):
                raise not_supported("conflicts (there is one region)")
            case (_, "users" | "permissions", *_):
                raise not_supported("users and permissions")
            case _:
                return _nothing_here()

    async def _database(self, request: Request, name: str) -> Response:
        database = self._catalogue.database(name)
        if request.method == "DELETE":
            for container in self._catalogue.containers(database):
                self._collection.forget(container)
            await self._catalogue.delete_database(database)
            return Response(204)
        _only_get(request)
        return answer(200, database.resource())

    async def _containers(self, request: Request, name: str) -> Response:
        database = self._catalogue.database(name)
        if _is_create(request):
            created = await self._catalogue.create_container(database, body_of(request))
            return answer(201, created.resource(), etag=str(created.definition["_etag"]))
        found = [container.resource() for container in self._catalogue.containers(database)]
        return _feed(request, "DocumentCollections", found)

    async def _container(self, request: Request, container: Container) -> Response:
        if request.method == "DELETE":
            self._collection.forget(container)
            await self._catalogue.delete_container(container)
            return Response(204)
        if request.method == "PUT":
            container = await self._catalogue.replace_container(container, body_of(request))
        else:
            _only_get(request)
        return answer(200, container.resource(), etag=str(container.definition["_etag"]))

    def _ranges(self, request: Request, container: Container) -> Response:
        """One range holds all partitions: the SDKs then send each query once and take the answer as it is."""
        etag = f'"{container.rid}"'
        if request.headers.get("if-none-match") == etag:
            return Response(304, None, {"etag": etag})
        whole: Json = {
            "_rid": container.rid,
            "id": "0",
            "_etag": etag,
            "minInclusive": "",
            "maxExclusive": "FF",
            "ridPrefix": 0,
            "_self": f"{container.self_link}pkranges/0/",
            "throughputFraction": 1,
            "status": "online",
            "parents": [],
            "_ts": 0,
            "_lsn": 0,
        }
        return answer(200, {"_rid": container.rid, "PartitionKeyRanges": [whole], "_count": 1}, etag=etag)

    def _offers(self, request: Request) -> Response:
        if request.method == "PUT" or len(request.parts) > 1:
            raise not_supported("changing throughput")
        offers: list[Json] = [
            {
                "id": container.rid,
                "_rid": container.rid,
                "_self": f"offers/{container.rid}/",
                "offerVersion": "V2",
                "offerType": "Invalid",
                "resource": container.self_link,
                "offerResourceId": container.rid,
                "content": {"offerThroughput": 400, "offerMinimumThroughputParameters": {}},
            }
            for container in self._catalogue.containers()
        ]
        return _feed(request, "Offers", offers)


async def _at_once(make: Callable[[], Response]) -> Response:
    return make()


def _is_create(request: Request) -> bool:
    return request.method == "POST" and not is_query(request)


def _only_get(request: Request) -> None:
    if request.method != "GET":
        raise CosmosError(405, "MethodNotAllowed", "This address does not take this method.")


def _nothing_here() -> Response:
    raise not_found()


def _feed(request: Request, name: str, items: list[dict[str, Json]] | list[Json]) -> Response:
    shown: list[Json] = list(items)
    if request.method == "POST":
        text, parameters = query_of(request)
        compiled = compile_text(text)
        row = compiled.bind(parameters)
        results = compiled.gathered((found for item in shown for found in compiled.rows(item, row)), row)
        shown = [value for value in results if not isinstance(value, Undefined)]
    return answer(200, {"_rid": "", name: shown, "_count": len(shown)})
