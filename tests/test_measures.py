"""Concentration: each measure against its published definition, by hand and by trying every group of owners.

Nakamoto coefficient: B. S. Srinivasan and L. Lee, "Quantifying Decentralization" (2017): the minimum number of
entities of a subsystem that are required to reach 51 % of its capacity; here more than half. Gini coefficient: half of
the relative mean absolute difference, C. Gini, "Variabilità e mutabilità" (1912). Quorums: arXiv:1807.04938 section 3
(more than two thirds), Ongaro's thesis section 3.4 (majority), Nakamoto's "Bitcoin" section 11 (more work than all
others).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.errors import UsageError
from minichain.ledger.committee import Committee, Member
from minichain.membership.measures import (
    FORK,
    HALT,
    REWRITE,
    Holdings,
    gini,
    nakamoto_coefficient,
    owners_to_fork,
    owners_to_halt,
    owners_to_rewrite,
    top_share_permille,
)
from tests.builders import committee

Owned = list[tuple[str, int]]


def owned(*weights: int) -> Owned:
    return [(f"owner-{number}", weight) for number, weight in enumerate(weights)]


lists = st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any).map(lambda weights: owned(*weights))


@pytest.mark.parametrize(
    ("engine", "weights", "halt", "fork", "rewrite"),
    [
        ("bft", (1, 1, 1), 1, 2, 3),  # three members survive no fault
        ("bft", (1, 1, 1, 1), 2, 2, 3),  # four survive one
        ("bft", (1,) * 7, 3, 3, 5),
        ("bft", (5, 1, 1, 1, 1), 1, 1, 3),
        ("bft", (7, 1, 1, 1), 1, 1, 1),  # one owner of more than two thirds decides alone
        ("raft", (1,), 1, 1, 1),
        ("raft", (1, 1, 1), 2, 1, 2),
        ("raft", (1, 1, 1, 1), 2, 1, 3),  # an even number survives no more than the odd one below
        ("raft", (1,) * 5, 3, 1, 3),
        ("pow", (1, 1), 2, 2, 2),  # half of the work is not more than half
        ("pow", (30, 25, 20, 15, 10), 2, 2, 2),
        ("pow", (51, 49), 1, 1, 1),
    ],
)
def test_how_many_owners_stop_a_chain_or_split_it_or_change_its_past(
    engine: str, weights: tuple[int, ...], halt: int, fork: int, rewrite: int
) -> None:
    assert owners_to_halt(engine, owned(*weights)) == halt
    assert owners_to_fork(engine, owned(*weights)) == fork
    assert owners_to_rewrite(engine, owned(*weights)) == rewrite


def test_one_owner_of_many_members_counts_once() -> None:
    chain = [("city", 1), ("port", 1), ("city", 1), ("rail", 1)]
    assert owners_to_halt("bft", chain) == 1, "two of four validators belong to the city"
    assert owners_to_rewrite("bft", [("city", 1)] * 4) == 1
    assert nakamoto_coefficient(chain) == 2
    assert gini([("a", 1), ("a", 1), ("b", 2)]) == 0


def test_two_thirds_exactly_rewrite_nothing_and_one_third_exactly_stops_everything() -> None:
    assert owners_to_rewrite("bft", owned(2, 2, 2)) == 3
    assert owners_to_halt("bft", owned(2, 2, 2)) == 1
    assert owners_to_fork("bft", owned(2, 2, 2)) == 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_the_thresholds_are_those_of_the_committee(weights: list[int]) -> None:
    """What the measures say in words of owners, the ledger's own quorums say in words of weight."""
    group: Committee = committee(*weights)
    owners = [(member.did, member.weight) for member in group.members]

    def smallest(is_enough: Callable[[int], bool]) -> int:
        return next(
            size
            for size in range(1, len(weights) + 1)
            for some in combinations(group.members, size)
            if is_enough(sum(member.weight for member in some))
        )

    assert owners_to_halt("bft", owners) == smallest(lambda weight: not group.can_lose(weight))
    assert owners_to_rewrite("bft", owners) == smallest(group.is_quorum)
    assert owners_to_fork("bft", owners) == smallest(group.has_correct_member)
    assert owners_to_halt("raft", owners) == smallest(lambda weight: not group.is_majority(group.total - weight))
    assert owners_to_rewrite("raft", owners) == smallest(group.is_majority)
    assert owners_to_fork("raft", owners) == 1
    assert owners_to_halt("pow", owners) == owners_to_rewrite("pow", owners) == smallest(group.is_majority)
    assert nakamoto_coefficient(owners) == smallest(group.is_majority)


