"""The model's tests make far more log lines than anybody would read."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No lines while a test of the model runs."""
    logger = logging.getLogger("knutepunkt")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before
