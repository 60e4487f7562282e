"""Faults of real processes: a whole bad morning, each fault alone, and hands that may not touch them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
from click.testing import CliRunner
from test_live import HOST, eventually, first_event, knock, pay, world_of

import minichain as mc
from minichain import cli
from minichain.client import playing
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, TimedOut, UsageError
from minichain.faults.network import Conditions, Network, Weather
from minichain.faults.timeline import VERBS, VOTED, Timeline, parse
from minichain.live import control, wire
from minichain.live.channel import LiveChannel
from minichain.live.director import Director
from minichain.live.home import Home
from minichain.live.transport import Transport
from minichain.live.wire import Wire

END = b"all that was sent before has arrived"
MORNING = Path(__file__).parent.parent / "curriculum" / "bad-morning.timeline"


def run(*options: object, expect: int = 0) -> Any:
    done = CliRunner().invoke(cli.main, [str(option) for option in options])
    assert done.exit_code == expect, f"{done.output}\n{done.exception!r}"
    return done


# --- a whole timeline ----------------------------------------------------------------------------------------------


def test_a_bad_morning_of_four_processes_ends_well():
    timeline = parse(MORNING.read_text(encoding="utf-8"))
    with playing.network_of(timeline) as net:
        found = playing.play(net, timeline)
        logs = {name: world_of(net).cluster.log(name) for name in net.nodes}
    assert found.is_safe, found.contradictions
    assert found.is_live, found
    assert found.submitted == sum(step.args[0] for step in timeline.steps if step.verb == "submit")
    assert found.faulty == ("node-2",)
    assert set(found.heights) == {"node-0", "node-1", "node-3"}
    assert len(found.lines) == len(timeline.steps)
    assert {line.words for line in found.lines} >= {step.words for step in timeline.steps if step.verb != "restart"}
    assert logs["node-1"].count("listening on ports") > 1, "it lost its power"


def test_the_same_file_is_played_in_the_simulation():
    content = json.loads(run("sim", "--timeline", MORNING, "--json").stdout)
    assert (content["violations"], content["stalls"]) == ([], [])


def test_every_verb_of_a_timeline_is_one_of_the_owner():
    for name in VERBS.keys() - {"submit", *VOTED}:
        assert callable(getattr(Director, name)), name
    words = {step.verb for step in parse(MORNING.read_text(encoding="utf-8")).steps}
    assert words >= VERBS.keys() - VOTED - {"calm"}


# --- what the wire does to a message, over real sockets ---------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of a wire, which only a test moves."""
    made = SimpleNamespace(now_s=1_000.0)
    made.monotonic = lambda: made.now_s
    monkeypatch.setattr(wire, "time", made)
    return made


@pytest.fixture
def pair(clock: SimpleNamespace) -> Iterator[tuple[Wire, Transport]]:
    """The wire of node a, and the other end of the socket, which is node b's."""
    keys = [KeyPair(bytes([number]) * 32) for number in (1, 2)]
    a, b = (Transport(key, (other.public,), HOST, 0, 0) for key, other in zip(keys, keys[::-1], strict=True))
    a.set_peer(keys[1].public, f"tcp://{HOST}:{b.peer_port}")
    out = Wire(a, "a", {keys[0].public: "a", keys[1].public: "b"})
    try:
        eventually(lambda: _arrives(out, b), "the first message")
        time.sleep(0.1)
        list(b.from_members())
        yield out, b
    finally:
        a.close()
        b.close()


def _arrives(out: Wire, b: Transport) -> bool:
    out.broadcast(b"hello")
    b.wait(50)
    return bool(list(b.from_members()))


def sent(out: Wire, b: Transport, conditions: Conditions, count: int = 60) -> list[bytes]:
    """Send numbered messages under these conditions; return what arrives at once or later, in order."""
    out.take(conditions)
    for number in range(count):
        out.broadcast(b"message %02d" % number)
    found = arrived(out, b)
    while out.next_s is not None:
        wire.time.now_s = out.next_s  # type: ignore[attr-defined]
        found += arrived(out, b)
    return found


def arrived(out: Wire, b: Transport) -> list[bytes]:
    """Return what has been sent by now: it arrives before what is sent last, past all conditions."""
    out.flush()
    for peer in out._transport.peers:
        out._transport.send(peer, END)
    found: list[bytes] = []
    while END not in found:
        b.wait(1_000)
        found += [data for _, data in b.from_members()]
    return found[:-1]


