"""Organisation numbers in the assertion, as NHN's libraries and samples write them, and what comes of them."""

from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.helseid.details import organisations
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.registrations import Client, Delegation, Jwks
from sandbox.helseid.server import HelseId, serve
from tests.wire.helseid.asking import VENDOR, ask, call, claims_of, form, proof
from tests.wire.helseid.conftest import Fresh, copy_of

PARENT, CHILD, OTHER_CHILD, SUPPLIER = "999977774", "999977776", "999977775", "313745392"
"""The synthetic numbers of NHN's published samples; the child units fail the check digit."""
LIBRARY, SAMPLES, MULTI = "urn:oid:2.16.578.1.12.4.1.4.101", "urn:oid:2.16.578.1.12.4.1.2.101", "urn:oid:1.0.6523"
JOURNAL: Final[dict[str, Any]] = {
    "type": "nhn:sfm:journal-id",
    "value": {"journal_id": "0f6b3d7e-8a4e-4a54-9d5a-1f3a2f0c9b11"},
}
START: Final = "helseid://claims/client/"


def organisation(system: str, value: object, kind: str = "ENH") -> dict[str, Any]:
    return {
        "type": "helseid_authorization",
        "practitioner_role": {"organization": {"identifier": {"system": system, "type": kind, "value": value}}},
    }


@pytest.fixture(scope="module")
async def multi(
    helseid: HelseId, http: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HelseId]:
    """A stand-in whose vendor is a supplier that one municipality has delegated to."""
    async with serve(copy_of(helseid, tmp_path_factory.mktemp("multi"))) as part:
        delegation = {"parent": PARENT, "children": [CHILD], "rejectedScopes": ["nhn:vkp/api/user/patient.read"]}
        await call(
            http,
            part,
            "PATCH",
            f"clients/{VENDOR}",
            {"tenancy": "multi", "orgnrParent": SUPPLIER, "delegations": [delegation]},
        )
        yield part


async def claims_with(
    http: aiohttp.ClientSession, part: HelseId, details: Any, name: str = "assertion_details"
) -> dict[str, Any]:
    status, body = await ask(http, part, form(part, client_assertion=proof(part, **{name: details})))
    assert status == 200, body
    return claims_of(body["access_token"])


async def refusal(http: aiohttp.ClientSession, part: HelseId, **claims: Any) -> str:
    status, body = await ask(http, part, form(part, client_assertion=proof(part, **claims)))
    assert (status, body["error"]) == (400, "invalid_request")
    return str(body["error_description"]).partition(":")[0]


@pytest.mark.parametrize("name", ["assertion_details", "authorization_details"])
@pytest.mark.parametrize("system", [LIBRARY, SAMPLES])
@pytest.mark.parametrize("several", [True, False])
async def test_child_organisation_is_put_into_the_token(
    helseid: HelseId, http: aiohttp.ClientSession, name: str, system: str, several: bool
) -> None:
    details = organisation(system, CHILD)
    claims = await claims_with(http, helseid, [details] if several else details, name)
    assert claims[f"{START}claims/orgnr_child"] == CHILD
    assert claims[f"{START}client_tenancy"] == "single-tenant"


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize(
    ("value", "child"),
    [(f"NO:ORGNR:{PARENT}:", None), (f"NO:ORGNR:{PARENT}", None), (f"NO:ORGNR:{PARENT}:{CHILD}", CHILD)],
)
async def test_supplier_speaks_for_who_delegated_to_it(
    multi: HelseId, http: aiohttp.ClientSession, several: bool, value: str, child: str | None
) -> None:
    # .NET ends with a colon when there is no child, Java does not; one sends an object, the other may send a list.
    details = organisation(MULTI, value)
    claims = await claims_with(http, multi, [details] if several else details)
    assert claims[f"{START}claims/orgnr_parent"] == PARENT
    assert claims[f"{START}claims/orgnr_supplier"] == SUPPLIER
    assert claims[f"{START}client_tenancy"] == "multi-tenant"
    assert claims.get(f"{START}claims/orgnr_child") == child


async def test_scopes_that_the_organisation_has_not_accepted_are_rejected_by_name(
    multi: HelseId, http: aiohttp.ClientSession
) -> None:
    text = proof(multi, assertion_details=organisation(MULTI, f"NO:ORGNR:{PARENT}"))
    scope = "nhn:vkp/api/user/bundle.write nhn:vkp/api/user/patient.read"
    status, body = await ask(http, multi, form(multi, client_assertion=text, scope=scope))
    assert status == 200
    assert (body["scope"], body["rejected_scope"]) == tuple(scope.split())
    assert claims_of(body["access_token"])["scope"] == ["nhn:vkp/api/user/bundle.write"]
    again = proof(multi, assertion_details=organisation(MULTI, f"NO:ORGNR:{PARENT}"))
    only = form(multi, client_assertion=again, scope="nhn:vkp/api/user/patient.read")
    assert (await ask(http, multi, only))[1]["error"] == "invalid_scope"


async def test_supplier_that_names_nobody_speaks_for_nobody(multi: HelseId, http: aiohttp.ClientSession) -> None:
    _, body = await ask(http, multi, form(multi))
    assert "rejected_scope" not in body
    assert not [name for name in claims_of(body["access_token"]) if "orgnr" in name]


