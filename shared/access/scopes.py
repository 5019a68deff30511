"""What a token's scopes allow: VKP's scope names (domain/vkp-api.md 3.1).

`nhn:vkp/api/user/{resource}.{read|write|*}`, compared whole and never by prefix; `nhn:vkp/api/*.*` is everything and
counts in test environments only.
"""

import re
from typing import Final, Literal

from shared.access.caller import Caller
from shared.errors import Finding, ScopeMissing, TokenClaims

Action = Literal["read", "write"]

PREFIX: Final = "nhn:vkp/api/user/"
EVERYTHING: Final = "nhn:vkp/api/*.*"

_RESOURCE = re.compile(r"[a-z]{1,64}")


class ScopeNotHeld(ScopeMissing):
    """The access token does not have the scope for this resource.

    Ask HelseID for the scope that the answer names.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__(
            (
                Finding(
                    rule="scope-missing",
                    text=f"The token lacks the scope {scope}.",
                    expression="http.authorization",
                    issue_type=ScopeMissing.issue_type,
                    vkp_code=ScopeMissing.vkp_code,
                ),
            )
        )


def read_scopes(claim: object) -> frozenset[str]:
    """The claim `scope`: an array of strings as HelseID issues it, or one space-separated string (RFC 9068).

    Absent means none. Raises TokenClaims for anything else.
    """
    if claim is None:
        return frozenset()
    if isinstance(claim, str):
        return frozenset(claim.split(" ")) - {""}
    if not isinstance(claim, list) or not all(isinstance(entry, str) for entry in claim):
        raise TokenClaims
    return frozenset(claim) - {""}


def counting(scopes: frozenset[str], *, test_environment: bool) -> frozenset[str]:
    """The scopes that mean something here."""
    return scopes if test_environment else scopes - {EVERYTHING}


def scope_for(resource: str, action: Action) -> str:
    """The scope's name for one resource (any letter case) and action."""
    return f"{PREFIX}{resource.lower()}.{action}"


def require(caller: Caller, resource: str, action: Action) -> None:
    """Let the caller on, or raise ScopeMissing with the name of the scope that is missing."""
    name = resource.lower()
    # Some letters of other scripts become ASCII in lower case.
    if not resource.isascii() or _RESOURCE.fullmatch(name) is None:
        raise ScopeMissing
    if caller.scopes.isdisjoint({scope_for(name, action), f"{PREFIX}{name}.*", EVERYTHING}):
        raise ScopeNotHeld(scope_for(name, action))
