"""Counting ballots: examples that are known, told in full; counts done again in another way; what each method promises.

The full counts are in `tests/golden/counting`, so that a person can count them again by hand.
"""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.errors import UsageError
from minichain.scenarios.voting import counting
from minichain.scenarios.voting.ballots import Rankings, TieBreak, amount
from minichain.scenarios.voting.counting import METHODS, approvals, credits, irv, lot, ranked_pairs, rankings, read

GOLDEN = Path(__file__).parent / "golden" / "counting"


def letters(text: str) -> Rankings:
    """Read "5 ACBED, 5 ADECB"."""
    piles = [pile.split() for pile in text.split(",")]
    names = sorted({name for _, ranking in piles for name in ranking})
    return read(names, "\n".join(f"{many}: {' > '.join(ranking)}" for many, ranking in piles))


TENNESSEE = read(
    ["Memphis", "Nashville", "Chattanooga", "Knoxville"],
    """
    42: Memphis > Nashville > Chattanooga > Knoxville
    26: Nashville > Chattanooga > Knoxville > Memphis
    15: Chattanooga > Knoxville > Nashville > Memphis
    17: Knoxville > Chattanooga > Nashville > Memphis
    """,
)
SCHULZE_1 = letters("5 ACBED, 5 ADECB, 8 BEDAC, 3 CABED, 7 CAEBD, 2 CBADE, 7 DCEBA, 8 EBADC")
SWEETS = read(
    ["Oranges", "Pears", "Chocolate", "Strawberries", "Sweets"],
    "4: Oranges\n2: Pears > Oranges\n8: Chocolate > Strawberries\n4: Chocolate > Sweets\n1: Strawberries\n1: Sweets",
)


# --- known examples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "capital"),
    [
        ("plurality", "Memphis"),
        ("irv", "Knoxville"),
        ("borda", "Nashville"),
        ("schulze", "Nashville"),
        ("ranked_pairs", "Nashville"),
    ],
)
def test_the_capital_of_tennessee_depends_on_the_method(method: str, capital: str):
    found = METHODS[method](TENNESSEE, ())
    assert found.winners == (capital,)
    assert found.text() == (GOLDEN / f"tennessee_{method}.txt").read_text(encoding="utf-8")


def test_votes_that_move_fill_several_seats():
    """A party buys three kinds of food for twenty guests; the quota is 6."""
    found = counting.stv(SWEETS, 3)
    assert (found.winners, found.quota) == (("Chocolate", "Oranges", "Strawberries"), 6)
    assert found.text() == (GOLDEN / "sweets_stv.txt").read_text(encoding="utf-8")


def test_schulzes_first_example_with_its_strongest_paths():
    found = counting.schulze(SCHULZE_1)
    assert found.text() == (GOLDEN / "schulze_1.txt").read_text(encoding="utf-8")
    assert found.ranking == tuple((name,) for name in "EACBD")
    assert ranked_pairs(SCHULZE_1).text() == (GOLDEN / "schulze_1_ranked_pairs.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ballots", "ranking"),
    [
        ("5 ACBD, 2 ACDB, 3 ADCB, 4 BACD, 3 CBDA, 3 CDBA, 1 DACB, 5 DBAC, 4 DCBA", "DACB"),
        ("3 ABDEC, 5 ADEBC, 1 ADECB, 2 BADEC, 2 BDECA, 4 CABDE, 6 CBADE, 2 DBECA, 5 DECAB", "BADEC"),
    ],
)
def test_schulzes_further_examples(ballots: str, ranking: str):
    assert counting.schulze(letters(ballots)).ranking == tuple((name,) for name in ranking)


def test_schulzes_example_with_two_whom_nobody_is_better_than():
    ballots = letters("3 ABCD, 2 DABC, 2 DBCA, 2 CBDA")
    with pytest.raises(UsageError, match="whom nobody is better than: B, D are level; state the rule: tie=lot"):
        counting.schulze(ballots)
    found = counting.schulze(ballots, tie="DCBA")
    assert (found.winners, found.ties[0].among) == (("D",), ("B", "D"))
    assert "tie, whom nobody is better than: B, D; the order for ties takes D" in found.text()


