"""The simulated world: a seed is a run; whatever goes wrong, what must hold holds, and the chain goes on."""

from __future__ import annotations

from dataclasses import dataclass

import builders
import msgspec
import pytest

from minichain.codec import decode, encode
from minichain.consensus.bft import Equivocation, Vote
from minichain.consensus.bft.engine import SAID
from minichain.errors import UsageError
from minichain.faults import adversaries
from minichain.faults.network import Weather
from minichain.ledger.certificate import PRECOMMIT, FinalBlock, QuorumCertificate
from minichain.node.core import Node
from minichain.node.messages import NodeStatus, Request, Submit
from minichain.sim.checkers import Checkers, Violated
from minichain.sim.memory import MemoryStore
from minichain.sim.world import World

BALANCES = ((builders.key("bank").public, 10**6),)
CALM = Weather(1, 20)
ROUGH = Weather(1, 50, loss=10, duplication=10)


def world(seed: int = 1, *, size: int = 4, weather: Weather = CALM, keep_lines: bool = False) -> World:
    chain = builders.genesis(weights=(1,) * size, balances=BALANCES)
    keys = {f"node-{i}": builders.key(f"node-{i}") for i in range(size)}
    return World(chain, keys, seed=seed, weather=weather, keep_lines=keep_lines)


def transfers(chain_world: World, count: int) -> list[builders.Envelope]:
    chain = chain_world.genesis
    return [builders.sign(chain, "bank", builders.transfer("shop", 1), nonce=nonce) for nonce in range(count)]


def submit(run: World, name: str, *txs: builders.Envelope) -> None:
    run.ask(name, b"client", encode(Request(1, Submit(tuple(tx.raw for tx in txs)))))


def finalise(run: World, tx: builders.Envelope, names: tuple[str, ...] | None = None, within_ms: int = 60_000) -> bool:
    return run.run_until(lambda: all(run.store(name).find(tx.id) for name in names or run.names), within_ms)


# --- one run --------------------------------------------------------------------------------------------------------


def test_a_run_can_be_read():
    run = world(7, keep_lines=True)
    (tx,) = transfers(run, 1)
    submit(run, "node-0", tx)
    assert finalise(run, tx)
    told = [line.split("  ", 1)[1].strip() for line in "\n".join(run.trace.lines).splitlines()]
    proposer = "node-1"
    assert sum("starts" in line for line in told) == 8  # switched on, then the first event of each
    assert any("a client asks" in line for line in told)
    for name in run.names:
        if name != proposer:
            assert any(name in line and f"<- {proposer}" in line and "proposal 1/0" in line for line in told)
    for kind in ("prevote 1/0", "precommit 1/0"):
        assert sum(kind in line for line in told) >= 9  # 2f+1 of them reach each of four nodes


# --- crashes and partitions ------------------------------------------------------------------------------------------


def test_three_of_four_go_on_and_two_of_four_wait():
    run = world()
    txs = transfers(run, 2)
    run.crash("node-3")
    submit(run, "node-0", txs[0])
    assert finalise(run, txs[0], ("node-0", "node-1", "node-2"))
    run.crash("node-2")
    submit(run, "node-0", txs[1])
    assert not finalise(run, txs[1], ("node-0",))
    run.restart("node-2")
    assert finalise(run, txs[1], ("node-0", "node-1", "node-2"))
    run.restart("node-3")
    assert finalise(run, txs[1])


@pytest.mark.parametrize("moment", ["now", "before commit", "after commit"])
@pytest.mark.parametrize("step", range(1, 60, 4))
def test_a_crash_at_any_moment_loses_nothing(moment: str, step: int):
    run = world(step)
    (tx,) = transfers(run, 1)
    submit(run, "node-1", tx)
    submit(run, "node-0", tx)
    for _ in range(step):
        run.step()
    run.crash("node-1", moment)
    run.run_for(3_000)
    run.settle()
    if run.node("node-1") is None:
        run.restart("node-1")
    assert finalise(run, tx)


def test_an_idle_chain_makes_no_blocks():
    run = world()
    run.run_for(60_000)
    assert {run.store(name).height() for name in run.names} == {0}


def test_a_parted_minority_catches_up():
    run = world()
    txs = transfers(run, 80)
    run.part(["node-0", "node-1", "node-2"], ["node-3"])
    for tx in txs:
        submit(run, "node-0", tx)
        assert finalise(run, tx, ("node-0",))
    assert run.store("node-3").height() == 0
    run.heal()
    assert finalise(run, txs[-1], within_ms=20_000)


# --- faulty members -------------------------------------------------------------------------------------------------

