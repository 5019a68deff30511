"""Every refusal the hub can give, as a type: a stable code, whose fault it is, the answer's status, what to do.

Codes begin with `SEND_` (the sender must change something), `HUB_` (the hub's own trouble: try again) or `REC_` (the
receiver). The first line of a type's docstring is the text the caller reads, the second paragraph what to do about it.
VKP's own code list (`vkp-operation-outcome-v090`, domain/vkp-api.md 2.4) and FHIR's issue types give the rest.
"""

import inspect
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a message. Carries no value from the message: only where it is and what rule it met."""

    rule: str
    """A stable name, for instance `repair-empty-string` or `json-duplicate-key`."""
    text: str
    """What is wrong and what to do, in one sentence."""
    expression: str
    """FHIRPath to the place, as the sender wrote the message."""
    severity: str = "error"
    """`error` (refused for it), `warning` (accepted, mend it) or `information`."""
    issue_type: str = "invalid"
    """FHIR's IssueType code (http://hl7.org/fhir/issue-type)."""
    vkp_code: str = "2"
    """Code of VKP's vkp-operation-outcome-v090."""
    mend: str = ""
    """How to mend it, in a sentence or two."""
    path: tuple[str | int, ...] = field(default=(), repr=False, compare=False)
    """Member names and indices to the place, as sent: for finding its line, never for showing, since names are the
    sender's text too."""


