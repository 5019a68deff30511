"""Attacks on people's tokens of Entra ID, each by its name, against the door that takes two issuers."""

import json
from datetime import timedelta
from typing import Any, Final

import pytest

from shared.access.authenticate import Authenticator, kids
from shared.access.caller import Caller
from shared.access.credentials import Credentials
from shared.access.entra import EntraClaims, entra_policy, issuer_of_tenant
from shared.access.issuers import AnyIssuer
from shared.access.jwks import KeySet, read_jwks
from shared.access.keys import Keys
from shared.access.refusals import DpopNotTaken, KeyRevoked, TokenBound, UnknownKey
from shared.access.tokens import TokenPolicy
from shared.errors import (
    HubError,
    TokenAudience,
    TokenClaims,
    TokenExpired,
    TokenIssuer,
    TokenMalformed,
    TokenSignature,
)
from tests.unit.access import forge
from tests.unit.access.forge import AT, NOW, b64, proof, rsa_jwk, token

TENANT: Final = "eeeeeeee-2222-4333-8444-555555555555"
ANOTHER: Final = "99999999-2222-4333-8444-555555555555"
API: Final = "aaaaaaaa-2222-4333-8444-555555555555"
OID: Final = "bbbbbbbb-2222-4333-8444-555555555555"
ISSUER: Final = issuer_of_tenant(TENANT)
HEADER: Final = {"typ": "JWT", "alg": "RS256", "kid": "entra"}
PEOPLE: Final = TokenPolicy(forge.ISSUER, forge.AUDIENCE, required=frozenset({"person"}))


