"""Faults on request: what a client gets instead of its answer, how often, and for which requests.

The statuses are those that Azure's own service gives a client that did nothing wrong:
https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeGuard

from sandbox.cosmos.messages import Request, Response, answer
from sandbox.cosmos.reading import is_query
from sandbox.cosmos.values import Json, NotJson, parse

MODES: Final = ("503", "429", "drop", "slow", "drop-after", "412", "449")
_BATCH: Final = "x-ms-cosmos-is-batch-request"
_FIELDS: Final = frozenset(("refuse", "mode", "count", "delayMs", "share", "seed"))
_WRITES: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))


class Misunderstood(Exception):
    """What was asked for is no fault."""


@dataclass(slots=True)
class Fault:
    """What a client gets instead of its answer, for `left` requests (None: until told).

    `503`, `429` (with x-ms-retry-after-ms): refused, nothing done. `drop`: the connection is dropped, nothing done.
    `drop-after`: done, and then the connection is dropped: the answer is lost. `slow`: done after `delay_s`. `412`: a
    write that has a condition is told that it does not hold, though it may. `449` (Retry With): a write is told that
    others were at the same document. The last two leave all other requests alone.
    """

    mode: str
    left: int | None = None
    delay_s: float = 1.0
    share: float = 1.0
    """Of how many of the requests that it is for, from 0 to 1."""
    chance: random.Random = field(default_factory=random.Random)

    def strikes(self, request: Request) -> bool:
        """Whether this request gets it; one of its count is then used up."""
        if self.left == 0 or not self._is_for(request) or self.chance.random() >= self.share:
            return False
        if self.left is not None:
            self.left -= 1
        return True

    @property
    def over(self) -> bool:
        """Whether all that was asked for has been given."""
        return self.left == 0

    def _is_for(self, request: Request) -> bool:
        match self.mode:
            case "412":
                return _is_write(request) and _conditional(request)
            case "449":
                return _is_write(request)
            case _:
                return True

    def refusal(self, request: Request) -> Response:
        """The answer of a mode that refuses."""
        match self.mode:
            case "429":
                return answer(
                    429,
                    {"code": "TooManyRequests", "message": "The request rate is large."},
                    **{"x-ms-retry-after-ms": str(int(self.delay_s * 1000)), "x-ms-substatus": "3200"},
                )
            case "412":
                return _refused(
                    request, 412, "PreconditionFailed", "One of the specified pre-condition is not met.", _has_condition
                )
            case "449":
                return _refused(
                    request, 449, "RetryWith", "Conflicting request to resource has been attempted.", _first
                )
            case _:
                return answer(503, {"code": "ServiceUnavailable", "message": "Service is currently unavailable."})


def read(body: bytes) -> Fault | None:
    """The fault that is asked for; None: none any more. Raises Misunderstood."""
    try:
        wanted = parse(body)
    except NotJson:
        raise Misunderstood from None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("refuse"), bool) or not set(wanted) <= _FIELDS:
        raise Misunderstood
    mode, count, delay = wanted.get("mode", "503"), wanted.get("count"), wanted.get("delayMs", 1000)
    share, seed = wanted.get("share", 1), wanted.get("seed", 0)
    if mode not in MODES or not (count is None or _positive(count)) or not _positive(delay):
        raise Misunderstood
    if not _number(share) or not 0 < share <= 1 or not isinstance(seed, int):
        raise Misunderstood
    if wanted["refuse"] is not True:
        return None
    return Fault(str(mode), count, delay / 1000, share, random.Random(seed))  # noqa: S311 - the same run again


def _is_write(request: Request) -> bool:
    return request.method in _WRITES and "docs" in request.parts and not is_query(request)


def _conditional(request: Request) -> bool:
    if request.flag(_BATCH):
        return any(map(_has_condition, _operations(request)))
    return "if-match" in request.headers or (request.method == "PATCH" and b'"condition"' in request.body)


def _operations(request: Request) -> list[Json]:
    try:
        operations = parse(request.body)
    except NotJson:
        return []
    return operations if isinstance(operations, list) else []


def _has_condition(operation: Json) -> bool:
    if not isinstance(operation, dict):
        return False
    body = operation.get("resourceBody")
    return "ifMatch" in operation or (isinstance(body, dict) and isinstance(body.get("condition"), str))


def _first(_: Json) -> bool:
    return True


def _refused(request: Request, status: int, code: str, message: str, culprit: Callable[[Json], bool]) -> Response:
    """As it is answered: a batch as a whole with 207, the culprit's status in its place and 424 for all the others."""
    if not request.flag(_BATCH):
        return answer(status, {"code": code, "message": message})
    operations = _operations(request)
    at = next((place for place, operation in enumerate(operations) if culprit(operation)), 0)
    entries: list[Json] = [
        {"statusCode": status if place == at else 424, "requestCharge": 0} for place in range(len(operations))
    ]
    return Response(207, json.dumps(entries))


def _positive(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
