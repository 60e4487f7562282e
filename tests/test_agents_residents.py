"""Residents in a scheme of contribution points: what they do follows from the rule; what they have, from the chain."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from minichain import agents
from minichain.agents.residents import Resident, Settings, bring, objects, population

FEW = {"residents": 8, "rounds": 1, "forgets": 0, "errors": 0}


def figures(**settings: Any) -> dict[str, int]:
    return agents.run("residents", seed=1, **{**FEW, **settings}).figures


# --- deciding -----------------------------------------------------------------------------------------------------


def resident(effort: int = 30, trouble: int = 50, *, would_cheat: bool = False) -> Resident:
    return Resident("resident", effort, trouble, would_cheat)


@pytest.mark.parametrize(("effort", "choice"), [(39, "sorted"), (40, "sorted"), (41, "skipped")])
def test_a_bag_is_sorted_if_its_points_are_worth_the_effort(effort: int, choice: str):
    assert bring(Settings(worth=10), resident(effort), points=4) == choice


@pytest.mark.parametrize(("inspected", "choice"), [(0, "cheated"), (74, "cheated"), (75, "sorted"), (100, "sorted")])
def test_who_would_cheat_does_so_while_the_effort_exceeds_what_the_check_may_cost(inspected: int, choice: str):
    """Sorting gives 40 - 30 fen, cheating 40 fen if the bag is not opened: even at 75 percent."""
    assert bring(Settings(worth=10, inspected=inspected), resident(would_cheat=True), points=4) == choice


def test_one_objects_if_what_is_missing_is_worth_more_than_the_trouble():
    assert [objects(Settings(worth=10), resident(trouble=fen), points=10) for fen in (99, 100)] == [True, False]


def test_the_same_seed_is_the_same_residents_whatever_the_rule():
    few, many = (population(Settings(cheats=share), Random(5)) for share in (10, 60))
    assert [(one.effort, one.trouble) for one in few] == [(one.effort, one.trouble) for one in many]
    assert {one.name for one in few if one.would_cheat} < {one.name for one in many if one.would_cheat}


# --- acting on the contracts --------------------------------------------------------------------------------------


def test_where_nobody_cheats_or_errs_everybody_has_what_they_earned():
    found = figures(cheats=0, worth=1_000)
    assert (found["sorted"], found["skipped"], found["all_right"]) == (8, 0, 1)
    assert found["points"] > 8 * 20  # two hours each, and the bags


def test_points_that_are_worth_more_let_more_residents_sort():
    assert figures(worth=0)["sorted"] == 0 < figures(worth=10)["sorted"] < figures(worth=100)["sorted"] == 8


def test_whoever_cheats_has_points_unless_the_bag_is_opened():
    unseen = figures(cheats=100, effort=9_000, inspected=0)
    assert (unseen["cheated"], unseen["rejected"]) == (8, 0)
    assert unseen["points"] == 8 * 20 + unseen["unearned"]
    half = figures(cheats=100, effort=9_000, inspected=50)
    assert 0 < half["rejected"] < half["cheated"] == 8
    assert half["points"] == 8 * 20 + half["unearned"] < unseen["points"]


def test_opening_every_bag_ends_cheating_but_makes_nobody_sort():
    found = figures(cheats=100, effort=9_000, inspected=100)
    assert (found["cheated"], found["sorted"], found["skipped"]) == (0, 0, 8)


def test_what_is_forgotten_is_neither_sorted_nor_worth_anything():
    found = figures(forgets=100)
    assert (found["forgotten"], found["sorted"], found["points"]) == (8, 0, 8 * 20)


def test_an_error_is_mended_by_an_objection_and_lost_without_one():
    mended, lost = figures(errors=100, trouble=0, forgets=100), figures(errors=100, worth=0, forgets=100)
    assert (mended["objections"], mended["lost"], mended["points"]) == (8, 0, 8 * 20)
    assert (lost["objections"], lost["lost"], lost["points"]) == (0, 8 * 10, 8 * 10)
    some = figures(errors=100, trouble=400, forgets=100)
    assert 0 < some["objections"] < 8
    assert some["points"] == 8 * 20 - some["lost"]


def test_every_step_was_accepted_by_the_contracts_and_can_be_played_again():
    run = agents.run("residents", seed=3, residents=5, rounds=2)
    assert run.refused == 0
    assert agents.replay(run) == run