def claims(**changed: Any) -> dict[str, Any]:
    """A good token's claims; a change to None leaves the claim out."""
    usual: dict[str, Any] = {
        "aud": API,
        "iss": ISSUER,
        "iat": AT - 300,
        "nbf": AT - 300,
        "exp": AT + 3600,
        "azp": "cccccccc-2222-4333-8444-555555555555",
        "azpacr": "0",
        "name": "Ola Syntetisk",
        "oid": OID,
        "roles": ["Knutepunkt.Operator"],
        "scp": "openid access_as_user",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "tid": TENANT,
        "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "ver": "2.0",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def entra(payload: dict[str, Any] | None = None, head: dict[str, Any] | None = None, key: str = "entra") -> str:
    return token(claims() if payload is None else payload, HEADER | (head or {}), key)


class Door:
    """What takes people's tokens of HelseID and of one tenant."""

    def __init__(self, **demands: Any) -> None:
        self.fetched: list[str] = []
        self.revoked: set[str] = set()
        self.keys = read_jwks({"keys": [rsa_jwk("entra", "entra")]}, ISSUER)
        self.door = AnyIssuer(
            self._judge(PEOPLE, forge.key_set()),
            {ISSUER: self._judge(entra_policy(ISSUER, API, EntraClaims(TENANT, **demands)), self.keys)},
        )

    def _judge(self, policy: TokenPolicy, keys: KeySet) -> Authenticator:
        async def fetch() -> KeySet:
            self.fetched.append(policy.issuer)
            return keys

        async def revoked() -> frozenset[str]:
            return kids(self.revoked)

        return Authenticator(Keys(fetch), policy, lambda: NOW, revoked=revoked)

    async def bearer(self, text: str) -> Caller:
        return await self.door.caller(Credentials(f"Bearer {text}"))

    async def refuses(self, kind: type[HubError], text: str) -> None:
        with pytest.raises(HubError) as caught:
            await self.bearer(text)
        assert type(caught.value) is kind


@pytest.fixture
def door() -> Door:
    return Door()


async def test_good_tokens_of_both_issuers_get_in_so_that_the_attacks_fail_for_what_they_are(door: Door) -> None:
    person = (await door.bearer(entra())).person
    assert person is not None
    assert (person.subject, person.orgnr) == (f"entra:{OID}", None)
    assert person.roles == {"Knutepunkt.Operator"}
    assert person.is_surely_known
    level = {"helseid://claims/identity/security_level": "4", "sub": "kari"}
    kari = (await door.bearer(token(forge.claims(**level)))).person
    assert kari is not None
    assert (kari.subject, kari.roles) == ("helseid:kari", frozenset())


async def test_a_person_without_app_roles_is_known_and_has_none(door: Door) -> None:
    person = (await door.bearer(entra(claims(roles=None)))).person
    assert person is not None
    assert person.roles == frozenset()


async def test_token_of_another_tenant_with_the_role_in_it(door: Door) -> None:
    await door.refuses(UnknownKey, entra(claims(iss=issuer_of_tenant(ANOTHER), tid=ANOTHER)))
    assert door.fetched == [forge.ISSUER]


async def test_issuer_of_ours_with_tenant_of_another(door: Door) -> None:
    await door.refuses(TokenClaims, entra(claims(tid=ANOTHER)))


@pytest.mark.parametrize("tenant", [None, "", TENANT.upper(), [TENANT], 7])
async def test_tenant_missing_or_in_another_form(door: Door, tenant: object) -> None:
    await door.refuses(TokenClaims, entra(claims(tid=tenant)))


@pytest.mark.parametrize("change", [{"idtyp": "app"}, {"idtyp": "app", "scp": None}, {"scp": None}, {"idtyp": 1}])
async def test_an_apps_own_token_with_the_role(door: Door, change: dict[str, Any]) -> None:
    await door.refuses(TokenClaims, entra(claims(**change)))


@pytest.mark.parametrize(
    "scope", ["openid", "Access_As_User", "access_as_user.all", ["access_as_user"], "", "x,access_as_user"]
)
async def test_scope_for_something_else(door: Door, scope: object) -> None:
    await door.refuses(TokenClaims, entra(claims(scp=scope)))


@pytest.mark.parametrize("claim", ["nonce", "at_hash", "c_hash", "s_hash"])
async def test_id_token_as_access_token(door: Door, claim: str) -> None:
    await door.refuses(TokenClaims, entra(claims(**{claim: "x"})))


@pytest.mark.parametrize("version", ["1.0", None, 2.0])
async def test_token_of_the_old_version(door: Door, version: object) -> None:
    await door.refuses(TokenClaims, entra(claims(ver=version)))


@pytest.mark.parametrize("audience", [f"api://{API}", API.upper(), [API, "another"], None, forge.AUDIENCE])
async def test_audience_of_another_api(door: Door, audience: object) -> None:
    await door.refuses(TokenAudience, entra(claims(aud=audience)))


@pytest.mark.parametrize("person", [None, "", "kari", OID.upper(), "12345678901", ["x"]])
async def test_no_object_id_or_one_in_another_form(door: Door, person: object) -> None:
    await door.refuses(TokenClaims, entra(claims(oid=person)))


@pytest.mark.parametrize(
    "roles", ["Knutepunkt.Operator", {"Knutepunkt.Operator": True}, [["Knutepunkt.Operator"]], ["a"] * 101]
)
async def test_roles_in_another_form(door: Door, roles: object) -> None:
    await door.refuses(TokenClaims, entra(claims(roles=roles)))


@pytest.mark.parametrize("claim", ["azp", "sub", "exp", "nbf", "iat"])
async def test_missing_claim(door: Door, claim: str) -> None:
    await door.refuses(TokenClaims, entra(claims(**{claim: None})))


async def test_expired_and_not_yet_valid(door: Door) -> None:
    await door.refuses(TokenExpired, entra(claims(exp=AT - 60)))
    await door.refuses(TokenExpired, entra(claims(nbf=AT + 60)))


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "HS256", "none", "RS512"])
async def test_any_other_algorithm_than_rs256(door: Door, algorithm: str) -> None:
    await door.refuses(TokenMalformed, entra(head={"alg": algorithm}))


async def test_signed_by_somebody_else(door: Door) -> None:
    await door.refuses(TokenSignature, entra(key="own"))


async def test_helseids_key_signs_for_entra_and_the_other_way_round(door: Door) -> None:
    """Keys are their issuer's alone: neither can speak for the other."""
    await door.refuses(UnknownKey, token(claims(), HEADER | {"kid": forge.KID}, "own"))
    level = {"helseid://claims/identity/security_level": "4", "sub": "kari"}
    await door.refuses(UnknownKey, token(forge.claims(**level), forge.header(kid="entra"), "entra"))


