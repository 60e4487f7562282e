"""Power in voting bodies: the published figures, every coalition looked at, and laws that each index obeys."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, islice, permutations
from math import comb, factorial

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minichain.errors import UsageError
from minichain.scenarios.voting import power
from minichain.scenarios.voting.power import (
    Game,
    Rule,
    at_least,
    banzhaf,
    either,
    measure,
    minimal_winning,
    more_than,
    penrose,
    shapley_shubik,
    together,
    weighted,
    what_if,
)

F = Fraction
EEC_1958 = weighted(12, [4, 4, 4, 2, 2, 1])  # Germany, France, Italy, Netherlands, Belgium, Luxembourg
EEC_1973 = weighted(41, [10, 10, 10, 5, 5, 2, 10, 3, 3])  # the same; United Kingdom, Denmark, Ireland
UNSC = weighted(39, [7] * 5 + [1] * 10)
# Treaty of Nice: votes of 27 states, and their people in thousands (1999)
NICE = [29] * 4 + [27] * 2 + [14, 13] + [12] * 5 + [10] * 3 + [7] * 5 + [4] * 5 + [3]
PEOPLE = [
    *(82_038, 59_247, 58_966, 57_612, 39_394, 38_667, 22_489, 15_760, 10_533, 10_290, 10_213, 10_092, 9_980, 8_854),
    *(8_230, 8_082, 5_393, 5_313, 5_160, 3_744, 3_701, 2_439, 1_978, 1_446, 752, 429, 379),
]


# --- published figures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "shares", "pivots"),
    [
        (EEC_1958, [F(5, 21)] * 3 + [F(1, 7)] * 2 + [0], [F(7, 30)] * 3 + [F(3, 20)] * 2 + [0]),
        (weighted(51, [50, 49, 1]), [F(3, 5), F(1, 5), F(1, 5)], [F(2, 3), F(1, 6), F(1, 6)]),
        (weighted(51, [49, 49, 2]), [F(1, 3)] * 3, [F(1, 3)] * 3),
        (UNSC, [F(106, 635)] * 5 + [F(21, 1270)] * 10, [F(421, 2145)] * 5 + [F(4, 2145)] * 10),
        (weighted(2, [2, 1]), [1, 0], [1, 0]),
    ],
    ids=["EEC 1958", "50, 49, 1", "49, 49, 2", "UN Security Council", "FISCO tutorial"],
)
def test_the_figures_everybody_quotes(game: Game, shares: list[Fraction], pivots: list[Fraction]):
    found = measure(game)
    assert (list(found.banzhaf), list(found.shapley_shubik)) == (shares, pivots)


def test_swings_are_those_of_the_literature():
    assert measure(EEC_1958).swings == (10, 10, 10, 6, 6, 0)
    assert set(measure(UNSC).swings) == {848, 84}
    assert (sum(measure(UNSC).swings), measure(UNSC).winning) == (5080, 848)


def per_cent(values: tuple[Fraction, ...]) -> list[float]:
    return sorted({round(float(100 * value), 2) for value in values}, reverse=True)


def test_the_council_of_fifteen_and_of_twenty_seven():
    fifteen = measure(weighted(62, [10] * 4 + [8] + [5] * 4 + [4] * 2 + [3] * 3 + [2]))
    assert per_cent(fifteen.banzhaf) == [11.16, 9.24, 5.87, 4.79, 3.59, 2.26]
    assert per_cent(fifteen.shapley_shubik) == [11.67, 9.55, 5.52, 4.54, 3.53, 2.07]
    heads, votes = Rule(14, (1,) * 27), Rule(255, tuple(NICE))
    nice = measure(together(votes, heads))
    assert per_cent(nice.banzhaf) == [7.78, 7.42, 4.26, 3.97, 3.68, 3.09, 2.18, 1.25, 0.94]
    assert float(nice.act) == pytest.approx(0.0203, abs=0.0001)
    in_millions = tuple(round(number / 1000) for number in PEOPLE)
    triple = measure(together(votes, heads, Rule(at_least(F(62, 100), in_millions), in_millions)))
    assert 0 <= nice.winning - triple.winning < 100, "the third condition almost never matters"
    lisbon = either(together(Rule(15, heads.weights), Rule(at_least(F(65, 100), PEOPLE), tuple(PEOPLE))))
    with_minority = either(lisbon, weighted(24, heads.weights))  # four are needed to block
    assert float(measure(with_minority).act) == pytest.approx(0.1287, abs=0.0001)
    assert measure(with_minority).winning > measure(lisbon).winning


def test_the_security_council_is_nine_votes_and_no_veto():
    vetoes, votes = Rule(5, (1,) * 5 + (0,) * 10), Rule(9, (1,) * 15)
    assert measure(together(vetoes, votes)) == measure(UNSC)
    assert measure(UNSC).veto_players == (0, 1, 2, 3, 4)
    assert set(measure(UNSC).prevent[:5]) == {1}
    assert measure(UNSC).act == F(848, 2**15)


def test_two_chambers():
    """Three operators and two regulators; each chamber decides by itself, by more than half."""
    game = together(Rule(2, (1, 1, 1, 0, 0)), Rule(2, (0, 0, 0, 1, 1)))
    found = measure(game)
    assert (found.winning, found.swings, found.veto_players) == (4, (2, 2, 2, 4, 4), (3, 4))
    assert found.initiate[3] == F(4, 28)


def test_a_table_for_people():
    assert measure(EEC_1958).text(["Germany", "France", "Italy", "Netherlands", "Belgium", "Luxembourg"]) == (
        "                swings      Banzhaf  Shapley-Shubik    prevent   initiate\n"
        "Germany             10         5/21            7/30        5/7        1/5\n"
        "France              10         5/21            7/30        5/7        1/5\n"
        "Italy               10         5/21            7/30        5/7        1/5\n"
        "Netherlands          6          1/7            3/20        3/7       3/25\n"
        "Belgium              6          1/7            3/20        3/7       3/25\n"
        "Luxembourg           0            0               0          0          0\n"
        "14 of 64 coalitions win\n"
    )


# --- against every coalition -------------------------------------------------------------------------------------


def every(members: int) -> list[frozenset[int]]:
    return [frozenset(some) for size in range(members + 1) for some in combinations(range(members), size)]


def looked_at(game: Game) -> tuple[int, list[int], list[Fraction]]:
    """Find winning coalitions, swings and Shapley-Shubik by their definitions."""
    n, winning = game.members, {some for some in every(game.members) if game.is_won_by(some)}
    swings, pivots = [0] * n, [F(0)] * n
    for some in winning:
        for member in some:
            if some - {member} not in winning:
                swings[member] += 1
                pivots[member] += F(factorial(len(some) - 1) * factorial(n - len(some)), factorial(n))
    return len(winning), swings, pivots


@st.composite
def games(draw: st.DrawFn, most_ways: int = 2, most_rules: int = 2, heaviest: int = 9) -> Game:
    members = draw(st.integers(1, 7))

    def rule() -> Rule:
        weights = draw(st.lists(st.integers(0, heaviest), min_size=members, max_size=members))
        assume(any(weights))
        quota = draw(st.integers(1, 2 * sum(weights)))
        return Rule(F(quota, 2) if draw(st.booleans()) else -(-quota // 2), tuple(weights))

    ways = draw(st.integers(1, most_ways))
    return Game(tuple(tuple(rule() for _ in range(draw(st.integers(1, most_rules)))) for _ in range(ways)))


@settings(max_examples=80, deadline=None)
@given(games(most_ways=3))
def test_the_count_is_that_of_looking_at_every_coalition(game: Game):
    found = measure(game)
    assert (found.winning, list(found.swings), list(found.shapley_shubik)) == looked_at(game)


@settings(max_examples=60, deadline=None)
@given(games(most_rules=1))
def test_tables_of_words_and_of_large_numbers_and_lists_count_alike(game: Game):
    found = []
    for limits in ({"MOST_LISTED": 0}, {"MOST_LISTED": 0, "WORD": 0}, {"MOST_CELLS": 0}):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in limits.items():
                patch.setattr(power, name, value)
            found.append(measure(game))
    assert found[0] == found[1] == found[2]


def test_an_order_is_pivotal_where_the_quota_is_reached():
    weights, quota = (5, 4, 3, 2, 2), 9
    pivots = [0] * 5
    for order in permutations(range(5)):
        together_, reached = 0, False
        for member in order:
            together_ += weights[member]
            if together_ >= quota and not reached:
                reached = True
                pivots[member] += 1
    assert shapley_shubik(quota, weights) == tuple(F(count, 120) for count in pivots)


@pytest.mark.parametrize("members", [60, 66, 67, 80])
def test_one_vote_each_is_binomial_for_any_number_of_members(members: int):
    quota = members // 2 + 1
    found = measure(weighted(quota * 7, [7] * members))
    assert found.winning == sum(comb(members, size) for size in range(quota, members + 1))
    assert found.swings == (comb(members - 1, quota - 1),) * members
    assert found.shapley_shubik == (F(1, members),) * members


def test_sixty_members_with_weights_up_to_a_thousand():
    """At this size nothing can be looked at one by one; what must hold holds exactly."""
    weights = [1000 - 7 * number for number in range(60)]
    found = measure(weighted(more_than(F(1, 2), weights), weights))
    assert sum(found.shapley_shubik) == sum(found.banzhaf) == 1
    assert list(found.swings) == sorted(found.swings, reverse=True)
    assert F(49, 100) < found.act <= F(1, 2)


# --- laws --------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(games())
def test_shares_sum_to_one_and_who_never_matters_has_none(game: Game):
    found = measure(game)
    assert sum(found.banzhaf) == sum(found.shapley_shubik) == 1
    never = [member for member, swings in enumerate(looked_at(game)[1]) if not swings]
    assert list(found.dummies) == never == [m for m, share in enumerate(found.shapley_shubik) if share == 0]


@settings(max_examples=50, deadline=None)
@given(games(most_ways=1, most_rules=1))
def test_more_weight_is_never_less_power_and_equal_weight_is_equal_power(game: Game):
    weights, found = game.ways[0][0].weights, measure(game)
    for one, two in combinations(range(game.members), 2):
        for index in (found.banzhaf, found.shapley_shubik):
            assert weights[one] != weights[two] or index[one] == index[two]
            assert (weights[one] - weights[two]) * (index[one] - index[two]) >= 0


@settings(max_examples=50, deadline=None)
@given(games())
def test_colemans_three_and_the_absolute_index_are_the_same_swings(game: Game):
    found = measure(game)
    for swings, absolute, prevent, initiate in zip(
        found.swings, found.absolute, found.prevent, found.initiate, strict=True
    ):
        assert prevent * found.winning == swings == initiate * (2**game.members - found.winning)
        assert not swings or absolute == 2 / (1 / prevent + 1 / initiate), "Dubey & Shapley 1979: the harmonic mean"


@settings(max_examples=60, deadline=None)
@given(games())
def test_minimal_coalitions_vetoes_and_dictators_are_what_their_names_say(game: Game):
    found, winning = measure(game), [some for some in every(game.members) if game.is_won_by(some)]
    minimal = {some for some in winning if not any(other < some for other in winning)}
    told = list(minimal_winning(game))
    assert len(told) == len(set(told))
    assert set(told) == minimal
    assert set(found.veto_players) == frozenset.intersection(*winning)
    alone = [m for m in range(game.members) if all((m in some) == game.is_won_by(some) for some in every(game.members))]
    assert [found.dictator] == (alone or [None])


# --- many coalitions, newcomers, suggestions ---------------------------------------------------------------------


def test_minimal_coalitions_come_one_by_one():
    assert [sorted(some) for some in minimal_winning(EEC_1958)] == [[0, 1, 2], [0, 1, 3, 4], [0, 2, 3, 4], [1, 2, 3, 4]]
    assert sum(1 for _ in minimal_winning(UNSC)) == comb(10, 4)
    crowd = list(range(1, 61))
    some = list(islice(minimal_winning(weighted(more_than(F(1, 2), crowd), crowd)), 50))
    assert all(915 < sum(crowd[m] for m in coalition) <= 915 + min(crowd[m] for m in coalition) for coalition in some)


def test_a_hopeless_search_for_coalitions_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(power, "MOST_VISITS", 100)
    with pytest.raises(UsageError, match="100 partial coalitions were looked at: take fewer"):
        list(minimal_winning(weighted(31, [1] * 60)))


def test_luxembourg_gains_by_newcomers_though_its_share_of_the_votes_falls():
    found = what_if(EEC_1958, EEC_1973)
    assert found.gainers == (5,)
    assert found.after.shapley_shubik[5] == F(1, 105)
    shares = [F(game.ways[0][0].weights[5], sum(game.ways[0][0].weights)) for game in (EEC_1958, EEC_1973)]
    assert shares[1] < shares[0]


def test_a_newcomer_gives_a_dummy_a_voice():
    rule = Rule(4, (2, 2, 1))
    found = what_if(together(rule), together(rule.admit(1)))
    assert found.text(["A", "B", "C", "D"]) == (
        "    Banzhaf before            after  Shapley-Shubik before            after\n"
        "A              1/2              1/3                    1/2              1/3\n"
        "B              1/2              1/3                    1/2              1/3\n"
        "C                0              1/6                      0              1/6  gains\n"
        "D                -              1/6                      -              1/6\n"
    )
    assert rule.admit(1, quota=5) == Rule(5, (2, 2, 1, 1))
    with pytest.raises(UsageError, match="of 4 members only 3 are left"):
        what_if(together(rule.admit(1)), together(rule))


def test_square_roots_make_power_follow_weight():
    rule = penrose([1000 * number for number in PEOPLE])
    assert rule.weights[0] == 9057  # the square root of 82,038,000, rounded
    found, total = measure(together(rule)), sum(rule.weights)
    for weight, share in zip(rule.weights, found.banzhaf, strict=True):
        assert abs(share / F(weight, total) - 1) < F(1, 100)


def test_quotas_are_met_by_at_least_as_much():
    half = F(1, 2)
    assert (at_least(half, [3, 2, 2]), more_than(half, [3, 2, 2])) == (4, 4)
    assert (at_least(half, [3, 3]), more_than(half, [3, 3])) == (3, 4)
    assert banzhaf(F(7, 2), [3, 2, 2]) == banzhaf(4, [3, 2, 2])
    assert measure(weighted(3, [3, 3])).winning == 3, "three of six are at least half"
    assert measure(weighted(F(1201, 400), [3, 3])).winning == 1


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: weighted(13, [4, 4, 4]), "the quota 13 cannot be met: all weights together are 12"),
        (lambda: weighted(0, [1, 1]), "a quota of 0 is met by nobody at all"),
        (lambda: weighted(1, []), "a rule needs a weight for each member"),
        (lambda: weighted(1, [2, -1]), "member 1 has the weight -1: give whole numbers from 0 on"),
        (lambda: weighted(1, [2, True]), "member 1 has the weight True"),
        (lambda: weighted(0.5, [1]), "the quota is 0.5: give a whole number or a Fraction"),
        (together, "each of one rule or more"),
        (lambda: together(Rule(1, (1,)), Rule(1, (1, 1))), r"weigh the same members; these weigh \[1, 2\]"),
        (lambda: either(*[EEC_1958] * 5), "1 to 4 ways to win"),
        (lambda: measure(weighted(10**8, [10**7 + n for n in range(21)])), "in a larger unit"),
    ],
)
def test_a_game_that_cannot_be_is_refused_with_what_to_do(make, why: str):
    with pytest.raises(UsageError, match=why):
        make()


def test_twenty_members_may_have_any_weights():
    weights = [10**15 + 7**number for number in range(12)]
    quota = more_than(F(1, 2), weights)
    found = measure(weighted(quota, weights))
    assert (found.winning, list(found.swings), list(found.shapley_shubik)) == looked_at(weighted(quota, weights))
