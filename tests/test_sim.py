"""The simulated world: a seed is a run; whatever goes wrong, what must hold holds, and the chain goes on."""

from __future__ import annotations

from dataclasses import dataclass

import builders
import msgspec
import pytest

from minichain.codec import decode, encode
from minichain.consensus import raft
from minichain.consensus.bft import Equivocation, Vote
from minichain.errors import UsageError
from minichain.faults import adversaries
from minichain.faults.network import Weather
from minichain.ledger.certificate import PRECOMMIT, PREVOTE, FinalBlock, QuorumCertificate
from minichain.node.core import Node
from minichain.node.messages import NodeStatus, Outcomes, Request, Response, Submit, Verdict
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

    def show(self, final: FinalBlock, name: str = "node-0", receipts: tuple[bytes, ...] | None = None) -> None:
        store = MemoryStore(self.run.genesis.state_items())
        store.add_block(final, self.run.store("node-0").receipts(1) if receipts is None else receipts, (), {})
        self.checkers.after_event(name, 1, store)

    def say(self, kind: int, round_: int, block_id: bytes | None, name: str = "node-0") -> None:
        key = builders.key(name)
        vote = adversaries.cast_vote(key, self.run.genesis.hash, kind, 1, round_, block_id)
        self.checkers.on_sent(name, key.public, "", vote)

    def propose(self, name: str, round_: int, block: builders.Block, valid_round: int) -> None:
        key = builders.key(name)
        said = adversaries.sign_proposal(key, self.run.genesis.hash, 1, round_, block, valid_round)
        self.checkers.on_sent(name, key.public, "", said)


@pytest.fixture
def doctored() -> Doctored:
    run = world()
    (tx,) = transfers(run, 1)
    submit(run, "node-0", tx)
    assert finalise(run, tx)
    final = run.store("node-0").block(1)
    assert final is not None
    stores = {name: run.store(name) for name in run.names}
    return Doctored(run, final, Checkers(run.genesis, run._is_valid, stores=stores))


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
        doctored.checkers.after_event("node-0", 0, MemoryStore(()))


def test_a_contradiction_of_a_correct_node_is_seen(doctored: Doctored):
    doctored.say(PREVOTE, 0, b"a" * 32)
    doctored.say(PREVOTE, 0, b"a" * 32)
    with pytest.raises(Violated, match="truthfulness"):
        doctored.say(PREVOTE, 0, None)


def test_a_precommit_without_a_quorum_of_prevotes_is_seen(doctored: Doctored):
    for name in ("node-0", "node-1"):
        doctored.say(PREVOTE, 0, b"a" * 32, name)
    with pytest.raises(Violated, match="quorums: node-0 precommitted what no quorum prevoted in round 0 of height 1"):
        doctored.say(PRECOMMIT, 0, b"a" * 32)
    doctored.say(PREVOTE, 0, b"a" * 32, "node-2")
    doctored.say(PRECOMMIT, 0, b"a" * 32)


def test_a_prevote_against_a_lock_is_seen_and_one_that_a_later_quorum_allows_is_not(doctored: Doctored):
    block = doctored.final.block
    for name in ("node-0", "node-1", "node-2"):
        doctored.say(PREVOTE, 0, b"a" * 32, name)
    doctored.say(PRECOMMIT, 0, b"a" * 32)
    doctored.propose("node-3", 2, block, -1)
    with pytest.raises(Violated, match="locks: node-0, locked in round 0, prevoted another block in round 2"):
        doctored.say(PREVOTE, 2, block.header.id)
    for name in ("node-1", "node-2", "node-3"):
        doctored.say(PREVOTE, 1, block.header.id, name)
    doctored.propose("node-2", 3, block, 1)
    doctored.say(PREVOTE, 3, block.header.id)


def test_what_is_said_and_not_on_the_disk_is_seen(doctored: Doctored):
    key = builders.key("node-0")
    height = doctored.run.store("node-0").height() + 1
    vote = adversaries.cast_vote(key, doctored.run.genesis.hash, PREVOTE, height, 0, None)
    with pytest.raises(Violated, match="prudence: node-0 says what its disk does not hold, about height 2"):
        doctored.checkers.on_sent("node-0", key.public, "", vote)


def test_an_acknowledgement_of_an_older_term_is_seen(doctored: Doctored):
    store, log = doctored.run.store("node-0"), raft.Entry(2, None)
    with store.turn():
        store.remember(b"log" + (1).to_bytes(8), encode(log))
    doctored.checkers.on_sent(
        "node-0", builders.key("node-0").public, "node-1", raft.AppendReply(2, True, 1, b"s" * 64)
    )
    with pytest.raises(Violated, match="confirmation: node-0 signed in term 3 what it has of term 2 only"):
        doctored.checkers.on_sent(
            "node-0", builders.key("node-0").public, "node-1", raft.AppendReply(3, True, 1, b"s" * 64)
        )


def test_two_leaders_of_one_term_and_two_votes_in_one_are_seen(doctored: Doctored):
    def say(name: str, peer: str, message: raft.Message) -> None:
        doctored.checkers.on_sent(name, builders.key(name).public, peer, message)

    say("node-0", "node-1", raft.AppendEntries(3, 1, 0, 0, (), 0, None))
    say("node-1", "node-2", raft.VoteReply(4, False, True))
    with pytest.raises(Violated, match="elections: node-2 and node-0 both lead term 3"):
        say("node-2", "node-1", raft.AppendEntries(3, 1, 0, 0, (), 0, None))
    with pytest.raises(Violated, match="truthfulness: node-1 said two different things"):
        say("node-1", "node-3", raft.VoteReply(4, False, True))


def test_receipts_that_were_not_kept_are_seen(doctored: Doctored):
    doctored.show(doctored.final, "node-1")
    with pytest.raises(Violated, match="receipts: node-2 keeps others with block 1"):
        doctored.show(doctored.final, "node-2", receipts=())


def test_a_transaction_that_waits_without_hope_is_seen(doctored: Doctored):
    (tx,) = transfers(doctored.run, 1)
    store = doctored.run.store("node-0")
    with pytest.raises(Violated, match="mempools: at node-0 waits, at height 1, a transaction with nonce 0 where 1 is"):
        doctored.checkers.after_event("node-0", 1, store, (tx,))


def test_a_false_answer_is_seen(doctored: Doctored):
    (tx,), run = transfers(doctored.run, 1), doctored.run
    for verdict, words in (
        (Verdict(tx.id, "final"), "tells of a final transaction what did not happen"),
        (Verdict(tx.id, "wrong_nonce", "too late"), "refused a transaction .wrong_nonce. that is on its own chain"),
    ):
        with pytest.raises(Violated, match=words):
            run.checkers.on_answer("node-0", encode(Response(1, Outcomes((verdict,)))))


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
