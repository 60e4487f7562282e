"""A timeline says what happens to a network; the world lets it happen, and lets it end."""

from __future__ import annotations

import sqlite3
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.errors import ConfigError, NetworkError, UsageError
from minichain.faults.adversaries import ADVERSARIES, CORRECT
from minichain.faults.network import CHANCES, Network, Weather, damaged
from minichain.faults.timeline import (
    CLIENTS,
    COUNT,
    DISKS,
    MAX_MS,
    MAX_PRICE,
    MAX_STEPS,
    MAX_SUBMIT,
    MOMENTS,
    VERBS,
    VOTED,
    Step,
    Timeline,
    parse,
)
from minichain.ledger.genesis import CLOCKS
from minichain.node.core import Node
from minichain.node.messages import NodeStatus
from minichain.sim.clients import Load
from minichain.sim.player import play, world_of
from minichain.sim.world import World
from minichain.store import SqliteStore, _advice

STORY = """\
engine bft
validators 4
seed 17
clock logical
delay 1 20
loss 5
at 0 submit 20
at 1500 cut node-0 -> node-2
at 3000 heal
at 4000 crash node-1 before commit
at 5200 restart node-1
at 6000 skew node-3 +4000
at 7000 behave node-2 equivocator
at 8000 part node-0 node-1 | node-2 node-3
at 9000 calm
"""

# --- reading and writing ----------------------------------------------------------------------------------------------


def test_a_timeline_reads_as_it_is_written():
    story = parse(STORY)
    assert str(story) == STORY
    assert (story.engine, story.validators, story.seed, story.clock) == ("bft", 4, 17, "logical")
    assert story.weather == Weather(1, 20, loss=5)
    assert story.steps[1] == Step(1500, "cut", ((("node-0", "node-2"),),))
    assert story.steps[3] == Step(4000, "crash", ("node-1", "before commit"))
    assert story.steps[5] == Step(6000, "skew", ("node-3", 4000))


def test_comments_blank_lines_and_spaces_mean_nothing():
    spaced = "\n".join(f"  {line.replace(' ', '   ')}  # why\n" for line in STORY.splitlines())
    assert parse(f"# a story\n\n{spaced}") == parse(STORY)


def test_an_empty_timeline_is_four_nodes_to_whom_nothing_happens():
    assert parse("") == Timeline()


names = st.sampled_from(Timeline().names)
links = st.tuples(names, names).filter(lambda pair: pair[0] != pair[1])
percent = st.integers(0, 100)
ms = st.integers(0, MAX_MS)


@st.composite
def groups(draw: st.DrawFn) -> tuple[tuple[str, ...], ...]:
    order = draw(st.permutations(Timeline().names))
    cut = draw(st.integers(1, 3))
    return tuple(order[:cut]), tuple(order[cut:])


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "NODE": names,
    "NODE -> NODE": links.map(lambda one: (one,)) | links.map(lambda one: (one, one[::-1])),
    "NODE NODE | NODE NODE": groups(),
    "PERCENT": percent,
    "MS": ms,
    "AHEAD_MS": st.integers(-MAX_MS, MAX_MS),
    "COUNT": st.integers(1, MAX_SUBMIT),
    "MOMENT": st.sampled_from(MOMENTS),
    "DISK": st.sampled_from(DISKS),
    "CHARACTER": st.sampled_from([CORRECT, *ADVERSARIES]),
}


@st.composite
def steps(draw: st.DrawFn, at_ms: int) -> Step:
    name = draw(st.sampled_from(sorted(VERBS)))
    verb = VERBS[name]
    count = draw(st.integers(len(verb.arguments) - verb.optional, len(verb.arguments)))
    args = [draw(VALUES[argument.form]) for argument in verb.arguments[:count]]
    if name == "delay":
        args[:2] = sorted(args[:2])
    return Step(at_ms, name, tuple(args))


UNUSUAL = st.fixed_dictionaries(
    {"price": st.integers(0, MAX_PRICE), "clients": st.sampled_from(CLIENTS), "membership": st.just("voted")},
    optional={"listeners": st.integers(0, 3)},
)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    times = sorted(draw(st.lists(ms, max_size=8)))
    delay = sorted(draw(st.tuples(ms, ms)))
    return Timeline(
        draw(st.sampled_from(["bft", "raft"])),
        4,
        draw(st.integers(0, 2**63 - 1)),
        draw(st.sampled_from(CLOCKS)),
        Weather(*delay, *draw(st.tuples(*[percent] * len(CHANCES)))),
        tuple(draw(steps(at_ms)) for at_ms in times),
        **draw(UNUSUAL),
    )


