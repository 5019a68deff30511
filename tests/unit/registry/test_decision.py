"""May this caller do this here, now? The whole matrix as a table, and what must hold whatever the facts."""

import itertools
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.caller import Caller
from shared.errors import HubError, ScopeMissing
from shared.registry.decision import Action, Ask, Decision, Facts, Message, Rule, decide, require
from shared.registry.model import Grant, System
from shared.registry.traffic import Stop, Traffic
from tests.unit.registry.samples import DAY, GRANT, MUNICIPALITY, NOW, ORGNR, OTHER, PARTNER, VKP_ID

SCOPE = "nhn:vkp/api/user/"
READ_WRITE = frozenset({f"{SCOPE}bundle.*", f"{SCOPE}patient.*", f"{SCOPE}observation.*"})
CALLER = Caller(VKP_ID, "client-1", READ_WRITE)
SYSTEM = System(VKP_ID)
THEIRS = Message(VKP_ID, ORGNR, "bundle")
WRITE = Ask(ORGNR, "bundle", Action.WRITE)
READ = Ask(ORGNR, "patient", Action.READ, frozenset({"TA", "MD"}))
SEARCH = replace(READ, action=Action.SEARCH)
STATUS = Ask(ORGNR, "bundle", Action.STATUS, message=THEIRS)
FACTS = Facts(MUNICIPALITY, GRANT, SYSTEM, NOW, PARTNER)
STOPPED = Traffic(Stop(NOW + DAY), Stop())
PASSED = Traffic(Stop(NOW), Stop(NOW - DAY))


@dataclass(frozen=True)
class Line:
    """A line of the table: what is otherwise than where everything is right, and what each action is answered."""

    what: str
    write: Rule | None
    read: Rule | None
    status: Rule | None
    caller: Caller = CALLER
    facts: Facts = FACTS


def granted(**changed: Any) -> Facts:
    return replace(FACTS, grant=replace(GRANT, **changed))


def at(traffic: Traffic) -> Facts:
    return replace(FACTS, municipality=replace(MUNICIPALITY, traffic=traffic))


def registered(**changed: Any) -> Facts:
    return replace(FACTS, system=replace(SYSTEM, **changed))


