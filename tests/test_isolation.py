"""Contracts run where they can harm nobody: what escaped there finds no key, and what dies there becomes a receipt.

`planted/` holds the programs of these tests: a real validator whose contracts' process has an escaped contract in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import builders
import msgspec
import psutil
import pytest
from planted import escaped
from test_live import eventually, pay, world_of
from test_sim import finalise, submit, world

import minichain as mc
from minichain.codec import decode_own
from minichain.errors import CallFailed, NetworkError
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Block, Call, Envelope, Header, Receipt
from minichain.live import cluster, executor, worker
from minichain.live.worker import Worker
from minichain.node.execution import (
    CRASHED,
    Answer,
    AskContract,
    BlockMade,
    BlockTried,
    Build,
    ChangeChain,
    ContractAnswered,
    ListContracts,
    MakeBlock,
    Task,
    TryBlock,
)
from minichain.node.keeper import MAX_DEATHS, Died, InPlace, Keeper
from minichain.sim.checkers import Violated
from minichain.sim.memory import MemoryStore

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks through /proc, or needs Linux's limits")

PLANTED = Path(__file__).parent / "planted"
CHAIN = builders.genesis(balances=((builders.key("bank").public, 10**6),))
GAS = 1_000_000


def call(action: str, nonce: int, **args: Any) -> Envelope:
    return builders.sign(CHAIN, "bank", Call("escaped", action, args), nonce=nonce, gas_limit=GAS)


def transfer(nonce: int) -> Envelope:
    return builders.sign(CHAIN, "bank", builders.transfer("shop", 1), nonce=nonce)


class Member:
    """A keeper with the store of its node, and what a node does with the two."""

    def __init__(self, place: Any) -> None:
        self.store = MemoryStore(CHAIN.state_items())
        self.place = place
        self.keeper = Keeper(CHAIN, self.store, place)

    def make(self, *candidates: Envelope) -> BlockMade:
        made = self.keeper.run(MakeBlock(Build(0, 0, may_be_empty=True), candidates, proposer(), 0))
        assert isinstance(made, BlockMade)
        return made

    def judge(self, made: BlockMade, *txs: Envelope) -> str:
        tried = self.keeper.run(TryBlock(made.block, txs))
        assert isinstance(tried, BlockTried)
        return tried.problem

    def change(self, made: BlockMade, *txs: Envelope) -> Answer:
        final = builders.finalise(CHAIN, made.block)
        return self.keeper.run(ChangeChain((), self.head, ((final, txs),)))

    @property
    def head(self) -> Header | None:
        last = self.store.block(self.store.height())
        return last.block.header if last else None

    def keep(self, changed: Any) -> list[tuple[str, str, int]]:
        """Put what a change did into the store; return (outcome, error, gas) of each transaction."""
        (kept,) = changed.kept
        with self.store.turn():
            self.store.add_block(kept.final, kept.encoded_receipts, [tx.id for tx in kept.envelopes], kept.writes)
        receipts = [decode_own(raw, Receipt) for raw in kept.encoded_receipts]
        return [(receipt.outcome, receipt.error, receipt.gas) for receipt in receipts]

    def grow(self, *candidates: Envelope) -> list[tuple[str, str, int]]:
        made = self.make(*candidates)
        txs = candidates[: len(made.block.txs)]
        return self.keep(self.change(made, *txs))


def proposer() -> bytes:
    return CHAIN.committee.members[0].public


OK, DEAD = ("ok", "", 2728), ("crashed", CRASHED, GAS)


def end_of_memory() -> NoReturn:
    raise MemoryError


@pytest.fixture
def in_place() -> Iterator[Member]:
    """A member whose executor is in this process, as in the simulated world."""
    undo = escaped.plant(ends=end_of_memory)
    yield Member(InPlace())
    undo()


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[Member]:
    """A member whose executor is another process, as in the live world."""
    monkeypatch.setattr(worker, "PROGRAM", (str(PLANTED / "executor.py"),))
    member = Member(Worker())
    yield member
    member.keeper.close()


# --- what dies becomes a receipt -----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in_place", "apart"])
def test_a_death_is_a_failed_receipt_with_all_of_its_gas(where: str, request: pytest.FixtureRequest):
    member: Member = request.getfixturevalue(where)
    outcomes = member.grow(transfer(0), call("die", 1), transfer(2), call("die", 3))
    assert [outcome[0] for outcome in outcomes] == ["ok", "crashed"], "such a transaction ends its block"
    assert outcomes[1] == DEAD
    assert member.keeper.deaths == 3
    assert [outcome[0] for outcome in member.grow(transfer(2), transfer(3))] == ["ok", "ok"]
    assert member.keeper.deaths == 3


def test_both_worlds_make_the_same_block_of_it(in_place: Member, apart: Member):
    txs = transfer(0), call("die", 1)
    here, there = in_place.make(*txs), apart.make(*txs)
    assert here == there
    assert in_place.judge(there, *txs) == apart.judge(here, *txs) == ""
    assert in_place.keep(in_place.change(here, *txs)) == apart.keep(apart.change(here, *txs))


def test_whoever_did_not_make_the_block_finds_the_same(in_place: Member):
    other = Member(InPlace())
    txs = transfer(0), call("die", 1)
    made = in_place.make(*txs)
    assert other.judge(made, *txs) == ""
    assert other.keeper.deaths == 3
    other.keep(other.change(made, *txs))
    assert other.keeper.deaths == 3, "what was tried is not executed again"
    late = Member(InPlace())
    assert late.keep(late.change(made, *txs))[1] == DEAD, "and so does who gets it decided, later"


def test_a_further_round_costs_no_further_deaths(in_place: Member):
    in_place.make(transfer(0), call("die", 1))
    again = in_place.make(transfer(0), call("die", 1), transfer(2))
    assert len(again.block.txs) == 2
    assert in_place.keeper.deaths == 3


@pytest.mark.parametrize(
    "answer",
    [b"\0\0\0\1\xc1", b"\0\0\0\2\x90\x90", b"\0\0\0\5\x92\3\xa2no", b"\xff\xff\xff\xff"],
    ids=["noise", "no answer", "another", "four gigabytes"],
)
def test_an_answer_that_is_none_ends_it_too(answer: bytes, apart: Member):
    """It must not look like an error of the node, which would start again a few times and then stop."""
    assert apart.grow(transfer(0), call("forge", 1, answer=answer))[1] == DEAD
    assert apart.grow(transfer(2))[0][0] == "ok"


@LINUX
def test_memory_that_the_machine_cannot_spare_ends_it_too(apart: Member):
    """The guards of the process stand far behind those of the language: this contract has got past all of those."""
    assert apart.grow(transfer(0), call("hoard", 1, mb=8_000))[1] == DEAD
    assert apart.grow(transfer(1 + 1))[0][0] == "ok"


def test_a_job_that_never_ends_is_ended(apart: Member, monkeypatch: pytest.MonkeyPatch):
    apart.keeper.run(ListContracts(0))
    monkeypatch.setattr(apart.place, "_seconds", 0.5)
    job = MakeBlock(Build(0, 0, may_be_empty=True), (call("hang", 0, s=600),), proposer(), 0)
    with pytest.raises(Died):
        apart.place.run(job, (), is_told=True)


def test_memory_that_gas_allows_is_not_refused(apart: Member):
    assert apart.grow(call("hoard", 0, mb=900))[0][0] == "ok"


# --- who is to blame, and who is not -------------------------------------------------------------------------------


class Sick:
    """A place that dies by a plan: for each task it takes, where; None is not at all. Afterwards it is well."""

    def __init__(self, *plan: bytes | None) -> None:
        self._plan = list(plan)
        self._well = InPlace()
        self.starts = 0
        self.told: list[bool] = []

    def start(self, genesis: Genesis, items: Iterable[tuple[bytes, bytes]], head: Header | None) -> None:
        self.starts += 1
        self._well.start(genesis, items, head)

    def run(self, task: Task, doomed: Collection[bytes], *, is_told: bool) -> Answer:
        self.told.append(is_told)
        where = self._plan.pop(0) if self._plan else None
        if where is not None and where not in doomed:
            raise Died(where if is_told else b"")
        return self._well.run(task, doomed, is_told=is_told)

    def close(self) -> None:
        pass


ONE, TWO = transfer(0), transfer(1)


@pytest.mark.parametrize(
    ("plan", "crashed"),
    [
        ((b"",), 0),
        ((b"", ONE.id), 0),
        ((b"", ONE.id, TWO.id), 0),
        ((b"", ONE.id, TWO.id, ONE.id), 0),
        ((b"", ONE.id, b"", ONE.id), 0),
        ((ONE.id, ONE.id, ONE.id), 1),
        ((ONE.id, TWO.id, TWO.id), 1),
    ],
    ids=["once", "twice", "at two places", "back and forth", "between transactions", "thrice", "thrice, not alike"],
)
def test_only_what_is_seen_to_die_twice_in_a_row_is_blamed(plan: tuple[bytes, ...], crashed: int):
    member = Member(Sick(*plan))
    outcomes = [outcome for outcome, _, _ in member.grow(ONE, TWO)]
    assert outcomes.count("crashed") == crashed
    assert member.place.told == [False] + [True] * len(plan) + [False], "it is asked where it is once it has died"


def test_a_machine_that_only_dies_stops_its_node_with_words():
    with pytest.raises(NetworkError, match=f"has ended {MAX_DEATHS} times in a row: look into the log"):
        Member(Sick(*[b""] * MAX_DEATHS)).make(ONE)


class Unwell(Sick):
    """A place that dies as it begins."""

    def start(self, genesis: Genesis, items: Iterable[tuple[bytes, bytes]], head: Header | None) -> None:
        raise Died


def test_a_file_whose_state_was_changed_by_hand_is_told_apart_from_a_small_machine():
    member = Member(InPlace())
    member.grow(ONE)
    key = next(iter(member.store.state_items()))[0]
    member.store._put(member.store._state, key, b"more")
    member.keeper = Keeper(CHAIN, member.store, Unwell())
    with pytest.raises(NetworkError, match="the state in the chain file is not that of its last block"):
        member.make(TWO)


class Doomed(Sick):
    """A place that dies when a block is done, so its last words are always the same transaction, doomed or not."""

    def run(self, task: Task, doomed: Collection[bytes], *, is_told: bool) -> Answer:
        self.told.append(is_told)
        assert len(self.told) < 100, "it would be started for ever"
        raise Died(ONE.id if is_told else b"")


def test_a_machine_that_dies_with_what_is_doomed_stops_its_node_too():
    with pytest.raises(NetworkError, match=f"has ended {MAX_DEATHS} times in a row"):
        Member(Doomed()).make(ONE)


def test_a_question_that_ends_it_is_answered_at_once():
    member = Member(Sick(b""))
    asked = member.keeper.run(AskContract("ticket", "counter", "total", {}))
    assert asked == ContractAnswered("ticket", None, CRASHED, 0)
    assert member.keeper.run(ListContracts("ticket")).contracts == ()
    assert member.place.starts == 2


def test_another_executor_gets_to_know_what_the_store_does_not_know_yet():
    """A node asks for two things in one turn: the chain has grown when the second kills, the store has not."""
    member, other = Member(Sick(None, None, b"")), Member(InPlace())
    made = member.make(ONE)
    changed = member.change(made, ONE)
    assert member.keeper.run(AskContract(0, "counter", "total", {})).problem == CRASHED
    assert member.keeper.run(ListContracts(0)).contracts == ()
    member.keep(changed)
    other.grow(ONE)
    after = other.make(TWO)
    assert member.judge(after, TWO) == ""


def test_a_machine_that_is_alone_in_dying_votes_against_the_others_and_then_follows():
    sick = Member(Sick(b"", ONE.id, ONE.id))
    well = Member(InPlace())
    made = well.make(ONE, TWO)
    assert "receipt_root" in sick.judge(made, ONE, TWO) or "crashed" in sick.judge(made, ONE, TWO)
    assert sick.keep(sick.change(made, ONE, TWO)) == well.keep(well.change(made, ONE, TWO))
    assert well.judge(sick.make(transfer(2)), transfer(2)) == ""


def test_a_machine_that_cannot_follow_says_so():
    well = Member(InPlace())
    made = well.make(ONE)
    hopeless = Member(Sick(b"", ONE.id, ONE.id))
    changed = hopeless.change(made, ONE)
    assert changed.invalid == made.block.header.id
    assert "so far only here: is there too little memory?" in changed.problem


def test_a_block_may_hold_one_such_transaction_as_its_last(in_place: Member):
    """A proposer that puts in many could keep everybody dying for hours; so its block is refused at the first."""
    txs = call("die", 0), call("die", 1), transfer(2)

    good = in_place.make(txs[0])
    longer = msgspec.structs.replace(good, block=Block(good.block.header, tuple(tx.raw for tx in txs)))
    other = Member(InPlace())
    assert "crashed, and is not the last" in other.judge(longer, *txs)
    assert other.keeper.deaths == 3


# --- in the two worlds ---------------------------------------------------------------------------------------------


def test_a_simulated_network_goes_on(monkeypatch: pytest.MonkeyPatch):
    run = world()
    monkeypatch.setattr(run.checkers, "may_crash", True)
    undo = escaped.plant(ends=end_of_memory)
    deadly = builders.sign(run.genesis, "bank", Call("escaped", "die"), nonce=0, gas_limit=GAS)
    after = builders.sign(run.genesis, "bank", builders.transfer("shop", 1), nonce=1)
    submit(run, "node-0", deadly, after)
    assert finalise(run, after)
    undo()
    receipt = run.checkers.receipts[deadly.id]
    assert (receipt.outcome, receipt.error, receipt.gas) == DEAD
    assert [machine.executor.deaths for machine in run._machines.values()] == [3, 3, 3, 3]


def test_a_crash_that_nobody_planted_is_a_violation():
    run = world()
    undo = escaped.plant(ends=end_of_memory)
    deadly = builders.sign(run.genesis, "bank", Call("escaped", "die"), nonce=0, gas_limit=GAS)
    submit(run, "node-0", deadly)
    with pytest.raises(Violated, match="a transaction that nobody could execute"):
        finalise(run, deadly)
    undo()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[mc.Network]:
    """A network of real validators with an escaped contract. The parameters are (validators, flags)."""
    validators, flags = request.param
    monkeypatch.setattr(cluster, "PROGRAM", (str(PLANTED / "validator.py"), *flags))
    with mc.Network.local(validators, seed=7) as net:
        yield net


def executors(net: mc.Network) -> list[psutil.Process]:
    return [child for name in net.nodes for child in psutil.Process(world_of(net).cluster.pid(name)).children()]


@pytest.mark.parametrize("planted", [(4, ())], indirect=True)
def test_a_real_network_goes_on(planted: mc.Network):
    with pytest.raises(CallFailed) as failed:
        planted.send(planted.wallet("bank"), [Call("escaped", "die")], gas_limit=GAS)
    receipt = failed.value.receipt
    assert (receipt.outcome, receipt.error, receipt.gas) == DEAD
    for process in executors(planted):
        process.kill()  # as somebody may who is short of memory, and between two blocks
    assert pay(planted).ok
    planted.wait_for_height(planted.height())
    assert len({report.state_root for report in planted.status()}) == 1
    assert len(executors(planted)) == 4


def seed_of(net: mc.Network) -> tuple[bytes, bytes, Path]:
    """Return how a validator's secret begins, its digest, and its file."""
    file = world_of(net).directory / "node-0" / "key"
    seed = file.read_bytes()
    return seed[:8], hashlib.sha256(seed).digest(), file


