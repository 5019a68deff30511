"""Whether the resources of a message live up to VKP's profiles and the measurement profiles.

A resource is asked the whole of every profile it claims in `meta.profile`, and the minimum of its kind whatever it
claims: real traffic claims little, and a measurement of heart rate is one whether it says so or not (R4
http://hl7.org/fhir/R4/observation-vitalsigns.html). What is asked is data (`profile_table`), compiled when a type of
resource is first met.
"""

from collections.abc import Iterator
from functools import cache

from shared.fhir.envelope.references import entries_of
from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path
from shared.fhir.vkp.checks import compile_profile
from shared.fhir.vkp.table import Kind, Profile, extensions, kinds, profiles
from shared.fhir.vkp.walk import Check, Walk

__all__ = ["check_profiles", "preload"]


def check_profiles(message: JsonObject, findings: Findings) -> None:
    """Note where the resources of a repaired message fall short of their profiles. Copes with any shape."""
    walk = Walk(message, findings, _extension_check)
    _check_resource(message, (), walk)
    for index, entry in entries_of(message):
        if findings.full:
            return
        resource = entry.get("resource")
        if isinstance(resource, dict):
            _check_resource(resource, ("entry", index, "resource"), walk)


def preload() -> None:
    """Compile what messages usually need, so that the first one does not wait; the rest is compiled when it is met."""
    for name in {name for kind in kinds() for name in kind.profiles}:
        _whole(name)
        _minimum(name)
    _by_canonical()


def _check_resource(resource: JsonObject, path: Path, walk: Walk) -> None:
    type_name = resource.get("resourceType")
    if not isinstance(type_name, str):
        return
    claimed = _claimed(resource, type_name, path, walk) if "meta" in resource else ()
    for name in claimed:
        _whole(name)(resource, path, walk)
    for name in _kind(resource, type_name):
        if name not in claimed:
            _minimum(name)(resource, path, walk)
    contained = resource.get("contained")
    for index, each in enumerate(contained if isinstance(contained, list) else ()):
        if isinstance(each, dict) and isinstance(inner := each.get("resourceType"), str) and "meta" in each:
            where = (*path, "contained", index)
            for name in _claimed(each, inner, where, walk):
                _whole(name)(each, where, walk)


def _claimed(resource: JsonObject, type_name: str, path: Path, walk: Walk) -> tuple[str, ...]:
    """The known profiles that a resource claims and that are of its type, by name."""
    meta = resource["meta"]
    claims = meta.get("profile") if isinstance(meta, dict) else None
    found: tuple[str, ...] = ()
    for index, claim in enumerate(claims if isinstance(claims, list) else ()):
        where = (*path, "meta", "profile", index)
        profile = _claimable(claim) if isinstance(claim, str) else None
        if profile is None:
            walk.note("profile-unknown", where)
            continue
        if profile.type_name != type_name:
            walk.note("profile-wrong-type", where, profile=profile.name, type=profile.type_name)
            continue
        if profile.withdrawn is not None:
            walk.note("profile-withdrawn", where, profile=profile.name, since=profile.withdrawn)
        if profile.name not in found:
            found = (*found, profile.name)
    return found


def _kind(resource: JsonObject, type_name: str) -> tuple[str, ...]:
    """The profiles whose minimum is asked of a resource by its content."""
    table = _kinds().get(type_name)
    if table is None:
        return ()
    if table.bundle_types:
        bundle_type = resource.get("type")
        return table.bundle_types.get(bundle_type, ()) if isinstance(bundle_type, str) else ()
    if table.codings:
        for pair in _codings(resource.get("code")):
            if pair in table.codings:
                return table.codings[pair]
    return table.others


def _codings(concept: JsonValue) -> Iterator[tuple[str, str]]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for each in codings if isinstance(codings, list) else ():
        if isinstance(each, dict):
            system, code = each.get("system"), each.get("code")
            if isinstance(system, str) and isinstance(code, str):
                yield system, code


class _Table:
    """The kinds of one type of resource."""

    __slots__ = ("bundle_types", "codings", "others")

    def __init__(self) -> None:
        self.bundle_types: dict[str, tuple[str, ...]] = {}
        self.codings: dict[tuple[str, str], tuple[str, ...]] = {}
        self.others: tuple[str, ...] = ()

    def add(self, kind: Kind) -> None:
        if kind.bundle_type is not None:
            self.bundle_types[kind.bundle_type] = kind.profiles
        elif kind.coding is not None:
            self.codings[kind.coding] = kind.profiles
        else:
            self.others = kind.profiles


@cache
def _kinds() -> dict[str, _Table]:
    tables: dict[str, _Table] = {}
    for kind in kinds():
        tables.setdefault(kind.type_name, _Table()).add(kind)
    return tables


@cache
def _by_canonical() -> dict[str, Profile]:
    return {url: each for each in profiles().values() for url in (each.canonical, *each.also_claimed_as)}


def _claimable(claim: str) -> Profile | None:
    known = _by_canonical()
    return known.get(claim) or known.get(claim.partition("|")[0])


@cache
def _whole(name: str) -> Check:
    return compile_profile(profiles()[name], whole=True)


@cache
def _minimum(name: str) -> Check:
    return compile_profile(profiles()[name], whole=False)


@cache
def _extensions() -> dict[str, str]:
    return {url: each.name for each in extensions().values() for url in (each.canonical, *each.also_claimed_as)}


def _extension_check(url: str) -> Check | None:
    name = _extensions().get(url)
    return _compiled_extension(name) if name is not None else None


@cache
def _compiled_extension(name: str) -> Check:
    return compile_profile(extensions()[name], whole=True)
