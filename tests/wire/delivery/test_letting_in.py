"""How the hub shows who it is: keys, tokens and certificates, against a journal that demands them."""

import asyncio
import contextlib
import logging
import socket
import ssl
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox.epj.authority import Authority
from sandbox.epj.doors import show
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.registry.reaching import Auth, Meaning
from tests.wire.delivery.handing import PATH, Desk

CANARY = "canary-secret"
SECRET = {"clientId": "hub", "method": "client_secret_basic", "clientSecret": CANARY}


async def by_token(at: Desk, life: int = 60, **secret: Any) -> Any:
    """A receiver behind the journal's token service."""
    await at.tell("clients", clientId="hub", clientSecret=CANARY, lifeSeconds=life)
    await at.tell("demand", path=PATH, what="oauth2")
    client = {**SECRET, "tokenUrl": f"{at.epj.url}/token", **secret}
    return at.receiver(secret={"oauth2": client}, auth=Auth.OAUTH2)


async def fails(at: Desk, status: int | None) -> None:
    """Let the token service answer everybody so."""
    async with at.http.put(f"{at.epj.url}/tokens", json={"fails": status}) as answer:
        assert answer.status == 200


async def test_an_api_key_lets_in(at: Desk) -> None:
    await at.tell("demand", path=PATH, what="apiKey", header="X-Key", value=CANARY)
    assert await at.hand(at.receiver()) == Refused("REC_HTTP_401", 401)
    keyed = at.receiver(secret={"apiKey": {"header": "X-Key", "value": CANARY}}, auth=Auth.API_KEY)
    assert await at.hand(keyed) == Taken(201)


async def test_a_key_that_is_changed_counts_at_once(at: Desk) -> None:
    await at.tell("demand", path=PATH, what="apiKey", header="X-Key", value=CANARY)
    keyed = at.receiver(secret={"apiKey": {"header": "X-Key", "value": "old"}}, auth=Auth.API_KEY)
    assert await at.hand(keyed) == Refused("REC_HTTP_401", 401)
    at.receiver(secret={"apiKey": {"header": "X-Key", "value": CANARY}})
    assert await at.hand(keyed) == Taken(201)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_one_token_serves_many_messages(at: Desk, method: str) -> None:
    receiver = await by_token(at, method=method)
    for number in range(3):
        assert await at.hand(receiver, f"k{number}") == Taken(201)
    assert at.epj.demands.issued == 1


async def test_a_client_shows_who_it_is_by_its_key(at: Desk) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    receiver = await by_token(at)
    client = {
        "tokenUrl": f"{at.epj.url}/token", "clientId": "hub", "method": "private_key_jwt", "privateKey": pem,
        "algorithm": "ES256", "keyId": "1",
    }  # fmt: skip
    await at.tell("clients", clientId="hub", publicKey=public)
    at.clock.now = at.epj.clock()
    assert await at.hand(at.receiver(secret={"oauth2": client}, auth=Auth.OAUTH2)) == Taken(201)
    wrong = {"oauth2": {**client, "privateKey": CANARY}}
    assert await at.hand(at.receiver(secret=wrong, auth=Auth.OAUTH2)) == Later("HUB_SECRET_MALFORMED")
    assert await at.hand(receiver) == Later("HUB_SECRET_MALFORMED")


async def test_all_who_wait_for_a_token_share_one(at: Desk) -> None:
    receiver = await by_token(at)
    answers = await asyncio.gather(*(at.hand(receiver, f"k{number}") for number in range(20)))
    assert set(answers) == {Taken(201)}
    assert at.epj.demands.issued == 1


async def test_a_token_is_renewed_before_it_ends(at: Desk) -> None:
    receiver = await by_token(at, life=600)
    assert await at.hand(receiver, "k1") == Taken(201)
    at.clock.on(seconds=539)
    assert await at.hand(receiver, "k2") == Taken(201)
    assert at.epj.demands.issued == 1
    at.clock.on(seconds=2)
    assert await at.hand(receiver, "k3") == Taken(201)
    assert at.epj.demands.issued == 2


async def test_a_token_that_lives_shortly_is_used_for_most_of_its_life(at: Desk) -> None:
    receiver = await by_token(at, life=10)
    assert await at.hand(receiver, "k1") == Taken(201)
    at.clock.on(seconds=7)
    assert await at.hand(receiver, "k2") == Taken(201)
    assert at.epj.demands.issued == 1
    at.clock.on(seconds=2)
    assert await at.hand(receiver, "k3") == Taken(201)
    assert at.epj.demands.issued == 2


