"""The lock holds what `requirements.txt` asks for, each with its hash."""

import pytest

from tools.package import lock
from tools.package.dependencies import shipped
from tools.package.lock import Pin
from tools.package.target import LEFT_OUT, CannotPackage

SHA = "ab" * 32


def test_the_lock_is_the_one_that_requirements_txt_needs() -> None:
    pins = lock.read()
    assert len({pin.name for pin in pins}) == len(pins)
    # What is left out is there to be left out: a name that is gone would hide that nothing is left out.
    assert set(LEFT_OUT) <= {pin.name for pin in pins}
    assert set(LEFT_OUT).isdisjoint(pin.name for pin in shipped(pins))


@pytest.mark.parametrize("line", ["aiohttp", "aiohttp>=3", "aiohttp==3", f"aiohttp==3 --hash=md5:{SHA}", "-e ."])
def test_a_line_without_a_version_and_its_hash_is_refused(line: str) -> None:
    with pytest.raises(CannotPackage, match=r"requirements\.lock"):
        lock.parse(f"# words\n\n{line}\n")


@pytest.mark.parametrize("line", ["aiohttp", "aiohttp>=3", "aiohttp==3; python_version > '3'"])
def test_a_requirement_that_is_not_pinned_is_refused(line: str) -> None:
    with pytest.raises(CannotPackage, match=r"requirements\.txt"):
        lock.wishes(line)


def test_names_are_compared_as_the_index_compares_them() -> None:
    wished = lock.wishes("PyJWT[crypto]==2.0\nfhir.resources==8\n")
    pins = lock.parse(f"pyjwt==2.0 --hash=sha256:{SHA}\nfhir_resources==8 --hash=sha256:{SHA}")
    assert lock.disagreements(wished, pins) == []


def test_what_the_lock_lacks_or_has_in_another_version_is_named() -> None:
    wrong = lock.disagreements({"a": "1", "b": "2", "c": "3"}, [Pin("a", "1", SHA), Pin("b", "1", SHA)])
    assert wrong == [
        "b: requirements.txt says 2, requirements.lock 1",
        "c: requirements.txt says 3, requirements.lock nothing",
    ]