@LINUX
@pytest.mark.parametrize("planted", [(1, ("open",))], indirect=True)
def test_an_escaped_contract_finds_no_key_in_all_it_can_reach(planted: mc.Network, tmp_path: Path):
    """It may search its process as far as it gets: nothing was taken away from it here."""
    start, digest, _ = seed_of(planted)
    found = planted.send(planted.wallet("bank"), [Call("escaped", "search", {"start": start, "digest": digest})])
    assert found.result == []
    # The same search finds it where it is: in the memory of the validator, and in its objects.
    told = {"search": [start.hex(), digest.hex()], "into": str(tmp_path / "found.json")}
    world_of(planted).cluster.tell("node-0", told)
    eventually(lambda: bool(read(tmp_path / "found.json")), "the search")
    assert {"memory", "objects"} <= set(json.loads(read(tmp_path / "found.json")))


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize("planted", [(1, ())], indirect=True)
def test_an_escaped_contract_can_open_and_start_nothing(planted: mc.Network):
    _, _, file = seed_of(planted)
    reached = planted.send(planted.wallet("bank"), [Call("escaped", "reach", {"file": str(file)})]).result
    assert reached == []
    assert escaped.reach(str(file)) == ["read", "socket", "start", "pipe"], "here, all but the connection works"