SCOPELESS, UNKNOWN = Rule.SCOPE, Rule.MESSAGE_UNKNOWN
TABLE = (
    Line("all is right", None, None, None),
    Line("no scope at all", SCOPELESS, SCOPELESS, SCOPELESS, replace(CALLER, scopes=frozenset())),
    Line("scopes to write", None, SCOPELESS, None,
         replace(CALLER, scopes=frozenset({f"{SCOPE}bundle.write", f"{SCOPE}patient.write"}))),
    Line("scopes to read", SCOPELESS, None, None,
         replace(CALLER, scopes=frozenset({f"{SCOPE}bundle.read", f"{SCOPE}patient.read"}))),
    Line("scopes for another resource", SCOPELESS, SCOPELESS, SCOPELESS,
         replace(CALLER, scopes=frozenset({f"{SCOPE}observation.*"}))),
    Line("scopes in capitals", SCOPELESS, SCOPELESS, SCOPELESS,
         replace(CALLER, scopes=frozenset(each.upper() for each in READ_WRITE))),
    Line("a scope with a wildcard for the resource", SCOPELESS, SCOPELESS, SCOPELESS,
         replace(CALLER, scopes=frozenset({f"{SCOPE}*.*", f"{SCOPE}*"}))),
    Line("the scope for everything, which counts in test environments", None, None, None,
         replace(CALLER, scopes=frozenset({"nhn:vkp/api/*.*"}))),
    Line("no such municipality", Rule.MUNICIPALITY_UNKNOWN, Rule.MUNICIPALITY_UNKNOWN, UNKNOWN,
         facts=replace(FACTS, municipality=None)),
    Line("neither municipality nor grant", Rule.MUNICIPALITY_UNKNOWN, Rule.MUNICIPALITY_UNKNOWN, UNKNOWN,
         facts=replace(FACTS, municipality=None, grant=None)),
    Line("no grant", Rule.NOT_GRANTED, Rule.NOT_GRANTED, UNKNOWN, facts=replace(FACTS, grant=None)),
    Line("no grant, traffic stopped", Rule.NOT_GRANTED, Rule.NOT_GRANTED, UNKNOWN,
         facts=replace(at(STOPPED), grant=None)),
    Line("a grant from tomorrow", Rule.GRANT_NOT_VALID, Rule.GRANT_NOT_VALID, UNKNOWN,
         facts=granted(valid_from=NOW + DAY)),
    Line("a grant from this moment", None, None, None, facts=granted(valid_from=NOW)),
    Line("a grant until this moment", Rule.GRANT_NOT_VALID, Rule.GRANT_NOT_VALID, UNKNOWN,
         facts=granted(valid_to=NOW)),
    Line("a grant until the next moment", None, None, None, facts=granted(valid_to=NOW + timedelta(microseconds=1))),
    Line("a grant without dates", None, None, None, facts=granted(valid_from=None, valid_to=None)),
    Line("may not send", Rule.ACTION_NOT_GRANTED, None, None, facts=granted(may_send=False)),
    Line("may not read", None, Rule.ACTION_NOT_GRANTED, None, facts=granted(may_read=False)),
    Line("another resource is granted", Rule.RESOURCE_NOT_GRANTED, Rule.RESOURCE_NOT_GRANTED, None,
         facts=granted(resources=frozenset({"observation"}))),
    Line("all resources are granted", None, None, None, facts=granted(resources=frozenset())),
    Line("other ServiceCodes are granted", None, Rule.SERVICE_NOT_MET, None,
         facts=granted(service_codes=frozenset({"GPS", "MD"}))),
    Line("no ServiceCodes are granted", None, Rule.SERVICE_NOT_MET, None, facts=granted(service_codes=frozenset())),
    Line("no partner profile", None, Rule.SERVICE_NOT_MET, None, facts=replace(FACTS, partner=None)),
    Line("a partner profile without these codes", None, Rule.SERVICE_NOT_MET, None,
         facts=replace(FACTS, partner=replace(PARTNER, codes={"GPS": ("%",), "TA": ()}))),
    Line("the system is blocked", Rule.SYSTEM_BLOCKED, Rule.SYSTEM_BLOCKED, UNKNOWN, facts=registered(blocked=True)),
    Line("another client of the system is registered", Rule.CLIENT_UNKNOWN, Rule.CLIENT_UNKNOWN, UNKNOWN,
         facts=registered(client_ids=frozenset({"client-2", "CLIENT-1"}))),
    Line("this client is registered", None, None, None, facts=registered(client_ids=frozenset({"client-1"}))),
    Line("all traffic is stopped", Rule.TRAFFIC_STOPPED, Rule.TRAFFIC_STOPPED, None, facts=at(STOPPED)),
    Line("writes are stopped", Rule.TRAFFIC_STOPPED, None, None, facts=at(Traffic(writes=Stop()))),
    Line("reads are stopped", None, Rule.TRAFFIC_STOPPED, None, facts=at(Traffic(reads=Stop()))),
    Line("stops that have passed", None, None, None, facts=at(PASSED)),
)  # fmt: skip


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line.what)
def test_the_table(line: Line) -> None:
    answers = {each.action: decide(line.caller, each, line.facts).rule for each in (WRITE, READ, SEARCH, STATUS)}
    expected = {Action.WRITE: line.write, Action.READ: line.read, Action.SEARCH: line.read, Action.STATUS: line.status}
    assert answers == expected


def test_every_rule_refuses_something_in_the_table() -> None:
    assert {rule for line in TABLE for rule in (line.write, line.read, line.status)} == {None, *Rule}


def test_the_codes_are_vkps() -> None:
    codes = {rule.key: rule.error.vkp_code for rule in Rule}
    assert codes == {
        "scope": "1.2", "municipality-unknown": "2.2", "message-unknown": "2", "system-blocked": "1.1",
        "client-unknown": "1.5", "not-granted": "1.4", "grant-not-valid": "1.1", "action-not-granted": "1.2",
        "resource-not-granted": "1.2", "service-not-met": "1.3", "traffic-stopped": "1.1",
    }  # fmt: skip
    assert Decision(Rule.NOT_GRANTED).vkp_code == "1.4"
    assert Decision().vkp_code == ""


