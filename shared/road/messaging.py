"""The answer to a message that came by FHIR messaging: a message in return where one can be made, else the outcome."""

import asyncio
import json
import uuid
from datetime import datetime
from typing import Final

from shared.errors import HubError
from shared.fhir import outcome as outcomes
from shared.fhir.outcome import Outcome
from shared.fhir.reading import judge
from shared.fhir.responding import Request, code_of, request_of, response_bundle

_NAME: Final = "Knutepunkt"


async def answer(body: bytes, error: HubError | None, outcome: Outcome, endpoint: str, at: datetime) -> bytes:
    """The body of the answer to the message `body`, which met `error` or was accepted.

    `endpoint` is the hub's own address, `at` is now. A caller whom the hub does not know gets the outcome alone: what
    somebody unknown sends is not read.
    """
    known = error is None or error.status not in (401, 403, 404)
    # Beside the event loop, since it may be large.
    request = await asyncio.to_thread(_request, body) if known else None
    if request is None:
        return outcomes.to_bytes(outcome)
    made = response_bundle(
        request, outcome, code_of(error), identifier=uuid.uuid4(), at=at, endpoint=endpoint, name=_NAME
    )
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()


def _request(body: bytes) -> Request | None:
    try:
        return request_of(judge(body).message)
    except HubError:
        return None