@settings(max_examples=150, deadline=None)
@given(timelines())
def test_reading_and_writing_are_inverse(timeline: Timeline):
    assert parse(str(timeline)) == timeline


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="at 0123456789-+>|#\nnodecrashfixpq", max_size=80) | st.text(max_size=60))
def test_whatever_is_read_a_timeline_or_an_error_with_its_line_comes_of_it(text: str):
    try:
        timeline = parse(text)
    except ConfigError as error:
        refused, timeline = str(error), None
    assert refused.startswith("line ") if timeline is None else parse(str(timeline)) == timeline


def test_every_verb_says_what_it_does_and_how_it_ends():
    for name, verb in VERBS.items():
        assert verb.does, name
        assert not verb.ended_by or verb.ended_by in VERBS, name
        assert name in ("submit", *VOTED) or callable(getattr(World, name)), name


BAD = {
    "at 0 crash node-4": "line 2: there is no node 'node-4'; there are node-0, node-1, node-2, node-3",
    "at 0 submit 3 bank": "line 2: there is no node 'bank'",
    "at 0 explode node-1": "line 2: there is no verb 'explode'; there are submit, cut, part",
    "at 0 behave node-1 rude": "line 2: there is no character 'rude'; there are correct, silent",
    "at 0 crash node-1 soon": "line 2: there is no moment 'soon'; there are now, before commit, after commit",
    "at 0 restart node-1 new": "line 2: there is no disk 'new'; there are kept, restored, lost",
    "engine paxos": "line 2: there is no engine 'paxos'; there are bft, raft, pow",
    "colour red": "line 2: there is no option 'colour'; there are engine, validators",
    "crash node-1": "line 2: there is no option 'crash'; there are .*, at",
    "clock sun": "line 2: there is no clock 'sun'; there are wall, logical",
    "seed 18": "line 2: the option seed is already given",
    "validators many": "line 2: 'many' is no whole number; COUNT goes from 1 to 100",
    "validators 101": "line 2: COUNT is 101; it goes from 1 to 100",
    "validators": "line 2: validators needs more: write validators COUNT",
    "validators 4 5": "line 2: '5' is too much: write validators COUNT",
    "delay 20": "line 2: delay needs more: write delay MS MS",
    "delay 20 1": "line 2: a delay from 20 to 1 ms makes no sense",
    "loss 101": "line 2: PERCENT is 101; it goes from 0 to 100",
    "loss -1": "line 2: PERCENT is -1",
    "loss 1.5": "line 2: '1.5' is no whole number",
    "loss \u0661": "line 2: '\u0661' is no whole number",
    "at": "line 2: write at MS VERB; a verb is one of submit, cut",
    "at 5": "line 2: write at MS VERB",
    "at noon heal": "line 2: 'noon' is no whole number",
    "at -5 heal": "line 2: MS is -5; it goes from 0 to",
    "at 0 heal node-1": "line 2: 'node-1' is too much: write heal",
    "at 0 cut node-1": "line 2: 'node-1' is no link; write NODE -> NODE",
    "at 0 cut node-1 node-2 node-3": "line 2: 'node-1 node-2 node-3' is no link",
    "at 0 cut node-1 -> node-1": "line 2: a link has two ends, and node-1 is only one",
    "at 0 cut node-1 -> node-7": "line 2: there is no node 'node-7'",
    "at 0 part node-1 node-2": "line 2: write NODE NODE | NODE NODE: two groups or more",
    "at 0 part node-1 | node-1": "line 2: write .* each node in one of them",
    "at 0 delay 5 1": "line 2: a delay from 5 to 1 ms makes no sense",
    "at 0 skew node-1": r"line 2: skew needs more: write skew NODE AHEAD_MS",
    "at 0 loss 10 node-0": "line 2: 'node-0' is no link",
    "at 9 heal\nat 8 heal": "line 3: at 8 comes after at 9: put the lines in order of time",
    "at 0 heal\nloss 5": "line 3: the option loss comes before the first line that begins with at",
    "engine pow\nat 0 behave node-0 unknown # why": "line 3: there is no character 'unknown'",
    "at 0 join node-1": "line 2: join: here the members never change: add the option membership voted",
    "membership voted\nat 0 join node-4": "line 3: there is no node 'node-4'",
    "membership voted\nlisteners 1\nat 0 leave node-5": "line 4: there is no node 'node-5'; there are .*, node-4$",
    "membership voted\nat 0 leave": "line 3: leave needs more: write leave NODE",
    "membership voted\nengine pow": "line 3: engine pow has no members to vote on",
    "membership bought": "line 2: there is no membership 'bought'; there are fixed, voted",
    "validators 99\nlisteners 2": "line 3: there are at most 100 nodes",
    "clients rude": "line 2: there is no kind of clients 'rude'; there are payments, mixed",
    "price -1": "line 2: PRICE is -1",
}