@pytest.mark.parametrize(
    ("details", "number"),
    [
        (organisation(MULTI, f"NO:ORGNR:{SUPPLIER}"), "HID-1001"),
        (organisation(MULTI, f"NO:ORGNR:{PARENT}:{OTHER_CHILD}"), "HID-1003"),
        (organisation(MULTI, "NO:ORGNR:99997777:"), "HID-1004"),
        (organisation(MULTI, "NO:ORGNR::"), "HID-1004"),
        (organisation(MULTI, f"NO:ORGNR:{PARENT}:1"), "HID-1004"),
        (organisation(MULTI, f"NO:ORGNR:{PARENT}:{CHILD}:"), "HID-1007"),
        (organisation(MULTI, PARENT), "HID-1007"),
        (organisation(LIBRARY, CHILD), "HID-1010"),
    ],
)
async def test_supplier_may_not_speak_for_others(
    multi: HelseId, http: aiohttp.ClientSession, details: Any, number: str
) -> None:
    assert await refusal(http, multi, assertion_details=details) == number


@pytest.mark.parametrize(
    ("details", "number"),
    [
        (organisation(LIBRARY, "99997777"), "HID-1004"),
        (organisation(LIBRARY, f"{CHILD} "), "HID-1004"),
        (organisation(LIBRARY, 999977776), "HID-1007"),
        (organisation("urn:oid:1", CHILD), "HID-1007"),
        (organisation(LIBRARY, CHILD, "X"), "HID-1007"),
        (organisation(MULTI, f"NO:ORGNR:{PARENT}:"), "HID-1010"),
        ([organisation(LIBRARY, CHILD)] * 2, "HID-1007"),
        ([JOURNAL, JOURNAL], "HID-1007"),
        ({"type": "nhn:sfm:journal-id", "value": {"journal_id": "7"}}, "HID-1007"),
        ({"type": "helseid_authorization"}, "HID-1007"),
        ("text", "HID-1007"),
        ([7], "HID-1007"),
    ],
)
async def test_wrong_organisation_details_are_refused_with_helseids_number(
    helseid: HelseId, http: aiohttp.ClientSession, details: Any, number: str
) -> None:
    assert await refusal(http, helseid, assertion_details=details) == number


async def test_both_kinds_of_details_together_are_refused(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    details = organisation(LIBRARY, CHILD)
    assert await refusal(http, helseid, assertion_details=details, authorization_details=details) == "HID-1007"


async def test_registration_decides_which_organisations_a_client_may_name(
    fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    async with fresh() as part:
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"orgnrParent": PARENT, "orgnrChildren": [CHILD]})
        claims = await claims_with(http, part, organisation(LIBRARY, CHILD))
        assert claims[f"{START}claims/orgnr_parent"] == PARENT
        assert await refusal(http, part, assertion_details=organisation(LIBRARY, OTHER_CHILD)) == "HID-1002"
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"tenancy": "none"})
        assert await refusal(http, part, assertion_details=organisation(LIBRARY, CHILD)) == "HID-1006"
        assert await refusal(http, part, assertion_details=organisation(MULTI, f"NO:ORGNR:{PARENT}")) == "HID-1005"
        _, body = await ask(http, part, form(part))
        claims = claims_of(body["access_token"])
        assert claims[f"{START}client_tenancy"] == "none"
        assert not [name for name in claims if "orgnr" in name]


async def test_api_gets_the_claims_that_it_is_registered_for_and_no_other(
    fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    async with fresh() as part:
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"orgnrParent": PARENT, "claims": {"herid": "12345"}})
        asked = [f"{START}claims/client_tenancy", "herid", "nhn:sfm:journal-id"]
        await call(http, part, "POST", "apis", {"audience": "nhn:vkp", "claims": asked})
        claims = await claims_with(http, part, [JOURNAL, organisation(LIBRARY, CHILD)])
        assert claims[f"{START}claims/client_tenancy"] == "single-tenant"
        assert claims["herid"] == "12345"
        assert claims["nhn:sfm:journal-id"] == JOURNAL["value"]["journal_id"]
        named = {"herid", f"{START}claims/client_tenancy", "nhn:sfm:journal-id"}
        always = {"iss", "aud", "nbf", "iat", "exp", "jti", "scope", "client_id", "client_amr"}
        assert set(claims) == {*named, *always, f"{START}amr"}


async def test_resource_chooses_one_of_the_apis(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        await call(http, part, "POST", "apis", {"audience": "nhn:jft", "claims": []})
        scopes = ["nhn:vkp/api/user/bundle.write", "nhn:jft/api"]
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"scopes": scopes})
        both = claims_of((await ask(http, part, form(part)))[1]["access_token"])
        assert (both["aud"], both["scope"]) == (["nhn:vkp", "nhn:jft"], scopes)
        one = claims_of((await ask(http, part, form(part, resource="nhn:jft")))[1]["access_token"])
        assert (one["aud"], one["scope"]) == ("nhn:jft", ["nhn:jft/api"])
        assert "nhn:vkp/client/claims/vkp-id" not in one
        asked = form(part, resource="nhn:jft", scope="nhn:vkp/api/user/bundle.write")
        assert (await ask(http, part, asked))[1]["error"] == "invalid_target"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip
"""The public key of RFC 7515, appendix A.3."""


@given(
    details=JSON | st.builds(organisation, st.sampled_from([LIBRARY, MULTI]), st.from_regex(r"(NO:ORGNR:)?[0-9:]*")),
    tenancy=st.sampled_from(["none", "single", "multi"]),
)
def test_whatever_is_sent_gives_nobody_an_organisation_that_is_not_theirs(details: Any, tenancy: Any) -> None:
    client = Client(
        client_id="c",
        jwks=Jwks(keys=(KEY,)),
        tenancy=tenancy,
        orgnr_parent=SUPPLIER,
        orgnr_children=(CHILD,),
        delegations=(Delegation(parent=PARENT, children=(CHILD,)),),
    )
    try:
        found = organisations({"assertion_details": details}, client)
    except OAuthError:
        return
    assert found.parent in {"none": (None,), "single": (SUPPLIER,), "multi": (None, PARENT)}[tenancy]
    assert found.child in (None, CHILD)
