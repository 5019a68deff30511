"""The registry's desk over the real Cosmos SDK: who sees what, who changes what, and what nobody can send."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from shared.azure.cosmos import LazyContainer
from shared.errors import HubError, WrongMethod
from shared.identity.series import Environment
from shared.messages.documents import Document
from shared.registry import refusals
from shared.registry.changes import change
from shared.registry.desk import Answer, Ask, Desk
from shared.registry.entries import Entry
from shared.registry.keeping import Registry
from shared.registry.model import System
from shared.registry.people import Access, Person, Role
from shared.registry.places import ALONE, EVERYWHERE, FORMS, Place
from shared.registry.revoked import RevokedKeys
from shared.registry.roles import MATRIX, Do, Thing
from tests.unit.registry.samples import (
    DAY,
    GRANT,
    MUNICIPALITY,
    NOW,
    PARTNER,
    RESOURCES,
    SYSTEM,
    VKP_ID,
    WHO,
    WHY,
)

_numbers = count(310_200_000)
GOOD = {"codes": {"TA": ["1.9"]}}
SERVERS = ("version", "_etag", "type", "withdrawn", "id_", "__class__")
NEW: dict[str, str] = {"if_none_match": "*"}


class Hands:
    """A clock that is moved by hand."""

    now = NOW

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def registry(container: LazyContainer) -> Registry:
    return Registry(container)


@pytest.fixture
def desk(registry: Registry, hands: Hands) -> Desk:
    return Desk(registry, environment=Environment.TEST, resources=RESOURCES, clock=hands)


async def put(registry: Registry, entry: Entry) -> None:
    document = entry.document()
    made = change(await registry.read(document["orgnr"], document["id"]), entry, WHO, WHY, NOW)
    if made is not None:
        await registry.write(made)


@pytest.fixture
async def orgnr(registry: Registry) -> str:
    """A municipality that no other test has, with one of everything and one person of each role."""
    number = str(next(_numbers))
    people = [
        Access(number, f"helseid:{role.value}", frozenset({role}), NOW + 30 * DAY, role.value)
        for role in Role
        if role is not Role.OPERATOR
    ]
    operator = Access("systems", "helseid:operator", frozenset({Role.OPERATOR}), NOW + 30 * DAY)
    mine = (replace(each, orgnr=number) for each in (MUNICIPALITY, GRANT, PARTNER))
    for entry in (SYSTEM, RevokedKeys(frozenset({"AA"})), operator, *mine, *people):
        await put(registry, entry)
    return number


def person(role: Role, **changed: Any) -> Person:
    subject = "helseid:operator" if role is Role.OPERATOR else f"helseid:{role.value}"
    return replace(Person(subject, "Kari Eksempel", None, "4"), **changed)


def place(thing: Thing, orgnr: str, id: str | None = None) -> Place:
    names = {
        Thing.RECEIVERS: "epj", Thing.GRANTS: VKP_ID, Thing.PEOPLE: "helseid:monitoring", Thing.SYSTEMS: VKP_ID,
        Thing.SYSTEM_HISTORY: VKP_ID,
    }  # fmt: skip
    return Place(thing, "" if thing in EVERYWHERE else orgnr, id or names.get(thing))


def sent(entry: object, why: object = WHY, **more: object) -> bytes:
    return json.dumps({"why": why, "entry": entry, **more}).encode()


async def see(desk: Desk, who: Person, where: Place, **query: str) -> Answer:
    return await desk.answer(who, Ask("GET", where, query))


async def set_to(desk: Desk, who: Person, where: Place, fields: object, **how: str) -> Answer:
    if not how:
        how = {"if_match": (await see(desk, person(Role.OPERATOR), where)).etag or ""}
    return await desk.answer(who, Ask("PUT", where, body=sent(fields), **how))  # type: ignore[arg-type]  # texts all


async def refused(work: Any) -> type[HubError]:
    with pytest.raises(HubError) as raised:
        await work
    return type(raised.value)


def fields_of(answer: Answer) -> Document:
    found: Document = answer.body["entry"]
    return found


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("thing", list(Thing))
async def test_a_role_sees_and_changes_what_the_matrix_says_and_nothing_else(
    desk: Desk, orgnr: str, role: Role, thing: Thing
) -> None:
    who, where = person(role), place(thing, orgnr)
    nothing_of_theirs = thing in EVERYWHERE and role is not Role.OPERATOR
    answer: object = None
    try:
        await see(desk, who, where)
    except HubError as error:
        answer = type(error)
    if thing in MATRIX[role][Do.SEE]:
        assert answer is None
    else:
        assert answer is (refusals.EntryUnknown if nothing_of_theirs else refusals.RoleMissing)
    if thing not in FORMS:
        return
    current = await see(desk, person(Role.OPERATOR), where)
    # As it is: whoever may change it may also leave it so.
    work = set_to(desk, who, where, fields_of(current))
    if thing in MATRIX[role][Do.CHANGE]:
        assert (await work).body == current.body
    else:
        assert await refused(work) is (refusals.EntryUnknown if nothing_of_theirs else refusals.RoleMissing)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
@pytest.mark.parametrize("thing", list(Thing))
async def test_another_municipality_is_answered_as_one_that_is_not_there(
    desk: Desk, registry: Registry, orgnr: str, role: Role, thing: Thing
) -> None:
    other = str(next(_numbers))
    for entry in (replace(MUNICIPALITY, orgnr=other), replace(GRANT, orgnr=other), replace(PARTNER, orgnr=other)):
        await put(registry, entry)
    for where in (place(thing, other), place(thing, str(next(_numbers))), place(thing, "systems")):
        if thing not in EVERYWHERE:
            assert await refused(see(desk, person(role), where)) is refusals.EntryUnknown
            if where.changeable:
                how = {"if_match": '"1"'}
                assert await refused(set_to(desk, person(role), where, {}, **how)) is refusals.EntryUnknown


async def test_a_person_logged_in_for_another_organisation_has_no_role_here(desk: Desk, orgnr: str) -> None:
    where = place(Thing.MUNICIPALITY, orgnr)
    assert await refused(see(desk, person(Role.MONITORING, orgnr="310000027"), where)) is refusals.EntryUnknown
    assert (await see(desk, person(Role.MONITORING, orgnr=orgnr), where)).body["id"] == orgnr


@pytest.mark.parametrize("level", ["", "3", "2", "04", "４", "5"])
async def test_a_login_below_level_4_opens_nothing(desk: Desk, orgnr: str, level: str) -> None:
    for role in Role:
        work = see(desk, person(role, security_level=level), place(Thing.MUNICIPALITY, orgnr))
        assert await refused(work) is refusals.SecurityLevel


@pytest.mark.parametrize("role", [Role.MONITORING, Role.OPERATOR])
async def test_an_access_lapses_by_itself(desk: Desk, orgnr: str, hands: Hands, role: Role) -> None:
    where = place(Thing.MUNICIPALITY, orgnr)
    await see(desk, person(role), where)
    hands.now = NOW + 30 * DAY
    assert await refused(see(desk, person(role), where)) is refusals.EntryUnknown


async def test_a_withdrawn_access_is_over_at_once(desk: Desk, orgnr: str) -> None:
    where = place(Thing.PEOPLE, orgnr, "helseid:monitoring")
    await set_to(desk, person(Role.USER_ADMINISTRATION), where, None)
    work = see(desk, person(Role.MONITORING), place(Thing.MUNICIPALITY, orgnr))
    assert await refused(work) is refusals.EntryUnknown


async def test_nobody_changes_their_own_access(desk: Desk, orgnr: str) -> None:
    where = place(Thing.PEOPLE, orgnr, "helseid:user-administration")
    more = {"roles": ["administration", "user-administration"], "validUntil": "2026-06-01T00:00:00Z"}
    work = set_to(desk, person(Role.USER_ADMINISTRATION), where, more)
    assert await refused(work) is refusals.RoleMissing


async def test_nobody_of_a_municipality_makes_an_operator(desk: Desk, orgnr: str) -> None:
    where = place(Thing.PEOPLE, orgnr, "helseid:someone")
    fields = {"roles": ["operator"], "validUntil": "2026-06-01T00:00:00Z"}
    for role in (Role.USER_ADMINISTRATION, Role.OPERATOR):
        work = set_to(desk, person(role), where, fields, **NEW)
        assert await refused(work) is refusals.EntryInvalid
        inside = place(Thing.PEOPLE, "systems", "helseid:someone")
        assert await refused(set_to(desk, person(role), inside, fields, **NEW)) is refusals.EntryUnknown


async def test_an_operators_role_kept_in_a_municipality_would_not_count(
    desk: Desk, registry: Registry, orgnr: str
) -> None:
    await put(registry, Access(orgnr, "helseid:sly", frozenset({Role.OPERATOR}), NOW + DAY))
    sly = Person("helseid:sly", "", None, "4")
    assert await refused(see(desk, sly, Place(Thing.MUNICIPALITIES))) is refusals.EntryUnknown
    assert await refused(see(desk, sly, place(Thing.MUNICIPALITY, orgnr))) is refusals.EntryUnknown


@pytest.mark.parametrize(
    ("thing", "field", "value"),
    [
        *[(thing, field, "x") for thing, (_, theirs) in FORMS.items() for field in sorted(theirs)],
        *[(thing, field, 99) for thing in FORMS for field in SERVERS],
    ],
)  # fmt: skip
async def test_what_is_the_hubs_own_or_said_by_the_address_cannot_be_sent(
    desk: Desk, orgnr: str, thing: Thing, field: str, value: object
) -> None:
    where = place(thing, orgnr)
    before = await see(desk, person(Role.OPERATOR), where)
    work = set_to(desk, person(Role.OPERATOR), where, {**fields_of(before), field: value})
    assert await refused(work) is refusals.EntryInvalid
    assert await see(desk, person(Role.OPERATOR), where) == before


@pytest.mark.parametrize("field", ["name", "number", "environment"])
async def test_only_an_operator_says_which_municipality_it_is(desk: Desk, orgnr: str, field: str) -> None:
    where = place(Thing.MUNICIPALITY, orgnr)
    values = {"name": "Annen kommune", "number": "9999", "environment": "test"}
    fields = {**fields_of(await see(desk, person(Role.OPERATOR), where)), field: values[field]}
    assert await refused(set_to(desk, person(Role.ADMINISTRATION), where, fields)) is refusals.RoleMissing
    assert await refused(set_to(desk, person(Role.ADMINISTRATION), where, None)) is refusals.RoleMissing
    assert fields_of(await set_to(desk, person(Role.OPERATOR), where, fields))[field] == values[field]


async def test_administration_chooses_its_notes_and_keeps_receivers_and_traffic(
    desk: Desk, registry: Registry, orgnr: str
) -> None:
    where = place(Thing.MUNICIPALITY, orgnr)
    await set_to(desk, person(Role.ADMINISTRATION), place(Thing.TRAFFIC, orgnr), {"writes": {"reason": "upgrade"}})
    fields = {**fields_of(await see(desk, person(Role.ADMINISTRATION), where)), "note": {"language": "nn"}}
    await set_to(desk, person(Role.ADMINISTRATION), where, fields)
    document = await registry.read(orgnr, "municipality")
    assert document is not None
    assert [each["id"] for each in document["receivers"]] == ["epj"]
    assert document["traffic"]["writes"] == {"until": None, "reason": "upgrade"}
    assert document["note"] == {"language": "nn"}


async def test_deliveries_to_a_receiver_are_stopped_until_a_time_and_the_stop_goes_with_it(
    desk: Desk, registry: Registry, orgnr: str
) -> None:
    administration, where = person(Role.ADMINISTRATION), place(Thing.TRAFFIC, orgnr)
    stop = {"deliveries": {"epj": {"until": "2026-02-01T06:00:00+01:00", "reason": "upgrade"}}}
    assert fields_of(await set_to(desk, administration, where, stop))["deliveries"] == {
        "epj": {"until": "2026-02-01T05:00:00.000000Z", "reason": "upgrade"}
    }
    assert await refused(set_to(desk, administration, where, {"deliveries": {"epi": {}}})) is refusals.EntryInvalid
    assert await refused(set_to(desk, administration, where, {"deliveries": {"EPJ": {}}})) is refusals.EntryInvalid
    await set_to(desk, administration, place(Thing.RECEIVERS, orgnr, "epj"), None)
    document = await registry.read(orgnr, "municipality")
    assert document is not None
    assert (document["receivers"], document["traffic"]["deliveries"]) == ([], {})


async def test_a_receiver_is_made_changed_and_withdrawn(desk: Desk, orgnr: str) -> None:
    where, admin = place(Thing.RECEIVERS, orgnr, "archive"), person(Role.ADMINISTRATION)
    new, other = {"url": "https://archive.example.no/"}, {"url": "https://other.example.no/"}
    assert (await set_to(desk, admin, where, new, **NEW)).proposed
    made = await set_to(desk, person(Role.OPERATOR), where, new, **NEW)
    assert made.created
    assert (await set_to(desk, admin, where, other, if_match=made.etag or "")).proposed
    changed = await set_to(desk, person(Role.OPERATOR), where, other, if_match=made.etag or "")
    assert not changed.created
    listed = await see(desk, admin, Place(Thing.RECEIVERS, orgnr))
    assert [each["id"] for each in listed.body["entries"]] == ["archive", "epj"]
    await set_to(desk, admin, where, None, if_match=changed.etag or "")
    assert await refused(see(desk, admin, where)) is refusals.EntryUnknown
    listed = await see(desk, admin, Place(Thing.RECEIVERS, orgnr))
    assert [each["id"] for each in listed.body["entries"]] == ["epj"]


async def test_a_grant_is_made_withdrawn_and_made_again(desk: Desk, registry: Registry, orgnr: str) -> None:
    where, admin = place(Thing.GRANTS, orgnr, "ny/leverandør"), person(Role.ADMINISTRATION)
    fields = {"resources": ["bundle"], "approvedBy": "head of unit"}
    # A system that the register does not know is nobody's to let in.
    assert await refused(set_to(desk, admin, where, fields, **NEW)) is refusals.EntryInvalid
    await put(registry, replace(SYSTEM, vkp_id="ny/leverandør"))
    made = await set_to(desk, admin, where, fields, **NEW)
    assert (made.created, made.etag) == (True, '"1"')
    assert await refused(set_to(desk, admin, where, fields, **NEW)) is refusals.EntryChanged
    gone = await set_to(desk, admin, where, None)
    assert gone.body["entry"] is None
    assert await refused(see(desk, admin, where)) is refusals.EntryUnknown
    assert await refused(set_to(desk, admin, where, fields, if_match='"2"')) is refusals.EntryChanged
    again = await set_to(desk, admin, where, fields, **NEW)
    assert (again.created, again.etag) == (True, '"3"')


async def test_a_change_of_another_version_is_none(desk: Desk, orgnr: str) -> None:
    where, admin = place(Thing.PARTNER_PROFILE, orgnr), person(Role.ADMINISTRATION)
    fields = {"codes": {"TA": ["1.9"]}}
    for etag in ('"2"', '"0"', "1", 'W/"1"', "*", '"1", "2"', ""):
        assert await refused(set_to(desk, admin, where, fields, if_match=etag)) is refusals.EntryChanged
    for etag in ("*", '"1"'):
        assert await refused(set_to(desk, admin, where, fields, if_none_match=etag)) is refusals.EntryChanged
    work = desk.answer(admin, Ask("PUT", where, body=sent(fields)))
    assert await refused(work) is refusals.ConditionMissing
    assert (await set_to(desk, admin, where, fields, if_match='"1"')).etag == '"2"'


async def test_what_is_as_wanted_already_is_left_as_it_is(desk: Desk, orgnr: str) -> None:
    where, admin = place(Thing.GRANTS, orgnr), person(Role.ADMINISTRATION)
    before = await see(desk, admin, where)
    assert await set_to(desk, admin, where, fields_of(before)) == before
    history = await see(desk, admin, Place(Thing.HISTORY, orgnr))
    assert [each["of"] for each in history.body["entries"]].count(f"grant.{VKP_ID}") == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", refusals.EntryNotJson),
        (b"[]", refusals.EntryNotJson),
        (b"{", refusals.EntryNotJson),
        (b'{"why":"a reason","why":"b","entry":{}}', refusals.EntryNotJson),
        (b'{"why":"a reason","entry":{"a":NaN}}', refusals.EntryNotJson),
        (b"\xff\xfe", refusals.EntryNotJson),
        (b"[" * 100_000, refusals.EntryNotJson),
        (b'{"why":"a reason","entry":"' + b"x" * 70_000 + b'"}', refusals.EntryNotJson),
        (sent(GOOD, why=""), refusals.EntryInvalid),
        (sent(GOOD, why=1), refusals.EntryInvalid),
        (sent(GOOD, why=None), refusals.EntryInvalid),
        (sent(GOOD, why="for 01880012345"), refusals.EntryInvalid),
        (sent([]), refusals.EntryInvalid),
        (sent("x"), refusals.EntryInvalid),
        (sent(GOOD, who="somebody"), refusals.EntryInvalid),
        (sent(GOOD, version=1), refusals.EntryInvalid),
        (b'{"why":"a reason"}', refusals.EntryInvalid),
        (sent({"codes": {"TA": "1"}}), refusals.EntryInvalid),
        (sent({"codes": {"TA": [1]}}), refusals.EntryInvalid),
        (sent({"codes": {"XX": ["1"]}}), refusals.EntryInvalid),
        (sent({"codes": {"TA": ["\ud800"]}}), refusals.EntryInvalid),
    ],
)
async def test_a_body_that_is_not_what_is_taken_changes_nothing(
    desk: Desk, orgnr: str, body: bytes, error: type[HubError]
) -> None:
    where, admin = place(Thing.PARTNER_PROFILE, orgnr), person(Role.ADMINISTRATION)
    before = await see(desk, admin, where)
    assert await refused(desk.answer(admin, Ask("PUT", where, if_match=before.etag, body=body))) is error
    assert await see(desk, admin, where) == before


@pytest.mark.parametrize("query", [
    {"limit": "0"}, {"limit": "101"}, {"limit": "-1"}, {"limit": "1e2"}, {"limit": "５"}, {"limit": ""},
    {"limit": "9" * 400}, {"after": "x" * 1201}, {"after": "a\nb"}, {"offset": "1"}, {"Limit": "1"},
])  # fmt: skip
async def test_a_page_has_bounds(desk: Desk, orgnr: str, query: dict[str, str]) -> None:
    for thing in (Thing.GRANTS, Thing.RECEIVERS, Thing.HISTORY):
        work = see(desk, person(Role.MONITORING), Place(thing, orgnr), **query)
        assert await refused(work) is refusals.PageOutOfBounds


@pytest.mark.parametrize("after", ["' OR 1=1 --", '" OR c.orgnr != "', "@orgnr", "\\", "%", "grant.\x7f"[:-1], "𝒈rant"])
async def test_a_cursor_is_never_more_than_a_text(desk: Desk, orgnr: str, after: str) -> None:
    for thing in (Thing.GRANTS, Thing.HISTORY, Thing.RECEIVERS):
        page = await see(desk, person(Role.MONITORING), Place(thing, orgnr), after=after)
        assert all("310" not in each.get("orgnr", "") for each in page.body["entries"])
        assert len(page.body["entries"]) <= 7


async def test_pages_of_all_municipalities_are_whole(desk: Desk, orgnr: str) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await see(desk, person(Role.OPERATOR), Place(Thing.MUNICIPALITIES), after=after, limit="7")
        seen += [each["id"] for each in page.body["entries"]]
        after = page.body["next"]
    assert orgnr in seen
    assert seen == sorted(set(seen))


async def test_a_list_is_not_written_to_nor_is_history(desk: Desk, orgnr: str) -> None:
    for thing in set(Thing) - ALONE:
        where = Place(thing, "" if thing in EVERYWHERE else orgnr)
        work = set_to(desk, person(Role.OPERATOR), where, {}, if_match='"1"')
        assert await refused(work) is WrongMethod


async def test_a_new_municipality_is_made_by_an_operator_and_withdrawn(desk: Desk) -> None:
    where, operator = Place(Thing.MUNICIPALITY, str(next(_numbers))), person(Role.OPERATOR)
    made = await set_to(desk, operator, where, {"name": "Ny kommune", "number": "0301"}, **NEW)
    assert made.created
    grants = Place(Thing.GRANTS, where.orgnr)
    assert (await see(desk, operator, grants)).body == {"entries": [], "next": None}
    await set_to(desk, operator, where, None)
    assert await refused(see(desk, operator, grants)) is refusals.EntryUnknown


async def test_the_history_says_who_and_why(desk: Desk, orgnr: str, hands: Hands) -> None:
    hands.now = NOW + DAY
    where = place(Thing.TRAFFIC, orgnr)
    await set_to(desk, person(Role.ADMINISTRATION), where, {"reads": {"until": "2026-01-20T00:00:00+01:00"}})
    latest = (await see(desk, person(Role.MONITORING), Place(Thing.HISTORY, orgnr), limit="1")).body["entries"][0]
    assert (latest["who"], latest["why"]) == ("helseid:administration", WHY)
    assert {each["field"]: each["after"] for each in latest["changes"]}["traffic.reads.until"] == (
        "2026-01-19T23:00:00.000000Z"
    )


@pytest.mark.parametrize("name", [
    VKP_ID.upper(), VKP_ID.title(), f"{VKP_ID} ", f" {VKP_ID}", f"{VKP_ID}\u200b", VKP_ID.replace("t", "\u0442"),
    VKP_ID.replace("-", "\u2010"), f"{VKP_ID}\x00", f"../grants/{VKP_ID}", f"{VKP_ID}%00", "", "%", "*",
    VKP_ID.replace("-", "~2D"),
])  # fmt: skip
async def test_a_name_that_only_looks_like_another_is_another(desk: Desk, orgnr: str, name: str) -> None:
    work = see(desk, person(Role.OPERATOR), Place(Thing.GRANTS, orgnr, name))
    assert await refused(work) is refusals.EntryUnknown


@pytest.mark.parametrize("change", [
    lambda number: number[:-1] + "９", lambda number: f"{number} ", lambda number: f"+{number}",
    lambda number: f"{number}\n", lambda number: f"0{number}", lambda number: f"{number}/",
    lambda number: "systems", lambda number: "SYSTEMS",
    lambda number: "*", lambda number: "",
])  # fmt: skip
@pytest.mark.parametrize("thing", [Thing.MUNICIPALITY, Thing.PEOPLE, Thing.GRANTS, Thing.HISTORY])
async def test_what_only_looks_like_a_municipality_is_none(
    desk: Desk, orgnr: str, thing: Thing, change: Callable[[str], str]
) -> None:
    for role in Role:
        where = Place(thing, change(orgnr), place(thing, orgnr).id)
        assert await refused(see(desk, person(role), where)) is refusals.EntryUnknown


@pytest.mark.parametrize(
    "subject", ["ENTRA:operator", "helseid:Operator", "operator", "helseid:operator ", "person.helseid:operator"]
)
async def test_a_subject_that_only_looks_like_an_operators_is_nobodys(desk: Desk, orgnr: str, subject: str) -> None:
    who = Person(subject, "", None, "4")
    assert await refused(see(desk, who, place(Thing.MUNICIPALITY, orgnr))) is refusals.EntryUnknown
    assert await refused(see(desk, who, Place(Thing.MUNICIPALITIES))) is refusals.EntryUnknown


async def test_people_of_a_withdrawn_municipality_have_nothing_to_do_there(desk: Desk, orgnr: str) -> None:
    where = place(Thing.MUNICIPALITY, orgnr)
    fields = fields_of(await see(desk, person(Role.OPERATOR), where))
    await set_to(desk, person(Role.OPERATOR), where, None)
    for role in Role:
        if role is not Role.OPERATOR:
            assert await refused(see(desk, person(role), where)) is refusals.EntryUnknown
            assert await refused(set_to(desk, person(role), where, fields, **NEW)) is refusals.EntryUnknown


@pytest.mark.parametrize("thing", sorted(FORMS))
async def test_an_entry_is_asked_for_without_a_query(desk: Desk, orgnr: str, thing: Thing) -> None:
    for query in ({"limit": "1"}, {"orgnr": "310000027"}, {"x": "' OR 1=1"}):
        work = see(desk, person(Role.OPERATOR), place(thing, orgnr), **query)
        assert await refused(work) is refusals.PageOutOfBounds


async def test_keys_are_revoked_by_an_operator_and_the_history_tells_which(
    desk: Desk, orgnr: str, hands: Hands
) -> None:
    hands.now = NOW + DAY
    where = Place(Thing.REVOKED_KEYS)
    answer = await set_to(desk, person(Role.OPERATOR), where, {"kids": ["AA", f"of-{orgnr}"]})
    assert answer.body["id"] == "revoked-keys"
    latest = (await see(desk, person(Role.OPERATOR), Place(Thing.SYSTEM_HISTORY), limit="1")).body["entries"][0]
    assert (latest["of"], latest["who"]) == ("revoked-keys", "helseid:operator")
    assert latest["changes"] == [{"field": "kids", "before": ["AA"], "after": ["AA", f"of-{orgnr}"]}]


async def test_a_systems_history_is_its_own_and_of_a_system_that_never_was_there_is_none(
    desk: Desk, registry: Registry, orgnr: str
) -> None:
    await put(registry, System(f"system-of-{orgnr}"))
    await put(registry, System(f"system-of-{orgnr}", blocked=True))
    where = Place(Thing.SYSTEM_HISTORY, id=f"system-of-{orgnr}")
    entries = (await see(desk, person(Role.OPERATOR), where)).body["entries"]
    assert [(each["of"], each["version"]) for each in entries] == [(f"system.system-of-{orgnr}", n) for n in (2, 1)]
    assert entries[0]["changes"] == [{"field": "blocked", "before": False, "after": True}]
    nobody = Place(Thing.SYSTEM_HISTORY, id="nobodys")
    assert await refused(see(desk, person(Role.OPERATOR), nobody)) is refusals.EntryUnknown


async def test_an_app_role_of_the_hubs_own_tenant_makes_an_operator_and_no_other_does(desk: Desk, orgnr: str) -> None:
    ola = Person("entra:ola", "", None, "", frozenset({"Knutepunkt.Operator"}))
    assert (await see(desk, ola, Place(Thing.SYSTEMS))).body["entries"]
    assert (await see(desk, ola, place(Thing.MUNICIPALITY, orgnr))).body["id"] == orgnr
    for roles in ((), ("knutepunkt.operator",), ("Operator", "operator", "Knutepunkt.Operator ")):
        other = replace(ola, roles=frozenset(roles))
        assert await refused(see(desk, other, Place(Thing.SYSTEMS))) is refusals.EntryUnknown
        assert await refused(see(desk, other, place(Thing.MUNICIPALITY, orgnr))) is refusals.EntryUnknown


async def test_the_last_user_administrator_is_neither_withdrawn_nor_demoted_nor_ended(desk: Desk, orgnr: str) -> None:
    where = place(Thing.PEOPLE, orgnr, "helseid:user-administration")
    until = "2026-02-14T08:00:00Z"
    for fields in (
        None,
        {"roles": ["monitoring"], "validUntil": until},
        {"roles": ["user-administration"], "validUntil": "2026-01-20T08:00:00Z"},
    ):
        assert await refused(set_to(desk, person(Role.OPERATOR), where, fields)) is refusals.EntryInvalid
    following = {"roles": ["user-administration"], "validUntil": "2026-07-01T00:00:00Z"}
    operator = person(Role.OPERATOR)
    await set_to(desk, operator, place(Thing.PEOPLE, orgnr, "helseid:next"), following, **NEW)
    await set_to(desk, operator, where, None)


async def test_a_second_user_administrator_is_not_made_for_longer_than_a_handover(desk: Desk, orgnr: str) -> None:
    gatekeeper = person(Role.USER_ADMINISTRATION)
    long = {"roles": ["monitoring"], "validUntil": "2026-07-01T00:00:00Z"}
    await set_to(desk, gatekeeper, place(Thing.PEOPLE, orgnr, "helseid:next"), long, **NEW)
    kept = place(Thing.PEOPLE, orgnr, "helseid:user-administration")
    await set_to(
        desk, person(Role.OPERATOR), kept, {"roles": ["user-administration"], "validUntil": "2026-06-01T00:00:00Z"}
    )
    where = place(Thing.PEOPLE, orgnr, "helseid:another")
    both = {"roles": ["user-administration"], "validUntil": "2026-07-01T00:00:00Z"}
    assert await refused(set_to(desk, gatekeeper, where, both, **NEW)) is refusals.EntryInvalid
    await set_to(desk, gatekeeper, where, {**both, "validFrom": "2026-05-15T00:00:00Z"}, **NEW)


async def test_who_loses_access_within_thirty_days_is_shown_and_listed(desk: Desk, orgnr: str, hands: Hands) -> None:
    gatekeeper, everyone = person(Role.USER_ADMINISTRATION), Place(Thing.PEOPLE, orgnr)
    later = {"roles": ["monitoring"], "validUntil": "2026-06-01T00:00:00Z"}
    await set_to(desk, gatekeeper, place(Thing.PEOPLE, orgnr, "helseid:later"), later, **NEW)
    listed = (await see(desk, gatekeeper, everyone)).body["entries"]
    assert {each["id"]: each["endsSoon"] for each in listed} == {
        "helseid:administration": True, "helseid:later": False, "helseid:monitoring": True,
        "helseid:user-administration": True,
    }  # fmt: skip
    soon = (await see(desk, gatekeeper, everyone, endsSoon="true")).body["entries"]
    assert [each["id"] for each in soon] == [each["id"] for each in listed if each["endsSoon"]]
    assert len((await see(desk, gatekeeper, everyone, endsSoon="true", limit="2")).body["entries"]) == 2
    hands.now = NOW + 31 * DAY
    lapsed = person(Role.OPERATOR, subject="entra:ola", roles=frozenset({"Knutepunkt.Operator"}))
    assert (await see(desk, lapsed, everyone, endsSoon="true")).body["entries"] == []
    for odd in ("yes", "", "TRUE", "1"):
        assert await refused(see(desk, lapsed, everyone, endsSoon=odd)) is refusals.PageOutOfBounds
    assert await refused(see(desk, lapsed, Place(Thing.GRANTS, orgnr), endsSoon="true")) is refusals.PageOutOfBounds


@pytest.mark.parametrize(
    "change", [{"url": "https://sly.example.no/"}, {"credentials": "{orgnr}-other"}, {"kind": "mailbox"}]
)  # fmt: skip
@pytest.mark.parametrize("again", [timedelta(), timedelta(minutes=1)])
async def test_another_address_or_way_in_counts_when_a_second_person_sends_the_same(
    desk: Desk, orgnr: str, hands: Hands, again: timedelta, change: dict[str, str]
) -> None:
    where, admin, operator = place(Thing.RECEIVERS, orgnr), person(Role.ADMINISTRATION), person(Role.OPERATOR)
    before = await see(desk, admin, where)
    fields = {**fields_of(before), **{name: text.format(orgnr=orgnr) for name, text in change.items()}}
    for _ in range(3):
        # However often one person wants it, it is one person.
        answer = await set_to(desk, admin, where, fields)
        assert answer.proposed
        assert answer.body == before.body
        hands.now += again
    assert await see(desk, admin, where) == before
    (proposal,) = (await see(desk, person(Role.MONITORING), Place(Thing.PROPOSALS, orgnr))).body["entries"]
    assert proposal["entry"]["proposedBy"] == "helseid:administration"
    assert proposal["entry"]["receiver"] == {**fields, "id": "epj"}
    answer = await set_to(desk, operator, where, fields)
    assert not answer.proposed
    assert fields_of(await see(desk, admin, where)) == fields
    assert (await see(desk, admin, Place(Thing.PROPOSALS, orgnr))).body["entries"] == []
    told = (await see(desk, admin, Place(Thing.HISTORY, orgnr))).body["entries"]
    assert next(each["who"] for each in told if each["of"] == "municipality") == "helseid:operator"
    assert {each["who"] for each in told if each["of"] == "proposal.epj"} == {
        "helseid:administration",
        "helseid:operator",
    }


async def test_what_is_agreed_to_is_exactly_what_was_proposed(desk: Desk, orgnr: str, hands: Hands) -> None:
    where, admin, operator = place(Thing.RECEIVERS, orgnr), person(Role.ADMINISTRATION), person(Role.OPERATOR)
    before = await see(desk, admin, where)
    one, two = ({**fields_of(before), "url": f"https://{name}.example.no/"} for name in ("one", "two"))
    assert (await set_to(desk, admin, where, one)).proposed
    # Another proposal takes the place of the first: the first one's author is the second for neither.
    assert (await set_to(desk, operator, where, two)).proposed
    assert (await set_to(desk, operator, where, one)).proposed
    assert await see(desk, admin, where) == before
    # A proposal waits for a week.
    hands.now = NOW + 7 * DAY
    assert (await set_to(desk, admin, where, one)).proposed
    hands.now = NOW + 8 * DAY
    assert not (await set_to(desk, operator, where, one)).proposed


async def test_nobody_without_the_role_is_the_second(desk: Desk, orgnr: str) -> None:
    where = place(Thing.RECEIVERS, orgnr)
    fields = {**fields_of(await see(desk, person(Role.ADMINISTRATION), where)), "url": "https://sly.example.no/"}
    await set_to(desk, person(Role.ADMINISTRATION), where, fields)
    for role in (Role.MONITORING, Role.USER_ADMINISTRATION):
        assert await refused(set_to(desk, person(role), where, fields)) is refusals.RoleMissing


async def test_what_leads_nowhere_else_is_changed_by_one(desk: Desk, orgnr: str) -> None:
    where, admin = place(Thing.RECEIVERS, orgnr), person(Role.ADMINISTRATION)
    fields = {**fields_of(await see(desk, admin, where)), "limits": {"perSecond": 5}}
    assert not (await set_to(desk, admin, where, fields)).proposed
    assert not (await set_to(desk, admin, where, None)).proposed