async def test_a_revoked_token_is_renewed_within_the_same_try_and_once_for_all(at: Desk) -> None:
    receiver = await by_token(at)
    assert await at.hand(receiver, "k0") == Taken(201)
    at.epj.demands.revoke()
    answers = await asyncio.gather(*(at.hand(receiver, f"k{number}") for number in range(1, 11)))
    assert set(answers) == {Taken(201)}
    assert at.epj.demands.issued == 2
    assert [entry["calls"] for entry in await at.received()] == [1] * 11


async def test_who_is_not_let_in_with_a_new_token_is_refused_and_costs_no_token_each_time(at: Desk) -> None:
    receiver = await by_token(at)
    assert await at.hand(receiver, "k0") == Taken(201)
    await at.behave("401")
    for number in range(1, 6):
        assert await at.hand(receiver, f"k{number}") == Refused("REC_HTTP_401", 401)
    assert at.epj.demands.issued == 2
    # Perhaps the receiver has forgotten its tokens: after a while another is tried.
    at.clock.on(seconds=31)
    await at.behave("ok")
    at.epj.demands.revoke()
    assert await at.hand(receiver, "k6") == Taken(201)
    assert at.epj.demands.issued == 3


async def test_a_token_is_renewed_whatever_a_receivers_401_means(at: Desk) -> None:
    receiver = replace(await by_token(at), answers={"401": Meaning.LATER})
    assert await at.hand(receiver, "k1") == Taken(201)
    at.epj.demands.revoke()
    assert await at.hand(receiver, "k2") == Taken(201)
    await at.behave("401")
    assert await at.hand(receiver, "k3") == Later("REC_HTTP_401")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "REC_TOKEN_REFUSED"),
        (401, "REC_TOKEN_REFUSED"),
        (429, "REC_TOKEN_UNREACHABLE"),
        (503, "REC_TOKEN_UNREACHABLE"),
    ],
)
async def test_no_token_is_no_refusal_of_the_message(at: Desk, status: int, code: str) -> None:
    receiver = await by_token(at)
    await fails(at, status)
    assert await at.hand(receiver) == Later(code)
    await fails(at, None)
    assert await at.hand(receiver) == Taken(201)


async def test_a_token_that_is_still_good_is_used_while_its_service_is_down(at: Desk) -> None:
    receiver = await by_token(at, life=600)
    assert await at.hand(receiver, "k1") == Taken(201)
    await fails(at, 503)
    at.clock.on(seconds=590)
    assert await at.hand(receiver, "k2") == Taken(201)
    at.clock.on(seconds=11)
    assert await at.hand(receiver, "k3") == Later("REC_TOKEN_UNREACHABLE")


async def test_wrong_client_is_the_operators_to_mend(at: Desk) -> None:
    receiver = await by_token(at, clientSecret="other")
    assert await at.hand(receiver) == Later("REC_TOKEN_REFUSED")


async def test_a_token_service_elsewhere_than_bytes_may_go_is_not_asked(at: Desk) -> None:
    receiver = await by_token(at, tokenUrl="http://169.254.169.254/metadata/identity/oauth2/token")
    assert await at.hand(receiver) == Later("HUB_ADDRESS_FORBIDDEN")


async def test_two_municipalities_with_receivers_of_one_name_share_nothing(at: Desk) -> None:
    receiver = await by_token(at)
    assert await at.hand(receiver, "k1") == Taken(201)
    assert await at.hand(receiver, "k2", orgnr="310000027") == Taken(201)
    assert at.epj.demands.issued == 2


async def test_a_certificate_lets_in_where_one_is_demanded(at: Desk) -> None:
    door = await at.tell("tls", clients=True)
    bare = at.receiver(door["url"] + PATH, secret={"tls": {"ca": door["ca"]}})
    # asyncio's server hangs up without the alert that says why.
    assert await at.hand(bare) == Later("REC_CONNECTION_LOST")
    shown = {"tls": {"ca": door["ca"], **door["client"]}}
    assert await at.hand(at.receiver(bare.url, secret=shown, auth=Auth.MTLS)) == Taken(201)


