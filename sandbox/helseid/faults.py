"""Every fault by its name: what HelseID's test-token service can make wrong, and what it cannot (helseid.md 10).

A fault is an order to the mint with that one thing wrong and all else right. `error` is what an API should answer with
(domain/helseid.md section 6): the OAuth error in its challenge.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sandbox.helseid.orders import MintOrder

Error = Literal["invalid_token", "invalid_dpop_proof", "invalid_request"]


class UnknownFault(ValueError):
    """No fault has this name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a token, its proof, or how they are sent."""

    name: str
    what: str
    order: dict[str, Any] = field(repr=False)
    error: Error = "invalid_token"


def _of_token(name: str, what: str, **order: Any) -> Fault:
    return Fault(name, what, order)


def _of_proof(name: str, what: str, **proof: Any) -> Fault:
    return Fault(name, what, {"dpop": True, "proof": proof}, "invalid_dpop_proof")


def _of_sending(name: str, what: str, error: Error, **send: Any) -> Fault:
    return Fault(name, what, {"dpop": True, "send": send}, error)


_CHILD: Final = "helseid://claims/client/claims/orgnr_child"

FAULTS: Final = (
    _of_token("alg_none", "not signed at all", alg="none"),
    _of_token("alg_hs256", "signed with a shared secret", alg="HS256"),
    _of_token("alg_hs256_public_key", "the published key used as a shared secret", alg="HS256", publicKeyAsSecret=True),
    _of_token("wrong_signing_key", "another key under the published id", wrongKey=True),
    _of_token("broken_signature", "one bit of the signature turned", brokenSignature=True),
    _of_token("unknown_kid", "a key id that is not published", kid="00" * 20),
    _of_token("kid_path", "a key id that looks like a file's", kid="../../../../dev/null"),
    _of_token("without_kid", "no key id", withoutKid=True),
    _of_token("crit", "a critical header that nobody understands", header={"crit": ["x"], "x": 1}),
    _of_token("typ_of_a_proof", "the type of a DPoP proof", typ="dpop+jwt"),
    _of_token("typ_of_an_assertion", "the type of a client assertion", typ="client-authentication+jwt"),
    _of_token("typ_of_a_logout_token", "the type of a logout token", typ="logout+jwt"),
    _of_token("without_typ", "a type that is null", header={"typ": None}),
    _of_token("wrong_issuer", "another issuer", issuer="https://helseid.example"),
    _of_token("without_iss", "no issuer", without=["iss"]),
    _of_token("wrong_audience", "for another API", audience="nhn:jft"),
    _of_token("audience_in_upper_case", "the audience in other letters", audience="NHN:VKP"),
    _of_token("two_audiences", "for this API and another", audience=["nhn:vkp", "nhn:jft"]),
    _of_token("without_aud", "no audience", without=["aud"]),
    _of_token("id_token", "an id token: for the client, no scope", typ="JWT", audience="trygghetsvakt",
              without=["scope", "client_id", "client_amr"]),
    _of_token("expired", "expired an hour ago", expired=True),
    _of_token("not_yet_valid", "valid in an hour", notYetValid=True),
    _of_token("without_exp", "never expires", without=["exp"]),
    _of_token("without_nbf", "no nbf", without=["nbf"]),
    _of_token("without_iat", "no iat", without=["iat"]),
    _of_token("issued_in_the_future", "issued far in the future", claims={"iat": 4_000_000_000}),
    _of_token("exp_is_true", "exp is a boolean", claims={"exp": True}),
    _of_token("exp_is_text", "exp is a string", claims={"exp": "4000000000"}),
    _of_token("exp_is_huge", "exp is more than a number holds", claims={"exp": 10**400}),
    _of_token("without_client_id", "no client_id", without=["client_id"]),
    _of_token("without_client_amr", "no client_amr", without=["client_amr"]),
    _of_token("client_secret", "the client proved itself with a secret", clientAmr="client_secret"),
    _of_token("without_vkp_id", "no vkp-id", withoutVkpId=True),
    _of_token("orgnr_with_eight_digits", "an organisation number that is none", claims={_CHILD: "99997777"}),
    _of_token("duplicate_key", "aud twice in the claims", duplicateKey=True),
    _of_token("oversized", "more than any header holds", paddingBytes=40_000),
    _of_token("bound_to_nobody", "bound to a key that nobody has, sent as Bearer", dpopBound=True),
    _of_token("cnf_is_a_list", "cnf is an array", claims={"cnf": [{"jkt": "A" * 43}]}),
    _of_token("cnf_is_empty", "cnf without jkt", claims={"cnf": {}}),
    _of_token("jkt_is_a_number", "cnf.jkt is no string", claims={"cnf": {"jkt": 7}}),
    Fault("jkt_mismatch", "bound to another key than the proof's", {"dpop": True, "jkt": "A" * 43}),
    Fault("proof_wrong_key", "the proof is made with another key", {"dpop": True, "proof": {"wrongKey": True}}),
    Fault("dpop_cnf_is_a_list", "as cnf_is_a_list, with a proof", {"dpop": True, "claims": {"cnf": ["A" * 43]}}),
    Fault("dpop_without_cnf", "an unbound token sent with a proof", {"dpop": True, "without": ["cnf"]}),
    _of_proof("proof_without_htm", "no method", without=["htm"]),
    _of_proof("proof_without_htu", "no address", without=["htu"]),
    _of_proof("proof_without_iat", "no time", without=["iat"]),
    _of_proof("proof_without_jti", "no id", without=["jti"]),
    _of_proof("proof_without_ath", "not for a token", withoutAth=True),
    _of_proof("proof_wrong_ath", "for another token", wrongAth=True),
    _of_proof("proof_wrong_method", "for another method", claims={"htm": "DELETE"}),
    _of_proof("proof_method_in_lower_case", "the method in other letters", claims={"htm": "post"}),
    _of_proof("proof_wrong_url", "for another address", htu="https://somebody.example/"),
    _of_proof("proof_other_port", "for another port", htuOtherPort=True),
    _of_proof("proof_of_the_past", "an hour old", issuedAgoSeconds=3600),
    _of_proof("proof_of_the_future", "from the next hour", issuedAgoSeconds=-3600),
    _of_proof("proof_iat_is_true", "iat is a boolean", claims={"iat": True}),
    _of_proof("proof_iat_is_text", "iat is a string", claims={"iat": "4000000000"}),
    _of_proof("proof_jti_is_a_number", "jti is no string", claims={"jti": 7}),
    _of_proof("proof_jti_is_huge", "jti of a size to fill a store", jti="x" * 5000),
    _of_proof("proof_wrong_typ", "the type of any JWT", typ="JWT"),
    _of_proof("proof_without_alg", "no algorithm", withoutAlg=True),
    _of_proof("proof_unsigned", "not signed at all", unsigned=True),
    _of_proof("proof_symmetric", "signed with a shared secret", symmetric=True),
    _of_proof("proof_without_jwk", "no key", withoutJwk=True),
    _of_proof("proof_private_key_in_jwk", "the private key given away", privateKeyInJwk=True),
    _of_proof("proof_broken_signature", "one bit of the signature turned", brokenSignature=True),
    _of_proof("proof_crit", "a critical header that nobody understands", header={"crit": ["x"], "x": 1}),
    _of_proof("access_token_as_proof", "the token itself as its proof", accessTokenAsProof=True),
    _of_sending("two_proofs", "two DPoP headers", "invalid_dpop_proof", twoProofs=True),
    _of_sending("two_proofs_in_one_line", "two proofs, a comma between", "invalid_dpop_proof", twoProofs=True,
                comma=True),
    _of_sending("two_tokens", "two Authorization headers", "invalid_request", twoTokens=True),
    _of_sending("two_tokens_in_one_line", "two tokens, a comma between", "invalid_request", twoTokens=True,
                comma=True),
    _of_sending("bound_token_as_bearer", "a bound token as Bearer", "invalid_token", scheme="Bearer"),
    _of_sending("bound_token_as_bearer_without_proof", "the same, no proof", "invalid_token", scheme="Bearer",
                withoutProof=True),
    _of_sending("without_proof", "a bound token as DPoP, no proof", "invalid_dpop_proof", withoutProof=True),
)  # fmt: skip

NO_FAULTS: Final = (
    Fault("scope_as_text", "the scope as a string, as RFC 9068 has it", {"scope": "nhn:vkp/api/user/bundle.write"}),
    Fault("typ_jwt", "the type JWT, which HelseID may use", {"typ": "JWT"}),
    Fault("foreign_keys_in_header", "jku, x5u and jwk in the token's header: to be ignored",
          {"header": {"jku": "https://somebody.example/jwks", "x5u": "https://somebody.example/x5u",
                      "jwk": {"kty": "oct", "k": "AAAA"}}}),
    Fault("dpop", "a bound token and its proof", {"dpop": True}),
    Fault("htu_with_query", "htu with a query: to be ignored in the comparison",
          {"dpop": True, "proof": {"htuWithQuery": True}}),
    Fault("htu_in_upper_case", "scheme and host in other letters: the same address",
          {"dpop": True, "proof": {"htuUpperCaseHost": True}}),
    Fault("scheme_in_lower_case", "dpop for DPoP: schemes have no case", {"dpop": True, "send": {"scheme": "dpop"}}),
    Fault("empty_nonce", "an empty nonce, as the portal's examples have", {"dpop": True, "proof": {"nonce": ""}}),
)  # fmt: skip
"""Unusual, and to be let in. In the same form, for the same use; `error` says nothing here."""

_BY_NAME: Final = {fault.name: fault for fault in (*FAULTS, *NO_FAULTS)}


def applied(order: MintOrder) -> MintOrder:
    """The order with its named fault in it. Raises UnknownFault."""
    if order.fault is None:
        return order
    fault = _BY_NAME.get(order.fault)
    if fault is None:
        raise UnknownFault(f"no fault is called that; there are {', '.join(_BY_NAME)}")
    said = order.model_dump(by_alias=True, exclude_unset=True, exclude={"fault"})
    return MintOrder.model_validate(_merged(fault.order, said))


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both; where they disagree, `above`."""
    merged = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], dict) and isinstance(above[name], dict):
            merged[name] = _merged(below[name], above[name])
    return merged