FAULTY = {
    "silent": lambda run: adversaries.silent,
    "garbage": lambda run: adversaries.garbage,
    "flood": lambda run: adversaries.flood,
    "liar": lambda run: adversaries.lie_about_height,
    "replayer": lambda run: adversaries.Replayer(),
    "equivocator": lambda run: adversaries.Equivocator(builders.key("node-2"), run.genesis.hash, ["node-0", "node-1"]),
    "double talker": lambda run: adversaries.DoubleTalker(builders.key("node-2"), run.genesis.hash, run.names),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_one_faulty_member_of_four_stops_nobody(kind: str):
    run = world(5, weather=Weather(1, 30, loss=3))
    run.corrupt("node-2", FAULTY[kind](run))
    honest = ("node-0", "node-1", "node-3")
    for tx in transfers(run, 8):
        submit(run, "node-0", tx)
        assert finalise(run, tx, honest), kind


def test_contradicting_votes_become_evidence():
    run = world()
    run.corrupt("node-2", FAULTY["double talker"](run))
    for tx in transfers(run, 5):
        submit(run, "node-0", tx)
        assert finalise(run, tx, ("node-0", "node-1", "node-3"))
    kept = [data for name in ("node-0", "node-1", "node-3") for data in run.store(name).evidence()]
    assert kept
    for evidence in (decode(data, Equivocation) for data in kept):
        assert isinstance(evidence.first, Vote)
        assert isinstance(evidence.second, Vote)
        assert evidence.first.voter == evidence.second.voter == builders.key("node-2").public
        assert {evidence.first.kind, evidence.second.kind} == {PRECOMMIT}
        assert evidence.first.block_id != evidence.second.block_id


def test_who_sends_garbage_is_not_heard_for_a_while():
    run = world()
    for number in range(60):
        run.inject("node-2", "node-0", b"garbage %d" % number)
    run.run_for(1_000)
    assert status(run, "node-0").counters["garbage"] == 50
    assert status(run, "node-0").counters["muted"] >= 10
    run.run_for(15_000)
    assert "node-2" in status(run, "node-0").peers


def status(run: World, name: str) -> NodeStatus:
    node = run.node(name)
    assert isinstance(node, Node)
    return node.status()


# --- the checkers can say no ----------------------------------------------------------------------------------------


@dataclass
class Doctored:
    """A world of one block, and a checker that has seen nothing yet."""

    run: World
    final: FinalBlock
    checkers: Checkers

    def show(self, final: FinalBlock, name: str = "node-0") -> None:
        store = MemoryStore(self.run.genesis.state_items(), lambda name, data: None)
        store.add_block(final, (), (), {})
        self.checkers.after_event(name, 1, store)


@pytest.fixture
def doctored() -> Doctored:
    run = world()
    (tx,) = transfers(run, 1)
    submit(run, "node-0", tx)
    assert finalise(run, tx)
    final = run.store("node-0").block(1)
    assert final is not None
    return Doctored(run, final, Checkers(run.genesis, run._is_valid))


def test_the_checkers_accept_what_is_right(doctored: Doctored):
    doctored.show(doctored.final)
    doctored.show(doctored.final, "node-1")


def test_a_certificate_without_enough_signatures_is_seen(doctored: Doctored):
    certificate = doctored.final.certificate
    thin = QuorumCertificate(certificate.height, certificate.round, certificate.block_id, certificate.signatures[:2])
    with pytest.raises(Violated, match="certificates"):
        doctored.show(FinalBlock(doctored.final.block, thin))


def test_an_invalid_block_is_seen_although_it_is_certified(doctored: Doctored):
    ledger = builders.Ledger(doctored.run.genesis)
    block, _, _ = ledger.build(transfers(doctored.run, 1))
    bad = msgspec.structs.replace(block.header, state_root=bytes(32))
    with pytest.raises(Violated, match="validity"):
        doctored.show(builders.finalise(doctored.run.genesis, builders.Block(bad, block.txs)))


def test_two_blocks_at_one_height_are_seen(doctored: Doctored):
    doctored.show(doctored.final)
    ledger = builders.Ledger(doctored.run.genesis)
    block, _, _ = ledger.build([])
    with pytest.raises(Violated, match="agreement"):
        doctored.show(builders.finalise(doctored.run.genesis, block), "node-1")


def test_a_block_taken_back_is_seen(doctored: Doctored):
    doctored.show(doctored.final)
    with pytest.raises(Violated, match="agreement"):
        doctored.checkers.after_event("node-0", 0, MemoryStore((), lambda name, data: None))


def test_a_contradiction_of_a_correct_node_is_seen(doctored: Doctored):
    def remember(number: int, block_id: bytes | None) -> None:
        said = adversaries.cast_vote(builders.key("node-0"), doctored.run.genesis.hash, PRECOMMIT, 1, 0, block_id)
        doctored.checkers.on_remembered("node-0", SAID + number.to_bytes(8), encode(said))

    remember(1, b"a" * 32)
    remember(2, b"a" * 32)
    with pytest.raises(Violated, match="truthfulness"):
        remember(3, None)


def test_lost_units_are_seen(doctored: Doctored, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Checkers, "_units_before", lambda self, writes: 7)
    with pytest.raises(Violated, match="conservation"):
        doctored.show(doctored.final)


# --- wrong use ------------------------------------------------------------------------------------------------------


def test_wrong_use_says_what_is_right():
    run = world()
    with pytest.raises(UsageError, match="there is no node 'node-9'; there are node-0, node-1, node-2, node-3"):
        run.crash("node-9")
    with pytest.raises(UsageError, match="already running"):
        run.restart("node-0")
    with pytest.raises(UsageError, match="now or before commit or after commit"):
        run.crash("node-0", "soon")
    with pytest.raises(UsageError, match="chance in percent"):
        Weather(loss=101)
    with pytest.raises(UsageError, match="least_ms comes first"):
        Weather(5, 1)