def test_the_statuses_are_the_contracts() -> None:
    statuses = {rule: rule.error.status for rule in Rule}
    assert statuses[Rule.MUNICIPALITY_UNKNOWN] == statuses[Rule.MESSAGE_UNKNOWN] == 404
    assert statuses[Rule.TRAFFIC_STOPPED] == 503
    assert {status for rule, status in statuses.items() if status not in (404, 503)} == {403}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (None, "not there"),
        (replace(THEIRS, sender="another"), "another's"),
        (replace(THEIRS, sender=""), "nobody's"),
        (replace(THEIRS, sender=VKP_ID.upper()), "in another letter case"),
        (replace(THEIRS, orgnr=OTHER), "at another municipality"),
        (replace(THEIRS, resource="observation"), "at another address"),
    ],
)
def test_a_message_that_is_not_the_callers_is_answered_as_one_that_is_not_there(
    message: Message | None, why: str
) -> None:
    assert decide(CALLER, replace(STATUS, message=message), FACTS) == Decision(Rule.MESSAGE_UNKNOWN), why


def test_the_municipality_sees_what_was_sent_to_it_and_needs_no_grant() -> None:
    itself = replace(CALLER, vkp_id="epj", orgnr_parent=ORGNR)
    facts = replace(FACTS, grant=None, system=System("epj"))
    assert decide(itself, STATUS, facts).allowed
    assert not decide(replace(itself, orgnr_parent=OTHER), STATUS, facts).allowed
    assert not decide(replace(itself, orgnr_parent=None, orgnr_child=ORGNR), STATUS, facts).allowed
    assert not decide(itself, WRITE, facts).allowed
    assert not decide(itself, READ, facts).allowed


def test_a_caller_without_a_vkp_id_owns_no_message() -> None:
    nobody = replace(CALLER, vkp_id="")
    # Whatever somebody may have granted to no name at all.
    facts = replace(FACTS, grant=replace(GRANT, vkp_id=""), system=System(""))
    ask = replace(STATUS, message=replace(THEIRS, sender=""))
    assert decide(nobody, ask, facts).rule is Rule.MESSAGE_UNKNOWN


def test_only_codes_that_are_asked_granted_and_translated_count() -> None:
    ask = replace(READ, service_codes=frozenset({"TA", "GPS", "MD"}))
    only = replace(FACTS, partner=replace(PARTNER, codes={"TA": ("1",), "MD": ("2",), "DT": ("3",)}))
    assert decide(CALLER, ask, only).service_codes == {"TA"}
    assert decide(CALLER, ask, FACTS).service_codes == {"TA", "GPS"}
    assert decide(CALLER, replace(WRITE, service_codes=frozenset({"TA"})), FACTS).service_codes == frozenset()


def test_a_stop_says_when_it_ends() -> None:
    assert decide(CALLER, WRITE, at(STOPPED)).opens == NOW + DAY
    assert decide(CALLER, READ, at(STOPPED)).opens is None


def test_facts_of_somebody_else_decide_nothing() -> None:
    other = replace(GRANT, orgnr=OTHER)
    for facts in (
        replace(FACTS, grant=other),
        replace(FACTS, municipality=replace(MUNICIPALITY, orgnr=OTHER)),
        replace(FACTS, partner=replace(PARTNER, orgnr=OTHER)),
        replace(FACTS, grant=replace(GRANT, vkp_id="another")),
        replace(FACTS, system=System("another")),
    ):
        with pytest.raises(ValueError, match="facts about another"):
            decide(CALLER, WRITE, facts)


@pytest.mark.parametrize("rule", list(Rule), ids=lambda rule: rule.key)
def test_what_is_refused_is_raised_as_its_error(rule: Rule) -> None:
    asks = (("write", WRITE), ("read", READ), ("status", STATUS))
    line, ask = next((line, ask) for line in TABLE for name, ask in asks if getattr(line, name) is rule)
    with pytest.raises(rule.error) as raised:
        require(line.caller, ask, line.facts)
    assert isinstance(raised.value, HubError)


def test_the_scope_that_is_missing_is_named() -> None:
    with pytest.raises(ScopeMissing) as raised:
        require(replace(CALLER, scopes=frozenset()), WRITE, FACTS)
    assert "bundle.write" in raised.value.findings[0].text


