"""`hub token` and `hub send` with bound tokens, against the stand-in and an API that only looks at the headers."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from sandbox import hub_folder
from sandbox.cli.main import main
from sandbox.helseid.server import HelseId
from sandbox.hub_folder import Addresses, Client, Running
from tests.wire.helseid.asking import VENDOR, claims_of, key_file
from tests.wire.helseid.fake_api import Api, api
from tests.wire.helseid.judge import opinion


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "hub"
    with hub_folder.claim(folder):
        yield folder


def point_to(folder: Path, part: HelseId, there: Api) -> None:
    addresses = Addresses(
        api=there.url,
        servicebus="",
        cosmos="",
        database="",
        helseid=part.issuer,
        audience="nhn:vkp",
        epj="",
        orgnr="310000019",
        vendor=VENDOR,
        clients={VENDOR: Client("trygghetsvakt-test", key_file(part))},
    )
    hub_folder.write_running(folder, Running(0, there.url, addresses, {}))


async def hub(*argv: str) -> int:
    return await asyncio.to_thread(main, argv)


async def test_headers_of_one_call_are_printed_ready_for_use(
    helseid: HelseId, http: aiohttp.ClientSession, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with api() as there:
        point_to(data, helseid, there)
        url = f"{there.url}/epj/r4/310000019/bundle"
        assert await hub("token", "--proof", "POST", url, "--data", str(data)) == 0
        headers = [line.partition(": ")[::2] for line in capsys.readouterr().out.splitlines()]
        async with http.get(f"{helseid.issuer}/.well-known/openid-configuration/jwks") as answer:
            assert opinion(headers, await answer.json(), helseid.issuer, "POST", url) is None


@pytest.mark.parametrize(("option", "bound"), [(["--dpop"], True), ([], False)])
async def test_token_is_bound_when_asked_for(
    helseid: HelseId, data: Path, capsys: pytest.CaptureFixture[str], option: list[str], bound: bool
) -> None:
    point_to(data, helseid, Api("http://127.0.0.1:1"))
    assert await hub("token", *option, "--json", "--data", str(data)) == 0
    answer = json.loads(capsys.readouterr().out)
    assert ("cnf" in claims_of(answer["access_token"])) == bound
    assert answer.get("token_type", "Bearer") == ("DPoP" if bound else "Bearer")


@pytest.mark.parametrize(("option", "scheme"), [(["--dpop"], "DPoP"), ([], "Bearer")])
async def test_message_is_sent_with_a_bound_token_when_asked_for(
    helseid: HelseId, data: Path, tmp_path: Path, option: list[str], scheme: str
) -> None:
    message = tmp_path / "message.json"
    message.write_text('{"resourceType": "Bundle"}')
    async with api() as there:
        point_to(data, helseid, there)
        assert await hub("send", str(message), *option, "--json", "--data", str(data)) == 0
        headers = dict(there.seen[0][2])
    assert headers["Authorization"].startswith(f"{scheme} ")
    assert ("DPoP" in headers) == (scheme == "DPoP")