@given(lists)
@settings(max_examples=60, deadline=None)
def test_the_largest_owners_are_the_smallest_group_that_suffices(holdings: Owned) -> None:
    total = sum(weight for _, weight in holdings)
    for engine in HALT:
        for table, measure in ((HALT, owners_to_halt), (FORK, owners_to_fork), (REWRITE, owners_to_rewrite)):
            number = measure(engine, holdings)
            sizes = [
                size
                for size in range(1, len(holdings) + 1)
                for some in combinations(holdings, size)
                if table[engine](sum(weight for _, weight in some), total)
            ]
            assert number == min(sizes)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((5,), Fraction(0)),
        ((1, 1, 1, 1), Fraction(0)),
        ((0, 0, 0, 1), Fraction(3, 4)),  # (n - 1) / n
        ((1, 3), Fraction(1, 4)),
        ((1, 2, 3, 4), Fraction(1, 4)),
        ((10, 20, 30, 40), Fraction(1, 4)),
    ],
)
def test_gini_of_known_distributions(weights: tuple[int, ...], expected: Fraction) -> None:
    assert gini(owned(*weights)) == expected


@given(lists)
@settings(max_examples=60, deadline=None)
def test_gini_is_half_of_the_relative_mean_difference(holdings: Owned) -> None:
    weights = [weight for _, weight in holdings]
    n, total = len(weights), sum(weights)
    differences = sum(abs(a - b) for a in weights for b in weights)
    assert gini(holdings) == Fraction(differences, 2 * n * total)
    assert 0 <= gini(holdings) <= Fraction(n - 1, n)
    assert gini([(owner, 7 * weight) for owner, weight in holdings]) == gini(holdings), "the unit does not matter"
    assert gini(reversed(holdings)) == gini(holdings), "nor the order"


def test_the_share_of_the_ten_largest() -> None:
    assert top_share_permille(owned(*[1] * 21)) == 476
    assert top_share_permille(owned(*[1] * 7)) == 1_000
    assert top_share_permille(owned(30, 25, 20, 15, 10), count=2) == 550
    assert top_share_permille(owned(*[1] * 1_000)) == 10


def test_the_nakamoto_coefficient_needs_more_than_half() -> None:
    assert nakamoto_coefficient(owned(1, 1)) == 2
    assert nakamoto_coefficient(owned(51, 49)) == 1
    assert nakamoto_coefficient(owned(*[1] * 21)) == 11


@pytest.mark.parametrize("holdings", [[], owned(0, 0), [("a", -1), ("b", 5)]])
def test_what_cannot_be_measured_is_refused(holdings: Owned) -> None:
    measures: list[Callable[[Holdings], object]] = [
        gini,
        nakamoto_coefficient,
        lambda pairs: owners_to_fork("pow", pairs),
        top_share_permille,
        lambda pairs: owners_to_halt("bft", pairs),
        lambda pairs: owners_to_rewrite("raft", pairs),
    ]
    for measure in measures:
        with pytest.raises(UsageError, match=r"nobody holds anything|never negative"):
            measure(holdings)
    with pytest.raises(UsageError, match="choose one of bft, raft, pow"):
        owners_to_halt("hotstuff", owned(1))
    with pytest.raises(UsageError, match="1 or more"):
        top_share_permille(owned(1), count=0)


def test_members_are_measured_by_their_names() -> None:
    members = (Member("a", bytes(32), 3), Member("b", bytes([1]) * 32, 1))
    assert owners_to_rewrite("bft", [(member.name, member.weight) for member in members]) == 1
