"""What waits, as OpenTelemetry gauges: the last look's numbers, for whoever collects them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Final

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from shared.clock import Clock
from shared.messages.urgency import Urgency
from shared.watch.numbers import NOTHING, Numbers, age_s

STALE: Final = timedelta(minutes=10)
"""After so long without a look nothing is told: an old number looks like a calm hub."""


class Gauges:
    """Tells of the last look at the numbers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers: Numbers | None = None
        meter = metrics.get_meter("knutepunkt")
        # First what people look at first.
        self._kept = (
            meter.create_observable_gauge(
                "knutepunkt.oldest_undelivered", [self._watched(_oldest)], unit="s",
                description="Age of the oldest message that is accepted and not delivered",
            ),
            meter.create_observable_gauge(
                "knutepunkt.waiting", [self._watched(_waiting)], description="Messages accepted and not delivered"
            ),
            meter.create_observable_gauge(
                "knutepunkt.set_aside", [self._watched(_aside)], description="Messages set aside for a person"
            ),
        )  # fmt: skip

    def show(self, numbers: Numbers) -> None:
        """These are the numbers from now on."""
        self._numbers = numbers

    def _watched(
        self, of: Callable[[Numbers], Iterator[Observation]]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observed(_: CallbackOptions) -> Iterable[Observation]:
            numbers = self._numbers
            fresh = numbers is not None and self._clock() - numbers.at < STALE
            return tuple(of(numbers)) if numbers is not None and fresh else ()

        return observed


def _oldest(numbers: Numbers) -> Iterator[Observation]:
    for each in numbers.receivers:
        for urgency in Urgency:
            age = age_s(each.classes.get(urgency, NOTHING).oldest, numbers.at)
            if age is not None:
                yield Observation(age, {"receiver": each.key, "class": urgency.value})


def _waiting(numbers: Numbers) -> Iterator[Observation]:
    for each in numbers.receivers:
        for urgency, waiting in each.classes.items():
            of = {"receiver": each.key, "class": urgency.value}
            held = waiting.parked + waiting.blocked
            yield Observation(max(waiting.messages - held, 0), {**of, "state": "waiting"})
            yield Observation(waiting.parked, {**of, "state": "parked"})
            yield Observation(waiting.blocked, {**of, "state": "blocked"})


def _aside(numbers: Numbers) -> Iterator[Observation]:
    for each in numbers.aside:
        yield Observation(each.messages, {"receiver": f"{each.orgnr}/{each.receiver}", "code": each.cause})