def test_a_circle_of_majorities_is_broken_at_its_weakest():
    circle = letters("4 ABC, 3 BCA, 2 CAB")
    assert counting.condorcet_winner(circle) is None
    assert [METHODS[name](circle, ()).winners for name in ("schulze", "ranked_pairs")] == [("A",), ("A",)]
    even = letters("1 ABC, 1 BCA, 1 CAB")
    found = ranked_pairs(even, tie="CBA")
    assert [(lock.winner, lock.loser, lock.is_locked) for lock in found.locks] == [
        ("C", "A", True),
        ("B", "C", True),
        ("A", "B", False),
    ]
    assert found.winners == ("B",)
    assert found.ties[0].where == "majorities by 1"
    with pytest.raises(UsageError, match="A over B, B over C, C over A are level"):
        ranked_pairs(even)


def test_in_a_runoff_more_first_places_can_cost_the_seat():
    """Two voters put C up, and nothing else changes: C loses."""
    before = letters("6 CAB, 2 BAC, 3 BCA, 4 ABC, 2 ACB")
    after = letters("6 CAB, 2 BAC, 3 BCA, 4 ABC, 2 CAB")
    assert (irv(before).winners, irv(after).winners) == (("C",), ("B",))


def test_points_for_who_is_not_ranked_are_shared():
    found = counting.borda(letters("2 A, 1 BCDA"))
    assert found.rounds[0].votes == {"A": 6, "B": 5, "C": 4, "D": 3}
    assert counting.borda(rankings("ABC", ["A > B > C", "C"])).rounds[0].votes == {
        "A": Fraction(5, 2),
        "B": Fraction(3, 2),
        "C": 2,
    }


def test_approval_and_quadratic():
    found = counting.approval(approvals("ABC", ["A, B", {"B"}, ["B", "C"], ("C",)]))
    assert (found.winners, found.rounds[0].votes) == (("B",), {"A": 1, "B": 3, "C": 2})
    bought = credits("ABC", [{"A": 3, "B": -2}, {"B": 3}, {"A": 10}, {"A": 11}, {"B": 1.5}, {"D": 1}, "A"], 100)
    assert [(ballot.number, ballot.why) for ballot in bought.spoilt] == [
        (4, "it spends 121 of 100 credits"),
        (5, "it gives votes that are no whole number"),
        (6, "it names 'D', who is not a candidate"),
        (7, "it names \"'A'\", who is not a candidate"),
    ]
    assert counting.quadratic(bought).rounds[0].votes == {"A": 13, "B": 1, "C": 0}


# --- ballots and ties --------------------------------------------------------------------------------------------


def test_ballots_that_cannot_be_counted_are_set_aside_with_their_number():
    cast = ["A > B", "A = B > C", "B > D", "", "A > A", None, [["A", "B"], "C"], [1, 2], ("C", "A"), ["A", ["B"]]]
    sorted_ = rankings("ABC", cast)
    assert sorted_.piles == {("A", "B"): 1, ("C", "A"): 1}
    assert {ballot.number: ballot.why for ballot in sorted_.spoilt} == {
        2: "it ranks A and B side by side: one must come before the other",
        3: "it names 'D', who is not a candidate",
        4: "it names nobody",
        5: "it names 'A' twice",
        6: "it names 'None', who is not a candidate",
        7: "it ranks A and B side by side: one must come before the other",
        8: "it names 1, who is not a candidate",
        10: "it ranks B side by side: one must come before the other",
    }
    assert "ballot 5 is not counted: it names 'A' twice" in irv(sorted_, tie="ABC").text()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: rankings("AA", []), "name each once"),
        (lambda: rankings([], []), "the candidates are none"),
        (lambda: rankings(["A > B"], []), "cannot be written on a ballot"),
        (lambda: irv(rankings("AB", ["C"])), "no ballot can be counted: 1 are spoilt"),
        (lambda: irv(rankings("AB", ["A", "B"])), "round 1, who is out: A, B are level; state the rule"),
        (lambda: irv(rankings("AB", ["A", "B"]), tie="AC"), "the order for ties is A, C: name each candidate once"),
        (lambda: counting.stv(rankings("AB", ["A"]), 3), "3 seats for 2 candidates"),
        (lambda: read("AB", "A > B"), "line 1 is 'A > B': write how many"),
        (lambda: credits("AB", [], 0), "0 credits buy no vote"),
    ],
)
def test_a_count_that_cannot_be_is_refused_with_what_to_do(make, why: str):
    with pytest.raises(UsageError, match=why):
        make()


