"""What becomes of a message that a vendor posts: taken, or refused with what is wrong. Behind the doors of `ingest`."""

from dataclasses import replace

import azure.functions as func

from functions import http
from functions.wiring import hub
from shared.access.caller import Caller
from shared.errors import HubError, NotAvailable, TooManyCalls, Unexpected
from shared.fhir import outcome
from shared.fhir.r4 import checker
from shared.fhir.version import rules_version
from shared.fhir.vkp import profiles
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.road import messaging
from shared.road.accepting import RESOURCES, Accepted, Post
from shared.tracing import Stage, Traced, traced
from shared.trail import facts
from shared.trail.refusals import Refusal

# Else the first vendor to call would wait for FHIR's types to be compiled.
rules_version()
checker.preload()
profiles.preload()


async def take(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept the message, or say why not."""
    post = _post(req, context, req.route_params.get("resource", ""))
    taken = await _answer(post)
    if isinstance(taken, HubError):
        return _refused(taken, post)
    body = outcome.to_bytes(outcome.accepted_outcome(taken.event_id, taken.warnings))
    return http.fhir(202, body, post.correlation_id, _accepted(taken, post))


async def process(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """FHIR messaging: the same, answered with a message in return."""
    post = _post(req, context, "bundle", messaging=True)
    taken = await _answer(post)
    base = (hub().settings.public_url or "").rstrip("/")
    endpoint = f"{base}/epj/r4/{post.orgnr}/$process-message"
    if isinstance(taken, HubError):
        answer = await messaging.answer(post.body, taken, outcome.operation_outcome(taken), endpoint, hub().clock())
        return _refused(taken, post, answer)
    accepted = outcome.accepted_outcome(taken.event_id, taken.warnings)
    answer = await messaging.answer(post.body, None, accepted, endpoint, hub().clock())
    return http.fhir(202, answer, post.correlation_id, _accepted(taken, post))


def _post(req: func.HttpRequest, context: func.Context, resource: str, *, messaging: bool = False) -> Post:
    return Post(
        orgnr=req.route_params.get("orgnr", ""),
        resource=resource,
        credentials=http.credentials(req),
        content_type=req.headers.get("content-type", ""),
        body=req.get_body(),
        correlation_id=http.correlation_id(req),
        traceparent=http.traceparent(context),
        prefer=req.headers.get("prefer", ""),
        messaging=messaging,
    )


async def _answer(post: Post) -> Accepted | HubError:
    with traced(Stage.ACCEPT, post.traceparent, {"correlation_id": post.correlation_id}) as span:
        taken = await _answered(replace(post, traceparent=span.traceparent))
        _told(span, taken)
        return taken


def _told(span: Traced, taken: Accepted | HubError) -> None:
    match taken:
        case Accepted():
            span.tell({"event_id": taken.event_id, "outcome": "again" if taken.again else "accepted"})
        case HubError() if taken.status >= 500:
            span.failed(taken.code)
        case HubError():
            # The caller's mistake: no failure of the hub, so it is not kept above all others.
            span.tell({"outcome": "refused", "code": taken.code, "status": taken.status})


async def _answered(post: Post) -> Accepted | HubError:
    caller: Caller | None = None
    try:
        caller = await hub().acceptance.caller(post)
        return await hub().acceptance.accept(post, caller)
    except HubError as error:
        hub().watch.measuring.refused(error.code)
        await _note(error, post, caller)
        return error
    except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
        log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=post.correlation_id)
        return Unexpected()


def _refused(error: HubError, post: Post, body: bytes | None = None) -> func.HttpResponse:
    return http.refused(error, post.correlation_id, _applied(post), body, asked=post.credentials)


def _accepted(accepted: Accepted, post: Post) -> dict[str, str]:
    path = f"/epj/r4/{post.orgnr}/{post.resource.lower()}/{accepted.event_id}/$status"
    base = (hub().settings.public_url or "").rstrip("/")
    return {"Location": f"{base}{path}", **_applied(post)}


async def _note(error: HubError, post: Post, caller: Caller | None) -> None:
    if isinstance(error, NotAvailable):
        log(LogEvent.NOT_AVAILABLE, code=error.code, correlation_id=post.correlation_id)
        return
    if isinstance(error, TooManyCalls) or (caller is None and not hub().strangers.keep()):
        return  # Counted, not written down: a flood must cost neither a document nor a line a call.
    log(LogEvent.REFUSED, code=error.code, status=error.status, correlation_id=post.correlation_id,
        vkp_id=caller.vkp_id if caller else None)  # fmt: skip
    refusal = Refusal(
        at=hub().clock(),
        code=error.code,
        status=error.status,
        rules=tuple(sorted({finding.rule for finding in error.findings if finding.severity == "error"})),
        orgnr=post.orgnr,
        resource=post.resource.lower() if post.resource.lower() in RESOURCES else "",
        correlation_id=post.correlation_id,
        vkp_id=caller.vkp_id if caller else None,
        body=post.body if caller and post.body else None,
        facts=facts.of_acceptance(caller.token_id, caller.client_id, rules_version()) if caller else {},
    )
    try:
        await hub().refusals.keep(refusal)
    except Unreachable:
        # The caller's mistake stays the caller's mistake, whatever our store does.
        log(LogEvent.NOT_AVAILABLE, code="HUB_TRAIL_UNREACHABLE", correlation_id=post.correlation_id)


def _applied(post: Post) -> dict[str, str]:
    """RFC 7240, 3: says that the message was checked as strictly as was asked."""
    return {"Preference-Applied": "handling=strict"} if post.strict else {}