@LINUX
@pytest.mark.parametrize("planted", [(1, ())], indirect=True)
def test_an_escaped_contract_can_touch_no_other_process(planted: mc.Network):
    """Whoever may look into the memory of the validator need not open anything to find its key."""
    touched = planted.send(planted.wallet("bank"), [Call("escaped", "touch", {})]).result
    version = executor.landlock_version()
    assert set(touched) <= {*(["look"] if version < 1 else []), *(["signal"] if version < 6 else [])}
    assert escaped.touch(os.getpid()) == ["look", "signal", "fork"], "here, all of it works"


@LINUX
def test_a_place_starts_with_two_pipes_and_hardly_any_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    place = Worker()
    try:
        Keeper(CHAIN, MemoryStore(CHAIN.state_items()), place).run(ListContracts(0))
        held = Path(f"/proc/{place.pid}/fd")
        assert sorted({os.readlink(link).split(":")[0] for link in held.iterdir()}) == [
            "/dev/null",
            f"/proc/{place.pid}/statm",
            "pipe",
        ]
        environment = Path(f"/proc/{place.pid}/environ").read_bytes()
        assert {entry.split(b"=")[0] for entry in environment.split(b"\0") if entry} <= {
            b"PYTHONPATH",
            *(name.encode() for name in worker.ENVIRONMENT),
        }
        assert b"do not tell" not in environment
    finally:
        place.close()


def test_a_place_leaves_with_its_owner():
    place = Worker()
    process = psutil.Process(place.pid)
    place._process.stdin.close()
    process.wait(10)
    place.close()
