"""What calls need is loaded in the background, and nobody reaches it before it is there."""

import gc
import threading
from collections.abc import Iterator

import pytest

from functions import loading


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Nothing is begun, and garbage is collected, before and after."""
    yield
    loading._LOADING.begun = None
    gc.unfreeze()
    gc.enable()


def test_where_nothing_was_begun_nothing_is_waited_for() -> None:
    loading.finished()


def test_who_needs_it_waits_until_all_is_loaded() -> None:
    arrived, loaded = threading.Event(), threading.Event()
    found: list[bool] = []

    def load() -> None:
        arrived.wait()
        loaded.set()

    def need() -> None:
        arrived.set()
        loading.finished()
        found.append(loaded.is_set())

    loading.begin(load)
    waiter = threading.Thread(target=need)
    waiter.start()
    waiter.join()
    assert found == [True]


def test_what_cannot_be_loaded_is_told_to_everybody_who_needs_it() -> None:
    def load() -> None:
        raise ModuleNotFoundError("yarl")

    loading.begin(load)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="yarl"):
            loading.finished()


@pytest.mark.parametrize("fails", [False, True])
def test_garbage_is_collected_again_when_loading_is_over(fails: bool) -> None:
    def load() -> None:
        if fails:
            raise ImportError

    gc.disable()
    loading.begin(load)
    if fails:
        with pytest.raises(ImportError):
            loading.finished()
    else:
        loading.finished()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