class HubError(Exception):
    """Something stopped a call.

    See the code.
    """

    code: ClassVar[str] = "HUB_ERROR"
    status: ClassVar[int] = 500
    issue_type: ClassVar[str] = "exception"
    vkp_code: ClassVar[str] = "3"
    expression: ClassVar[str | None] = None

    def __init__(self, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(self.text())
        self.findings = findings

    @classmethod
    def text(cls) -> str:
        """What is wrong, for people: the first line of the docstring."""
        return inspect.getdoc(cls).split("\n\n", 1)[0].replace("\n", " ")  # type: ignore[union-attr]

    @classmethod
    def advice(cls) -> str:
        """What to do: the second paragraph of the docstring."""
        _, _, rest = (inspect.getdoc(cls) or "").partition("\n\n")
        return rest.replace("\n", " ").strip()


class NotAuthenticated(HubError):
    """The call carries no access token.

    Send a HelseID access token for this API in the header Authorization: as Bearer, or as DPoP with a proof beside it.
    """

    code = "SEND_TOKEN_MISSING"
    status = 401
    issue_type = "login"
    vkp_code = "1.5"
    expression = "http.authorization"


class TokenMalformed(NotAuthenticated):
    """The access token is not a signed token that this API accepts.

    Send it as it was issued, as Bearer or DPoP: signed with RS256, PS256 or ES256 (people's of Entra ID: RS256), type
    at+jwt or JWT, with a key id.
    """

    code = "SEND_TOKEN_MALFORMED"


class TokenSignature(NotAuthenticated):
    """The access token's signature does not match the issuer's published keys.

    Fetch a new token from the HelseID environment that belongs to this hub.
    """

    code = "SEND_TOKEN_SIGNATURE"


class TokenIssuer(NotAuthenticated):
    """The access token was issued by somebody else than this hub's HelseID environment.

    Fetch the token from the issuer named in this hub's CapabilityStatement.
    """

    code = "SEND_TOKEN_ISSUER"


class TokenAudience(NotAuthenticated):
    """The access token is meant for another API.

    Ask HelseID for a token with this API's scopes only.
    """

    code = "SEND_TOKEN_AUDIENCE"


class TokenExpired(NotAuthenticated):
    """The access token has expired or is not valid yet.

    Fetch a new token, and check that this machine's clock is right.
    """

    code = "SEND_TOKEN_EXPIRED"
    issue_type = "expired"


class TokenClaims(NotAuthenticated):
    """The access token lacks a claim that this API requires.

    The client must authenticate with private_key_jwt and be registered with a vkp-id.
    """

    code = "SEND_TOKEN_CLAIMS"


class ScopeMissing(HubError):
    """The access token does not have the scope for this resource.

    Ask HelseID for the scope nhn:vkp/api/user/{resource}.write (or .* for both).
    """

    code = "SEND_SCOPE_MISSING"
    status = 403
    issue_type = "forbidden"
    vkp_code = "1.2"
    expression = "http.authorization"


class NotGranted(HubError):
    """This system may not send this kind of message to this municipality.

    Ask the municipality to grant access to this vkp-id.
    """

    code = "SEND_NOT_GRANTED"
    status = 403
    issue_type = "forbidden"
    vkp_code = "1.4"


class UnknownMunicipality(HubError):
    """No municipality with this organisation number receives messages here.

    Check the nine digits in the address against Enhetsregisteret.
    """

    code = "SEND_ORGNR_UNKNOWN"
    status = 404
    issue_type = "not-found"
    vkp_code = "2.2"


class UnknownAddress(HubError):
    """There is nothing at this address.

    See GET /openapi.json for the addresses and methods of this API.
    """

    code = "SEND_ADDRESS_UNKNOWN"
    status = 404
    issue_type = "not-found"
    vkp_code = "2"


class WrongMethod(UnknownAddress):
    """This address does not take this method.

    The header Allow names those it takes.
    """

    code = "SEND_METHOD"
    issue_type = "not-supported"


class UnknownMessage(HubError):
    """No message with this id is known here, or it belongs to somebody else.

    Use the address from the Location header of the answer to the POST.
    """

    code = "SEND_MESSAGE_UNKNOWN"
    status = 404
    issue_type = "not-found"
    vkp_code = "2"


class MessageBusy(HubError):
    """The message is being handed over, or routed, at this moment.

    Ask again in a minute; what is being handed over cannot be taken back.
    """

    code = "SEND_MESSAGE_BUSY"
    status = 409
    issue_type = "lock-error"
    vkp_code = "2"


class MessageElsewhere(HubError):
    """The message is not where this could be done to it.

    See its state: what has been delivered or has expired cannot be withdrawn, and only what was withdrawn restored.
    """

    code = "SEND_MESSAGE_STATE"
    status = 409
    issue_type = "conflict"
    vkp_code = "2"


class PayloadGone(HubError):
    """The bytes of this message have been deleted, as its municipality's retention has it.

    Ask its sender to post it again.
    """

    code = "SEND_PAYLOAD_GONE"
    status = 410
    issue_type = "deleted"
    vkp_code = "2"


class UnknownOperation(HubError):
    """There is nothing of this kind here, or it is not yours to see.

    Check the id and the municipality's organisation number.
    """

    code = "SEND_OPERATION_UNKNOWN"
    status = 404
    issue_type = "not-found"
    vkp_code = "2"


class OrderInvalid(HubError):
    """This cannot be done as it was asked for.

    Mend each finding and send it again.
    """

    code = "SEND_ORDER_INVALID"
    status = 422
    issue_type = "business-rule"
    vkp_code = "2"


class OrderNotJson(HubError):
    """The order is not JSON that can be read without doubt.

    Send one JSON object of at most 64 KiB, each name once.
    """

    code = "SEND_ORDER_NOT_JSON"
    status = 400
    issue_type = "structure"
    vkp_code = "2.4"


class WrongContentType(HubError):
    """The content type is not one this API takes.

    Send FHIR R4 JSON as application/fhir+json (application/json and text/plain are taken too).
    """

    code = "SEND_CONTENT_TYPE"
    status = 400
    issue_type = "not-supported"
    vkp_code = "2.4"
    expression = "http.content-type"


class EmptyBody(HubError):
    """The call has no body.

    Send one FHIR R4 resource as JSON, with its length in Content-Length.
    """

    code = "SEND_BODY_EMPTY"
    status = 400
    issue_type = "required"
    vkp_code = "2.4"


class TooLarge(HubError):
    """The message is larger than 1 MiB.

    Send smaller messages: one event each.
    """

    code = "SEND_BODY_TOO_LARGE"
    status = 413
    issue_type = "too-long"
    vkp_code = "2.4"


class NotJson(HubError):
    """The body is not JSON that can be read without doubt.

    Send UTF-8 JSON with unique member names and finite numbers, nested no deeper than 100.
    """

    code = "SEND_NOT_JSON"
    status = 400
    issue_type = "structure"
    vkp_code = "2.4"


class NotFhir(HubError):
    """The message is not FHIR R4 of the kind this address takes.

    Mend each finding and send the message again.
    """

    code = "SEND_NOT_FHIR"
    status = 422
    issue_type = "structure"
    vkp_code = "2"


class BrokenProfile(HubError):
    """The message breaks a rule of the VKP profile for its kind.

    Mend each finding and send the message again.
    """

    code = "SEND_PROFILE"
    status = 422
    issue_type = "business-rule"
    vkp_code = "2"


class WrongIdentifier(HubError):
    """The message holds an identifier that cannot be right, or not in this environment.

    Check each number that the findings point at, and send the message again.
    """

    code = "SEND_IDENTIFIER"
    status = 422
    issue_type = "business-rule"
    vkp_code = "2.1"


class BrokenEnvelope(HubError):
    """The message breaks a rule about how its parts belong together.

    Mend each finding and send the message again.
    """

    code = "SEND_ENVELOPE"
    status = 422
    issue_type = "business-rule"
    vkp_code = "2"


class TooManyCalls(HubError):
    """This system makes more calls than it may.

    Wait as long as Retry-After says, and spread the calls; the limit is per system and municipality.
    """

    code = "SEND_TOO_MANY"
    status = 429
    issue_type = "throttled"
    vkp_code = "3"

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class NotAvailable(HubError):
    """The hub cannot promise to keep this message just now; nothing was promised.

    Send the same message again after the time in Retry-After.
    """

    code = "HUB_NOT_AVAILABLE"
    status = 503
    issue_type = "transient"
    vkp_code = "3"


class Unexpected(HubError):
    """Something in the hub went wrong that nobody foresaw.

    Send the same message again; if it happens again, tell the hub's operators the id in Correlation-Id.
    """

    code = "HUB_UNEXPECTED"
    status = 500
    issue_type = "exception"
    vkp_code = "3"