async def test_a_server_that_wants_a_certificate_is_understood(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    show(context, authority.server("right"))

    def once(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection.dup() as plain:
            with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True):
                pass
            # As servers do: what the client has sent is read, else the reset would overtake the alert.
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(asyncio.to_thread(once, listening))
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        assert await at.hand(at.receiver(url, secret={"tls": {"ca": authority.ca}})) == Later("REC_TLS")
        await serving
    assert "HUB-3203" in caplog.text


async def test_a_certificate_and_a_token_go_together(at: Desk) -> None:
    door = await at.tell("tls", clients=True)
    receiver = await by_token(at)
    client = {**SECRET, "tokenUrl": f"{door['url']}/token"}
    secret = {"tls": {"ca": door["ca"], **door["client"]}, "oauth2": client}
    both = replace(at.receiver(door["url"] + PATH, secret=secret), auth=Auth.OAUTH2)
    assert receiver.id == both.id
    assert await at.hand(both) == Taken(201)


async def test_a_right_certificate_is_taken_and_others_are_not(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    door = await at.tell("tls")
    receiver = at.receiver(door["url"] + PATH, secret={"tls": {"ca": door["ca"]}})
    numbers = {"wrong-host": (62, 64), "expired": (10,), "unknown-issuer": (20,)}
    assert await at.hand(receiver, "right") == Taken(201)
    for kind, codes in numbers.items():
        await at.tell("tls", certificate=kind, port=door["port"])
        assert await at.hand(receiver, kind) == Later("REC_TLS")
        assert f"status={caplog.records[-1].getMessage().rpartition('status=')[2]}" in {f"status={n}" for n in codes}
    await at.tell("tls", certificate="right", port=door["port"])
    assert await at.hand(receiver, "right-again") == Taken(201)


async def test_who_is_not_known_to_the_system_is_not_trusted(at: Desk) -> None:
    door = await at.tell("tls")
    assert await at.hand(at.receiver(door["url"] + PATH)) == Later("REC_TLS")


async def test_tls_with_one_who_does_not_speak_it_fails(at: Desk) -> None:
    assert await at.hand(at.receiver(at.epj.url.replace("http:", "https:") + PATH)) == Later("REC_TLS")


@pytest.mark.parametrize(
    ("auth", "secret", "code"),
    [
        (Auth.API_KEY, None, "HUB_SECRET_MISSING"),
        (Auth.NONE, "", "HUB_SECRET_MISSING"),
        (Auth.API_KEY, " ", "HUB_SECRET_MISSING"),
        (Auth.API_KEY, CANARY, "HUB_SECRET_MALFORMED"),
        (Auth.API_KEY, "{}", "HUB_SECRET_MALFORMED"),
        (Auth.OAUTH2, '{"apiKey": {"header": "X-Key", "value": "' + CANARY + '"}}', "HUB_SECRET_MALFORMED"),
        (Auth.MTLS, '{"tls": {"ca": "' + CANARY + '"}}', "HUB_SECRET_MALFORMED"),
        (Auth.NONE, '{"tls": {"ca": "' + CANARY + '"}}', "HUB_SECRET_MALFORMED"),
        (Auth.MTLS, '{"tls": {"certificate": "' + CANARY + '", "key": "' + CANARY + '"}}', "HUB_SECRET_MALFORMED"),
        (Auth.API_KEY, '{"' + CANARY + '": "x"}', "HUB_SECRET_MALFORMED"),
    ],
)
async def test_a_secret_that_cannot_be_used_is_the_operators_fault(
    at: Desk, caplog: pytest.LogCaptureFixture, auth: Auth, secret: str | None, code: str
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = at.receiver(secret={}, auth=auth)
    at.kept.by_name = {receiver.credentials: secret} if secret is not None else {}
    assert await at.hand(receiver) == Later(code)
    assert "HUB-3201" in caplog.text
    assert CANARY not in caplog.text


async def test_no_secret_is_ever_in_a_log_line_or_an_answer(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = await by_token(at)
    answers: list[Answer] = [await at.hand(receiver, "k1")]
    at.epj.demands.revoke()
    await fails(at, 401)
    answers.append(await at.hand(receiver, "k2"))
    hub_lines = [record.getMessage() for record in caplog.records if record.name == "knutepunkt"]
    assert CANARY not in "".join(hub_lines) + repr(answers)
