"""The search finds what is planted, shortens it, and names the command that shows it again; else it finds nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain import cli
from minichain.consensus import interface
from minichain.consensus.bft import Bft
from minichain.errors import ConfigError, UsageError
from minichain.faults.timeline import VERBS, VOTED, Step, Timeline, parse
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import ENGINES, Work
from minichain.node.core import Node
from minichain.sim import search
from minichain.sim.hunt import Hunt, digest_of, read_seeds, sweep
from minichain.sim.search import FAULTS, PROMISES, allowed_faults, draw, faulty, minimise, run, run_traced

BUDGET = 60  # seeds within which what is planted must be found

# --- drawing ----------------------------------------------------------------------------------------------------------

everywhere = given(st.sampled_from(ENGINES), st.integers(1, 9), st.integers(0, 10**9))


@settings(max_examples=200, deadline=None)
@everywhere
def test_a_drawn_timeline_is_one_that_can_be_written_and_is_within_the_promise(engine: str, size: int, seed: int):
    timeline = draw(engine, size, seed)
    assert parse(str(timeline)) == timeline
    assert timeline == draw(engine, size, seed)
    assert len(faulty(timeline)) <= PROMISES[engine].faulty(size)
    assert timeline.steps[-1].verb == "calm"
    skews = [step.args[1] for step in timeline.steps if step.verb == "skew"]
    assert all(abs(ahead_ms) <= PROMISES[engine].skew_ms for ahead_ms in skews)


def test_all_faults_are_drawn_together_and_apart():
    drawn = [{step.verb for step in draw("bft", 4, seed).steps} for seed in range(200)]
    kinds = set(VERBS) - {"submit", "calm", "heal", "resume", "free", "lose", "hold"}
    for verb in kinds:
        with_it = sum(verb in verbs for verbs in drawn)
        assert (4 if verb in VOTED else 20) < with_it < 180, verb
    assert any(len(verbs & kinds) <= 3 for verbs in drawn)
    assert any(len(verbs & kinds) >= 10 for verbs in drawn)


def test_only_the_faults_that_are_asked_for_are_drawn():
    for seed in range(50):
        timeline = draw("bft", 4, seed, "pause, crash")
        assert {step.verb for step in timeline.steps} <= {"submit", "pause", "resume", "crash", "restart", "calm"}
        assert not faulty(timeline)


def test_who_lost_something_lies_or_has_a_wrong_clock_is_faulty():
    text = "at 0 restart node-0 kept\nat 0 skew node-1 4000\nat 0 behave node-2 correct\nat 0 crash node-3"
    assert not faulty(parse(text))
    text = "at 0 restart node-0 lost\nat 0 skew node-1 -4001\nat 0 behave node-2 silent\nat 0 restart node-3 restored"
    assert faulty(parse(text)) == {"node-0", "node-1", "node-2", "node-3"}


def test_an_engine_bears_what_it_promises_and_no_more():
    assert [PROMISES["bft"].faulty(size) for size in (1, 3, 4, 6, 7, 10)] == [0, 0, 1, 1, 2, 3]
    assert PROMISES["raft"].faulty(99) == 0
    assert allowed_faults("bft") == tuple(FAULTS)
    assert {"adversary", "amnesia", "corruption"}.isdisjoint(allowed_faults("raft"))


@pytest.mark.parametrize(
    ("engine", "faults", "words"),
    [
        ("paxos", "all", "there is no engine 'paxos'; there are bft, raft, pow"),
        ("bft", "flood", "there is no fault 'flood'; there are all, crash, amnesia"),
        ("bft", "crash,,part", "there is no fault ''"),
        ("raft", "crash,adversary", "raft does not promise to bear adversary; it bears crash, part"),
    ],
)
def test_what_is_not_known_or_not_promised_is_refused(engine: str, faults: str, words: str):
    with pytest.raises(UsageError, match=words):
        draw(engine, 4, 0, faults)


# --- nothing is found -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "size", "count"), [("bft", 4, 40), ("bft", 7, 10), ("raft", 5, 40), ("pow", 5, 20)])
def test_no_seed_finds_anything(engine: str, size: int, count: int):
    for seed in range(count):
        report = run(draw(engine, size, seed))
        assert not report.problem, f"{report.words}: minichain sim --engine {engine} --validators {size} --seed {seed}"


@pytest.mark.parametrize("engine", ENGINES)
def test_one_validator_is_a_network_too(engine: str):
    for seed in range(5):
        assert not run(draw(engine, 1, seed)).problem


ALONE = """\
engine pow
validators 4
seed 1
clock wall
at 0 behave node-3 silent
at 100 crash node-0
at 100 crash node-1
at 100 crash node-2
at 500 submit 1
at 90000 restart node-0
at 90000 restart node-1
at 90000 restart node-2
at 90000 calm
"""


def test_what_only_a_liar_holds_for_final_is_sent_again():
    """A silent miner alone confirms a payment on a chain that it shows nobody: its client must go to the others."""
    report = run(parse(ALONE))
    assert not report.problem, report.words
    assert report.commits >= Work().confirmations


def test_another_seed_is_another_run():
    assert len({run(draw("bft", 4, seed)).digest for seed in range(8)}) == 8


# --- what is planted is found -----------------------------------------------------------------------------------------


def first_failure(engine: str, size: int, faults: str = "all") -> Timeline:
    """Return the first timeline that fails, of a small number of seeds."""
    for seed in range(BUDGET):
        timeline = draw(engine, size, seed, faults)
        if run(timeline).problem:
            return timeline
    raise AssertionError(f"{BUDGET} seeds found nothing")


def plant_small_quorums(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Committee, "is_quorum", lambda self, weight: 2 * weight >= self.total)


def plant_lost_locks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Bft, "_restore", lambda self: [])


def plant_no_help(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Node, "_help", lambda self, peer, position: None)


def plant_a_bug(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Bft, "recall", lambda self, *_: [1][2:][0])


PLANTED = {
    "half a committee is a quorum": (plant_small_quorums, "violation", "quorums"),
    "a restarted member has no memory": (plant_lost_locks, "violation", "truthfulness"),
    "nobody helps who is behind": (plant_no_help, "stall", "progress"),
    "a list is empty": (plant_a_bug, "violation", "bug"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_shortened(name: str, monkeypatch: pytest.MonkeyPatch):
    plant, problem, kind = PLANTED[name]
    plant(monkeypatch)
    monkeypatch.setattr(search, "CALM_MS", 20_000)
    monkeypatch.setattr(search, "MAX_ATTEMPTS", 60)
    found = first_failure("bft", 4)
    report = run(found)
    assert (report.problem, report.words.partition(":")[0]) == (problem, kind)
    short = minimise(found)
    assert run(short).kind == report.kind
    assert len(short.steps) < len(found.steps)
    monkeypatch.undo()
    assert not run(short).problem, "without the bug the same timeline is borne"


def test_a_timeline_that_does_not_fail_is_not_shortened():
    timeline = draw("bft", 4, 1)
    assert minimise(timeline) is timeline


def test_the_shortest_timeline_keeps_only_what_matters(monkeypatch: pytest.MonkeyPatch):
    """Nobody helps who is behind: all that it takes is a member that is parted from the others while they decide."""
    plant_no_help(monkeypatch)
    monkeypatch.setattr(search, "CALM_MS", 10_000)
    parts = (("node-0", "node-1", "node-2"), ("node-3",))
    noise = [Step(time, verb, ("node-0",)) for time, verb in ((50, "pause"), (70, "resume"), (90, "backup"))]
    work = [Step(200, "submit", (9, name)) for name in ("node-0", "node-2")]
    steps = (*noise, Step(100, "part", (parts,)), *work, Step(3_000, "skew", ("node-1", 5)), Step(4_000, "calm"))
    short = minimise(Timeline(seed=4, steps=steps, price=3, clients="mixed", membership="voted", listeners=1))
    assert short.options() == Timeline(seed=4).options()
    assert [step.verb for step in short.steps if step.verb != "submit"] == ["part", "calm"]
    assert len(short.steps) <= 4
    assert all(step.args[0] == 1 for step in short.steps if step.verb == "submit")
    assert run(short).words.startswith("progress")


def test_more_faulty_members_than_promised_are_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "CALM_MS", 3_000)
    report = run(parse("at 0 behave node-0 silent\nat 0 behave node-1 silent\nat 0 submit 1"))
    assert report.problem == "stall"
    assert "1 of 1 transactions are not final everywhere 3000 ms after the calm; heights: node-0 0" in report.words
    assert "(with 2 faulty members, more than bft promises to bear)" in report.words


def test_an_error_of_the_world_itself_is_a_violation_and_names_its_kind(monkeypatch: pytest.MonkeyPatch):
    def fail(self: Any, event: interface.Event, now_ms: int) -> list[interface.Effect]:
        raise KeyError("nobody")

    monkeypatch.setattr(Bft, "handle", fail)
    report, lines = run_traced(draw("bft", 4, 0))
    assert report.kind == "violation bug"
    assert "KeyError: 'nobody'" in report.words
    assert any("starts" in line for line in lines)


# --- many seeds -------------------------------------------------------------------------------------------------------


def test_any_number_of_processes_finds_the_same():
    alone, together = list(sweep("bft", 4, range(6), jobs=1)), list(sweep("bft", 4, range(6), jobs=2))
    assert alone == together
    assert digest_of(alone) == digest_of(together) != digest_of(reversed(alone))


def test_the_same_seeds_are_the_same_runs_in_every_process():
    script = "from minichain.cli import main; main()"
    options = ["sim", "--seeds", "11:14", "--jobs", "1", "--json"]

    def told(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", script, *options], env=environment, capture_output=True, check=True, timeout=60
        )
        return str(json.loads(done.stdout)["trace_digest"])

    assert told("1") == told("2") == digest_of(sweep("bft", 4, range(11, 14), jobs=1))


@pytest.mark.parametrize("text", ["", "5", "5:", ":5", "5:5", "6:5", "-1:5", "a:b", "0:1000001", "0:1:2", "0 : 1"])
def test_seeds_that_are_none_are_refused(text: str):
    with pytest.raises(UsageError, match="write A:B with A below B"):
        read_seeds(text)


def test_seeds_are_read():
    assert read_seeds("17:18") == range(17, 18)
    assert read_seeds("0:1000000") == range(1_000_000)


# --- the command ------------------------------------------------------------------------------------------------------


def call(*options: object, expect: int = 0) -> Any:
    done = CliRunner().invoke(cli.main, ["sim", *map(str, options)])
    assert done.exit_code == expect, done.output
    return json.loads(done.stdout) if "--json" in options else done


def test_the_command_says_what_was_run():
    content = call("--engine", "bft", "--validators", 4, "--seeds", "0:3", "--jobs", 1, "--json")
    assert content["seeds"] == "0:3"
    assert content["commits"] > 3
    assert (content["violations"], content["stalls"]) == ([], [])
    assert content["trace_digest"] == digest_of(sweep("bft", 4, range(3), jobs=1))


def test_every_seed_says_with_which_options_it_ran():
    lines = call("--seeds", "0:3", "--jobs", 1).stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["seed 0", "seed 1", "seed 2"]
    for seed, line in enumerate(lines):
        timeline = draw("bft", 4, seed)
        assert all(option in line for option in timeline.options()[3:])
        assert {step.verb for step in timeline.steps} - {"submit", "calm"} == set(re.findall(r"(\w+) x\d+", line))
        assert line.endswith(" blocks, sound")


def test_a_seed_alone_prints_its_timeline():
    shown = call("--seed", 3).stdout
    assert str(draw("bft", 4, 3)) in shown
    assert call("--seeds", "3:4").stdout == shown


def test_what_is_found_comes_with_the_command_that_shows_it_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    plant_small_quorums(monkeypatch)
    content = call("--seeds", "0:25", "--faults", "part,cut", "--jobs", 1, "--json", expect=1)
    found = content["violations"][0]
    assert found["words"].startswith("quorums")
    assert found["options"][:3] == ["engine bft", "validators 4", f"seed {found['seed']}"]
    command = f"minichain sim --engine bft --validators 4 --seeds {found['seed']}:{found['seed'] + 1} --faults part,cut"
    assert found["replay"] == command
    again = call(*command.split()[2:], "--json", expect=1)
    assert again["violations"] == [found]
    shown = call(*command.split()[2:], expect=1)
    assert command in shown.stdout
    assert "quorums" in shown.stdout


def test_a_shortened_timeline_is_written_and_played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    plant_small_quorums(monkeypatch)
    file = tmp_path / "short.timeline"
    options = ("--seeds", "0:12", "--faults", "part", "--jobs", 1)
    content = call(*options, "--minimise", "--write", file, "--json", expect=1)
    assert content["timeline"] == file.read_text(encoding="utf-8")
    assert content["violations"][0]["replay"] == f"minichain sim --timeline {file}"
    again = call("--timeline", file, "--json", expect=1)
    assert again["violations"][0]["words"].startswith("quorums")
    assert again["violations"][0]["replay"] == f"minichain sim --timeline {file}"
    monkeypatch.undo()
    assert call("--timeline", file, "--json")["violations"] == []


def test_a_run_can_be_read_event_by_event(tmp_path: Path):
    call("--seed", 3, "--trace", tmp_path / "trace.txt")
    lines = (tmp_path / "trace.txt").read_text(encoding="utf-8").splitlines()
    assert lines == run_traced(draw("bft", 4, 3))[1]


def test_wrong_use_of_the_command_is_told(tmp_path: Path):
    file = tmp_path / "bad.timeline"
    file.write_text("engine bft\nat 0 crash node-9\n", encoding="utf-8")
    noise = tmp_path / "noise"
    noise.write_bytes(b"\xff\xfe")
    for options, words in (
        (("--engine", "paxos"), "there is no engine 'paxos'; there are bft, raft, pow"),
        (("--faults", "rain"), "there is no fault 'rain'"),
        (("--seeds", "9:3"), "write A:B"),
        (("--timeline", file), f"{file}: line 2: there is no node 'node-9'; there are node-0, node-1, node-2, node-3"),
        (("--timeline", noise), "not UTF-8 text"),
        (("--timeline", file, "--seed", 3), "leave --seeds and --seed out"),
        (("--timeline", file, "--engine", "raft"), "says itself which engine, validators and faults"),
        (("--seeds", "0:2", "--trace", tmp_path / "trace.txt"), "a trace is of one run"),
    ):
        assert words in " ".join(call(*options, expect=3).stderr.split()), options
    assert not (tmp_path / "trace.txt").exists()
    with pytest.raises(ConfigError, match="line 2"):
        Hunt.of_file(file)


def test_progress_is_told():
    told: list[str] = []
    Hunt("bft", 4, range(3)).run(1, told.append)
    assert told[-1] == "seed 2: 3 of 3 runs, 0 failed"
