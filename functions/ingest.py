"""`POST /epj/r4/{orgnr}/{resource}`: a vendor's message comes in."""

import azure.functions as func

from functions import http
from functions.wiring import hub
from shared.access.caller import Caller
from shared.errors import HubError, NotAvailable, Unexpected
from shared.fhir import outcome, resources
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.road.accepting import Accepted, Post
from shared.trail.refusals import Refusal

door = func.Blueprint()

# Else the first vendor to call would wait for FHIR's types to be loaded.
resources.preload()


@door.function_name("ingest")
@door.route("epj/r4/{orgnr}/{resource}", methods=["POST"])
async def ingest(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept the message, or say why not."""
    post = Post(
        orgnr=req.route_params.get("orgnr", ""),
        resource=req.route_params.get("resource", ""),
        authorization=req.headers.get("authorization"),
        content_type=req.headers.get("content-type", ""),
        body=req.get_body(),
        correlation_id=http.correlation_id(req),
        traceparent=http.traceparent(context),
        prefer=req.headers.get("prefer", ""),
    )
    caller: Caller | None = None
    try:
        caller = await hub().acceptance.caller(post)
        accepted = await hub().acceptance.accept(post, caller)
    except HubError as error:
        return await _refused(error, post, caller)
    except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
        log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=post.correlation_id)
        return http.refused(Unexpected(), post.correlation_id)
    return _accepted(accepted, post)


def _accepted(accepted: Accepted, post: Post) -> func.HttpResponse:
    path = f"/epj/r4/{post.orgnr}/{post.resource.lower()}/{accepted.event_id}/$status"
    base = (hub().settings.public_url or "").rstrip("/")
    body = outcome.to_bytes(outcome.accepted_outcome(accepted.event_id, accepted.warnings))
    return http.fhir(202, body, post.correlation_id, {"Location": f"{base}{path}", **_applied(post)})


async def _refused(error: HubError, post: Post, caller: Caller | None) -> func.HttpResponse:
    if isinstance(error, NotAvailable):
        log(LogEvent.NOT_AVAILABLE, code=error.code, correlation_id=post.correlation_id)
        return http.refused(error, post.correlation_id)
    log(LogEvent.REFUSED, code=error.code, status=error.status, correlation_id=post.correlation_id,
        vkp_id=caller.vkp_id if caller else None)  # fmt: skip
    refusal = Refusal(
        at=hub().clock(),
        code=error.code,
        status=error.status,
        rules=tuple(sorted({finding.rule for finding in error.findings if finding.severity == "error"})),
        orgnr=post.orgnr,
        resource=post.resource.lower() if post.resource.isascii() and post.resource.isalpha() else "",
        correlation_id=post.correlation_id,
        vkp_id=caller.vkp_id if caller else None,
        body=post.body if caller and post.body else None,
    )
    try:
        await hub().refusals.keep(refusal)
    except Unreachable:
        # The caller's mistake stays the caller's mistake, whatever our store does.
        log(LogEvent.NOT_AVAILABLE, code="HUB_TRAIL_UNREACHABLE", correlation_id=post.correlation_id)
    return http.refused(error, post.correlation_id, _applied(post))


def _applied(post: Post) -> dict[str, str]:
    """RFC 7240, 3: says that the message was checked as strictly as was asked."""
    return {"Preference-Applied": "handling=strict"} if post.strict else {}