def test_what_is_allowed_raises_nothing() -> None:
    for ask in (WRITE, READ, SEARCH, STATUS):
        require(CALLER, ask, FACTS)


MOMENTS = st.none() | st.sampled_from([NOW + step * DAY for step in range(-2, 3)])
GRANTS = st.none() | st.builds(
    Grant, orgnr=st.just(ORGNR), vkp_id=st.just(VKP_ID),
    resources=st.frozensets(st.sampled_from(["bundle", "patient"])),
    service_codes=st.frozensets(st.sampled_from(["TA", "GPS", "MD"])), may_send=st.booleans(), may_read=st.booleans(),
    valid_from=MOMENTS, valid_to=MOMENTS,
)  # fmt: skip
CALLERS = st.builds(
    Caller, vkp_id=st.just(VKP_ID), client_id=st.sampled_from(["client-1", "client-2"]),
    scopes=st.frozensets(st.sampled_from([*sorted(READ_WRITE), "nhn:vkp/api/*.*", f"{SCOPE}bundle.write"])),
    orgnr_parent=st.sampled_from([None, OTHER]),
)  # fmt: skip
ASKS = st.builds(
    Ask, orgnr=st.just(ORGNR), resource=st.sampled_from(["bundle", "patient"]), action=st.sampled_from(Action),
    service_codes=st.frozensets(st.sampled_from(["TA", "GPS", "XX"])),
    message=st.sampled_from([None, THEIRS, replace(THEIRS, sender="another")]),
)  # fmt: skip
FACTS_OF_ANY_KIND = st.builds(
    Facts, municipality=st.sampled_from([None, MUNICIPALITY, replace(MUNICIPALITY, traffic=STOPPED)]), grant=GRANTS,
    system=st.sampled_from([SYSTEM, replace(SYSTEM, blocked=True)]), now=st.sampled_from([NOW - DAY, NOW, NOW + DAY]),
    partner=st.sampled_from([None, PARTNER]),
)  # fmt: skip


def valid(grant: Grant | None, now: datetime) -> bool:
    return grant is not None and (grant.valid_from or now) <= now and not (grant.valid_to and grant.valid_to <= now)


@given(CALLERS, ASKS, FACTS_OF_ANY_KIND)
def test_nothing_is_allowed_without_a_grant_valid_now(caller: Caller, ask: Ask, facts: Facts) -> None:
    decision = decide(caller, ask, facts)
    if not valid(facts.grant, facts.now):
        assert not decision.allowed
    if decision.allowed:
        assert facts.municipality is not None
        assert facts.grant is not None
        assert not facts.system.blocked
        assert decision.service_codes <= facts.grant.service_codes


@given(CALLERS, ASKS, FACTS_OF_ANY_KIND)
def test_who_may_not_ask_learns_nothing_of_a_message(caller: Caller, ask: Ask, facts: Facts) -> None:
    ask = replace(ask, action=Action.STATUS)
    decision = decide(caller, ask, facts)
    if not decision.allowed:
        assert decision == decide(caller, replace(ask, message=None), facts)


@given(CALLERS, ASKS, FACTS_OF_ANY_KIND)
def test_who_is_not_let_in_does_not_learn_whether_traffic_is_stopped(caller: Caller, ask: Ask, facts: Facts) -> None:
    if facts.municipality is None:
        return
    traffic = (Traffic(), Traffic(Stop(), Stop()))
    open_, stopped = (replace(facts, municipality=replace(MUNICIPALITY, traffic=each)) for each in traffic)
    answer = decide(caller, ask, open_)
    if not answer.allowed:
        assert decide(caller, ask, stopped) == answer


@given(CALLERS, FACTS_OF_ANY_KIND)
def test_less_of_a_grant_never_allows_more(caller: Caller, facts: Facts) -> None:
    if facts.grant is None:
        return
    fewer = (replace(facts.grant, may_send=False), replace(facts.grant, may_read=False))
    for ask, grant in itertools.product((WRITE, READ, STATUS), fewer):
        if not decide(caller, ask, facts).allowed:
            assert not decide(caller, ask, replace(facts, grant=grant)).allowed
