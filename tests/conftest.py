"""What holds for all tests: how property tests are judged, and that nothing logs a person's number or a token (P6).

Property tests are judged by what they find, never by how long an example took on a busy machine. On CI they try the
same examples every time: a run that fails must fail again. Elsewhere they try new ones.
"""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.leaks import shapes

settings.register_profile(
    "knutepunkt",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("knutepunkt")


class Guard(logging.Handler):
    """Remembers which tests made anything log what must not be logged. The words themselves it does not repeat."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter())
        self.found: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one record, with its exception and its extra fields."""
        # Without its parameters, which may be what was logged.
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test").partition("[")[0]
        extra = " ".join(str(value) for name, value in vars(record).items() if name not in _NO_WORDS)
        for _, what in shapes(f"{self.format(record)} {extra}".encode("utf-8", "replace")):
            self.found.add(f"{what} from {record.name} in {test}")


_NO_WORDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@pytest.fixture(scope="session", autouse=True)
def no_person_and_no_token_in_any_log() -> Iterator[None]:
    """Whatever a test makes the code log in this process is looked over; hubs in other processes are swept."""
    guard = Guard()
    logging.getLogger().addHandler(guard)
    ours = logging.getLogger("knutepunkt")
    before = ours.level
    ours.setLevel(logging.INFO)
    yield
    ours.setLevel(before)
    logging.getLogger().removeHandler(guard)
    assert not guard.found, sorted(guard.found)