ALL = [b"message %02d" % number for number in range(60)]


def test_what_the_wire_does_to_messages(pair: tuple[Wire, Transport]):
    out, b = pair
    assert sent(out, b, Conditions()) == ALL
    assert sent(out, b, Conditions(Weather(0, 0, loss=100))) == []
    some = sent(out, b, Conditions(Weather(0, 0, loss=50)))
    assert 10 < len(some) < 50
    assert sent(out, b, Conditions(Weather(0, 0, duplication=100))) == sorted(ALL * 2)
    late = sent(out, b, Conditions(Weather(0, 0, reordering=50)))
    assert late != ALL
    assert sorted(late) == ALL
    damaged = sent(out, b, Conditions(Weather(0, 0, corruption=100)))
    assert [
        sum(bin(x ^ y).count("1") for x, y in zip(*pair, strict=True)) for pair in zip(damaged, ALL, strict=True)
    ] == [1] * 60


def test_a_cut_is_of_one_direction_and_a_weather_of_one_link(pair: tuple[Wire, Transport]):
    out, b = pair
    assert sent(out, b, Conditions(cut=(("a", "b"),))) == []
    assert sent(out, b, Conditions(cut=(("b", "a"),))) == ALL
    assert sent(out, b, Conditions(side={"a": 1})) == []
    assert sent(out, b, Conditions(of_link=(("a", "b", Weather(0, 0, loss=100)),))) == []
    assert sent(out, b, Conditions(of_link=(("b", "a", Weather(0, 0, loss=100)),))) == ALL