@pytest.mark.parametrize("text", BAD)
def test_what_makes_no_sense_is_refused_with_its_line(text: str):
    with pytest.raises(ConfigError, match=BAD[text].replace("|", r"\|")):
        parse(f"seed 17\n{text}")


def test_the_bounds_are_reached():
    assert parse(f"at {MAX_MS} submit {MAX_SUBMIT}").steps[0].args == (MAX_SUBMIT,)
    with pytest.raises(ConfigError, match=f"{COUNT.form} is {MAX_SUBMIT + 1}"):
        parse(f"at 0 submit {MAX_SUBMIT + 1}")
    many = "at 0 heal\n" * MAX_STEPS
    assert len(parse(many).steps) == MAX_STEPS
    with pytest.raises(ConfigError, match=f"line {MAX_STEPS + 1}: a timeline has at most {MAX_STEPS}"):
        parse(many + "at 0 heal")


# --- each fault has its effect, and ends ------------------------------------------------------------------------------


MILD = Weather(1, 10)


def begin(*lines: str, weather: Weather = MILD) -> tuple[World, Load]:
    """Play some lines in a new world."""
    timeline = Timeline(seed=5, clock="logical", weather=weather)
    world = world_of(timeline, keep_lines=True)
    return world, play(world, parse(str(timeline) + "\n".join(lines)))


def heights(world: World) -> list[int]:
    return [world.store(name).height() for name in world.names]


