"""Attacks on DPoP and on how credentials are sent, each by its name, against a whole authenticator."""

import asyncio
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared.access.authenticate import Authenticator, Dpop
from shared.access.credentials import Credentials
from shared.access.modes import DpopMode
from shared.access.refusals import (
    CredentialsDoubtful,
    DpopNotTaken,
    ProofExpired,
    ProofMalformed,
    ProofMismatch,
    ProofMissing,
    ProofReplayed,
    ProofRequired,
    TokenBound,
    TokenUnbound,
    WrongProofKey,
)
from shared.errors import (
    HubError,
    NotAuthenticated,
    NotAvailable,
    TokenMalformed,
)
from tests.unit.access.door import PATH, PUBLIC, Door, Memory
from tests.unit.access.forge import (
    AT,
    NOW,
    POLICY,
    bound_token,
    claims,
    jkt,
    proof,
    proof_claims,
    proof_header,
    proof_jwk,
    signed_proof,
    token,
)

VKP_ID = "nhn:vkp/client/claims/vkp-id"


@pytest.fixture
def door() -> Door:
    return Door()


# --- the proof ---


async def test_replayed_proof(door: Door) -> None:
    text = bound_token()
    used = proof(text)
    await door.call(f"DPoP {text}", used)
    for after in (0.0, 14.0):
        door.seconds = after
        await door.refuses(ProofReplayed, f"DPoP {text}", used)


async def test_replayed_proof_at_another_instance() -> None:
    memory = Memory()
    one, other = Door(memory), Door(memory)
    text = bound_token()
    used = proof(text)
    await one.call(f"DPoP {text}", used)
    await other.refuses(ProofReplayed, f"DPoP {text}", used)


async def test_replayed_proof_many_times_at_once(door: Door) -> None:
    text = bound_token()
    used = proof(text)
    answers = await asyncio.gather(*(door.call(f"DPoP {text}", used) for _ in range(10)), return_exceptions=True)
    assert [type(answer) for answer in answers if isinstance(answer, HubError)] == [ProofReplayed] * 9


async def test_proof_id_used_again_in_a_new_proof(door: Door) -> None:
    text = bound_token()
    await door.call(f"DPoP {text}", proof(text))
    await door.refuses(ProofReplayed, f"DPoP {text}", proof(text, iat=AT + 1))


async def test_stretched_proof(door: Door) -> None:
    text = bound_token()
    for iat in (AT - 16, AT + 6, AT + 3600, 10**12):
        await door.refuses(ProofExpired, f"DPoP {text}", proof(text, iat=iat))


async def test_proof_while_the_memory_of_proofs_is_out_of_reach(door: Door) -> None:
    door.memory.down = True
    text = bound_token()
    await door.refuses(NotAvailable, f"DPoP {text}", proof(text))


async def test_bad_proofs_do_not_fill_the_memory(door: Door) -> None:
    text = bound_token()
    for changed in ({"htm": "GET"}, {"htu": "https://x/"}, {"ath": "x"}, {"iat": 1}):
        with pytest.raises(NotAuthenticated):
            await door.dpop(text, **changed)
    with pytest.raises(NotAuthenticated):
        await door.call(f"DPoP {token(claims(cnf={'jkt': jkt()}), key='stranger')}", proof(text))
    assert door.memory.kept == set()


@pytest.mark.parametrize(
    "address",
    [
        f"{PUBLIC}/epj/r4/310000019/observation",
        f"{PUBLIC}/epj/r4/310000020/bundle",
        f"{PUBLIC}{PATH}/",
        f"http://hub.example{PATH}",
        f"https://hub.example:8443{PATH}",
        f"https://hub.example.evil.test{PATH}",
        f"https://evil.test{PATH}",
        "https://helseid.stand-in.test/connect/token",
        PATH,
    ],
)
async def test_proof_for_another_address(door: Door, address: str) -> None:
    text = bound_token()
    await door.refuses(ProofMismatch, f"DPoP {text}", proof(text, htu=address))


async def test_proof_for_the_host_that_the_call_names(door: Door) -> None:
    # An attacker's own host in front: the victim's proof for it must not open the hub.
    text = bound_token()
    stolen = proof(text, htu=f"https://evil.test{PATH}")
    await door.refuses(ProofMismatch, f"DPoP {text}", stolen, url=f"https://evil.test{PATH}")


