"""HTTP requests and responses as the rest of the endpoint sees them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.cosmos.values import Json, dump


class Request(NamedTuple):
    """One request. Header names are in lower case; `parts` are the decoded segments of the path."""

    method: str
    path: str
    parts: tuple[str, ...]
    headers: dict[str, str]
    body: bytes

    def flag(self, header: str) -> bool:
        """Whether a header says true (the SDKs write `True`, `true`)."""
        return self.headers.get(header, "").lower() == "true"


@dataclass(slots=True)
class Response:
    """One answer. `body` is JSON text, None for none."""

    status: int
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def answer(status: int, value: Json, **headers: str) -> Response:
    """A response with a JSON body."""
    return Response(status, dump(value), headers)