def is_final(world: World, load: Load, within_ms: int = 20_000) -> bool:
    for _ in range(within_ms // 250):
        if not load.missing():
            return True
        load.wait(250)
    return False


def status(world: World, name: str) -> NodeStatus:
    node = world.node(name)
    assert isinstance(node, Node)
    return node.status()


def heard(world: World, receiver: str, sender: str) -> list[str]:
    return [line for line in world.trace.lines if f"  {receiver}  <- {sender}" in line]


def test_the_whole_story_ends_well():
    story = parse(STORY)
    world = world_of(story)
    load = play(world, story)
    assert is_final(world, load)
    assert world.elapsed_ms >= 9_000
    assert len(set(heights(world)) - {0}) >= 1


def test_a_link_is_cut_in_one_direction_and_healed():
    world, _ = begin("at 0 cut node-0 -> node-2", "at 3000 heal", "at 3000 submit 1")
    assert not heard(world, "node-2", "node-0")
    assert heard(world, "node-0", "node-2")
    world.run_for(3_000)
    assert heard(world, "node-2", "node-0")


def test_two_nodes_apart_still_agree_through_the_others():
    world, load = begin("at 0 cut node-0 - node-1", "at 0 submit 5 node-0", "at 4000 submit 5 node-1")
    assert is_final(world, load)
    assert not heard(world, "node-0", "node-1")
    assert not heard(world, "node-1", "node-0")


def test_parted_in_halves_nothing_is_decided_until_healed():
    world, load = begin("at 0 part node-0 node-1 | node-2 node-3", "at 0 submit 3", "at 5000 heal")
    assert set(heights(world)) == {0}
    assert is_final(world, load)


def test_weather_changes_for_all_and_for_one_link_and_back():
    world, _ = begin("at 0 loss 100 node-0 -> node-1", "at 2500 loss 0 node-0 -> node-1")
    assert not heard(world, "node-1", "node-0")
    assert heard(world, "node-0", "node-1")
    world.run_for(3_000)
    assert heard(world, "node-1", "node-0")
    world.loss(100)
    before = len(heard(world, "node-1", "node-0"))
    world.run_for(5_000)
    assert len(heard(world, "node-1", "node-0")) == before


def network(**weather: int) -> Network:
    return Network(Weather(5, 5, **weather), Random(1))


def test_what_weather_does_to_a_message():
    carry = [network().carry("a", "b", b"message") for _ in range(9)]
    assert carry == [[(5, b"message")]] * 9
    assert network(loss=100).carry("a", "b", b"message") == []
    assert network(duplication=100).carry("a", "b", b"message") == [(5, b"message")] * 2
    late = network(reordering=50)
    delays = [delay for _ in range(50) for delay, _ in late.carry("a", "b", b"message")]
    assert delays != sorted(delays), "a later message overtakes an earlier one"
    ((_, data),) = network(corruption=100).carry("a", "b", b"message")
    assert sum(bin(one ^ other).count("1") for one, other in zip(data, b"message", strict=True)) == 1
    assert damaged(b"", Random(1)) == b""


def test_a_change_for_all_reaches_links_with_a_weather_of_their_own():
    uneven = network()
    uneven.change([("a", "b")], loss=100)
    uneven.change(None, least_ms=7, most_ms=7)
    assert (uneven.carry("a", "b", b"."), uneven.carry("b", "a", b".")) == ([], [(7, b".")])
    uneven.change(None, loss=0)
    assert uneven.carry("a", "b", b".") == [(7, b".")]
    uneven.calm()
    assert uneven.carry("a", "b", b".") == [(5, b".")]


def test_duplicated_reordered_and_damaged_messages_stop_nobody():
    bad = Weather(1, 20, duplication=50, reordering=50, corruption=5)
    world, load = begin("at 0 submit 10", weather=bad)
    assert is_final(world, load)
    assert any({"garbage", "rejected"} & status(world, name).counters.keys() for name in world.names)


def test_a_frozen_node_handles_nothing_and_then_everything():
    world, load = begin("at 10 pause node-3", "at 100 submit 4 node-0")
    world.run_for(5_000)
    assert heights(world)[3] == 0 < heights(world)[0]
    frozen = [line for line in world.trace.lines if "  node-3  " in line]
    world.run_for(2_000)
    assert [line for line in world.trace.lines if "  node-3  " in line] == frozen
    world.resume("node-3")
    assert is_final(world, load, 3_000)


def test_a_frozen_node_can_be_killed():
    world, load = begin("at 10 pause node-3", "at 100 submit 4", "at 200 crash node-3", "at 300 restart node-3")
    assert is_final(world, load, 3_000)


def test_a_clock_ahead_within_the_bound_stops_nobody_and_one_beyond_it_is_borne():
    for ahead_ms in (4_000, -4_000, 60_000, -60_000):
        timeline = Timeline(seed=5, steps=(Step(0, "skew", ("node-3", ahead_ms)), Step(1, "submit", (5,))))
        world = world_of(timeline)
        load = play(world, timeline)
        assert is_final(world, load), ahead_ms
        untimely = sum(status(world, name).counters.get("untimely", 0) for name in world.names)
        assert bool(untimely) == (abs(ahead_ms) > 10_000), ahead_ms


@pytest.mark.parametrize("engine", ["bft", "raft"])
def test_clocks_that_were_all_ahead_and_are_set_right_hold_nobody_up(engine: str):
    ahead = tuple(Step(1_000, "skew", (name, 600_000)) for name in Timeline().names)
    late = Step(9_500, "submit", (3,))
    timeline = Timeline(
        engine, seed=3, steps=(Step(0, "submit", (3,)), *ahead, Step(2_000, "submit", (5,)), Step(9_000, "calm"), late)
    )
    world = world_of(timeline)
    assert is_final(world, play(world, timeline), 2_000)


def test_a_killed_node_comes_back_with_its_disk_a_backup_or_nothing():
    for disk, height in (("kept", 2), ("restored", 1), ("lost", 0)):
        world, load = begin("at 0 submit 1")
        assert is_final(world, load)
        world.backup("node-1")
        load.submit(1)
        assert is_final(world, load)
        world.crash("node-1")
        world.restart("node-1", disk)
        assert world.store("node-1").height() == height
        load.submit(1)
        assert is_final(world, load), disk
        assert set(heights(world)) == {3}


def test_without_a_backup_what_is_restored_is_empty():
    world, load = begin("at 0 submit 1")
    assert is_final(world, load)
    world.crash("node-1")
    world.restart("node-1", "restored")
    assert world.store("node-1").height() == 0
    assert world.head("node-1") == world.genesis.hash


def test_a_full_disk_stops_its_node_and_space_brings_it_back():
    world, load = begin("at 0 fill node-1", "at 0 submit 3 node-0")
    world.run_for(2_000)
    assert world.node("node-1") is None
    assert "database or disk is full: free some space, then restart the node" in world.why_off("node-1")
    assert load.missing()
    world.restart("node-1")
    world.run_for(5_000)
    assert world.node("node-1") is None, "the disk is still full"
    world.free("node-1")
    world.restart("node-1")
    assert world.why_off("node-1") == ""
    assert is_final(world, load)


def test_a_full_disk_speaks_as_a_real_one_does(tmp_path: Any):
    full = sqlite3.OperationalError("database or disk is full")
    store = SqliteStore(tmp_path / "chain", bytes(32), ())

    def write() -> None:
        with store.turn():
            raise full

    with pytest.raises(NetworkError) as real:
        write()
    store.close()
    world, _ = begin("at 0 fill node-1", "at 0 submit 3 node-0")
    world.run_for(2_000)
    assert world.why_off("node-1") == str(real.value).replace(f" {tmp_path / 'chain'}", "")
    assert _advice(full) in world.why_off("node-1")


def test_with_a_slow_disk_effects_leave_later():
    def first_heard(disk_ms: int) -> int:
        world, load = begin(f"at 0 slow node-0 {disk_ms}", "at 0 submit 1 node-0")
        assert is_final(world, load)
        told = next(line for line in world.trace.lines if "<- node-0  transactions" in line)
        return int(told.split()[0])

    assert first_heard(0) < 20
    assert 300 <= first_heard(300) < 700


def test_what_a_slow_disk_has_not_said_is_lost_with_the_power():
    world, _ = begin("at 100 slow node-0 500", "at 101 submit 1 node-0", "at 300 crash node-0")
    world.run_for(1_000)
    assert not any("<- node-0  transactions" in line for line in world.trace.lines)


def test_calm_ends_everything_but_bad_character():
    lines = [
        "at 0 part node-0 | node-1 node-2 node-3",
        "at 0 cut node-1 - node-2",
        "at 0 loss 90",
        "at 0 delay 900 900 node-1 - node-3",
        "at 0 pause node-0",
        "at 0 skew node-1 -60000",
        "at 0 slow node-2 400",
        "at 0 fill node-3",
        "at 0 submit 4",
        "at 10 behave node-2 silent",
        "at 3000 crash node-1",
        "at 4000 calm",
    ]
    world, load = begin(*lines)
    assert is_final(world, load, 10_000)
    assert all(world.node(name) is not None for name in world.names)
    assert [name for name in world.names if world.is_adversary(name)] == ["node-2"]
    world.behave("node-2", CORRECT)
    assert not world.is_adversary("node-2")


def test_what_makes_no_sense_now_is_passed_over():
    world, load = begin("at 0 restart node-0", "at 5 crash node-1", "at 9 crash node-1", "at 9 submit 2", "at 20 calm")
    assert is_final(world, load)
    passed = [line.split("ms", 1)[1].strip() for line in world.trace.lines if "passed over" in line]
    words = "passed over, since"
    assert passed == [f"{words} node-0 is so already: restart", f"{words} node-1 is so already: crash"]


def test_wrong_use_of_the_world_says_what_is_right():
    world, _ = begin()
    with pytest.raises(UsageError, match="choose correct or silent, garbage"):
        world.behave("node-0", "rude")
    with pytest.raises(UsageError, match="a disk is kept or restored or lost or snapshot, not 'new'"):
        world.restart("node-0", "new")
    for act in (world.pause, world.resume, world.fill, world.free, world.backup):
        with pytest.raises(UsageError, match="there is no node 'node-9'"):
            act("node-9")
    with pytest.raises(UsageError, match="there is no node 'node-9'"):
        world.cut([("node-0", "node-9")])