@pytest.mark.parametrize("method", ["GET", "PUT", "post", "*"])
async def test_proof_for_another_method(door: Door, method: str) -> None:
    text = bound_token()
    await door.refuses(ProofMismatch, f"DPoP {text}", proof(text, htm=method))
    await door.refuses(ProofMismatch, f"DPoP {text}", proof(text), method="GET")


async def test_proof_for_another_token(door: Door) -> None:
    first, second = bound_token(jti="first"), bound_token(jti="second")
    await door.refuses(ProofMismatch, f"DPoP {second}", proof(first))
    await door.refuses(ProofMismatch, f"DPoP {second}", proof(second, ath=hashlib.sha256(second.encode()).hexdigest()))


async def test_proof_of_the_token_endpoint(door: Door) -> None:
    text = bound_token()
    await door.refuses(ProofMalformed, f"DPoP {text}", proof(text, ath=None))


async def test_key_binding_mismatch(door: Door) -> None:
    text = bound_token(cnf={"jkt": "A" * 43})
    await door.refuses(WrongProofKey, f"DPoP {text}", proof(text))


async def test_stolen_token_with_a_proof_by_the_thiefs_key(door: Door) -> None:
    text = bound_token()
    thief = ec.generate_private_key(ec.SECP256R1())
    own = ECAlgorithm.to_jwk(thief.public_key(), as_dict=True)
    await door.refuses(WrongProofKey, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(jwk=own), thief))
    await door.refuses(ProofMalformed, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(), thief))


async def test_proof_with_alg_none_or_a_shared_secret(door: Door) -> None:
    text = bound_token()
    for changed in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}):
        await door.refuses(ProofMalformed, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(**changed)))
    unsigned = signed_proof(proof_claims(text), proof_header(alg="none")).rpartition(".")[0]
    await door.refuses(ProofMalformed, f"DPoP {text}", f"{unsigned}.")


async def test_proof_that_gives_the_private_key_away(door: Door) -> None:
    text = bound_token()
    private = proof_jwk() | {"d": "AAAA"}
    await door.refuses(ProofMalformed, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(jwk=private)))


async def test_oversized_proof_and_id(door: Door) -> None:
    text = bound_token()
    await door.refuses(ProofMalformed, f"DPoP {text}", proof(text, padding="x" * 8000))
    await door.refuses(ProofMalformed, f"DPoP {text}", proof(text, jti="x" * 257))


async def test_proof_with_duplicate_json_keys(door: Door) -> None:
    text = bound_token()
    body = json.dumps(proof_claims(text))
    twice = signed_proof(f'{body[:-1]}, "htu": "https://hub.example/"}}'.encode())
    await door.refuses(ProofMalformed, f"DPoP {text}", twice)


# --- how they are sent ---


async def test_bound_token_as_bearer(door: Door) -> None:
    text = bound_token()
    for door.mode in (None, *DpopMode):
        await door.refuses(TokenBound, f"Bearer {text}")
        await door.refuses(TokenBound, f"Bearer {text}", proof(text))


async def test_bound_token_as_bearer_where_dpop_is_off_for_all() -> None:
    door = Door()
    only_bearer = Authenticator(door.keys, POLICY, lambda: NOW)
    with pytest.raises(TokenBound):
        await only_bearer.caller(Credentials(f"Bearer {bound_token()}"))
    with pytest.raises(DpopNotTaken):
        await only_bearer.caller(Credentials(f"DPoP {bound_token()}", proof(bound_token()), "POST", PATH))


@pytest.mark.parametrize("confirmation", [[], ["A" * 43], {}, {"jkt": 7}, {"jkt": [jkt()]}, "x", False, 0, None])
async def test_array_cnf_and_other_bindings_that_are_none(door: Door, confirmation: object) -> None:
    text = token(json.dumps(claims() | {"cnf": confirmation}).encode())
    await door.refuses(TokenBound, f"Bearer {text}")
    await door.refuses(TokenUnbound, f"DPoP {text}", proof(text))