async def test_helseids_token_with_entras_claims_brings_no_role(door: Door) -> None:
    level = {"helseid://claims/identity/security_level": "4", "sub": "kari"}
    person = (await door.bearer(token(forge.claims(**level, roles=["Knutepunkt.Operator"], oid=OID)))).person
    assert person is not None
    assert person.roles == frozenset()


@pytest.mark.parametrize(
    "issuer", [f"{ISSUER}/", ISSUER.upper(), ISSUER.replace("https", "http"), [ISSUER], None, "https://sts.windows.net/x/"]
)  # fmt: skip
async def test_an_issuer_that_only_looks_like_ours(door: Door, issuer: object) -> None:
    await door.refuses(UnknownKey, entra(claims(iss=issuer)))
    # By HelseID's key it is refused for what it is.
    await door.refuses(TokenIssuer, token(claims(iss=issuer), forge.header(), "own"))


async def test_a_key_of_the_consumers_tenant_signs_nothing_here() -> None:
    foreign = rsa_jwk("entra", "theirs", issuer=issuer_of_tenant("9188040d-6c67-4c5b-b112-36a304b66dad"))
    ours = rsa_jwk("own", "ours", issuer=ISSUER)
    of_all = rsa_jwk("own", "all", issuer=issuer_of_tenant("{tenantid}"))
    odd = rsa_jwk("own", "odd", issuer=7)
    assert set(read_jwks({"keys": [foreign, ours, of_all, odd]}, ISSUER).keys) == {"ours", "all"}


async def test_revoked_kid_at_once_also_for_remembered_tokens(door: Door) -> None:
    text = entra()
    await door.bearer(text)
    door.revoked.add("ENTRA")
    await door.refuses(KeyRevoked, text)


async def test_bound_token_and_token_as_dpop(door: Door) -> None:
    await door.refuses(TokenBound, entra(claims(cnf={"jkt": forge.jkt()})))
    text = entra()
    with pytest.raises(DpopNotTaken):
        await door.door.caller(Credentials(f"DPoP {text}", proof(text), "GET", "/registry/municipalities"))


async def test_issuer_twice_in_the_claims(door: Door) -> None:
    """One parser would take the first, another the last."""
    good = json.dumps(claims())
    both = good[:-1] + f', "iss": "{forge.ISSUER}"' + "}"
    await door.refuses(TokenMalformed, token(both.encode(), HEADER, "entra"))


@pytest.mark.parametrize("text", ["", "x", "a.b", b64(b"{}"), f"{b64(b'[]')}.{b64(b'[]')}.x", "a.b.c.d.e"])
async def test_no_token_at_all(door: Door, text: str) -> None:
    with pytest.raises(HubError) as caught:
        await door.bearer(text)
    assert caught.value.status == 401


async def test_a_login_that_did_not_meet_the_context_that_is_demanded() -> None:
    door = Door(auth_context="c1")
    await door.refuses(TokenClaims, entra())
    await door.refuses(TokenClaims, entra(claims(acrs=["c2"])))
    await door.refuses(TokenClaims, entra(claims(acrs="c1")))
    assert await door.bearer(entra(claims(acrs=["c2", "c1"])))


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "", TENANT.upper(), f"{TENANT}/"])
def test_no_tenant_that_stands_for_many_can_be_configured(tenant: str) -> None:
    with pytest.raises(ValueError, match="GUID"):
        EntraClaims(tenant)


async def test_a_token_in_which_nothing_is_wrong_is_over_when_it_expires(door: Door) -> None:
    text = entra()
    await door.bearer(text)
    later = Authenticator(
        Keys(lambda: _keys(door.keys)), entra_policy(ISSUER, API, EntraClaims(TENANT)), lambda: NOW + timedelta(hours=2)
    )
    with pytest.raises(TokenExpired):
        await later.caller(Credentials(f"Bearer {text}"))


async def _keys(found: KeySet) -> KeySet:
    return found