def test_delayed_messages_come_late_and_most_of_too_many_are_lost(
    pair: tuple[Wire, Transport], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    out, b = pair
    slow = Conditions(Weather(300, 300))
    out.take(slow)
    for message in ALL[:5]:
        out.broadcast(message)
    clock.now_s += 0.29
    assert arrived(out, b) == []
    out.take(Conditions())
    clock.now_s += 0.01
    assert arrived(out, b) == ALL[:5], "what is under way arrives, whatever comes then"
    monkeypatch.setattr(wire, "MAX_DELAYED", 3)
    assert sent(out, b, slow, count=5) == ALL[:3]


def test_single_messages_are_lost_or_held_until_everything_begins_anew(pair: tuple[Wire, Transport]):
    out, b = pair
    out.mark(2, None, [("a", "b")])
    out.mark(3, 100, [("a", "b")])
    assert sent(out, b, Conditions(), count=5) == [ALL[0], ALL[3], ALL[4], ALL[2]]
    assert sent(out, b, Conditions(), count=5) == ALL[:5]
    out.mark(1, None, [("a", "b")])
    out.begin(0)
    assert sent(out, b, Conditions(), count=5) == ALL[:5]


def test_the_same_seed_draws_the_same_fate(pair: tuple[Wire, Transport]):
    out, b = pair
    lossy = Conditions(Weather(0, 0, loss=50))
    fates = []
    for seed in (1, 1, 2):
        out.begin(seed)
        fates.append(sent(out, b, lossy))
    assert fates[0] == fates[1] != fates[2]


def test_conditions_are_all_that_another_network_needs():
    one, other = Network(Weather(1, 2), Random(1)), Network(Weather(), Random(1))
    one.part([["a", "b"], ["c"]])
    one.cut([("a", "b")])
    one.change([("b", "c")], least_ms=3, most_ms=4)
    one.change(None, loss=7)
    other.take(one.conditions)
    assert other.conditions == one.conditions
    assert other.conditions.of_link == (("b", "c", Weather(3, 4, loss=7)),)
    assert [other.is_open(*link) for link in (("a", "b"), ("b", "a"), ("a", "c"))] == [False, True, False]


# --- clock, disk and sleep of one process -----------------------------------------------------------------------------


@pytest.fixture
def one() -> Iterator[mc.Network]:
    with mc.Network.local(validators=1, seed=7) as net:
        yield net


def has_ended(net: mc.Network, name: str = "node-0") -> Callable[[], bool]:
    return lambda: not world_of(net).cluster.is_running(name)


def hand_in(net: mc.Network) -> None:
    """Let a client send something, and not care for an answer."""
    with suppress(TimedOut):
        pay(net, timeout_ms=500)


def test_a_clock_that_is_ahead_shows_in_the_times_of_blocks(one: mc.Network):
    one.fault("skew node-0 +60000")
    time.sleep(0.1)
    pay(one)
    head = one.head()
    assert head is not None
    assert head.time_ms - time.time() * 1000 == pytest.approx(60_000, abs=5_000)


def test_a_slow_disk_makes_everything_wait_and_a_frozen_node_answers_nobody(one: mc.Network):
    pay(one)
    one.fault("slow node-0 300")
    time.sleep(0.1)
    begun = time.monotonic()
    pay(one)
    assert time.monotonic() - begun >= 0.3
    one.fault("slow node-0 0")
    one.fault("pause node-0")
    time.sleep(0.1)
    assert not one.status()[0].is_up
    assert world_of(one).cluster.is_running("node-0")
    one.fault("resume node-0")
    assert pay(one).height == 3
    one.fault("pause node-0")
    one.crash("node-0")
    one.restart("node-0")
    assert one.height() == 3, "a frozen one that is killed and started is awake"


def test_a_disk_that_is_full_really_fails_and_space_brings_the_node_back(one: mc.Network):
    pay(one)
    one.fault("fill node-0")

    def is_full() -> bool:
        hand_in(one)
        return has_ended(one)()

    eventually(is_full, "a write that needs room")
    assert "database or disk is full" in world_of(one).cluster.log("node-0")
    one.restart("node-0")
    eventually(is_full, "the disk is still full")
    one.fault("free node-0")
    one.restart("node-0")
    assert pay(one).ok


def test_a_node_loses_its_power_in_the_middle_of_a_write(one: mc.Network):
    for moment, kept in (("before commit", 0), ("after commit", 1)):
        one.fault(f"crash node-0 {moment}")
        hand_in(one)
        eventually(has_ended(one), "the node to go off")
        with closing(sqlite3.connect(world_of(one).directory / "node-0" / "chain.sqlite")) as chain:
            (blocks,) = chain.execute("SELECT count(*) FROM blocks").fetchone()
        assert blocks == kept, "what it wrote in that turn is safe, or was never said"
        one.restart("node-0")
    assert "ERROR" not in world_of(one).cluster.log("node-0"), "there was no time for words"
    assert pay(one).height == 2


def test_a_disk_is_restored_or_lost(one: mc.Network):
    pay(one)
    one.fault("backup node-0")
    pay(one)
    for disk, height in (("restored", 1), ("lost", 0)):
        one.crash("node-0")
        one.fault(f"restart node-0 {disk}")
        assert one.height() == height


def test_a_node_with_an_empty_disk_gets_the_chain_from_the_others():
    with mc.Network.local(validators=4, seed=7) as net:
        pay(net)
        net.crash("node-3")
        pay(net)
        net.fault("restart node-3 lost")
        pay(net)
        net.wait_for_height(3)
        net.crash("node-3")
        net.fault("restart node-3 snapshot")
        net.wait_for_height(pay(net).height)
        (again,) = playing.reread(net, world_of(net).places, ["node-3"])
        assert (again.began, again.height) == (3, 4)
        net.fault("delay 20 40")
        net.fault("pause node-0")
        net.crash("node-1")
        net.fault("calm")
        net.wait_for_height(pay(net).height)
        assert all(report.is_up for report in net.status())

        net.crash("node-3")  # a member commands no other member
        with knock(net, KeyPair((world_of(net).directory / "node-3" / "key").read_bytes())) as (line, events):
            assert first_event(events) == zmq.EVENT_HANDSHAKE_SUCCEEDED
            line.send(json.dumps({"faults": {"is_paused": True}}).encode())
            eventually(lambda: garbage(net) == 1, "the command to be counted as garbage")
        assert pay(net).ok

        halves = parse("at 0 part node-0 node-1 | node-2 node-3\nat 1 submit 3 node-0")
        found = playing.play(net, halves, calm_s=0.0)
        assert (found.is_safe, found.is_live, found.missing) == (True, False, 3), "they had no time"
        assert playing.play(net, parse("at 0 submit 1")).is_live


def garbage(net: mc.Network) -> int:
    status = net.status()[0].status
    return status.counters.get("garbage", 0) if status else 0


# --- hands off ----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path / "home")
    run("up", "--home", place.path, "--validators", 2, "--no-dashboards", "--empty", "--no-browser")
    yield place
    run("down", "--home", place.path)


def test_only_the_owner_of_a_network_lets_faults_happen(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    running = home.require()
    door, member = bytes.fromhex(running.control_public), (home.chain / "node-0" / "key").read_bytes()
    monkeypatch.setattr(control, "TIMEOUT_MS", 700)
    for stranger in (KeyPair(b"s" * 32), KeyPair(member)):
        with pytest.raises(TimedOut):
            control.control(running.control, door, stranger, {"fault": "crash node-0"})
    monkeypatch.undo()
    assert home.require() == running
    with mc.Network.attach(home.path) as net:
        channel = LiveChannel(lambda: {n.name: (bytes.fromhex(n.public), n.address) for n in running.nodes})
        with closing(channel):  # the door for clients takes no commands
            line = channel._line("node-0")
            line.send(json.dumps({"faults": {"is_paused": True}}).encode())
            assert line.poll(5_000)
            assert b"failure" in line.recv()
        pay(net)
        assert all(report.is_up for report in net.status())
        assert sum(report.status.counters.get("garbage", 0) for report in net.status() if report.status) == 1

    run("fault", "--home", home.path, "crash", "node-1")
    assert [node.pid is None for node in home.require().nodes] == [False, True]
    run("fault", "--home", home.path, "calm")
    assert [node.pid is None for node in home.require().nodes] == [False, False]
    for words, told in REFUSED.items():
        assert told in run("fault", "--home", home.path, *words.split(), expect=3).stderr
    file = tmp_path / "story.timeline"
    for text, told in UNPLAYABLE.items():
        file.write_text(text)
        assert told in run("play", file, "--home", home.path, expect=3).stderr
    file.write_text("validators 2\nat 0 submit 4\nat 100 loss 30\nat 500 submit 4 node-1\n")
    played = json.loads(run("play", file, "--home", home.path, "--json").stdout)
    assert (played["is_safe"], played["is_live"], played["submitted"], played["missing"]) == (True, True, 8, 0)
    assert [line["words"] for line in played["lines"]] == ["submit 4", "loss 30", "submit 4 node-1", "calm"]


REFUSED = {
    "crash node-9": "there is no node 'node-9'; there are node-0, node-1",
    "explode node-0": "there is no verb 'explode'",
    "loss 101": "PERCENT is 101; it goes from 0 to 100",
    "submit 5": "submit is no fault: send transactions as a client",
    "behave node-0 colluder": "a ring shares one memory, and each process has its own",
    "join node-1": "join is no fault: the members vote on it",
    "restart node-0": "node-0 is already running",
}
UNPLAYABLE = {
    "validators 3": "the timeline is for validators 3, and this network has 2",
    "validators 2\nengine raft": "the timeline is for engine raft, and this network has bft",
    "validators 2\nclock logical": "the timeline is for clock logical, and this network has wall",
    "validators 2\nat 5 behave node-1 colluder": "node-1 cannot be a colluder here",
    "validators 2\nclients mixed": "clients is for simulations",
    "validators 2\nlisteners 1\nmembership voted\nat 5 join node-2": "listeners is for simulations",
    "validators 2\nat 5 crash node-2": "line 2: there is no node 'node-2'",
}


def test_the_same_words_let_the_same_happen_in_the_simulation():
    with mc.Network.simulated(seed=7) as net:
        net.fault("crash node-1")
        net.fault("cut node-0 -> node-2")
        assert pay(net).ok
        assert [report.is_up for report in net.status()] == [True, False, True, True]
        net.fault("calm")
        net.wait_for_height(1)
        for words, told in {"explode node-1": "there is no verb 'explode'", " ": "say what is to happen"}.items():
            with pytest.raises(ConfigError, match=told):
                net.fault(words)


def test_a_simulated_network_is_not_played_on_like_processes():
    with mc.Network.simulated() as net, pytest.raises(UsageError, match="play the timeline by `minichain sim"):
        playing.play(net, Timeline())


def test_a_fork_and_a_missing_transaction_are_told():
    net = mc.Network.local()
    a, b = (playing.Witness(name, net, dict) for name in ("a", "b"))
    a.ids, b.ids = {1: b"1", 2: b"2"}, {1: b"1", 2: b"3", 3: b"4"}
    assert playing.contradictions([a, b]) == ("block 2 of b is 33, of a 32",)
    assert playing.contradictions([a, a]) == ()
    a.final, b.final = {b"x": 1, b"y": 2}, {b"y": 2, b"z": 3}
    assert playing.unfinished([b"x", b"y", b"z"], [a, b]) == 2
    b.began = 1
    assert playing.unfinished([b"x", b"y", b"z"], [a, b]) == 1, "x is below the snapshot that b began with"
    assert playing.unfinished([b"never"], [a, b]) == 1
