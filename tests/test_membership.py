"""Whose turn it is: in proportion to weight, soon for everybody, the same on every node."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.ledger.committee import MAX_WEIGHT, Committee
from minichain.membership.authority import MAX_CYCLE, proposer, rotation
from tests.builders import committee

weights = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def turns(group: Committee, count: int, height: int = 0) -> list[str]:
    names = {member.public: member.name.removeprefix("node-") for member in group.members}
    return [names[proposer(group, height, round_)] for round_ in range(count)]


def test_equal_members_take_turns() -> None:
    assert "".join(turns(committee(1, 1, 1, 1), 8)) == "01230123"
    assert "".join(turns(committee(5, 5, 5), 6)) == "012012", "a common factor changes nothing"


def test_the_heavy_come_more_often_and_not_all_at_once() -> None:
    assert "".join(turns(committee(5, 1, 1), 7)) == "0010200"


@given(weights)
@settings(max_examples=100, deadline=None)
def test_turns_are_in_proportion_to_weight(parts: list[int]) -> None:
    group = committee(*parts)
    cycle = rotation(group.members)
    counted = Counter(cycle)
    assert sum(parts) % len(cycle) == 0
    assert all(counted[member.public] * sum(parts) == member.weight * len(cycle) for member in group.members)


@given(weights, st.integers(0, 1_000))
@settings(max_examples=50, deadline=None)
def test_every_member_has_its_turn_within_one_cycle_of_rounds(parts: list[int], height: int) -> None:
    group = committee(*parts)
    seen = {proposer(group, height, round_) for round_ in range(len(rotation(group.members)))}
    assert seen == {member.public for member in group.members}


@given(weights)
@settings(max_examples=50, deadline=None)
def test_nobody_waits_much_longer_than_its_weight_says(parts: list[int]) -> None:
    """The longest wait of smooth round robin is below twice the fair distance."""
    group = committee(*parts)
    cycle = rotation(group.members) * 2
    for member in group.members:
        places = [i for i, public in enumerate(cycle) if public == member.public]
        longest = max(after - before for before, after in pairwise(places))
        assert longest * member.weight < 2 * sum(parts) + member.weight


@pytest.mark.parametrize("parts", [(MAX_WEIGHT, 1), (MAX_WEIGHT, MAX_WEIGHT - 1, 1), (10**9, 10**6, 10**3, 1)])
def test_very_unequal_weights_still_give_a_short_cycle_with_everybody_in_it(parts: tuple[int, ...]) -> None:
    group = committee(*parts)
    cycle = rotation(group.members)
    assert len(cycle) <= MAX_CYCLE + len(parts)
    assert set(cycle) == {member.public for member in group.members}


def test_the_next_round_and_the_next_height_pass_the_turn_on() -> None:
    group = committee(1, 1, 1, 1)
    assert turns(group, 3, height=5) == ["1", "2", "3"]
    assert turns(group, 3, height=6) == ["2", "3", "0"]
    assert turns(group, 1, height=2**62), "no height is too large"
