"""The refusals of a token or a proof that are only told apart here.

They are kinds of those in `shared.errors`; the first line of each is the text the caller reads, the second paragraph
what to do about it. None carries any part of a token or a proof.
"""

from shared.errors import HubError, NotAuthenticated, TokenMalformed, TokenSignature


class CredentialsDoubtful(HubError):
    """The call says more than one thing about who is calling.

    Send exactly one header Authorization, with one scheme and one token, and nothing of it in the address.
    """

    code = "SEND_CREDENTIALS_DOUBTFUL"
    status = 400
    issue_type = "login"
    vkp_code = "1.5"
    expression = "http.authorization"


class UnknownKey(TokenSignature):
    """The access token is signed with a key that its issuer does not publish.

    Fetch a new token from the HelseID environment (or Entra ID tenant) that belongs to this hub.
    """


class KeyRevoked(TokenSignature):
    """The access token is signed with a key that this hub does not trust any longer.

    Fetch a new token; if it is refused too, the hub's operators know more.
    """

    code = "SEND_TOKEN_KEY_REVOKED"


class TokenBound(TokenMalformed):
    """The access token is bound to a key (DPoP) and may not be sent as Bearer.

    Send it in the header Authorization: DPoP with a proof in the header DPoP, or ask HelseID for a token without DPoP.
    """

    code = "SEND_TOKEN_BOUND"


class TokenUnbound(TokenMalformed):
    """The access token is sent as DPoP but is not bound to a key.

    Ask HelseID for a token with a DPoP proof, or send this one as Bearer where this system may.
    """

    code = "SEND_TOKEN_UNBOUND"


class ProofRequired(NotAuthenticated):
    """This system must prove with DPoP that the access token is its own.

    Fetch a token with a DPoP proof from HelseID and send it in the header Authorization: DPoP with a proof of its own.
    """

    code = "SEND_DPOP_REQUIRED"


class DpopNotTaken(NotAuthenticated):
    """This system's access tokens are not taken with DPoP here.

    Send a token without DPoP in the header Authorization: Bearer, or ask the hub's operators to switch DPoP on.
    """

    code = "SEND_DPOP_OFF"


class WrongProofKey(TokenMalformed):
    """Invalid DPoP key binding: the proof is made with another key than the one the token is bound to.

    Make the proof with the key that HelseID bound the token to.
    """

    code = "SEND_PROOF_KEY"


class ProofRefused(NotAuthenticated):
    """The DPoP proof is not one that this API accepts.

    Make a new proof for every call (RFC 9449, section 4).
    """

    code = "SEND_PROOF_REFUSED"
    expression = "http.dpop"


class ProofMissing(ProofRefused):
    """The call has no DPoP proof.

    Send the proof in the header DPoP.
    """

    code = "SEND_PROOF_MISSING"


class ProofMalformed(ProofRefused):
    """The DPoP proof is not one signed JWT of type dpop+jwt with its public key in it.

    Send exactly one header DPoP: typ dpop+jwt, one of HelseID's nine algorithms, jwk with the public key only, and the
    claims jti, htm, htu, iat and ath.
    """

    code = "SEND_PROOF_MALFORMED"


class ProofMismatch(ProofRefused):
    """The DPoP proof is for another call: another method, address or token.

    Make a new proof with this call's method (htm), address as the hub is known outside (htu) and token (ath).
    """

    code = "SEND_PROOF_MISMATCH"


class ProofExpired(ProofRefused):
    """The DPoP proof is too old or from the future.

    Make a new proof for every attempt, and check that this machine's clock is right.
    """

    code = "SEND_PROOF_EXPIRED"
    issue_type = "expired"


class ProofReplayed(ProofRefused):
    """The DPoP proof has been used before.

    Make a new proof, with a jti of its own, for every attempt.
    """

    code = "SEND_PROOF_REPLAYED"
