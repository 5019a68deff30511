"""Where bytes go, and where they never do: names that lead inside, and those that lead elsewhere the next time."""

import socket
from collections.abc import Sequence
from dataclasses import replace

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from sandbox.epj.server import Epj
from shared.delivery.addresses import Names, Rules
from shared.delivery.answers import Later, Taken
from shared.identity.series import Environment
from tests.wire.delivery.handing import PATH, Desk, desk

PRODUCTION = Rules(Environment.PRODUCTION)


class Said(AbstractResolver):
    """A name server that says this, one after the other, and then the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = [*answers]
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        now = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host, host=each, port=port, family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST,
            )
            for each in now
        ]  # fmt: skip

    async def close(self) -> None:
        pass


async def door(at: Desk) -> tuple[int, str]:
    """A TLS door of the journal, and its authority."""
    facts = await at.tell("tls")
    return int(facts["port"]), facts["ca"]


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fe80::1",
    ],
)
async def test_a_name_that_leads_inside_is_not_followed(epj: Epj, http: aiohttp.ClientSession, inside: str) -> None:
    async with desk(epj, http, rules=PRODUCTION, resolver=Said([inside])) as at:
        port, ca = await door(at)
        receiver = at.receiver(f"https://epj.example.no:{port}{PATH}", secret={"tls": {"ca": ca}})
        assert await at.hand(receiver) == Later("HUB_ADDRESS_FORBIDDEN")
    assert await epj.received.facts() == []


async def test_a_name_that_leads_inside_as_well_is_not_followed_there(epj: Epj, http: aiohttp.ClientSession) -> None:
    async with desk(epj, http, rules=PRODUCTION, resolver=Said(["10.0.0.1", "127.0.0.1"])) as at:
        assert await at.hand(at.receiver("https://epj.example.no/")) == Later("HUB_ADDRESS_FORBIDDEN")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0", "127.1", "2130706433"])
async def test_a_number_that_leads_inside_is_not_followed(epj: Epj, http: aiohttp.ClientSession, host: str) -> None:
    async with desk(epj, http, rules=PRODUCTION) as at:
        port, ca = await door(at)
        receiver = at.receiver(f"https://{host}:{port}{PATH}", secret={"tls": {"ca": ca}})
        assert await at.hand(receiver) in (Later("HUB_ADDRESS_FORBIDDEN"), Later("REC_UNREACHABLE"))
    assert await epj.received.facts() == []


async def test_a_name_that_leads_elsewhere_the_next_time_is_judged_anew(epj: Epj, http: aiohttp.ClientSession) -> None:
    resolver = Said(["127.0.0.1"], ["169.254.169.254"])
    async with desk(epj, http, resolver=resolver) as at:
        port, ca = await door(at)
        url = f"https://localhost:{port}{PATH}"
        assert await at.hand(at.receiver(url, secret={"tls": {"ca": ca}}), "k1") == Taken(201)
        again = at.receiver(url, id="again", secret={"tls": {"ca": ca}})
        assert await at.hand(again, "k2") == Later("HUB_ADDRESS_FORBIDDEN")
    assert resolver.asked == 2


async def test_what_the_operator_has_opened_is_reached_but_not_without_tls(
    epj: Epj, http: aiohttp.ClientSession
) -> None:
    async with desk(epj, http, rules=PRODUCTION) as at:
        assert await at.hand(at.receiver(epj.url + PATH)) == Later("HUB_ADDRESS_FORBIDDEN")
    async with desk(epj, http, resolver=Said(["8.8.8.8"])) as at:
        # A test environment has its own machine open, and the rest of the world by TLS alone.
        assert await at.hand(at.receiver("http://epj.example.no:8080/")) == Later("HUB_ADDRESS_FORBIDDEN")
        assert await at.hand(at.receiver(epj.url + PATH)) == Taken(201)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "epj", "https://", "https:///x", "//x/", "https:x", ""]
)
async def test_an_address_that_is_none_is_no_place_to_send_to(at: Desk, url: str) -> None:
    assert await at.hand(replace(at.receiver(), url=url)) == Later("HUB_ADDRESS_FORBIDDEN")


async def test_no_proxy_of_the_machine_is_asked(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await at.hand(at.receiver()) == Taken(201)


async def test_names_are_looked_up_as_the_system_does(at: Desk) -> None:
    assert await at.hand(at.receiver(at.epj.url.replace("127.0.0.1", "localhost") + PATH)) == Taken(201)
    assert await at.hand(at.receiver("https://nobody.invalid/", id="other")) == Later("REC_UNREACHABLE")
    names = Names()
    assert "127.0.0.1" in {each["host"] for each in await names.resolve("localhost", 80)}
    await names.close()