def test_an_order_is_drawn_from_a_published_seed_by_anybody():
    """printf '2026-11-23\\nA' | sha256sum begins with 809ae916; of B with 62c7c844, of C f04192d9, of D aaaccff1."""
    assert lot("ABCD", "2026-11-23") == lot("DCBA", "2026-11-23") == ("B", "A", "D", "C")
    assert {lot("ABC", str(number)) for number in range(100)} == set(permutations("ABC"))


def test_stv_looks_back_before_it_draws():
    """B and C are level when one must go; B was behind when they last were not (rule 51), whatever the order says."""
    ballots = letters("9 A, 3 B, 4 C, 1 DB, 6 E")
    found = counting.stv(ballots, 2, tie="BCDEA")
    assert [(tie.where, tie.among, tie.taken, tie.by) for tie in found.ties] == [
        ("round 4, who is out", ("B", "C"), "B", "round 2")
    ]


def test_amounts_are_exact():
    assert [amount(value) for value in (7, Fraction(3, 2), Fraction(-1, 100_000), Fraction(1, 3))] == [
        "7",
        "1.50000",
        "-0.00001",
        "1/3",
    ]


# --- counted again in another way --------------------------------------------------------------------------------

NAMES = "ABCDE"
rankings_drawn = st.tuples(st.permutations(NAMES), st.integers(1, 5)).map(lambda drawn: tuple(drawn[0][: drawn[1]]))
elections = st.lists(st.tuples(rankings_drawn, st.integers(1, 6)), min_size=1, max_size=12).map(
    lambda piles: rankings(NAMES, [paper for paper, many in piles for _ in range(many)])
)
complete = st.lists(st.permutations(NAMES), min_size=1, max_size=25).map(lambda cast: rankings(NAMES, cast))
orders = st.permutations(NAMES)


def papers(ballots: Rankings) -> list[tuple[str, ...]]:
    return [pile for pile, many in ballots.piles.items() for _ in range(many)]


@settings(max_examples=80, deadline=None)
@given(elections, orders)
def test_irv_counted_paper_by_paper(ballots: Rankings, order: list[str]):
    still_in = set(NAMES)
    while True:
        tops = Counter(next((n for n in paper if n in still_in), None) for paper in papers(ballots))
        votes = {name: tops[name] for name in still_in}
        best = max(votes.values())
        if 2 * best > sum(votes.values()):
            break
        still_in.remove(max((n for n in still_in if votes[n] == min(votes.values())), key=order.index))
    assert irv(ballots, tie=order).winners == tuple(name for name in still_in if votes[name] == best)


