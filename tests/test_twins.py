"""Twins: correct code run twice under one key. One of four is borne, two are not, and a broken lock is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import builders
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain import cli
from minichain.codec import decode_own, encode
from minichain.consensus.bft.messages import Equivocation, author, cast_vote, sign_proposal
from minichain.consensus.bft.rounds import Rounds
from minichain.errors import ConfigError, UsageError
from minichain.ledger.certificate import PRECOMMIT, PREVOTE
from minichain.node.core import Node
from minichain.node.messages import Position
from minichain.sim import search, twinplay
from minichain.sim.hunt import TwinsHunt, read_file
from minichain.sim.twinplay import Course, minimise, run, run_traced
from minichain.sim.twins import KINDS, Round, Twins, generate, parse, partitions

GOLDEN = Path(__file__).parent / "golden" / "twins"
ONE, TWO, LOCKED = (GOLDEN / f"{name}.json" for name in ("one_of_four", "two_of_four", "locked"))
TOGETHER = (((0, 1, 2, 3, 4),),)


def course_of(*rounds: Round, nodes: int = 4, twins: int = 1) -> Course:
    return Course(Twins(nodes, twins, (rounds,)), 0)


def key_of(course: Course, name: str) -> bytes:
    node = course.world.node(name)
    assert node is not None
    return node.status().public


def failures(twins: Twins) -> list[str]:
    """Return what goes wrong, with the scenario that shows it."""
    runs = [twins.only(number) for number in range(1, len(twins.scenarios) + 1)]
    return [f"{report.words}: {one}" for one in runs if (report := run(one)).problem]


# --- one key, two machines --------------------------------------------------------------------------------------------


def test_twins_are_two_machines_under_one_key_and_neither_is_a_correct_member():
    world = course_of(Round(0, TOGETHER)).world
    assert world.names == ("node-0", "node-1", "node-2", "node-3", "node-0'")
    assert [name for name in world.names if world.is_adversary(name)] == ["node-0", "node-0'"]


def test_what_is_sent_to_a_key_reaches_both_of_its_machines_and_nothing_reaches_its_sender():
    course = course_of(Round(1, TOGETHER))
    sent: list[tuple[str, str]] = []
    course.world.network.guard(lambda sender, receiver, data: bool(sent.append((sender, receiver))) or True)
    assert course.play() == ""
    assert {receiver for sender, receiver in sent if sender == "node-1"} == {"node-0", "node-0'", "node-2", "node-3"}
    assert not {("node-0", "node-0'"), ("node-0'", "node-0")} & set(sent)
    heads = {course.world.head(name) for name in course.world.names}
    assert len(heads) == 1, "with nothing between them, twins follow the chain like everybody"


def test_twins_who_lead_two_groups_propose_two_blocks_and_are_found_out():
    course = course_of(Round(0, (((0, 1), (2, 3, 4)),)), Round(1, TOGETHER))
    assert course.play() == ""
    world = course.world
    correct = [name for name in world.names if not world.is_adversary(name)]
    proofs = [decode_own(data, Equivocation) for name in correct for data in world.store(name).evidence()]
    assert proofs
    assert {author(proof.first) for proof in proofs} == {key_of(course, "node-0")}


# --- rounds -----------------------------------------------------------------------------------------------------------


def test_the_scenario_says_who_proposes_in_each_round():
    course = course_of(*(Round(leader, TOGETHER) for leader in (2, 2, 4, 1)))
    assert course.play() == ""
    blocks = [course.world.store("node-3").block(height) for height in range(1, 5)]
    keys = [key_of(course, name) for name in ("node-2", "node-2", "node-0", "node-1")]
    assert [final.block.header.proposer for final in blocks] == keys


def messages() -> dict[str, bytes]:
    key, chain = builders.key("a"), builders.genesis()
    genesis, block = chain.hash, builders.Ledger(chain).build(())[0]
    votes = {name: encode(cast_vote(key, genesis, kind, 1, 0, None)) for name, kind in VOTES.items()}
    return {
        "proposal": encode(sign_proposal(key, genesis, 1, 0, block, -1)),
        **votes,
        "position": encode(Position(1, 0)),
    }


VOTES = {"prevote": PREVOTE, "precommit": PRECOMMIT}


def test_a_partition_stands_for_its_round_and_for_its_kind_of_message():
    split = ((0, 1, 2), (3, 4))
    course = course_of(Round(0, (split,)), Round(0, (TOGETHER[0], split, TOGETHER[0])))

    def passing(sender: str, receiver: str) -> set[str]:
        return {kind for kind, data in messages().items() if course.world.network.carry(sender, receiver, data)}

    every = {*KINDS, "position"}
    assert passing("node-0", "node-3") == every, "before the first round"
    course.round = 1
    assert passing("node-0", "node-2") == passing("node-3", "node-0'") == every
    assert passing("node-0", "node-3") == passing("node-0'", "node-2") == set()
    course.round = 2
    assert passing("node-0", "node-3") == every - {"prevote"}
    course.round = 3
    assert passing("node-0", "node-3") == every, "after the last one"


def test_a_round_in_which_nobody_gets_further_passes():
    alone = tuple((number,) for number in range(5))
    report, lines = run_traced(Twins(4, 1, ((Round(0, (alone,)), Round(1, (alone,))),)))
    assert not report.problem
    begun = [line for line in lines if "round 2 of 2" in line or "scenario is over" in line]
    assert [line.partition(" (")[2] for line in begun] == ["1/0)", "1/0)"]
    first, second = (int(line.split()[0]) for line in begun)
    assert second - first >= twinplay.PATIENCE_MS


# --- what is borne, and what is not -----------------------------------------------------------------------------------


def test_one_twin_of_four_is_borne_in_every_scenario_of_one_round():
    every = generate(4, 1, 1, 1_000)
    assert len(every.scenarios) == 4 * 16
    assert failures(every) == []


@pytest.mark.parametrize(("rounds", "count", "by_kind"), [(4, 20, False), (3, 20, True)])
def test_one_twin_of_four_is_borne_in_drawn_scenarios(rounds: int, count: int, by_kind: bool):
    assert failures(generate(4, 1, rounds, count, by_kind=by_kind)) == []


def test_two_twins_of_seven_are_borne():
    assert failures(generate(7, 2, 2, 4)) == []


def test_two_twins_of_four_break_agreement_wherever_two_groups_hold_a_quorum_of_keys_and_hear_the_leader():
    every = generate(4, 2, 1, 1_000)
    numbers = [n for n, ((round_,),) in enumerate(zip(every.scenarios), 1) if is_fatal(round_)]
    assert len(numbers) == 8
    for number in numbers:
        assert run(every.only(number)).kind == "violation agreement"


def is_fatal(round_: Round) -> bool:
    keys = [{number % 4 for number in group} for group in round_.partitions[0]]
    return len(keys) == 2 and all(len(group) >= 3 and round_.leader in group for group in keys)


def test_the_search_finds_that_two_twins_of_four_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "CALM_MS", 1_000)  # nothing is promised, not even progress
    drawn = generate(4, 2, 2, 30)
    found = next(report for n in range(1, 31) if (report := run(drawn.only(n))).kind == "violation agreement")
    assert found.words.endswith("(with 2 members run twice, more than bft promises to bear)")


def test_the_golden_scenarios_end_as_they_should():
    assert failures(read_file(ONE, parse)) == failures(read_file(LOCKED, parse)) == []
    (words,) = failures(read_file(TWO, parse))
    assert words.startswith("agreement: node-2 has another block at height 2 than a node before it")


def forget_locks(patch: pytest.MonkeyPatch) -> None:
    """Lines 23 and 29 of Tendermint, without the lock."""
    judge = Rounds._judge
    patch.setattr(Rounds, "_judge", lambda self, block, unlocked, line: judge(self, block, True, line))


def test_a_lock_holds_where_everybody_could_have_decided_something_else():
    """Three lock, and nobody decides: their precommits are parted. In the next round all hear another proposal."""
    course = Course(read_file(LOCKED, parse).only(1), 0)
    assert course.play() == ""
    first = course.world.store("node-1").block(1)
    assert first is not None
    assert first.block.header.proposer == key_of(course, "node-2")


def test_a_lock_that_does_not_hold_is_found_with_one_twin(monkeypatch: pytest.MonkeyPatch):
    drawn = generate(4, 1, 3, 10, by_kind=True)
    forget_locks(monkeypatch)
    assert [text.partition(":")[0] for text in failures(read_file(LOCKED, parse))] == ["locks"]
    found = next(one for n in range(1, 11) if run(one := drawn.only(n)).kind == "violation locks")
    short = minimise(found)
    assert run(short).kind == "violation locks"
    assert len(short.scenarios[0]) < len(found.scenarios[0])
    monkeypatch.undo()
    assert failures(found) == failures(short) == []


def test_who_is_not_helped_after_the_last_round_is_missed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "CALM_MS", 3_000)
    monkeypatch.setattr(Node, "_help", lambda self, peer, position: None)
    report = run(read_file(ONE, parse).only(1))
    assert report.kind == "stall progress"


def test_a_scenario_that_does_not_fail_is_not_shortened():
    one = read_file(ONE, parse).only(1)
    assert minimise(one) == one


# --- making scenarios -------------------------------------------------------------------------------------------------


def test_there_are_as_many_partitions_as_there_should_be():
    """Into at most two groups 2^(n-1); into any number, the numbers of Bell."""
    assert [len(set(partitions(size))) for size in range(1, 7)] == [1, 2, 4, 8, 16, 32]
    assert [len(set(partitions(size, size))) for size in range(1, 7)] == [1, 2, 5, 15, 52, 203]


def test_small_spaces_are_listed_whole_and_large_ones_are_drawn_by_their_seed():
    every = generate(3, 1, 1, 3 * 8)
    assert len(set(every.scenarios)) == len(every.scenarios) == 3 * 8
    drawn = generate(4, 1, 5, 50, seed=1)
    assert drawn == generate(4, 1, 5, 50, seed=1) != generate(4, 1, 5, 50, seed=2)
    assert len(set(drawn.scenarios)) == 50


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(0, 5), st.integers(1, 4), st.integers(0, 10**6), st.booleans())
def test_what_is_written_is_read_again(nodes: int, twins: int, rounds: int, seed: int, by_kind: bool):
    made = generate(nodes, min(twins, nodes), rounds, 3, seed, by_kind=by_kind)
    assert parse(str(made)) == made


# --- reading ----------------------------------------------------------------------------------------------------------


SPLIT = '{"1": [[0, 1], [2, 3, 4]]}'


def text(leaders: str = '{"1": 0}', partitions: str = SPLIT, twins: str = "1", more: str = "") -> str:
    scenario = f'{{"round_leaders": {leaders}, "round_partitions": {partitions}{more}}}'
    return f'{{"num_of_nodes": 4, "num_of_twins": {twins},\n"scenarios": [{scenario}]}}'


def parted(partitions: str) -> str:
    return text(partitions=f'{{"1": {partitions}}}')


def test_leaders_are_one_number_or_a_list_of_one_member():
    expected = ((Round(0, (((0, 1), (2, 3, 4)),)),),)
    for leaders in ('{"1": 0}', '{"1": [0]}', '{"1": [0, 4]}'):
        assert parse(text(leaders)).scenarios == expected


KIND = '{"proposal": [[0, 1, 2, 3, 4]], "prevote": [[0, 1, 2, 3, 4]], "precommit": [[0, 1], [2, 3, 4]]}'
FALSE = [
    ("", "line 1, column 1: this is no JSON"),
    ('{"num_of_nodes": 4,\n nodes}', "line 2, column 2: this is no JSON"),
    ("[" * 100_000, "this is no JSON that can be read"),
    ("[]", "the file: write an object with num_of_nodes, num_of_twins, scenarios"),
    ("{}", "the file: the key 'num_of_nodes' is missing"),
    ('{"num_of_nodes": 4, "num_of_nodes": 5}', "the key 'num_of_nodes' stands twice in one object"),
    (
        text(more=', "firewall": {}'),
        "scenario 1: there is no key 'firewall'; there are round_leaders, round_",
    ),
    (text(twins="5"), "num_of_twins: 5 is no whole number from 0 to 4"),
    (text(twins="-1"), "num_of_twins: -1 is no whole number from 0 to 4"),
    (text(twins="true"), "num_of_twins: true is no whole number"),
    (text(twins="1e1"), "num_of_twins: 10.0 is no whole number"),
    (text(twins="1" * 5_000), "this is no JSON that can be read"),
    (text(twins="0"), "scenario 1, round 1, partition: there is no node 4; there are 0 to 3"),
    (text('{"1": 5}'), "scenario 1, round 1, leader: there is no node 5; there are 0 to 4, the twins from 4 on"),
    (text('{"1": "node-0"}'), 'scenario 1, round 1, leader: there is no node "node-0"'),
    (text('{"1": []}'), "scenario 1, round 1, leader: there is no node []"),
    (text('{"1": [0, 1]}'), "scenario 1, round 1, leader: node-0 and node-1 are not one member"),
    (text("{}"), "scenario 1: round_leaders is an object of 1 to 100 rounds"),
    (text('{"2": 0}'), "scenario 1, round_leaders: there is no key '2'; there are 1"),
    (text('{"1": 0, "2": 0}'), "scenario 1, round_partitions: the key '2' is missing"),
    (text(partitions=SPLIT[:-1] + ', "2": []}'), "scenario 1, round_partitions: there is no key '2'; there are 1"),
    (parted("[]"), "scenario 1, round 1, partition: write a list of 1 to 5"),
    (parted("[[0, 1, 2, 3, 4], []]"), "scenario 1, round 1, partition, group: write a list of 1 to 5"),
    (parted("[[0, 1], [1, 2, 3, 4]]"), "scenario 1, round 1, partition: 1, which is node-1, is in two places"),
    (parted("[[0, 1], [2, 3]]"), "scenario 1, round 1, partition: 4, which is node-0', is in no group"),
    (parted("[[0, 1], [2, 3, 9]]"), "scenario 1, round 1, partition: there is no node 9"),
    (parted(KIND.replace("prevote", "vote")), "scenario 1, round 1, partition: there is no key 'vote'"),
    (
        parted(KIND.replace("], [2, 3", "], [2, 4")),
        "scenario 1, round 1, precommit: 4, which is node-0', is in two",
    ),
]


@pytest.mark.parametrize(("false", "words"), FALSE, ids=range(len(FALSE)))
def test_what_makes_no_sense_is_refused_with_its_place_and_the_reason(false: str, words: str):
    with pytest.raises(ConfigError) as caught:
        parse(false)
    assert words in str(caught.value)


# --- the command ------------------------------------------------------------------------------------------------------


def call(*options: object, expect: int = 0) -> Any:
    done = CliRunner().invoke(cli.main, ["sim", *map(str, options)])
    assert done.exit_code == expect, done.output
    return json.loads(done.stdout) if "--json" in options else done


def test_the_command_plays_a_file_and_the_same_file_is_the_same_run():
    content = call("--twins", ONE, "--jobs", 2, "--json")
    assert (content["validators"], content["twins"], content["scenarios"]) == (4, 1, 2)
    assert (content["violations"], content["stalls"]) == ([], [])
    assert content["commits"] > 0
    again = call("--twins", ONE, "--jobs", 1, "--json")
    assert again == content
    assert call("--twins", ONE, "--jobs", 1, "--seed", 1, "--json")["trace_digest"] != content["trace_digest"]


def test_what_is_found_comes_with_the_command_that_shows_it_again(tmp_path: Path):
    several = tmp_path / "several.json"
    one, two = generate(4, 2, 1, 1, seed=0), read_file(TWO, parse)
    several.write_text(str(Twins(4, 2, one.scenarios + two.scenarios)), encoding="utf-8")
    (found,) = call("--twins", several, "--jobs", 1, "--json", expect=1)["violations"]
    assert (found["scenario"], found["seed"]) == (2, 0)
    assert found["replay"] == f"minichain sim --twins {several} --scenario 2 --seed 0"
    assert found["words"].startswith("agreement: ")
    again = call(*found["replay"].split()[2:], "--json", expect=1)
    assert again["violations"] == [found]
    shown = call(*found["replay"].split()[2:], expect=1)
    assert found["replay"] in shown.stdout
    assert parse(again["timeline"]) == two


def test_the_scenario_that_fails_can_be_kept_and_shortened(tmp_path: Path):
    kept, trace = tmp_path / "kept.json", tmp_path / "trace.txt"
    (found,) = call("--twins", TWO, "--minimise", "--write", kept, "--trace", trace, "--json", expect=1)["violations"]
    assert found["replay"] == f"minichain sim --twins {kept} --scenario 1 --seed 0"
    short = read_file(kept, parse)
    assert len(short.scenarios[0]) == 1, "the first round, in which all is well, is left out"
    assert call(*found["replay"].split()[2:], "--json", expect=1)["violations"][0]["words"].startswith("agreement: ")
    assert "proposal 2/0" in trace.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--twins", ONE, "--engine", "raft"), "--twins is of bft, and its file says the rest"),
        (("--twins", ONE, "--seeds", "0:9"), "--twins is of bft, and its file says the rest"),
        (("--twins", ONE, "--validators", "7"), "--twins is of bft, and its file says the rest"),
        (("--twins", ONE, "--scenario", "3"), "there is no scenario 3; there are 1 to 2"),
        (("--scenario", "3"), "--scenario is one of a file of twins scenarios: add --twins FILE"),
        (("--twins", ONE, "--trace", "never"), "choose one of 2 scenarios, such as --scenario 1"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(options: tuple[object, ...], words: str):
    assert words in " ".join(call(*options, expect=3).output.split())


def test_a_file_that_makes_no_sense_is_named(tmp_path: Path):
    false = tmp_path / "false.json"
    false.write_text(text('{"1": 9}'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"false.json: scenario 1, round 1, leader: there is no node 9"):
        TwinsHunt(false)
    false.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"false.json: not UTF-8 text"):
        TwinsHunt(false)
    with pytest.raises(UsageError, match="there is no scenario 3"):
        TwinsHunt(ONE, 3)
