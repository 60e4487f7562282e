"""The benches measure what they say, at a size that takes no time. No test here looks at a clock."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from msgspec import structs

from minichain import bench
from minichain.bench import actions, core, course, crossing, elections, hostile, processes, side_by_side, voting
from minichain.cli import main
from minichain.course import material, place
from minichain.errors import ConfigError, NetworkError, UsageError
from minichain.scenarios.voting.counting import METHODS
from minichain.sharding.capacity import DEFINITIONS, Costs, Design, throughput

viewers: Any = import_module("minichain.bench.viewers")  # the bench of that name hides it


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "BATCH", 20)
    monkeypatch.setattr(processes, "ACCOUNTS", 50)
    monkeypatch.setattr(processes, "REST_S", 0.0)
    monkeypatch.setattr(core, "CROWD", 7)
    monkeypatch.setattr(core, "CROWD_BLOCKS", 5)


def test_throughput_counts_what_became_final_against_the_cost_of_its_signatures():
    found = bench.throughput(validators=2, transfers=161)
    assert (found["transfers"], found["final_on_each"], found["validators"]) == (160, 160, 2)
    assert found["ratio"] == pytest.approx(found["tps"] / found["limit_tps"], abs=0.002)
    assert found["limit_tps"] == pytest.approx(found["cores"] / (2 * found["signature_check_us"] * 1e-6), rel=0.01)
    assert found["tps"] == pytest.approx(found["transfers"] / found["seconds"], rel=0.1)
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99"]
    assert "ratio = tps / limit_tps" in found["formula"]


def test_throughput_gives_no_figure_for_transfers_that_were_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "GAS_LIMIT", 1)
    with pytest.raises(AssertionError, match="refused a transfer: gas limit 1 is not from"):
        bench.throughput(validators=1, transfers=40)


def test_latency_times_single_transactions():
    found = bench.latency(validators=1, count=3)
    assert (found["count"], found["validators"]) == (3, 1)
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_idle_measures_every_validator():
    found = bench.idle(validators=2, seconds=0.2)
    assert (found["accounts"], found["validators"]) == (50, 2)
    assert len(found["memory_mb_each"]) == 2
    assert all(size > 10 for size in found["memory_mb_each"])
    assert found["core_percent"] >= 0


def test_a_start_is_timed_until_all_are_ready():
    found = bench.start(validators=1, times=3)
    assert (found["times"], found["validators"]) == (3, 1)
    assert 0 < found["seconds"] <= found["longest"]


def test_recovery_kills_validators_under_load_and_looks_for_what_was_lost():
    found = bench.recovery(validators=4, rounds=2)
    assert (found["recoveries"], found["killed_at_once"]) == (2, 1)
    assert (found["missing"], found["lost"], found["contradictions"]) == (0, 0, [])
    assert found["submitted"] > 0 < found["height"]
    assert 0 < found["recovery_s"]["p50"] <= found["recovery_s"]["p95"] <= found["recovery_s"]["max"]
    assert found["passed"] == (found["recovery_s"]["p50"] <= processes.RECOVERY_S)
    with pytest.raises(UsageError, match="3 validators can spare none"):
        bench.recovery(validators=3)


def test_whom_the_others_can_spare():
    names = [f"node-{number}" for number in range(7)]
    groups = processes._spared(names, 21, seed=1)
    assert len(set(groups)) == 21
    assert all(len(set(group)) == 2 for group in groups)
    assert processes._spared(names, 22, seed=1) == [*groups, groups[0]]


def test_the_simulator_is_measured_by_what_it_delivers():
    found = bench.simulator(validators=4, blocks=5)
    assert (found["blocks"], found["validators"]) == (5, 4)
    assert found["messages"] >= 5 * 2 * 7 * 6  # each block takes two votes from everybody to everybody
    checks_per_second = 1e6 / found["signature_check_us"]
    assert found["messages_per_second"] / checks_per_second == pytest.approx(
        found["messages_per_signature_check"], rel=0.02
    )


def test_a_large_committee_is_measured_by_what_it_delivers():
    found = bench.committee(validators=7, blocks=3)
    assert (found["validators"], found["blocks"]) == (7, 3)
    assert found["messages"] >= 3 * 2 * 7 * 6
    assert found["cpu_seconds"] > 0


def test_a_public_network_is_measured_with_its_forks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(core, "MINERS", 10)
    monkeypatch.setattr(core, "BLOCK_MS", 60)  # often two blocks at a time
    found = bench.public(nodes=30, blocks=20)
    assert (found["nodes"], found["miners"], found["blocks"]) == (30, 10, 20)
    assert 2 < found["links_each"] <= 4
    assert found["mined"] > 20
    assert found["reorganisations"] >= found["deepest"] > 0
    assert found["messages"] > 20 * 30


def test_engines_of_a_public_network_are_measured_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(core, "BLOCK_MS", 60)
    found = bench.miners(nodes=100, blocks=20)
    assert (found["nodes"], found["miners"], found["blocks"]) == (100, 50, 20)
    assert found["mined"] > 20
    assert found["reorganisations"] >= found["deepest"] > 0
    assert found["messages"] > 20 * 100


def test_the_tree_is_measured_by_key():
    found = bench.tree(keys=1_000, batch=10, batches=3)
    assert (found["keys"], found["batch"], found["batches"]) == (1_000, 10, 3)
    assert found["us_per_key"] / found["hash_us"] == pytest.approx(found["ratio"], rel=0.05, abs=0.06)


def test_an_action_is_measured_beside_plain_python(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(actions, "CALLS", 3)
    monkeypatch.setattr(actions, "TIMES", 2)
    found = bench.contracts()
    assert found["on_top_us"] == pytest.approx(found["action_us"] - found["plain_us"], abs=0.1)
    assert found["ns_per_gas"] == pytest.approx(found["action_us"] * 1000 / found["gas"], rel=0.1)
    assert found["pyrevm_us"], "a figure, or how to get one"


def test_what_an_attack_gets_for_its_gas_is_measured_beside_honest_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hostile, "ATTACKS", hostile.ATTACKS[:3])
    monkeypatch.setattr(hostile, "TIMES", 1)
    found = bench.attacks()
    assert found["attacks"] == 3
    assert found["times"] == pytest.approx(found["worst_ns_per_gas"] / found["honest_ns_per_gas"], rel=0.1)
    assert found["worst"] in hostile.ATTACKS
    assert hostile.trial(hostile.HONEST).attempt("go").outcome == "ok"


def test_what_crosses_is_measured_and_multiplied_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(crossing, "AT_ONCE", 3)
    monkeypatch.setattr(crossing, "ROUNDS", 1)
    monkeypatch.setattr(crossing, "LEAST_S", 0.01)
    monkeypatch.setattr(crossing, "PLAYED_SHARDS", 2)
    monkeypatch.setattr(crossing, "PLAYED_BLOCKS", 4)
    found = bench.shards(validators=7)
    costs = Costs(**{name: round(1_000 * cost) for name, cost in found["costs_us"].items()})
    assert costs.transfer < costs.send + costs.deliver + costs.settle
    for name, share in (("0 % crossing", Fraction(0)), ("50 % crossing", Fraction(1, 2))):
        expected = throughput(costs, Design(64, share, members=7))
        assert found["tps"][name][64] == pytest.approx(int(expected), rel=0.01)
    assert found["passed"] == (found["verification_us"]["receipt"] <= crossing.TARGET_US)
    assert found["verification_us"]["receipt"] < found["verification_us"]["with_certificate"]
    assert found["played_with_2_shards"]["0 % crossing"]["of_formula"] == pytest.approx(1, abs=0.05)
    assert set(found["definitions"]) == set(DEFINITIONS)


def test_the_same_validators_are_measured_as_one_chain_and_as_several(monkeypatch):
    monkeypatch.setattr(side_by_side, "TURNS", 1)
    found = bench.split(validators=2, transfers=80)
    assert (found["transfers"], found["shards"], found["expected_gain"]) == (80, 2, 2)
    (alone,), (together,) = found["one_chain_each"], found["shards_each"]
    assert found["gain"] == pytest.approx(together / alone, rel=0.05)
    with pytest.raises(UsageError, match="3 validators are not so many on each of 2 shards"):
        bench.split(validators=3)


def test_viewers_click_on_real_pages_and_every_click_is_answered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewers, "CLICKS", {"need_a_chain": ("Yes", "No")})
    monkeypatch.setattr(viewers, "EVERY_S", 0.3)
    found = bench.BENCHES["viewers"](viewers=2, seconds=3)
    assert (found["viewers"], found["clicks"] > 2) == (2, True)
    assert 0 < found["click_p50_ms"] <= found["click_p95_ms"] <= found["click_max_ms"]
    assert found["passed"] == (found["click_p95_ms"] <= found["target_p95_ms"])


def test_a_page_without_the_button_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewers, "CLICKS", {"need_a_chain": ("Explode",)})
    with pytest.raises(NetworkError, match="has no button 'Explode'"):
        bench.BENCHES["viewers"](viewers=1, seconds=1)


def test_power_is_measured_under_several_rules_and_ballots_by_every_method():
    found = bench.power(members=9, heaviest=20)
    assert len(found["seconds"]) == 4
    assert found["passed"] == all(cells["all figures"] <= voting.POWER_S for cells in found["seconds"].values())
    found = bench.counting(ballots=50, candidates=4)
    assert set(found["seconds"]) == {*METHODS, "stv"}
    assert found["piles"] <= 24
    assert found["irv_s"] == pytest.approx(found["sorting_s"] + found["seconds"]["irv"]["counting"], abs=0.002)
    assert found["passed"] == (found["irv_s"] <= voting.COUNTING_S)


def test_secret_ballots_are_measured_from_the_booth_to_the_recount(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(elections, "LEAST_S", 0.01)
    found = bench.ballots(voters=3, choices=2)
    assert (found["voters"], found["choices"], found["ballot_bytes"]) == (3, 2, 384)
    assert found["check_in_signatures"] == pytest.approx(found["check_ms"] / found["signature_check_ms"], rel=0.05)
    assert found["ballots_per_block"] == 500_000_000 // found["gas"]["cast"]["used"]
    assert set(found["seconds"]) == {"opening", "counting", "counting again"}
    assert {"announce", "deal", "cast", "decrypt", "tally"} < set(found["gas"])


def test_answers_of_the_trainer_are_checked_as_in_a_lesson_and_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    whole = material.syllabus()
    fewer = structs.replace(whole, modules=(whole.module("m02"),))
    monkeypatch.setattr(course.material, "syllabus", lambda: fewer)
    monkeypatch.setenv(place.VARIABLE, str(tmp_path))
    found = bench.checks()
    assert found["answers"] == sum(len(key.solutions) + len(key.bots) for key in course.trainer.keys("m02").values())
    assert found["exercises"] == len(material.tasks("m02"))
    assert found["slowest"] in material.tasks("m02")
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["max_ms"]
    assert found["passed"] == (found["p95_ms"] <= found["target_p95_ms"])
    assert place.home() == tmp_path
    assert list(tmp_path.iterdir()) == [], "the learner's own attempts are not touched"


def test_lessons_are_run_and_a_result_that_is_another_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    cell: dict[str, Any] = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "1 + 1"}
    says = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "3"}}
    lesson = {"cells": [{**cell, "outputs": [says]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (tmp_path / "00-sums.ipynb").write_text(json.dumps(lesson), "utf-8")
    monkeypatch.setattr(course.editions, "masters", lambda: tmp_path)
    monkeypatch.setattr(course, "PROCESSES", 0)
    found = bench.lessons()
    assert (found["lessons"], found["slowest"], found["failed"]) == (1, "00-sums", ["00-sums"])
    assert 0 < found["slowest_s"] <= found["seconds"]
    assert not found["passed"]


def test_the_seconds_of_a_lesson_are_those_of_its_cells():
    told = """<testsuites><testsuite>
        <testcase classname="notebooks.01-one.ipynb" name="Cell 0" time="2.5"/>
        <testcase classname="notebooks.02-two.ipynb" name="Cell 0" time="1"><failure/></testcase>
        <testcase classname="notebooks.01-one.ipynb" name="Cell 1" time="0.25"/>
    </testsuite></testsuites>"""
    assert course.read_times(told) == ({"01-one": 2.75, "02-two": 1.0}, {"02-two"})


def test_lessons_that_cannot_be_run_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(course, "RUNNERS", ("pytest", "a_runner_that_nobody_has"))
    with pytest.raises(ConfigError, match=r"a_runner_that_nobody_has is not installed: pip install -e .*\[test\]"):
        bench.lessons()
    monkeypatch.setattr(course.trainer, "curriculum", lambda: tmp_path)
    with pytest.raises(ConfigError, match=r"an installation has no masters .* this needs a checkout"):
        bench.lessons()


def test_every_measure_of_the_course_names_what_there_is():
    told = (Path(__file__).parents[1] / "docs" / "measures.md").read_text("utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", told, re.MULTILINE)] == list(range(1, 24))
    commands = [line.split() for line in re.findall(r"`((?:minichain|pytest) [^`]*)`", told)]
    assert len(commands) >= 20, "most measures have a command"
    for program, *words in commands:
        if program == "pytest":
            assert all((Path(__file__).parents[1] / path).is_file() for path in words), words
        else:
            _follow(main, words)


def _follow(command: click.Command, words: list[str]) -> None:
    """Go from command to command, down to the options, as the command line does."""
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    offered = {name for param in command.params for name in param.opts}
    assert {word for word in words if word.startswith("-")} <= offered, (command.name, words)
    if command.name == "bench":
        assert set(words) <= set(bench.BENCHES)


def test_every_bench_is_offered_and_explains_its_figures():
    offered: dict[str, Any] = bench.BENCHES
    assert list(offered) == [
        *("throughput", "latency", "idle", "start", "recovery"),
        *("simulator", "committee", "miners", "public", "tree", "contracts", "attacks", "shards"),
        *("delivery", "split"),
        *("power", "counting", "ballots", "viewers", "newcomer", "checks", "lessons", "console"),
    ]
    assert all(getattr(bench, name) is measure and measure.__doc__ for name, measure in offered.items())