async def test_binding_to_a_certificate_beside_the_key(door: Door) -> None:
    text = bound_token(cnf={"jkt": jkt(), "x5t#S256": "A" * 43})
    await door.refuses(TokenUnbound, f"DPoP {text}", proof(text))


async def test_unbound_token_as_dpop(door: Door) -> None:
    text = token()
    await door.refuses(TokenUnbound, f"DPoP {text}", proof(text))


async def test_bearer_downgrade_of_a_system_that_must_use_dpop(door: Door) -> None:
    door.mode = DpopMode.REQUIRED
    await door.refuses(ProofRequired, f"Bearer {token()}")
    assert await door.dpop()


async def test_dpop_of_a_system_it_is_off_for(door: Door) -> None:
    door.mode = DpopMode.OFF
    text = bound_token()
    await door.refuses(DpopNotTaken, f"DPoP {text}", proof(text))
    assert await door.bearer(token())


async def test_dpop_without_a_proof(door: Door) -> None:
    absent: list[str | list[str] | None] = [None, "", " ", []]
    for nothing in absent:
        await door.refuses(ProofMissing, f"DPoP {bound_token()}", nothing)


async def test_two_authorization_headers(door: Door) -> None:
    good = f"Bearer {token()}"
    for twice in ([good, good], f"{good}, {good}", f"Basic dTpw, {good}", [f"Bearer {token(key='stranger')}", good]):
        await door.refuses(CredentialsDoubtful, twice)


async def test_two_proofs(door: Door) -> None:
    text = bound_token()
    first, second = proof(text, jti="1"), proof(text, jti="2")
    for twice in ([first, second], f"{first}, {second}", f"{first},{second}"):
        await door.refuses(ProofMalformed, f"DPoP {text}", twice)


async def test_token_in_the_address_beside_the_one_in_the_header(door: Door) -> None:
    await door.refuses(CredentialsDoubtful, f"Bearer {token()}", url=f"{PATH}?access_token={token()}")


@pytest.mark.parametrize(
    "between", ["\t", "\x00", "\r\n", "\x0b", "\u00a0", "\u2003", "\x1f", "\x85", "\ud800", "\u0430"]
)
async def test_header_with_odd_white_space_or_control_characters(door: Door, between: str) -> None:
    await door.refuses(NotAuthenticated, f"Bearer{between}{token()}")
    for spoilt in (f"{between}{token()}", f"{token()}{between}x", f"{token()[:9]}{between}{token()[9:]}"):
        await door.refuses(TokenMalformed, f"Bearer {spoilt}")


async def test_scheme_in_any_letter_case_is_no_way_around(door: Door) -> None:
    text = bound_token()
    for scheme in ("bearer", "BEARER", "bEARER"):
        await door.refuses(TokenBound, f"{scheme} {text}")
    for scheme in ("dpop", "DPOP"):
        await door.refuses(ProofMissing, f"{scheme} {text}")


@pytest.mark.parametrize("value", ["Basic dTpw", "Digest x", "Negotiate x", "MAC x", "Token x", "Bearer", ""])
async def test_other_scheme(door: Door, value: str) -> None:
    await door.refuses(NotAuthenticated, value)


@pytest.mark.parametrize(
    "address", ["ftp://hub.example", "https://hub.example?x=", "hub.example", "", "https://høb.example"]
)
def test_public_address_that_no_proof_can_be_compared_with_is_refused_at_start(address: str) -> None:
    with pytest.raises(ValueError, match="address that callers use"):
        Dpop(address, Memory())


async def test_address_that_cannot_be_compared(door: Door) -> None:
    text = bound_token()
    for address in (f"{PUBLIC}{PATH}", "/a b", "nowhere"):
        await door.refuses(ProofMismatch, f"DPoP {text}", proof(text, htu=address), url="/a b")


async def test_remembered_token_still_needs_a_proof_of_its_own_each_time(door: Door) -> None:
    text = bound_token()
    for number in range(3):
        await door.dpop(text, jti=str(number))
    await door.refuses(WrongProofKey, f"DPoP {text}", _strangers_proof(text))
    await door.refuses(ProofMissing, f"DPoP {text}")


def _strangers_proof(text: str) -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(own.public_key(), as_dict=True)
    return signed_proof(proof_claims(text), proof_header(jwk=jwk), own)
