"""Copies of checkpoints in Blob Storage, with the real SDK, against a stand-in with a locked immutability policy.

https://learn.microsoft.com/rest/api/storageservices/put-blob, …/list-blobs and …/get-blob. Never run on Azure.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from aiohttp import web
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import ContainerClient

from shared.azure import trail_settings
from shared.azure.blobs import BlobCopies
from shared.azure.settings import SettingsError
from shared.messages.documents import Unreachable
from shared.trail import copying
from shared.trail.copying import Copier
from shared.trail.findings import Fault
from tests.wire.trail.conftest import Log, bare
from tests.wire.trail.tls import TOKEN, Identity, certificate, serving

BLOB = "application/octet-stream"


@dataclass
class Storage:
    """One container whose blobs cannot be overwritten or deleted."""

    port: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    status: int = 0
    page: int = 2

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/account/checkpoints"

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["x-ms-version"]
        if self.status:
            return web.Response(status=self.status)
        name = request.match_info["name"]
        if request.method == "PUT":
            return await self._put(name, request)
        if request.method == "DELETE":
            return self._refused("BlobImmutableDueToPolicy")
        if not name:
            return self._listed(request.query)
        if name not in self.blobs:
            return web.Response(status=404, headers={"x-ms-error-code": "BlobNotFound"})
        body = self.blobs[name]
        headers = {**_etag(), "Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}", "x-ms-blob-type": "BlockBlob"}
        return web.Response(status=206, body=body, content_type=BLOB, headers=headers)

    async def _put(self, name: str, request: web.Request) -> web.Response:
        assert request.headers["x-ms-blob-type"] == "BlockBlob"
        if name in self.blobs:
            unless = request.headers.get("If-None-Match") == "*"
            return self._refused("BlobAlreadyExists" if unless else "BlobImmutableDueToPolicy")
        self.blobs[name] = await request.read()
        return web.Response(status=201, headers={**_etag(), "x-ms-request-server-encrypted": "true"})

    def _refused(self, code: str) -> web.Response:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
        headers = {"x-ms-error-code": code}
        return web.Response(status=409, text=body, content_type="application/xml", headers=headers)

    def _listed(self, query: Mapping[str, str]) -> web.Response:
        """In pages, in the order of names; with a delimiter the folders in place of what is in them."""
        assert (query["restype"], query["comp"]) == ("container", "list")
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        names = sorted(each for each in self.blobs if each.startswith(prefix))
        if "delimiter" in query:
            folders = dict.fromkeys(each.partition("/")[0] + "/" for each in names)
            found = [f"<BlobPrefix><Name>{escape(each)}</Name></BlobPrefix>" for each in folders]
            more = ""
        else:
            left = [each for each in names if each > marker]
            found = [f"<Blob><Name>{escape(each)}</Name><Properties/></Blob>" for each in left[: self.page]]
            more = left[self.page - 1] if len(left) > self.page else ""
        body = f"<Blobs>{''.join(found)}</Blobs><NextMarker>{more}</NextMarker>"
        text = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults>{body}</EnumerationResults>'
        return web.Response(text=text, content_type="application/xml")


def _etag() -> dict[str, str]:
    return {"ETag": '"0x8D"', "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT"}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def storage(pem: Path) -> AsyncIterator[Storage]:
    found = Storage()
    app = web.Application()
    app.router.add_route("*", "/account/checkpoints{slash:/?}{name:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving(pem)).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
async def copies(storage: Storage, pem: Path) -> AsyncIterator[BlobCopies]:
    found = BlobCopies(storage.url, Identity(), connection_verify=str(pem), retry_total=0)
    yield found
    await found.close()


async def sealed(log: Log, rounds: int) -> None:
    for _ in range(rounds):
        await log.write("310000001", 1)
        log.clock.forward(minutes=5)
        await log.seal()


async def test_every_checkpoint_is_copied_once_and_in_order(storage: Storage, copies: BlobCopies, log: Log) -> None:
    copier = Copier(log.kept, copies)
    assert await copier.copy() == 0
    await sealed(log, 5)
    assert await copier.copy() == 5
    await sealed(log, 2)
    # Another instance, which knows of nothing that was copied.
    assert await Copier(log.kept, copies).copy() == 2
    assert await copier.copy() == 2
    assert list(storage.blobs) == [f"2026-11/{number:08d}.json" for number in range(7)]
    kept = {each["number"]: bare(each) for each in await log.kept.query("SELECT * FROM c", {}, 100)}
    assert {each["number"]: each for each in map(json.loads, storage.blobs.values())} == kept


async def test_a_copy_is_a_witness_of_what_was_signed(copies: BlobCopies, log: Log) -> None:
    await sealed(log, 3)
    await Copier(log.kept, copies).copy()
    (witness,) = await copying.witnesses(copies)
    assert witness == (await log.verify()).witness
    assert await log.faults(witnesses=(witness,)) == set()


async def test_a_database_rolled_back_with_its_log_is_found_by_the_copies(copies: BlobCopies, log: Log) -> None:
    """Somebody with all rights over the log, the checkpoints and the signing key writes the last hours anew."""
    await sealed(log, 2)
    early = [bare(each) for each in await log.chain("310000001:2026-11")]
    await sealed(log, 2)
    await Copier(log.kept, copies).copy()
    told = await copying.witnesses(copies)
    for entry in await log.chain("310000001:2026-11"):
        if entry["seq"] >= len(early):
            await log.raw_trail.delete_item(entry["id"], entry["chain"])
    for document in await log.kept.query("SELECT * FROM c WHERE c.number >= 2", {}, 10):
        await log.raw_kept.delete_item(document["id"], document["series"])
    await sealed(log, 2)
    assert await log.faults() == set()
    assert await log.faults(witnesses=told) == {Fault.WITNESS}
    # And nothing is copied over what is there.
    assert await Copier(log.kept, copies).copy() == 0
    assert await copying.witnesses(copies) == told


async def test_a_copy_cannot_be_replaced_by_the_app(storage: Storage, copies: BlobCopies, pem: Path) -> None:
    await copies.keep("2026-11", 0, "first")
    await copies.keep("2026-11", 0, "second")
    assert await copies.read("2026-11", 0) == "first"
    assert (await copying.witnesses(copies)) == ("2026-11:0:unreadable",)
    client = ContainerClient.from_container_url(storage.url, Identity(), connection_verify=str(pem), retry_total=0)
    async with client:
        for call in (client.upload_blob("2026-11/00000000.json", b"x", overwrite=True), client.delete_blob("x")):
            with pytest.raises(HttpResponseError) as caught:
                await call
            assert caught.value.status_code == 409


@pytest.mark.parametrize("status", [403, 404, 503])
async def test_storage_that_refuses_is_tried_again_at_the_next_round(
    storage: Storage, copies: BlobCopies, log: Log, status: int
) -> None:
    await sealed(log, 2)
    copier = Copier(log.kept, copies)
    storage.status = status
    with pytest.raises(Unreachable, match=f"STATUS_{status}"):
        await copier.copy()
    storage.status = 0
    assert await copier.copy() == 2


def test_the_container_is_a_setting_and_its_address_is_https() -> None:
    url = "https://solvik.blob.core.windows.net/checkpoints"
    assert trail_settings.load({"Checkpoints__blobContainer": url}).blob_container == url
    for wrong in ("checkpoints", url.replace("https", "http"), "https://solvik.blob.core.windows.net/", f"{url}?sig=x"):
        with pytest.raises(SettingsError, match="Checkpoints__blobContainer"):
            trail_settings.load({"Checkpoints__blobContainer": wrong})
