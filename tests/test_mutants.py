"""Who doubts that the search would find a bug plants one. Each of twelve is found by the ordinary search, and the same
seeds find nothing where none is planted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import MUTANTS, Change, Mutant, plant, planted

from minichain.consensus.raft import rules
from minichain.sim.hunt import HASH_SEED, TWICE, Hunt, run_again
from minichain.sim.search import draw, run

BUDGET = 12  # seeds, from where the table says that one of the first 2 000 finds it
HERE = Path(__file__).parent
HASHED = "set-order-iteration"  # seen only by another process


def kinds(mutant: Mutant, seeds: range) -> list[str]:
    """Return what each seed came to, up to the first that failed."""
    found: list[str] = []
    for seed in seeds:
        found.append(run(draw(mutant.engine, mutant.validators, seed, mutant.faults)).kind.strip())
        if found[-1]:
            break
    return found


@pytest.mark.parametrize("name", [name for name in MUTANTS if name != HASHED])
def test_a_mutant_is_found_and_without_it_the_same_seeds_find_nothing(name: str):
    with planted(name) as mutant:
        found = kinds(mutant, range(mutant.start, mutant.start + BUDGET))
    problem, _, checker = found[-1].partition(" ")
    assert problem == "violation", f"search anew: python tests/mutants.py {name} --seeds 0:2000"
    assert checker in mutant.checkers
    assert not any(kinds(mutant, range(mutant.start, mutant.start + len(found))))


def test_an_order_that_only_this_process_has_is_found_by_another_one():
    mutant, seeds = MUTANTS[HASHED], f"0:{TWICE + 1}"
    environment = {**os.environ, HASH_SEED: "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(HERE / "mutants.py"), HASHED, "--seeds", seeds, "--jobs", "1", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    (violation,) = json.loads(done.stdout)["violations"]
    assert violation["seed"] == TWICE
    assert violation["words"].startswith("determinism")
    again = run_again(mutant.engine, mutant.validators, [TWICE], mutant.faults)
    assert again == [run(draw(mutant.engine, mutant.validators, TWICE, mutant.faults))]


def test_few_seeds_are_not_run_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minichain.sim.hunt.run_again", lambda engine, validators, seeds, faults: list(seeds) and 1 / 0)
    assert len(Hunt("raft", 3, range(3), "delay").run(1)) == 3


def test_there_are_the_twelve_and_each_engine_has_some():
    assert len(MUTANTS) >= 12
    assert {mutant.engine for mutant in MUTANTS.values()} == {"bft", "raft", "pow"}


def test_what_is_planted_is_taken_back():
    before = rules.committed.__code__
    with planted("old-term-entry-committed-by-count"):
        assert rules.committed.__code__ is not before
    assert rules.committed.__code__ is before


def test_a_table_that_has_gone_stale_is_noticed(monkeypatch: pytest.MonkeyPatch):
    stale = Mutant((Change("minichain.node.turn", "what nobody has written", ""),), "bft", frozenset({"validity"}))
    monkeypatch.setitem(MUTANTS, "stale", stale)
    with pytest.raises(AssertionError, match=r"minichain\.node\.turn has this 0 times"):
        plant("stale")


def test_the_ledger_knows_of_no_mutants():
    rooms = [room for room in (HERE.parent / "minichain").iterdir() if room.name != "course"]  # answers have some, too
    sources = [path for room in rooms for path in room.rglob("*.py")]
    assert not [path for path in sources if "mutant" in path.read_text(encoding="utf-8").lower()]
