"""Nothing is shipped whose licence is unknown or binds whoever ships it."""

import pytest

from tools.package.licences import Licensed, allowed, check, said
from tools.package.target import CannotPackage


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("(MIT)", False),
        ("", False),
    ],
)
def test_a_licence_is_allowed_only_when_a_choice_of_it_is(expression: str, fine: bool) -> None:
    assert allowed(expression) is fine


@pytest.mark.parametrize(
    ("expression", "words", "licence"),
    [
        ("MIT", ["Other"], "MIT"),
        ("GPL-3.0-only", ["MIT"], "GPL-3.0-only"),
        ("", ["Apache 2.0"], "Apache-2.0"),
        ("", ["Copyright (c) …", "Topic :: X", "License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        ("", ["", "License :: OSI Approved :: GNU General Public License (GPL)"], ""),
    ],
)
def test_a_licence_is_found_however_the_package_says_it(expression: str, words: list[str], licence: str) -> None:
    assert said(expression, words) == licence


def test_what_may_not_be_shipped_is_named() -> None:
    with pytest.raises(CannotPackage, match=r"(?s)b 1: unknown.*c 2: GPL-2.0-only"):
        check([Licensed("a", "1", "MIT", ()), Licensed("b", "1", "", ()), Licensed("c", "2", "GPL-2.0-only", ())])
