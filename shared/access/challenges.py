"""WWW-Authenticate: how to call, and what was wrong with this call (RFC 6750 section 3, RFC 9449 section 7.1)."""

import re
from typing import Final

from shared.access.credentials import HeaderValue, Scheme, tried
from shared.access.jwks import ASYMMETRIC
from shared.access.modes import DpopMode
from shared.access.refusals import CredentialsDoubtful, DpopNotTaken, ProofRefused, ProofRequired
from shared.access.scopes import ScopeNotHeld
from shared.errors import HubError, NotAuthenticated, ScopeMissing

_ALGS: Final = f'algs="{" ".join(sorted(ASYMMETRIC))}"'


_OFFERED: Final = {
    DpopMode.OFF: (Scheme.BEARER,),
    DpopMode.OPTIONAL: (Scheme.DPOP, Scheme.BEARER),
    DpopMode.REQUIRED: (Scheme.DPOP,),
}


def challenge(error: HubError, authorization: HeaderValue = None, mode: DpopMode = DpopMode.OFF) -> str | None:
    """The value of WWW-Authenticate that belongs to this refusal, or None when it was not about who is calling.

    `authorization` is the call's own header (the error stands with the scheme it tried), `mode` what applies to callers
    of whom nothing is known. Nothing of the header is repeated.
    """
    name = _name(error)
    if name is None and not isinstance(error, NotAuthenticated):
        return None
    offered = _offered(error, mode)
    scheme = tried(authorization)
    if scheme not in offered:
        scheme = offered[0]
    # The scheme that was tried comes first: some clients read no further.
    ordered = sorted(offered, key=lambda each: each is not scheme)
    return ", ".join(_one(each, error, name if each is scheme else None) for each in ordered)


def _name(error: HubError) -> str | None:
    if isinstance(error, ScopeMissing):
        return "insufficient_scope"
    if isinstance(error, CredentialsDoubtful):
        return "invalid_request"
    if isinstance(error, ProofRefused):
        return "invalid_dpop_proof"
    if isinstance(error, NotAuthenticated) and type(error) is not NotAuthenticated:
        return "invalid_token"
    return None


def _offered(error: HubError, mode: DpopMode) -> tuple[Scheme, ...]:
    # What is known of this very system beats what is said to everybody.
    if isinstance(error, ProofRequired):
        return _OFFERED[DpopMode.REQUIRED]
    if isinstance(error, DpopNotTaken):
        return _OFFERED[DpopMode.OFF]
    if isinstance(error, ProofRefused) and mode is DpopMode.OFF:
        return _OFFERED[DpopMode.OPTIONAL]
    return _OFFERED[mode]


def _one(scheme: Scheme, error: HubError, name: str | None) -> str:
    said = []
    if name is not None:
        # Outside these characters RFC 6750 section 3 allows nothing in a description.
        text = re.sub(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]", "", error.text())
        said += [f'error="{name}"', f'error_description="{text}"']
        if isinstance(error, ScopeNotHeld):
            said.append(f'scope="{error.scope}"')
    if scheme is Scheme.DPOP:
        said.append(_ALGS)
    return f"{scheme.value} {', '.join(said)}" if said else scheme.value
