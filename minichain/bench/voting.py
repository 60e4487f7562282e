"""Figures of voting: how long it takes to count a body's power, and many ballots by every method."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any, Final

from minichain.scenarios.voting import counting as methods
from minichain.scenarios.voting.power import Rule, at_least, measure, more_than, together, weighted

POWER_S: Final = 1.0
COUNTING_S: Final = 2.0
SEATS: Final = 4  # of the single transferable vote
SEED: Final = 1


def power(members: int = 60, heaviest: int = 1_000) -> dict[str, Any]:
    """Count every figure of power of a body with weights drawn up to a heaviest, under four rules."""
    random = Random(SEED)
    weights = tuple(random.randint(1, heaviest) for _ in range(members))
    games = {
        "more than half": weighted(more_than(Fraction(1, 2), weights), weights),
        "two thirds": weighted(at_least(Fraction(2, 3), weights), weights),
        "anybody": weighted(1, weights),
        "two thirds, and half of the members": together(
            Rule(at_least(Fraction(2, 3), weights), weights),
            Rule(more_than(Fraction(1, 2), (1,) * members), (1,) * members),
        ),
    }
    seconds = {name: round(_timed(measure, game)[0], 3) for name, game in games.items()}
    return {
        "members": members,
        "heaviest": heaviest,
        "all_weights": sum(weights),
        "seconds": {name: {"all figures": took} for name, took in seconds.items()},
        "passed": max(seconds.values()) <= POWER_S,
        "formula": "processor seconds of one call of measure: winning coalitions, and for each member swings, Banzhaf, "
        f"Shapley-Shubik and Coleman, as exact fractions; passed = no rule takes more than {POWER_S} s",
    }


def counting(ballots: int = 100_000, candidates: int = 9) -> dict[str, Any]:
    """Count ballots that rank everybody in an order drawn at random, so that few are equal: no case is slower."""
    random, names = Random(SEED), [f"candidate {number}" for number in range(candidates)]
    cast = [tuple(random.sample(names, candidates)) for _ in range(ballots)]
    sorting_s, sorted_ballots = _timed(methods.rankings, names, cast)
    order = methods.lot(names, "bench")
    seconds = {name: round(_timed(method, sorted_ballots, order)[0], 3) for name, method in methods.METHODS.items()}
    seconds["stv"] = round(_timed(methods.stv, sorted_ballots, min(SEATS, candidates), order)[0], 3)
    return {
        "ballots": ballots,
        "candidates": candidates,
        "piles": len(sorted_ballots.piles),
        "sorting_s": round(sorting_s, 3),
        "seconds": {name: {"counting": took} for name, took in seconds.items()},
        "irv_s": round(sorting_s + seconds["irv"], 3),
        "passed": sorting_s + seconds["irv"] <= COUNTING_S,
        "formula": "processor seconds; sorting_s = every ballot examined and put on the pile of its equals; irv_s = "
        f"sorting_s + seconds of irv; stv fills {SEATS} seats; passed = irv_s is at most {COUNTING_S} s",
    }


def _timed(work: Callable[..., Any], *args: Any) -> tuple[float, Any]:
    start = time.process_time()
    found = work(*args)
    return time.process_time() - start, found
