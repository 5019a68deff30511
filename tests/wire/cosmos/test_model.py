"""The store against a dictionary: any sequence of writes, with and without etags, leaves both the same."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sandbox.cosmos.catalogue import Catalogue
from sandbox.cosmos.documents import NO_CONDITIONS, Conditions, Documents, Outcome
from sandbox.cosmos.errors import CosmosError
from sandbox.cosmos.storage import Storage
from sandbox.cosmos.values import parse
from tests.wire.cosmos.clocks import SetClock

NAMES = st.sampled_from(["a", "b", "c"])
KEYS = st.sampled_from(["x", "y", 1])
NUMBERS = st.integers(-5, 5)


class StoreLikeADictionary(RuleBasedStateMachine):
    """Model: (partition key, id) → the document as the client sees it."""

    etags: Bundle[tuple[Any, str, str]] = Bundle("etags")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self._open()
        definition: Any = {"id": "c", "partitionKey": {"paths": ["/pk"]}}
        database = self.loop.run_until_complete(self.catalogue.create_database({"id": "d"}))
        self.container = self.loop.run_until_complete(self.catalogue.create_container(database, definition))
        self.model: dict[tuple[Any, str], dict[str, Any]] = {}

    def _open(self) -> None:
        self.storage = Storage(Path(self.folder.name))
        self.catalogue = Catalogue(self.storage, self.clock)
        self.documents = Documents(self.storage, self.clock)

    def teardown(self) -> None:
        self.storage.close()
        self.loop.close()
        self.folder.cleanup()

    def write(self, work: Callable[[Any], Outcome]) -> tuple[int, dict[str, Any]]:
        try:
            outcome = self.loop.run_until_complete(self.storage.write(work))
        except CosmosError as error:
            return error.status, {}
        shown: Any = parse(outcome.body) if outcome.body else {}
        return outcome.status, shown

    def place(self, pk: Any) -> str:
        return self.container.key.effective((pk,))

    @rule(target=etags, pk=KEYS, name=NAMES, n=NUMBERS)
    def create(self, pk: Any, name: str, n: int) -> tuple[Any, str, str]:
        item: Any = {"id": name, "pk": pk, "n": n}
        status, shown = self.write(lambda db: self.documents.create(db, self.container, self.place(pk), item))
        assert status == (409 if (pk, name) in self.model else 201)
        if shown:
            self.model[pk, name] = shown
        return pk, name, self.model[pk, name]["_etag"]

    @rule(target=etags, pk=KEYS, name=NAMES, n=NUMBERS)
    def upsert(self, pk: Any, name: str, n: int) -> tuple[Any, str, str]:
        item: Any = {"id": name, "pk": pk, "u": n}
        status, shown = self.write(lambda db: self.documents.upsert(db, self.container, None, item, NO_CONDITIONS))
        assert status == (200 if (pk, name) in self.model else 201)
        self.model[pk, name] = shown
        return pk, name, shown["_etag"]

    @rule(target=etags, known=etags, n=NUMBERS)
    def replace_with_etag(self, known: tuple[Any, str, str], n: int) -> tuple[Any, str, str]:
        pk, name, etag = known
        item: Any = {"id": name, "pk": pk, "n": n}
        conditions = Conditions(match=etag)
        status, shown = self.write(
            lambda db: self.documents.replace(db, self.container, self.place(pk), name, item, conditions)
        )
        assert status == self.expected(known)
        if shown:
            self.model[pk, name] = shown
            return pk, name, shown["_etag"]
        return known

    @rule(known=etags, n=NUMBERS)
    def patch_with_etag_and_condition(self, known: tuple[Any, str, str], n: int) -> None:
        pk, name, etag = known
        body: Any = {"condition": f"from c where c.n >= {n}", "operations": [{"op": "incr", "path": "/n", "value": 1}]}
        expected = self.expected(known)
        if expected == 200 and not self.model[pk, name].get("n", -99) >= n:
            expected = 412
        conditions = Conditions(match=etag)
        status, shown = self.write(
            lambda db: self.documents.patch(db, self.container, self.place(pk), name, body, conditions)
        )
        assert status == expected
        if shown:
            assert shown["n"] == self.model[pk, name]["n"] + 1
            self.model[pk, name] = shown

    @rule(known=consumes(etags))
    def delete_with_etag(self, known: tuple[Any, str, str]) -> None:
        pk, name, etag = known
        conditions = Conditions(match=etag)
        status, _ = self.write(lambda db: self.documents.delete(db, self.container, self.place(pk), name, conditions))
        expected = self.expected(known)
        assert status == (204 if expected == 200 else expected)
        if status == 204:
            del self.model[pk, name]

    @rule()
    def reopen(self) -> None:
        before = self.storage.lsn
        self.storage.close()
        self._open()
        assert self.storage.lsn >= before
        self.container = self.catalogue.container("d", "c")

    def expected(self, known: tuple[Any, str, str]) -> int:
        pk, name, etag = known
        if (pk, name) not in self.model:
            return 404
        return 200 if self.model[pk, name]["_etag"] == etag else 412

    @invariant()
    def same_documents(self) -> None:
        for (pk, name), shown in self.model.items():
            outcome = self.documents.read(self.storage.reader, self.container, self.place(pk), name)
            assert parse(outcome.body or "") == shown
            assert outcome.etag == shown["_etag"]
        rows = self.storage.reader.execute(self.container.sql.scan, (0, 0)).fetchall()
        assert len(rows) == len(self.model)


StoreLikeADictionary.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStoreLikeADictionary = StoreLikeADictionary.TestCase
