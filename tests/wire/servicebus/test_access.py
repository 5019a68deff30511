"""Who may use the broker, and what becomes of those who may not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus._pyamqp.utils import generate_sas_token
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import ServiceBusAuthenticationError

from sandbox.amqp import codec
from sandbox.servicebus import Service, cbs, serve
from sandbox.topology import Topology
from tests.wire.servicebus.conftest import QUEUES, Bus
from tests.wire.servicebus.raw import connect, sender


def signed(service: Service, path: str, lives_s: int = 60) -> str:
    assert service.key is not None
    now = service.server.broker.context.clock.now() // 1000
    return cbs.token(f"sb://127.0.0.1/{path}", service.key, now + lives_s)


async def status_of_attach(bus: Bus, token: str, audience: str, queue: str) -> tuple[int, str | None]:
    async with connect(bus.service.port) as raw:
        status = await raw.put_token(token, audience)
        raw.send(sender("s", 0, queue))
        attach = await raw.expect(codec.Attach, lambda one: one.name == "s")
        if attach.target is not None:
            return status, None
        detach = await raw.expect(codec.Detach)
        assert detach.error is not None
        return status, detach.error.condition


async def test_a_wrong_key_is_refused_as_the_sdk_knows_it(bus: Bus) -> None:
    assert bus.service.key is not None
    wrong = bus.service.connection_string.replace(bus.service.key.secret, "d3Jvbmc=")
    async with ServiceBusClient.from_connection_string(wrong, retry_total=0) as client:
        with pytest.raises(ServiceBusAuthenticationError):
            await client.get_queue_sender("plain").send_messages(ServiceBusMessage(b""))


async def test_a_token_opens_what_it_was_signed_for_and_nothing_else(bus: Bus) -> None:
    token = signed(bus.service, "plain")
    assert await status_of_attach(bus, token, "sb://127.0.0.1/plain", "plain") == (202, None)
    assert await status_of_attach(bus, token, "sb://127.0.0.1/plain", "other") == (202, "amqp:unauthorized-access")
    assert await status_of_attach(bus, token, "sb://127.0.0.1/other", "other") == (401, "amqp:unauthorized-access")
    whole = signed(bus.service, "")
    assert await status_of_attach(bus, whole, "sb://127.0.0.1/", "other/$management") == (202, None)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token.replace("sig=", "sig=A"),
        lambda token: token[:-3],
        lambda token: token.replace("se=", "se=1"),
        lambda token: token.replace("sr=", "xx="),
        lambda token: token.replace("SharedAccessSignature", "Bearer"),
        lambda token: "eyJhbGciOiJub25lIn0.e30.",
        lambda token: "",
    ],
)
async def test_a_token_that_cannot_be_verified_is_refused(bus: Bus, spoil: object) -> None:
    assert callable(spoil)
    token = spoil(signed(bus.service, "plain"))
    assert (await status_of_attach(bus, token, "sb://127.0.0.1/plain", "plain"))[0] == 401


async def test_an_expired_token_is_refused_and_a_link_ends_when_its_token_expires(bus: Bus) -> None:
    old = signed(bus.service, "plain", -1)
    assert (await status_of_attach(bus, old, "sb://127.0.0.1/plain", "plain"))[0] == 401
    async with connect(bus.service.port) as raw:
        assert await raw.put_token(signed(bus.service, "plain", 10), "sb://127.0.0.1/plain") == 202
        raw.send(sender("s", 0, "plain"))
        await raw.expect(codec.Flow, lambda flow: flow.handle == 0)
        bus.later(11)
        detach = await raw.expect(codec.Detach)
        assert detach.error is not None
        assert detach.error.condition == "amqp:unauthorized-access"


async def test_nothing_is_open_to_a_client_without_a_token(bus: Bus) -> None:
    async with connect(bus.service.port) as raw:
        raw.send(sender("s", 0, "plain"))
        assert (await raw.expect(codec.Attach)).target is None


async def test_without_a_key_any_token_is_taken(tmp_path: Path) -> None:
    async with (
        serve(tmp_path, Topology(QUEUES, "", ()), check_tokens=False) as service,
        connect(service.port) as raw,
    ):
        assert await raw.put_token("any.jwt.atall", "sb://127.0.0.1/plain") == 202
        raw.send(sender("s", 0, "plain"))
        assert (await raw.expect(codec.Attach, lambda one: one.name == "s")).target is not None


def test_our_own_tokens_are_signed_as_microsofts_sdk_signs_them() -> None:
    uri, key = "sb://127.0.0.1:5/plain", cbs.Key("name", "secret")
    sign: Callable[..., str] = generate_sas_token
    theirs = sign(uri, "name", "secret", 2_000_000_000)
    claim = cbs.verify(theirs, uri, key, 1_999_999_999)
    assert claim == cbs.verify(cbs.token(uri, key, 2_000_000_000), uri, key, 1_999_999_999)
    assert claim == cbs.Claim("plain", 2_000_000_000)
