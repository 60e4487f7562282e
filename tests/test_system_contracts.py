"""Who may certify blocks: an alliance that votes, stakes, elected members. Stories, refusals, and what always holds.

Every event `Committee` is also given to the ledger's own rules, and both must know the same members at every height.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, count, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.contracts import Sandbox, check
from minichain.contracts.language import MAX_SOURCE_BYTES
from minichain.contracts.mixing import PARTS_SOURCE
from minichain.contracts.sandbox import Outcome
from minichain.contracts.system import KINDS, SOURCES
from minichain.crypto import did_of, public_of
from minichain.ledger.committee import (
    MAX_MEMBERS,
    MAX_NAME,
    MAX_WEIGHT,
    Committee,
    Member,
    Term,
    committee_at,
    first_terms,
    with_term,
)

GAS = 5_000_000  # of any action, with 100 members
LEDGER = "ledger"

Members = list[list[Any]]


@cache
def box() -> Sandbox:
    """One sandbox for all: it compiles each contract once."""
    return Sandbox()


def did(name: str) -> str:
    return name if name == LEDGER or name.startswith("did:") else box().account(name)


def party(name: str, weight: int = 1) -> list[Any]:
    return [name, did(name), weight]


def parties(*names: str, weight: int = 1) -> Members:
    return [party(name, weight) for name in names]


def crowd(size: int, weight: int = 1) -> Members:
    return parties(*(f"office-{number:03}" for number in range(size)), weight=weight)


class House:
    """A contract of members, and beside it the ledger that follows its events."""

    numbers = count(1)

    def __init__(self, kind: str, founders: Members, **setup: Any) -> None:
        self.box = box()
        self.box.height = 1
        self.name = f"members-{next(House.numbers)}"
        sender = did("deployer")
        self.contract: Any = self.box.deploy(SOURCES[kind], sender=sender, name=self.name, founders=founders, **setup)
        members = tuple(Member(name, public_of(key), weight) for name, key, weight in sorted(founders))
        self.terms = first_terms(members)

    @property
    def height(self) -> int:
        return self.box.height

    def wait(self, blocks: int = 1) -> None:
        self.box.advance(blocks=blocks)

    def until(self, height: int) -> None:
        assert height >= self.height
        self.box.height = height

    def attempt(self, who: str, action: str, /, **arguments: Any) -> Outcome:
        outcome = self.box.call(did(who), self.name, action, arguments)
        for event in outcome.events:
            if event.name == "Committee":
                members = tuple(Member(name, public_of(key), weight) for name, key, weight in event.data["members"])
                self.terms = with_term(self.terms, self.height, Term(event.data["first"], members))
        return outcome

    def ok(self, who: str, action: str, /, **arguments: Any) -> Any:
        outcome = self.attempt(who, action, **arguments)
        assert outcome.ok, outcome.error
        self.agrees()
        return outcome.result

    def refused(self, words: str, who: str, action: str, /, **arguments: Any) -> None:
        outcome = self.attempt(who, action, **arguments)
        assert outcome.outcome == "reverted", outcome
        assert words in outcome.error

    def announced(self, who: str, action: str, /, **arguments: Any) -> list[tuple[int, str]]:
        """Call an action and return (first height, names) of each committee that it announced."""
        outcome = self.attempt(who, action, **arguments)
        assert outcome.ok, outcome.error
        events = [event.data for event in outcome.events if event.name == "Committee"]
        return [(event["first"], " ".join(name for name, _, _ in event["members"])) for event in events]

    def agrees(self) -> None:
        """What the contract shows is what the ledger has understood; it is ordered by name."""
        heights = {
            self.height,
            self.height + 1,
            *(first + add for first, _ in self.contract.planned() for add in (-1, 0)),
        }
        for height in sorted(h for h in heights if h >= self.height):
            own = self.contract.committee_at(height)
            assert own == sorted(own)
            ledgers = [[member.name, member.did, member.weight] for member in committee_at(self.terms, height).members]
            assert own == ledgers, height

    def names(self, height: int | None = None) -> str:
        members = self.contract.members() if height is None else self.contract.committee_at(height)
        return " ".join(name for name, _, _ in members)


# --- the contracts themselves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_contracts_are_in_the_contract_language_and_small(kind: str) -> None:
    assert check(SOURCES[kind]) == []
    assert len(SOURCES[kind].encode()) < MAX_SOURCE_BYTES // 2


def part(source: str, begin: str, end: str) -> str:
    assert begin in source
    return source[source.index(begin) :].split(end, maxsplit=1)[0].rstrip()


def test_what_the_contracts_share_is_the_same_text() -> None:
    for begin, end in (("# --- epochs: the same", "\n\n\ndef elected"), ("    # --- epochs: the same", "\n# end")):
        texts = {part(SOURCES[kind], begin, end).split("\n\n\ndef owned")[0] for kind in ("stake", "delegation")}
        assert len(texts) == 1, begin


def test_the_contracts_take_what_the_ledger_takes_as_a_key() -> None:
    for text in (f"HIGHEST_KEY = {did_of(bytes([255] * 32))!r}", f"LOWEST_KEY = {did_of(bytes(32))!r}"):
        assert text.replace("'", '"') in PARTS_SOURCE
    assert f"MAX_NAME = {MAX_NAME}\nMAX_WEIGHT = {MAX_WEIGHT:_}" in PARTS_SOURCE
    assert MAX_MEMBERS >= 100


EXTRA: dict[str, dict[str, Any]] = {
    "authority": {"voting_blocks": 10, "delay": 5},
    "stake": {"seats": 100, "epoch": 10, "unbonding": 30},
    "delegation": {"seats": 100, "epoch": 10, "holders": [[box().account("h"), 100]]},
    "assigned": {"coordinator": "coordinator"},
}
LOW, HIGH = did_of(bytes(32)), did_of(b"\xff" * 32)


def test_every_key_is_accepted() -> None:
    chance = Random(7)
    publics = [bytes([first]) + chance.randbytes(31) for first in range(0, 256, 3)]
    House("authority", [[f"N{public[0]}", did_of(public), 1] for public in publics], **EXTRA["authority"]).agrees()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("founders", "words"),
    [
        ([], "1 to 100 founders"),
        (crowd(101), "1 to 100 founders"),
        ([["A", LOW, 1], ["A", HIGH, 1]], "a name and a key of its own"),
        ([["A", LOW, 1], ["B", LOW, 1]], "a name and a key of its own"),
        ([["A", LOW, 0]], "a weight is"),
        ([["A", LOW, -1]], "a weight is"),
        ([["A", LOW, True]], "a weight is"),
        ([["A", LOW, MAX_WEIGHT + 1]], "a weight is"),
        ([["", LOW, 1]], "1 to 64 characters"),
        ([["A" * 65, LOW, 1]], "1 to 64 characters"),
        ([["A/B", LOW, 1]], "no slashes"),
        ([["A\\B", LOW, 1]], "no slashes"),
        ([["A\u200bB", LOW, 1]], "usual signs"),
        ([["A\nB", LOW, 1]], "usual signs"),
        ([[" A", LOW, 1]], "nor ends with a space"),
        ([["A", LOW[:-1], 1]], "did:key"),
        ([["A", LOW[:-1] + "0", 1]], "did:key"),
        ([["A", "did:key:z6Mkz" + LOW[13:], 1]], "did:key"),
        ([["A", "ledger", 1]], "did:key"),
        ([["A", LOW]], ""),
        ([["A", 7, 1]], ""),
        (["A"], ""),
    ],
)
def test_founders_that_are_no_committee_are_refused(kind: str, founders: list[Any], words: str) -> None:
    with pytest.raises(Exception, match=words or None) as caught:
        House(kind, founders, **EXTRA[kind])
    assert type(caught.value).__name__ == "CallFailed"


def test_a_name_may_be_chinese_or_have_accents() -> None:
    house = House("authority", [["Mühle Straße 3", LOW, 1], ["街道办事处", HIGH, 1]], **EXTRA["authority"])
    assert house.names() == "Mühle Straße 3 街道办事处"
    house.agrees()


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("authority", {"voting_blocks": 0}, "open for"),
        ("authority", {"delay": 0}, "takes effect"),
        ("authority", {"delay": 10**7}, "takes effect"),
        ("stake", {"seats": 0}, "a seat for each founder"),
        ("stake", {"seats": 101}, "a seat for each founder"),
        ("stake", {"epoch": 0}, "an epoch has"),
        ("stake", {"unbonding": 0}, "unbonding takes"),
        ("stake", {"least": 0}, "1 or more"),
        ("stake", {"least": 2}, "at least 2 units"),
        ("stake", {"percent": 0}, "percent"),
        ("stake", {"percent": 101}, "percent"),
        ("stake", {"pay": -1}, "pay"),
        ("stake", {"owners": [[LOW, 0]]}, "a weight is"),
        ("stake", {"owners": [["nobody", 5]]}, "did:key"),
        ("stake", {"owners": [[LOW, MAX_WEIGHT]]}, "there are at most"),
        ("delegation", {"seats": 0}, "a seat for each founder"),
        ("delegation", {"epoch": 0}, "an epoch has"),
        ("delegation", {"turnover": 0}, "change hands"),
        ("delegation", {"turnover": 101}, "change hands"),
        ("delegation", {"holders": []}, "there are 1 to"),
        ("delegation", {"founders": [["A", HIGH, 2]]}, "weighs 1"),
    ],
)
def test_rules_that_cannot_work_are_refused(kind: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        House(kind, **{"founders": [["A", HIGH, 1]], **EXTRA[kind], **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_begins_with_its_founders_at_height_zero(kind: str) -> None:
    """As the genesis deploys it: nothing is announced, because the ledger begins with the same members."""
    genesis = Sandbox(height=0)
    contract: Any = genesis.deploy(
        SOURCES[kind], sender="ledger", name="members", founders=parties("B", "A"), **EXTRA[kind]
    )
    assert contract.committee_at(0) == contract.committee_at(1) == contract.members() == parties("A", "B")
    assert contract.planned() == []


# --- authority ---------------------------------------------------------------------------------------------------

WHY = {"reason": "decided at the meeting of March"}


def alliance(*names: str, **changes: Any) -> House:
    return House("authority", parties(*(names or "ABCD")), **{**EXTRA["authority"], **changes})


def admission(name: str, weight: int = 1) -> dict[str, Any]:
    return {"name": name, "did": did(name), "weight": weight, **WHY}


def removal(name: str) -> dict[str, Any]:
    return {"did": did(name), **WHY}


def votes(house: House, proposal: int, yes: str = "", no: str = "") -> str:
    status = "open"
    for name, choice in [(name, True) for name in yes] + [(name, False) for name in no]:
        status = house.ok(name, "vote", proposal=proposal, yes=choice)
    return status


def test_four_members_admit_a_fifth_by_more_than_two_thirds() -> None:
    house = alliance()
    house.wait(4)
    number = house.ok("B", "propose_admission", **admission("E"))
    assert house.contract.proposal(number)["yes_needed"] == 3
    assert votes(house, number, yes="AB") == "open", "half is not enough"
    house.wait(2)
    assert house.announced("C", "vote", proposal=number, yes=True) == [(12, "A B C D E")]
    case = house.contract.proposal(number)
    assert (case["status"], case["first"], case["yes"], case["total"]) == ("accepted", 12, 3, 4)
    assert case["by"] == did("B")
    assert house.contract.planned() == [[12, parties(*"ABCDE")]]
    house.until(11)
    assert house.names() == "A B C D"
    house.refused("only a member", "E", "propose_removal", **removal("A"))
    house.wait()
    assert house.names() == "A B C D E"
    assert house.names(11) == "A B C D", "the past stays known"
    assert house.contract.planned() == []
    house.ok("E", "propose_removal", **removal("A"))


def test_two_thirds_exactly_are_not_enough_and_one_third_stops_a_change() -> None:
    house = alliance(*"ABC")
    number = house.ok("A", "propose_admission", **admission("E"))
    assert votes(house, number, yes="AB") == "open"
    assert votes(house, number, no="C") == "rejected"
    assert house.contract.proposal(number)["status"] == "rejected"
    house.refused("is rejected", "A", "vote", proposal=number, yes=True)


def test_a_change_is_rejected_as_soon_as_it_cannot_be_accepted_any_more() -> None:
    house = alliance()
    number = house.ok("A", "propose_removal", **removal("D"))
    assert house.contract.proposal(number)["no_needed"] == 2
    assert votes(house, number, no="D") == "open", "three of four may still agree"
    assert house.contract.proposal(number)["no_needed"] == 1
    assert votes(house, number, no="C") == "rejected"


@given(st.lists(st.integers(1, 9), min_size=1, max_size=7), st.lists(st.booleans(), min_size=7, max_size=7))
@settings(max_examples=25, deadline=None)
def test_the_decision_falls_at_the_first_vote_that_settles_it(weights: list[int], choices: list[bool]) -> None:
    names = "ABCDEFG"[: len(weights)]
    house = House("authority", [party(*pair) for pair in zip(names, weights, strict=True)], **EXTRA["authority"])
    number, total = house.ok("A", "propose_admission", **admission("Z")), sum(weights)
    yes = no = 0
    for name, weight, choice in zip(names, weights, choices, strict=False):
        yes, no = (yes + weight, no) if choice else (yes, no + weight)
        wanted = "accepted" if 3 * yes > 2 * total else "rejected" if 3 * (total - no) <= 2 * total else "open"
        before = house.contract.proposal(number)
        assert house.ok(name, "vote", proposal=number, yes=choice) == wanted
        if wanted != "open":
            needed = before["yes_needed"] if choice else before["no_needed"]
            assert 1 <= needed <= weight, "what is still needed was told right"
            return
    raise AssertionError("when all have voted it is decided")


def test_a_vote_is_given_once_in_time_and_by_members_of_then() -> None:
    house = alliance()
    number = house.ok("A", "propose_admission", **admission("E"))
    house.refused("only those who were members", "X", "vote", proposal=number, yes=True)
    house.refused("there is no proposal 9", "A", "vote", proposal=9, yes=True)
    votes(house, number, yes="A")
    house.refused("cannot be changed", "A", "vote", proposal=number, yes=True)
    house.refused("cannot be changed", "A", "vote", proposal=number, yes=False)
    assert [row[3] for row in house.contract.ballots(number)] == ["yes", "not yet", "not yet", "not yet"]
    ends = house.contract.proposal(number)["ends"]
    assert ends == 11
    house.until(ends)
    votes(house, number, no="B")
    house.wait()
    assert house.contract.proposal(number)["status"] == "lapsed"
    assert [case["status"] for case in house.contract.proposals()] == ["lapsed"]
    house.refused("is lapsed", "C", "vote", proposal=number, yes=True)
    assert [row[3] for row in house.contract.ballots(number)] == ["yes", "no", "not yet", "not yet"]


def test_weight_counts_as_it_was_when_the_change_was_proposed() -> None:
    house = alliance(delay=1)
    old = house.ok("A", "propose_admission", **admission("F"))
    votes(house, house.ok("A", "propose_admission", **admission("E")), yes="ABC")
    votes(house, house.ok("A", "propose_weight", did=did("D"), weight=50, **WHY), yes="ABC")
    votes(house, house.ok("A", "propose_removal", **removal("C")), yes="ABD")
    house.wait()
    assert house.contract.members() == [party("A"), party("B"), party("D", 50), party("E")]
    house.refused("only those who were members at height 1", "E", "vote", proposal=old, yes=True)
    assert votes(house, old, yes="D") == "open", "D had weight 1"
    assert votes(house, old, yes="C") == "open", "C was a member"
    assert house.contract.proposal(old)["total"] == 4
    assert votes(house, old, yes="A") == "accepted"
    house.wait()
    assert house.names() == "A B D E F"


def test_accepted_changes_build_on_each_other() -> None:
    house = alliance(delay=5)
    three = [house.ok("A", "propose_admission", **admission(name)) for name in "EFG"]
    votes(house, three[0], yes="ABC")
    votes(house, three[1], yes="ABC")
    house.wait(2)
    votes(house, three[2], yes="ABC")
    house.agrees()
    assert house.contract.planned() == [[6, parties(*"ABCDEF")], [8, parties(*"ABCDEFG")]]
    house.until(7)
    assert house.names() == "A B C D E F"
    house.agrees()
    house.until(8)
    assert house.names() == "A B C D E F G"


def test_a_change_that_another_has_made_impossible_fails_with_the_reason() -> None:
    house = alliance()
    first, second = (house.ok("A", "propose_removal", **removal("D")) for _ in range(2))
    name, key = (house.ok("A", "propose_admission", **{**admission(x), "name": "same"}) for x in "EF")
    assert votes(house, first, yes="ABC") == "accepted"
    assert votes(house, second, yes="ABC") == "failed"
    assert "not a member" in house.contract.proposal(second)["why"]
    assert votes(house, name, yes="ABC") == "accepted"
    assert votes(house, key, yes="ABC") == "failed"
    assert "the name same is taken" in house.contract.proposal(key)["why"]
    assert house.contract.planned()[-1][1] == sorted([*parties(*"ABC"), ["same", did("E"), 1]])


def test_the_last_member_cannot_be_removed_not_even_by_two_votes_at_once() -> None:
    house = alliance("A", "B")
    both = [house.ok("A", "propose_removal", **removal(name)) for name in "AB"]
    assert votes(house, both[0], yes="AB") == "accepted"
    house.refused("the last member cannot be removed", "A", "propose_removal", **removal("B"))
    assert votes(house, both[1], yes="AB") == "failed"
    house.until(6)
    assert house.names() == "B"


@pytest.mark.parametrize(
    ("who", "action", "arguments", "words"),
    [
        ("X", "propose_admission", admission("E"), "only a member may propose"),
        ("A", "propose_admission", admission("A"), "is a member already"),
        ("A", "propose_admission", {**admission("E"), "name": "B"}, "the name B is taken"),
        ("A", "propose_admission", admission("E", 0), "a weight is"),
        ("A", "propose_admission", admission("E", -3), "a weight is"),
        ("A", "propose_admission", admission("E", MAX_WEIGHT + 1), "a weight is"),
        ("A", "propose_admission", {**admission("E"), "did": "E"}, "did:key"),
        ("A", "propose_admission", {**admission("E"), "name": "a/b"}, "no slashes"),
        ("A", "propose_admission", {**admission("E"), "reason": "  "}, "give a reason"),
        ("A", "propose_admission", {**admission("E"), "reason": "x" * 256}, "give a reason"),
        ("A", "propose_removal", removal("X"), "not a member"),
        ("A", "propose_weight", {**removal("X"), "weight": 2}, "not a member"),
        ("A", "propose_weight", {**removal("B"), "weight": 1}, "this weight already"),
        ("A", "propose_weight", {**removal("B"), "weight": 0}, "a weight is"),
    ],
)
def test_a_bad_proposal_is_refused_with_the_reason(
    who: str, action: str, arguments: dict[str, Any], words: str
) -> None:
    alliance().refused(words, who, action, **arguments)


def test_an_alliance_of_a_hundred_is_full() -> None:
    house = House("authority", crowd(100), **EXTRA["authority"])
    house.refused("100 members already", "office-000", "propose_admission", **admission("E"))


def test_one_change_at_a_time_where_the_engine_needs_it() -> None:
    house = alliance(*"ABC", one_at_a_time=True, delay=4)
    house.refused("weight 1", "A", "propose_weight", did=did("B"), weight=2, **WHY)
    house.refused("weight 1", "A", "propose_admission", **admission("D", 2))
    number = house.ok("A", "propose_admission", **admission("D"))
    house.refused("proposal 1 is open until height 11", "A", "propose_removal", **removal("B"))
    votes(house, number, yes="ABC")
    house.refused("takes effect at height 5", "A", "propose_removal", **removal("B"))
    house.until(5)
    house.ok("D", "propose_removal", **removal("B"))
    house.until(16)
    house.ok("A", "propose_removal", **removal("B"))
    with pytest.raises(Exception, match="every member has weight 1"):
        House("authority", parties("A", weight=2), voting_blocks=5, delay=5, one_at_a_time=True)


PEOPLE = "ABCDEFGH"
moves = st.lists(
    st.tuples(
        st.sampled_from(["admission", "removal", "weight", "vote", "vote", "vote", "wait"]),
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
        st.integers(1, 5),
    ),
    max_size=40,
)


@given(moves, st.booleans())
@settings(max_examples=25, deadline=None)
def test_whatever_an_alliance_does_its_committees_are_sound_and_follow_each_other(
    script: list[tuple[str, str, str, int]], one_at_a_time: bool
) -> None:
    house = alliance(*"ABC", one_at_a_time=one_at_a_time, delay=3)
    seen: list[tuple[int, Members]] = [(1, house.contract.members())]
    for kind, who, whom, number in script:
        if kind == "wait":
            house.wait(number)
        elif kind == "vote":
            for voter in PEOPLE:
                house.attempt(voter, "vote", proposal=number + len(house.contract.proposals()) - 5, yes=who < "F")
        elif kind == "admission":
            house.attempt(who, "propose_admission", **admission(whom, 1 if one_at_a_time else number))
        elif kind == "removal":
            house.attempt(who, "propose_removal", **removal(whom))
        else:
            house.attempt(who, "propose_weight", did=did(whom), weight=number, **WHY)
        house.agrees()
        for first, members in house.contract.planned():
            seen = [*(old for old in seen if old[0] < first), (first, members)]
    for (_, before), (_, after) in pairwise(seen):
        Committee([Member(name, public_of(key), weight) for name, key, weight in after])
        if one_at_a_time:
            assert len({key for _, key, _ in before} ^ {key for _, key, _ in after}) == 1
    assert all(house.contract.committee_at(first) == members for first, members in seen)


# --- stake -------------------------------------------------------------------------------------------------------


def stakes(**changes: Any) -> House:
    """Four founders with 10, 20, 30, 40 at stake, and E and F with 100 free units each."""
    founders = [party(name, 10 * place) for place, name in enumerate("ABCD", 1)]
    owners = [[did(name), 100] for name in "EF"]
    return House("stake", founders, **{"owners": owners, "seats": 4, "epoch": 10, "unbonding": 30, **changes})


def total(house: House) -> int:
    return sum(amount for _, amount in house.contract.holdings())


def test_the_largest_stakes_sit_from_the_next_epoch_on() -> None:
    house = stakes()
    house.wait(4)
    assert house.announced("E", "bond", amount=25, name="E") == [(10, "B C D E")]
    assert house.contract.planned() == [[10, [party("B", 20), party("C", 30), party("D", 40), party("E", 25)]]]
    assert house.names() == "A B C D"
    house.until(9)
    assert house.names() == "A B C D"
    assert house.announced("F", "bond", amount=1, name="F") == [], "too little to change anything"
    house.wait()
    assert house.names() == "B C D E"
    assert [name for name, _, _ in house.contract.candidates()] == list("DCEBAF")
    assert house.announced("F", "bond", amount=99) == [(20, "C D E F")]
    assert house.contract.committee_at(10)[0] == party("B", 20)
    house.until(20)
    assert house.contract.members()[-1] == party("F", 100)
    house.agrees()


def test_a_later_change_in_the_same_epoch_replaces_the_earlier_one() -> None:
    house = stakes()
    assert house.announced("E", "bond", amount=50, name="E") == [(10, "B C D E")]
    assert house.announced("E", "unbond", amount=50) == [(10, "A B C D")], "and is announced though nothing changes"
    house.agrees()
    house.until(10)
    house.agrees()
    assert house.names() == "A B C D"


def test_equal_stakes_are_ordered_by_key() -> None:
    house = House("stake", parties("A", weight=5), seats=2, epoch=10, unbonding=5, owners=[[did(n), 5] for n in "EFG"])
    for name in "EFG":
        house.ok(name, "bond", amount=5, name=name)
    first_two = sorted([did(name) for name in "AEFG"])[:2]
    assert sorted(key for _, key, _ in house.contract.planned()[0][1]) == first_two


def test_less_than_the_least_stake_is_no_candidate() -> None:
    house = stakes(least=10)
    assert house.announced("E", "bond", amount=9, name="E") == []
    assert len(house.contract.candidates()) == 4
    assert house.announced("A", "unbond", amount=1) == [(10, "B C D")]
    assert house.announced("E", "bond", amount=1) == [(10, "B C D E")]


def test_a_stake_leaves_slowly_and_can_be_slashed_until_it_is_free() -> None:
    house = stakes(percent=10)
    house.wait(4)
    until = house.ok("D", "unbond", amount=40)
    assert until == 10 + 30, "thirty blocks after the first one without it"
    assert house.names(10) == "A B C"
    house.refused("nothing can be withdrawn yet", "D", "withdraw")
    house.until(39)
    house.refused("nothing can be withdrawn yet", "D", "withdraw")
    assert house.ok(LEDGER, "slash", did=did("D"), height=9, kind="double vote") == 4, "its last block, in time"
    house.refused("evidence is of height 9", LEDGER, "slash", did=did("D"), height=8, kind="double vote")
    house.wait()
    house.refused("evidence is of height 10", LEDGER, "slash", did=did("D"), height=9, kind="double vote")
    assert house.ok("D", "withdraw") == 36
    assert house.contract.account(did("D"))["free"] == 36
    house.refused("out for good", "D", "bond", amount=36)
    house.ok("D", "transfer", to=did("new key of D"), amount=36)
    house.ok("new key of D", "bond", amount=36, name="D again")


def test_who_is_slashed_loses_a_part_and_its_seat() -> None:
    house = stakes(percent=5)
    house.ok("C", "unbond", amount=10)
    assert house.announced(LEDGER, "slash", did=did("C"), height=1, kind="equivocation") == [(10, "A B D")]
    account = house.contract.account(did("C"))
    assert (account["bonded"], account["leaving"], account["jailed"]) == (19, [[9, 40]], True)
    assert total(house) == 298
    house.refused("slashed for height 1 already", LEDGER, "slash", did=did("C"), height=1, kind="another word")
    house.wait()
    assert house.ok(LEDGER, "slash", did=did("C"), height=2, kind="equivocation") == 2, "another height, another loss"
    house.until(10)
    assert house.names() == "A B D"
    assert house.ok("C", "unbond", amount=18) == 50, "what is left may leave"


@pytest.mark.parametrize("who", ["A", "C", "X", "deployer"])
def test_nobody_but_the_ledger_slashes_or_rewards(who: str) -> None:
    house = stakes(pay=3)
    house.refused("only the ledger slashes", who, "slash", did=did("C"), height=1, kind="envy")
    house.refused("only the ledger rewards", who, "reward", did=did("A"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"height": 2}, "evidence is of height"),
        ({"height": -30}, "evidence is of height"),
        ({"did": "nobody"}, "nothing at stake"),
        ({"kind": ""}, "1 to 40 characters"),
        ({"kind": "x" * 41}, "1 to 40 characters"),
    ],
)
def test_bad_evidence_slashes_nobody(arguments: dict[str, Any], words: str) -> None:
    stakes().refused(words, LEDGER, "slash", **{"did": did("C"), "height": 1, "kind": "fork", **arguments})


def test_the_ledger_pays_for_blocks_until_there_are_as_many_units_as_there_may_be() -> None:
    house = stakes(pay=7)
    assert house.ok(LEDGER, "reward", did=did("A")) == 7
    assert house.contract.account(did("A"))["free"] == 7
    assert house.ok("A", "bond", amount=7) is None
    assert house.contract.planned()[0][1][0] == party("A", 17)
    rich = House("stake", parties("A"), seats=1, epoch=5, unbonding=5, owners=[[LOW, MAX_WEIGHT - 6]], pay=7)
    assert [rich.ok(LEDGER, "reward", did=did("A")) for _ in range(2)] == [5, 0]
    unpaid = stakes()
    assert unpaid.ok(LEDGER, "reward", did=did("A")) == 0


@pytest.mark.parametrize(
    ("who", "action", "arguments", "words"),
    [
        ("E", "bond", {"amount": 0, "name": "E"}, "1 unit or more"),
        ("E", "bond", {"amount": -5, "name": "E"}, "1 unit or more"),
        ("E", "bond", {"amount": 101, "name": "E"}, "only 100 units are free"),
        ("E", "bond", {"amount": 5}, "1 to 64 characters"),
        ("E", "bond", {"amount": 5, "name": "A"}, "the name A is taken"),
        ("E", "bond", {"amount": 5, "name": "a/b"}, "no slashes"),
        ("A", "bond", {"amount": 1}, "only 0 units are free"),
        ("X", "bond", {"amount": 1, "name": "X"}, "only 0 units are free"),
        ("A", "unbond", {"amount": 0}, "1 unit or more"),
        ("A", "unbond", {"amount": -1}, "1 unit or more"),
        ("A", "unbond", {"amount": 11}, "only 10 units are bonded"),
        ("X", "unbond", {"amount": 1}, "only 0 units are bonded"),
        ("X", "withdraw", {}, "nothing can be withdrawn"),
        ("E", "transfer", {"to": "ledger", "amount": 5}, "did:key"),
        ("E", "transfer", {"to": LOW, "amount": -5}, "1 unit or more"),
        ("E", "transfer", {"to": LOW, "amount": 101}, "only 100 units are free"),
        ("A", "transfer", {"to": LOW, "amount": 1}, "only 0 units are free"),
    ],
)
def test_a_bad_movement_of_units_is_refused(who: str, action: str, arguments: dict[str, Any], words: str) -> None:
    stakes().refused(words, who, action, **arguments)


def test_a_name_is_chosen_once() -> None:
    house = stakes()
    house.ok("E", "bond", amount=5, name="E")
    house.ok("E", "bond", amount=5, name="E")
    house.refused("chosen once", "E", "bond", amount=5, name="Other")


def test_the_last_stake_cannot_leave_and_a_lone_liar_keeps_the_chain_going() -> None:
    house = House("stake", parties("A", weight=10), seats=3, epoch=10, unbonding=5, owners=[[did("E"), 10]])
    house.refused("the last stake cannot leave", "A", "unbond", amount=10)
    assert house.announced(LEDGER, "slash", did=did("A"), height=1, kind="fork") == [], "somebody must go on"
    house.until(10)
    assert house.names() == "A"
    assert house.announced("E", "bond", amount=3, name="E") == [(20, "E")]
    house.ok("A", "unbond", amount=9)
    house.refused("the last stake cannot leave", "E", "unbond", amount=3)


def test_a_stake_leaves_in_a_bounded_number_of_parts() -> None:
    house = stakes()
    for _ in range(20):
        house.ok("D", "unbond", amount=1)
    house.refused("20 parts are leaving already", "D", "unbond", amount=1)
    house.until(40)
    assert house.ok("D", "withdraw") == 20
    house.ok("D", "unbond", amount=1)


def test_more_candidates_than_places_leave_the_smallest_aside() -> None:
    owners = [[key, 9] for _, key, _ in crowd(152)]
    house = House("stake", parties("A", weight=10), seats=3, epoch=10, unbonding=5, owners=owners)
    for name, key, _ in crowd(149):
        assert house.attempt(key, "bond", amount=2, name=name).ok
    late = [name for name, _, _ in crowd(152)][149:]
    events = house.attempt(late[0], "bond", amount=1, name=late[0]).events
    assert [(event.name, event.data.get("name")) for event in events] == [("Bonded", None), ("Displaced", late[0])]
    events = house.attempt(late[1], "bond", amount=3, name=late[1]).events
    assert [event.name for event in events] == ["Bonded", "Displaced", "Committee"]
    assert len(house.contract.candidates()) == 150
    out = events[1].data["name"]
    house.ok(out, "unbond", amount=2)
    house.ok(out, "bond", amount=7)
    assert out in house.names(10)


PUBLIC = "ABCDEF"
stake_moves = st.lists(
    st.tuples(
        st.sampled_from(["bond", "unbond", "unbond", "withdraw", "transfer", "slash", "reward", "wait", "wait"]),
        st.sampled_from(PUBLIC),
        st.sampled_from(PUBLIC),
        st.integers(-1, 60),
    ),
    max_size=40,
)


@given(stake_moves, st.integers(1, 4), st.sampled_from([1, 33, 100]))
@settings(max_examples=25, deadline=None)
def test_whatever_stakers_do_no_unit_appears_or_is_lost(
    script: list[tuple[str, str, str, int]], seats: int, percent: int
) -> None:
    founders = [party("A", 10), party("B", 20)][:seats]
    owners = [[did(name), 100] for name in PUBLIC]
    house = House("stake", founders, owners=owners, seats=seats, epoch=7, unbonding=9, least=5, percent=percent, pay=2)
    units = total(house)
    for kind, who, whom, number in script:
        arguments: dict[str, Any] = {"amount": number}
        match kind:
            case "wait":
                house.wait(max(0, number) // 6)
                house.agrees()
                continue
            case "bond":
                is_new = house.contract.account(did(who))["name"] == ""
                arguments |= {"name": who} if is_new else {}
            case "withdraw":
                arguments = {}
            case "transfer":
                arguments |= {"to": did(whom)}
            case "slash":
                arguments = {"did": did(whom), "height": house.height - number // 6, "kind": "fork"}
            case "reward":
                arguments = {"did": did(whom)}
        outcome = house.attempt(LEDGER if kind in ("slash", "reward") else who, kind, **arguments)
        assert outcome.outcome in ("ok", "reverted"), outcome
        if outcome.ok and kind in ("slash", "reward"):
            units += outcome.result if kind == "reward" else -outcome.result
        house.agrees()
        assert total(house) == units
        for name in PUBLIC:
            account = house.contract.account(did(name))
            parts = [account["free"], account["bonded"], *(part for part, _ in account["leaving"])]
            assert min(parts) >= 0
        standing = house.contract.candidates()
        rank = [(-stake, key) for _, key, stake in standing]
        assert rank == sorted(rank)
        bonded = {key: house.contract.account(key) for _, key, _ in standing}
        assert all(bonded[key]["bonded"] == stake >= 5 and not bonded[key]["jailed"] for _, key, stake in standing)
        upcoming = house.contract.committee_at(house.height // 7 * 7 + 7)
        assert 1 <= len(upcoming) <= seats
        assert not standing or upcoming == sorted(standing[:seats])


# --- delegation --------------------------------------------------------------------------------------------------


def republic(**changes: Any) -> House:
    """Founders A, B, C on three seats, and the holders H (100), I (50) and X, Y, Z (10 each)."""
    holders = [[did(name), amount] for name, amount in (("H", 100), ("I", 50), ("X", 10), ("Y", 10), ("Z", 10))]
    setup = {"holders": holders, "seats": 3, "epoch": 10, "turnover": 1}
    return House("delegation", parties(*"ABC"), **{**setup, **changes})


def ranking(house: House) -> list[tuple[str, int]]:
    return [(name, given) for name, _, given in house.contract.candidates()]


def test_holders_elect_who_sits_next_and_all_weigh_the_same() -> None:
    house = republic()
    house.ok("H", "delegate", candidate=did("A"), amount=60)
    house.ok("H", "delegate", candidate=did("B"), amount=30)
    house.ok("I", "delegate", candidate=did("C"), amount=5)
    assert house.contract.planned() == []
    assert house.announced("X", "register", amount=5, name="X") == [], "with equal votes the insider stays"
    assert house.announced("I", "delegate", candidate=did("X"), amount=1) == [(10, "A B X")]
    assert ranking(house) == [("A", 60), ("B", 30), ("X", 6), ("C", 5)]
    house.until(10)
    assert house.contract.members() == parties("A", "B", "X")
    house.agrees()


def test_votes_are_taken_back_and_moved() -> None:
    house = republic()
    house.ok("H", "delegate", candidate=did("A"), amount=60)
    house.ok("H", "undelegate", candidate=did("A"), amount=20)
    assert house.contract.holder(did("H")) == {"free": 60, "given": {did("A"): 40}}
    house.refused("not a candidate", "H", "redelegate", candidate=did("A"), other=did("nobody"), amount=1)
    house.ok("H", "redelegate", candidate=did("A"), other=did("B"), amount=40)
    assert house.contract.holder(did("H")) == {"free": 60, "given": {did("B"): 40}}
    assert ranking(house)[0] == ("B", 40)
    house.ok("H", "transfer", to=did("new"), amount=60)
    house.ok("new", "delegate", candidate=did("C"), amount=60)
    assert ranking(house)[:2] == [("C", 60), ("B", 40)]
    assert sorted(amount for _, amount in house.contract.holdings()) == [10, 10, 10, 40, 50, 60]


def test_only_so_many_seats_change_hands_and_the_rest_follows_when_somebody_carries_it_on() -> None:
    house = republic(turnover=1)
    for name in "XYZ":
        house.ok(name, "register", amount=10, name=name)
    house.ok("I", "delegate", candidate=did("Z"), amount=9)
    house.ok("I", "delegate", candidate=did("Y"), amount=8)
    order = " ".join(sorted(name for name in "ABC" if name != worst(house)))
    assert house.names(10) == f"{order} Z", "the best outsider for the worst insider"
    house.until(10)
    assert house.contract.upcoming() != house.contract.members()
    assert house.contract.planned() == [], "nobody has asked for it"
    assert house.ok("nobody", "elect") is True
    assert house.ok("nobody", "elect") is False
    assert "Y Z" in house.names(20)
    house.until(20)
    house.ok("nobody", "elect")
    house.until(30)
    assert house.names() == "X Y Z"


def worst(house: House) -> str:
    """Name the insider who is last of the ranking."""
    return [name for name, _, _ in house.contract.candidates() if name in "ABC"][-1]


def test_free_seats_are_filled_first() -> None:
    house = republic(seats=5, turnover=2)
    for name in "XYZ":
        house.ok(name, "register", amount=int("XYZ".index(name)) + 1, name=name)
    assert house.names(10) == "A B C Y Z"
    house.until(10)
    assert house.ok("nobody", "elect"), "and then X, with a vote, takes the seat of a founder without"
    assert house.names(20).endswith("X Y Z")


def test_members_resign_but_not_too_many_at_once_and_never_the_last() -> None:
    house = republic(turnover=1)
    assert house.announced("A", "resign") == [(10, "B C")]
    house.refused("at most 1 members leave in one epoch: resign from height 10 on", "B", "resign")
    house.refused("not a candidate", "A", "resign")
    house.until(10)
    house.ok("B", "resign")
    house.until(20)
    house.refused("the last member cannot resign", "C", "resign")
    house.ok("X", "register", amount=1, name="X")
    house.until(30)
    assert house.names() == "C X"
    assert house.announced("C", "resign") == [(40, "X")]
    house.until(40)
    house.refused("the last member cannot resign", "X", "resign")


def test_who_resigned_keeps_the_votes_until_they_are_taken_back_and_may_return_with_them() -> None:
    house = republic()
    house.ok("X", "register", amount=2, name="X")
    house.ok("H", "delegate", candidate=did("X"), amount=20)
    house.ok("X", "resign")
    house.refused("not a candidate", "I", "delegate", candidate=did("X"), amount=1)
    house.ok("H", "undelegate", candidate=did("X"), amount=5)
    house.refused("chosen once", "X", "register", amount=1, name="Other")
    house.ok("X", "register", amount=1)
    assert ranking(house)[0] == ("X", 18)


@pytest.mark.parametrize(
    ("who", "action", "arguments", "words"),
    [
        ("H", "delegate", {"candidate": "did:key:zNobody", "amount": 1}, "not a candidate"),
        ("H", "delegate", {"candidate": "A", "amount": 0}, "1 unit or more"),
        ("H", "delegate", {"candidate": "A", "amount": -1}, "1 unit or more"),
        ("H", "delegate", {"candidate": "A", "amount": 101}, "only 100 units are free"),
        ("N", "delegate", {"candidate": "A", "amount": 1}, "only 0 units are free"),
        ("H", "undelegate", {"candidate": "A", "amount": 1}, "has 0 units of yours"),
        ("H", "undelegate", {"candidate": "A", "amount": -1}, "1 unit or more"),
        ("H", "redelegate", {"candidate": "A", "other": "B", "amount": 1}, "has 0 units of yours"),
        ("H", "register", {"amount": 1, "name": "A"}, "the name A is taken"),
        ("H", "register", {"amount": 1}, "1 to 64 characters"),
        ("H", "register", {"amount": 0, "name": "H"}, "1 unit or more"),
        ("N", "register", {"amount": 1, "name": "N"}, "only 0 units are free"),
        ("A", "register", {"amount": 1}, "a candidate already"),
        ("H", "resign", {}, "not a candidate"),
        ("H", "transfer", {"to": "waste", "amount": 1}, "did:key"),
        ("H", "transfer", {"to": LOW, "amount": -1}, "1 unit or more"),
    ],
)
def test_a_bad_vote_or_candidacy_is_refused(who: str, action: str, arguments: dict[str, Any], words: str) -> None:
    named = {key: did(value) if key in ("candidate", "other") else value for key, value in arguments.items()}
    republic().refused(words, who, action, **named)


def test_a_holder_chooses_a_bounded_number_of_candidates() -> None:
    founders = crowd(31)
    house = House("delegation", founders, holders=[[did("H"), 100]], seats=31, epoch=10)
    for _, key, _ in founders[:30]:
        assert house.attempt("H", "delegate", candidate=key, amount=1).ok
    house.refused("at most 30 candidates", "H", "delegate", candidate=founders[30][1], amount=1)


def test_more_candidates_than_places_leave_the_last_outsider_aside() -> None:
    house = House("delegation", parties("A"), holders=[[key, 9] for _, key, _ in crowd(152)], seats=2, epoch=10)
    for name, key, _ in crowd(149):
        assert house.attempt(key, "register", amount=2, name=name).ok
    late = [name for name, _, _ in crowd(152)][149:]
    house.refused("all 150 places are taken", late[0], "register", amount=1, name=late[0])
    house.ok(late[0], "register", amount=3, name=late[0])
    assert len(ranking(house)) == 150
    assert ("A", 0) in ranking(house), "a member keeps its place"


votings = st.lists(
    st.tuples(
        st.sampled_from(
            ["delegate", "delegate", "undelegate", "redelegate", "register", "resign", "transfer", "elect", "wait"]
        ),
        st.sampled_from("ABCHIXYZ"),
        st.sampled_from("ABCXYZ"),
        st.sampled_from("ABCXYZ"),
        st.integers(-1, 40),
    ),
    max_size=50,
)


@given(votings, st.integers(3, 5), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_whatever_holders_do_votes_are_conserved_and_seats_change_hands_slowly(
    script: list[tuple[str, str, str, str, int]], seats: int, turnover: int
) -> None:
    house = republic(seats=seats, turnover=turnover, epoch=7)
    units = total(house)
    sat = {1: house.contract.members()}
    for kind, who, whom, other, number in script:
        amounts: dict[str, Any] = {"amount": number}
        match kind:
            case "wait":
                house.wait(max(0, number) // 3)
                house.agrees()
                sat[house.height] = house.contract.members()
                continue
            case "delegate" | "undelegate":
                arguments = {"candidate": did(whom), **amounts}
            case "redelegate":
                arguments = {"candidate": did(whom), "other": did(other), **amounts}
            case "register":
                arguments = {"name": who, **amounts}
            case "transfer":
                arguments = {"to": did(whom), **amounts}
            case _:
                arguments = {}
        outcome = house.attempt(who, kind, **arguments)
        assert outcome.outcome in ("ok", "reverted"), outcome
        house.agrees()
        assert total(house) == units
        given = {key: 0 for _, key, _ in house.contract.candidates()}
        for key, _ in house.contract.holdings():
            holder = house.contract.holder(key)
            assert min([holder["free"], *holder["given"].values()]) >= 0
            for candidate, amount in holder["given"].items():
                given[candidate] = given.get(candidate, 0) + amount
        standing = house.contract.candidates()
        assert all(given[key] == votes for _, key, votes in standing), "a candidate has what was given"
        now, upcoming = house.contract.members(), house.contract.committee_at(house.height // 7 * 7 + 7)
        assert len(set(keys(upcoming)) - set(keys(now))) <= turnover
        assert len(set(keys(now)) - set(keys(upcoming))) <= turnover
        assert 1 <= len(upcoming) <= seats
        assert all(weight == 1 for _, _, weight in upcoming)
    assert all(1 <= len(members) <= seats for members in sat.values())


def keys(members: Members) -> list[str]:
    return [key for _, key, _ in members]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.integers(1, 5),
)
@settings(max_examples=25, deadline=None)
def test_the_elected_are_the_best_that_turnover_allows(inside: list[int], outside: list[int], turnover: int) -> None:
    """By trying every committee that may follow: none has more votes, given that the seats are full if they can be."""
    seats, turnover = len(inside), min(turnover, len(inside))
    names = "ABCDE"[: len(inside)], "VWXYZ"[: len(outside)]
    holders = [[did(name), 100] for name in ("H", *names[1])]
    house = House("delegation", parties(*names[0]), holders=holders, seats=seats, epoch=10, turnover=turnover)
    for name, amount in zip(names[0], inside, strict=True):
        assert not amount or house.ok("H", "delegate", candidate=did(name), amount=amount) is None
    for name, amount in zip(names[1], outside, strict=True):
        house.ok(name, "register", amount=amount, name=name)
    given = dict(ranking(house))
    possible = [
        sum(given[name] for name in group)
        for group in combinations("".join(names), seats)
        if len(set(group) - set(names[0])) <= turnover
    ]
    assert sum(given[name] for name, _, _ in house.contract.upcoming()) == max(possible)


# --- gas ---------------------------------------------------------------------------------------------------------


def spent(house: House, who: str, action: str, /, **arguments: Any) -> tuple[str, int]:
    outcome = house.attempt(who, action, **arguments)
    assert outcome.ok, outcome.error
    return action, outcome.gas


def show_and_bound(kind: str, figures: list[tuple[str, int]]) -> None:
    most: dict[str, int] = {}
    for action, gas in figures:
        most[action] = max(gas, most.get(action, 0))
    print(f"\n{kind} with 100 members:", ", ".join(f"{action} {gas:,}" for action, gas in most.items()))
    assert max(most.values()) < GAS, most


def test_gas_of_an_alliance_of_a_hundred() -> None:
    house = House("authority", crowd(99), **EXTRA["authority"])
    figures = [spent(house, "office-000", "propose_admission", **admission("E"))]
    figures += [spent(house, f"office-{voter:03}", "vote", proposal=1, yes=True) for voter in range(67)]
    figures += [spent(house, "office-000", "propose_weight", did=did("office-001"), weight=5, **WHY)]
    figures += [spent(house, "office-000", "propose_removal", **removal("office-001"))]
    assert house.contract.planned()
    show_and_bound("authority", figures)


def test_gas_of_a_hundred_stakers() -> None:
    owners = [[key, 500] for _, key, _ in [party("office-000"), *crowd(150)[100:]]]
    house = House("stake", crowd(100, weight=100), owners=owners, seats=100, epoch=10, unbonding=30, pay=5)
    figures = [spent(house, key, "bond", amount=50, name=name) for name, key, _ in crowd(150)[100:]]
    house.until(10)
    figures += [spent(house, "office-000", "bond", amount=50), spent(house, "office-149", "bond", amount=400)]
    house.until(20)
    for amount in range(1, 6):
        figures.append(spent(house, "office-000", "unbond", amount=amount))
    figures.append(spent(house, LEDGER, "slash", did=did("office-000"), height=15, kind="double vote"))
    figures.append(spent(house, LEDGER, "reward", did=did("office-000")))
    house.until(60)
    figures.append(spent(house, "office-000", "withdraw"))
    figures.append(spent(house, "office-000", "transfer", to=did("office-001"), amount=1))
    show_and_bound("stake", figures)


def test_gas_of_a_hundred_elected() -> None:
    holders = [[key, 500] for _, key, _ in [*crowd(3), *crowd(150)[100:]]]
    house = House("delegation", crowd(100), holders=holders, seats=100, epoch=10, turnover=100)
    figures = [spent(house, key, "register", amount=50, name=name) for name, key, _ in crowd(150)[100:]]
    house.until(10)
    for place in range(29):
        figures.append(spent(house, "office-000", "delegate", candidate=did(f"office-{place:03}"), amount=1))
    figures.append(spent(house, "office-001", "delegate", candidate=did("office-000"), amount=100))
    house.until(20)
    figures.append(spent(house, "office-001", "elect"))
    move = {"candidate": did("office-005"), "other": did("office-149"), "amount": 1}
    figures.append(spent(house, "office-000", "redelegate", **move))
    figures.append(spent(house, "office-001", "undelegate", candidate=did("office-000"), amount=100))
    figures.append(spent(house, "office-149", "resign"))
    figures.append(spent(house, "office-002", "transfer", to=did("office-001"), amount=1))
    show_and_bound("delegation", figures)


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_of_a_hundred_founders_can_be_begun_in_one_transaction(kind: str) -> None:
    """The sandbox has the gas limit of a transaction, and this deploys within it."""
    members = crowd(100)
    holders = [[key, 5] for _, key, _ in crowd(100)]
    more = {"stake": {"owners": holders}, "delegation": {"holders": holders}}
    House(kind, members, **{**EXTRA[kind], **more.get(kind, {})})