@settings(max_examples=80, deadline=None)
@given(elections, st.integers(1, 4), orders)
def test_stv_counted_paper_by_paper(ballots: Rankings, seats: int, order: list[str]):
    """The rules once more, with decimals for each single paper; where they look back or draw, the count is asked."""
    found = counting.stv(ballots, seats, tie=order)
    drawn = {tie.where: tie.taken for tie in found.ties}
    held: dict[str, list[tuple[tuple[str, ...], Decimal]]] = {name: [] for name in NAMES}
    elected, continuing, stage = list[str](), set(NAMES), 1

    def give(paper: tuple[str, ...], value: Decimal) -> None:
        if to := next((name for name in paper if name in continuing), None):
            held[to].append((paper, value))

    for paper in papers(ballots):
        give(paper, Decimal(1))
    votes = {name: sum((value for _, value in held[name]), Decimal()) for name in NAMES}
    while True:
        for name in sorted(continuing, key=lambda name: (-votes[name], NAMES.index(name))):
            if votes[name] >= found.quota:
                elected.append(name)
                continuing.remove(name)
        if len(continuing) == seats - len(elected):
            elected += sorted(continuing, key=lambda name: (-votes[name], NAMES.index(name)))
            continuing.clear()
        told = found.rounds[stage - 1].votes
        assert {name: Fraction(value) for name, value in votes.items()} == told
        if len(elected) == seats:
            break
        stage += 1
        over = {name: votes[name] - found.quota for name in elected if votes[name] > found.quota}
        if over:
            level = [name for name in over if over[name] == max(over.values())]
            name = level[0] if len(level) == 1 else drawn[f"round {stage}, whose surplus is first"]
            surplus, last = over[name], Decimal("0.00001")
            shares = [
                (paper, (surplus * value / votes[name]).quantize(last, ROUND_DOWN)) for paper, value in held[name]
            ]
            votes[name] = Decimal(found.quota)
        else:
            level = [name for name in continuing if votes[name] == min(votes[n] for n in continuing)]
            name = level[0] if len(level) == 1 else drawn[f"round {stage}, who is out"]
            continuing.remove(name)
            shares, votes[name] = held[name], Decimal()
        assert name in level
        held[name] = []
        before = {other: len(held[other]) for other in NAMES}
        for paper, value in shares:
            give(paper, value)
        for other in continuing:
            votes[other] += sum((value for _, value in held[other][before[other] :]), Decimal())
    assert found.winners == tuple(elected)
    assert len(found.rounds) == stage
    for step in found.rounds:
        assert sum(step.votes.values()) + step.spent == ballots.valid


@settings(max_examples=80, deadline=None)
@given(elections)
def test_pairs_counted_paper_by_paper(ballots: Rankings):
    for (one, two), many in counting.pairwise(ballots).items():
        places = [(paper.index(one), (*paper, two).index(two)) for paper in papers(ballots) if one in paper]
        assert many == sum(place < other for place, other in places)


# --- what methods promise ----------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(elections, orders)
def test_whom_more_than_half_put_first_wins(ballots: Rankings, order: list[str]):
    tops = Counter(paper[0] for paper in papers(ballots))
    name, many = tops.most_common(1)[0]
    if 2 * many > ballots.valid:
        for method in ("plurality", "irv", "schulze", "ranked_pairs"):
            assert METHODS[method](ballots, order).winners == (name,)
        assert name in counting.stv(ballots, 2, order).winners


@settings(max_examples=100, deadline=None)
@given(elections, orders)
def test_who_beats_each_other_wins_by_pairs(ballots: Rankings, order: list[str]):
    if (best := counting.condorcet_winner(ballots)) is not None:
        for method in (counting.schulze, ranked_pairs):
            found = method(ballots, order)
            assert (found.winners, found.ranking[0]) == ((best,), (best,))


@settings(max_examples=100, deadline=None)
@given(complete, orders, st.integers(0, 24))
def test_who_wins_by_pairs_still_wins_when_put_up(ballots: Rankings, order: list[str], place: int):
    for method in (counting.schulze, counting.borda, counting.plurality):
        found = method(ballots, order)
        if len(found.ranking[0]) == 1:
            cast, winner = papers(ballots), found.winners[0]
            paper = cast[place % len(cast)]
            cast[place % len(cast)] = (winner, *(name for name in paper if name != winner))
            assert method(rankings(NAMES, cast), order).winners == (winner,)


@settings(max_examples=60, deadline=None)
@given(elections, orders)
def test_the_order_in_which_ballots_come_changes_nothing(ballots: Rankings, order: list[str]):
    again = rankings(NAMES, papers(ballots)[::-1])
    for method in METHODS.values():
        assert method(again, order) == method(ballots, order)
    assert counting.stv(again, 2, order).winners == counting.stv(ballots, 2, order).winners


def test_an_order_for_ties_that_decides_nothing_is_not_told():
    ties = TieBreak("AB", "AB")
    assert (ties.best(["B"], "somewhere"), ties.uses) == ("B", [])
