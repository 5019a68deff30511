"""The pseudonyms' key can be changed under way: nothing is overtaken, stored twice or lost to a search."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.pseudonym import pseudonym
from shared.access.rotation import Place, Pseudonym, Pseudonyms, chosen, key_name

OLD, NEW, NEXT = (bytes([number]) * 32 for number in range(3))
PATIENT = ("urn:oid:2.16.578.1.12.4.1.4.1", "13838099876")


def place(name: str, *, message: bool = False, work: bool = False) -> Place:
    return Place(Pseudonym(f"under {name}", name), message, work)


def test_current_pseudonym_is_the_one_there_has_always_been() -> None:
    assert Pseudonyms(OLD).of(*PATIENT).text == pseudonym(OLD, *PATIENT)
    assert Pseudonyms(OLD).every(*PATIENT) == (Pseudonyms(OLD).of(*PATIENT),)


def test_search_asks_under_every_key_the_current_one_first() -> None:
    every = Pseudonyms(NEW, (OLD, NEXT)).every(*PATIENT)
    assert [each.text for each in every] == [pseudonym(key, *PATIENT) for key in (NEW, OLD, NEXT)]
    assert [each.key for each in every] == [key_name(key) for key in (NEW, OLD, NEXT)]


def test_key_names_tell_keys_apart_and_never_change() -> None:
    assert [key_name(bytes([number]) * 32) for number in range(3)] == ["2hee", "il3u", "44pe"]


def test_keys_never_show_themselves_and_must_be_whole_and_different() -> None:
    assert str(OLD) not in repr(Pseudonyms(NEW, (OLD,)))
    for current, others in ((b"x", ()), (NEW, (b"x" * 31,)), (NEW, (NEW,)), (NEW, (OLD, OLD))):
        with pytest.raises(ValueError, match="pseudonym key") as caught:
            Pseudonyms(current, others)
        assert "xxx" not in str(caught.value)


def test_quiet_patient_moves_to_the_current_key() -> None:
    assert chosen([place("new"), place("old")]).key == "new"


def test_lane_with_work_is_gone_on_with() -> None:
    assert chosen([place("new"), place("old", work=True)]).key == "old"
    assert chosen([place("new", work=True), place("old")]).key == "new"


def test_message_that_is_stored_stays_where_it_is_whatever_else_there_is() -> None:
    assert chosen([place("new", work=True), place("old", message=True)]).key == "old"


@given(st.permutations([place("a", work=True), place("b", work=True), place("c")]))
def test_instances_that_disagree_about_the_current_key_agree_about_two_busy_lanes(places: list[Place]) -> None:
    assert chosen(places).key == "a"


@dataclass
class Hub:
    """A hub's memory, as far as it matters: messages stored, and work left, by pseudonym."""

    keys: Pseudonyms
    stored: dict[str, str] = field(default_factory=dict)
    work: dict[str, list[str]] = field(default_factory=dict)

    def post(self, message: str) -> None:
        places = [
            Place(each, self.stored.get(message) == each.text, bool(self.work.get(each.text)))
            for each in self.keys.every(*PATIENT)
        ]
        lane = chosen(places).text
        if message not in self.stored:
            self.work.setdefault(lane, []).append(message)
        assert self.stored.setdefault(message, lane) == lane, "stored twice"


steps = st.lists(st.sampled_from(["post", "again", "deliver", "announce", "switch"]), min_size=12, max_size=40)


@given(steps)
def test_nothing_is_overtaken_or_stored_twice_however_often_the_key_is_changed(taken: list[str]) -> None:
    hub, posted = Hub(Pseudonyms(OLD)), 0
    ring = [OLD]
    for step in taken:
        if step == "post":
            posted += 1
            hub.post(f"message {posted}")
        elif step == "again" and posted:
            hub.post(f"message {max(1, posted // 2)}")
        elif step == "deliver":
            for lane in hub.work.values():
                del lane[:1]
        elif step == "announce":
            ring.append(bytes([len(ring)]) * 32)
            hub.keys = Pseudonyms(hub.keys.current, tuple(key for key in ring if key != hub.keys.current))
        elif step == "switch":
            hub.keys = Pseudonyms(ring[-1], tuple(ring[:-1]))
        busy = [lane for lane in hub.work.values() if lane]
        assert len(busy) <= 1, "two lanes of one patient have work: one may overtake the other"
        found = {each.text for each in hub.keys.every(*PATIENT)}
        assert set(hub.stored.values()) <= found, "a search would miss some"
