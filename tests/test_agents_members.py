"""Members of an alliance: staying away, trading votes and losing keys have the effects that are told of them."""

from __future__ import annotations

from typing import Any

import pytest

from minichain import agents
from minichain.agents.members import Settings, ballots, sincere, trade

CHOICES = ("yes", "no", "abstain")
SEEDS = range(2)


def means(**settings: Any) -> dict[str, float]:
    (cell,) = agents.sweep("members", seeds=SEEDS, settings=settings).cells
    return {name: one.mean for name, one in cell.intervals.items()}


# --- deciding -----------------------------------------------------------------------------------------------------


def test_one_votes_for_what_one_gains_by_and_not_at_all_if_it_is_not_worth_the_trouble():
    assert [sincere(Settings(), worth, CHOICES) for worth in (-80, -1, 0, 1, 80)] == ["no", "no", "", "yes", "yes"]
    lazy = Settings(trouble=50)
    assert [sincere(lazy, worth, CHOICES) for worth in (-50, -49, 49, 50)] == ["no", "", "", "yes"]
    polite = Settings(trouble=50, abstention="cast")
    assert sincere(polite, 10, CHOICES) == "abstain"
    assert sincere(polite, 10, ("yes", "no")) == ""  # rules that know no abstention


def test_a_strong_opponent_uses_a_veto_where_there_is_one():
    assert sincere(Settings(), -75, (*CHOICES, "veto")) == "veto"
    assert sincere(Settings(), -74, (*CHOICES, "veto")) == "no"


def test_two_exchange_votes_only_if_each_gains_and_the_best_exchange_comes_first():
    assert trade([-10, 60, 0], [50, -20, 0]) == (0, 1)
    assert trade([-70, 60], [50, -20]) is None  # the first would lose more than it gains
    assert trade([10, 60], [50, 20]) is None  # nothing to give
    assert trade([-10, 60, 90], [50, -20, -5]) == (0, 2)


def test_traders_are_paired_once_and_a_last_one_finds_nobody():
    worths = [[-10, 60], [50, -20], [-10, 60]]
    votes, trades = ballots(Settings(), worths, [0, 1, 2], CHOICES)
    assert trades == 1
    assert votes == [{0: "yes", 1: "yes"}, {0: "yes", 1: "yes"}, {0: "no", 1: "yes"}]
    assert ballots(Settings(), worths, [], CHOICES)[1] == 0


# --- acting on the contract ---------------------------------------------------------------------------------------


def test_if_all_vote_as_they_think_the_majority_has_what_it_wants():
    found = means()
    assert found["against_most"] == found["missed"] == found["without_quorum"] == 0
    assert found["admitted"] > 0


def test_who_trades_votes_gains_and_what_passes_is_against_most_at_times():
    """The paradox of vote trading: more passes, and some of it most members lose by."""
    honest, traded = means(proposals=8), means(proposals=8, trading=100)
    assert traded["trades"] > 0 == honest["trades"]
    assert traded["admitted"] > honest["admitted"]
    assert traded["against_most"] > 0 == honest["against_most"]


def test_staying_away_leaves_decisions_without_a_quorum_and_an_abstention_that_is_cast_does_not():
    silent, cast = means(trouble=70), means(trouble=70, abstention="cast")
    assert silent["without_quorum"] > 0 == cast["without_quorum"]
    assert silent["turnout"] < cast["turnout"]


def test_without_a_quorum_in_the_rules_silence_is_consent():
    assert means(rules="optimistic", trouble=100)["admitted"] == 4
    assert means(rules="consensus", trouble=0)["admitted"] == 0


def test_when_half_of_the_keys_are_lost_nothing_can_be_decided_any_more():
    found = means(lost=60)
    assert (found["admitted"], found["without_quorum"], found["stuck"]) == (0, 4, 1)
    assert means(lost=100)["stuck"] == 1
    assert means(lost=60, rules="oz")["stuck"] == 0  # its quorum is 4 percent: one member is enough


def test_those_who_are_left_can_go_on_without_who_has_lost_a_key_as_long_as_they_are_enough():
    waits, replaced = means(lost=40, trouble=40), means(lost=40, trouble=40, replaces="yes")
    assert (waits["shrunk"], replaced["shrunk"]) == (0, 3)
    assert replaced["without_quorum"] < waits["without_quorum"]
    too_late = means(lost=60, replaces="yes")
    assert (too_late["shrunk"], too_late["stuck"]) == (0, 1)


@pytest.mark.parametrize("rules", ["aragon", "cosmos", "fisco", "fisco_safe", "one_org_one_vote", "optimistic", "oz"])
def test_every_pack_decides(rules: str):
    assert agents.run("members", seed=1, rules=rules).figures["admitted"] > 0


def test_a_run_can_be_played_again():
    run = agents.run("members", seed=1, trading=100)
    assert agents.replay(run) == run
