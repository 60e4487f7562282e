"""A chain that may change: blocks are taken back and others take their place, or nothing happens at all.

What the executor does to the state, and what becomes of the transactions that lose their block.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import builders
import msgspec
import pytest

from minichain.ledger.certificate import FinalBlock
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import Writes, account_key
from minichain.ledger.types import Block, Envelope, Header
from minichain.node import mempool
from minichain.node.execution import (
    BlockTried,
    ChainChanged,
    ChangeChain,
    Executor,
    Kept,
    ListContracts,
    ReadState,
    TryBlock,
)
from minichain.node.mempool import Mempool

CHAIN = builders.genesis(balances=((builders.key("bank").public, 10**6),))
Step = tuple[FinalBlock, tuple[Envelope, ...]]


class Branch(builders.Ledger):
    """A chain of its own, with what each block takes to be made again elsewhere."""

    def __init__(self, chain: Genesis = CHAIN) -> None:
        super().__init__(chain)
        self.steps: list[Step] = []

    def add(self, *txs: Envelope) -> Header:
        block, _, refused = self.grow(*txs)
        assert refused == {}
        self.steps.append((builders.finalise(self.genesis, block), txs))
        return block.header


def pay(nonce: int, amount: int = 1) -> Envelope:
    return builders.sign(CHAIN, "bank", builders.transfer("shop", amount), nonce=nonce)


def deploy(name: str, nonce: int) -> Envelope:
    return builders.sign(CHAIN, "bank", builders.deploy(name), nonce=nonce, gas_limit=10_000_000)


def two_branches() -> tuple[Branch, Branch]:
    """Return two chains of four blocks that share the first."""
    one, other = Branch(), Branch()
    for branch in (one, other):
        branch.add(pay(0))
    one.add(deploy("counter", 1))
    one.add(pay(2, 10), pay(3, 10))
    one.add(pay(4))
    other.add(pay(1, 500))
    other.add(deploy("abacus", 2))
    other.add(pay(3, 7))
    return one, other


class Chain:
    """An executor, with the blocks its chain has now and how to take them back: what a node keeps of it."""

    def __init__(self, *steps: Step) -> None:
        self.executor = Executor(CHAIN, CHAIN.state_items(), None)
        self.kept: list[Kept] = []
        assert self.change(0, steps).problem == ""

    def change(self, undone: int, steps: Sequence[Step]) -> ChainChanged:
        """Take back so many blocks and add others."""
        standing = self.kept[: len(self.kept) - undone]
        undo = tuple(kept.undo for kept in self.kept[len(standing) :][::-1])
        base = standing[-1].final.block.header if standing else None
        changed = self.executor.run(ChangeChain(undo, base, tuple(steps)))
        assert isinstance(changed, ChainChanged)
        if not changed.invalid:
            self.kept = [*standing, *changed.kept]
        return changed

    def picture(self) -> tuple[Any, ...]:
        """Return everything the executor answers from."""
        executor = self.executor
        read = [executor.run(ReadState(0, account_key(builders.key(name).public))) for name in ("bank", "shop")]
        return executor.root, dict(executor._state.values), executor.run(ListContracts(0)), read, executor._head

    def contracts(self) -> list[str]:
        return [name for name, _, _ in self.executor.run(ListContracts(0)).contracts]


# --- the state -----------------------------------------------------------------------------------------------------


def test_blocks_are_added_and_each_tells_what_takes_it_back() -> None:
    one, _ = two_branches()
    chain = Chain(*one.steps)
    assert chain.picture()[:2] == (one.state.root, one.state.values)
    assert [kept.final for kept in chain.kept] == [final for final, _ in one.steps]
    values = dict(one.state.values)
    for kept in reversed(chain.kept):
        assert kept.writes.keys() == kept.undo.keys()
        take_back(values, kept.undo)
    assert values == dict(CHAIN.state_items())


def take_back(values: dict[bytes, bytes], undo: Writes) -> None:
    for name, value in undo.items():
        if value is None:
            del values[name]
        else:
            values[name] = value


@pytest.mark.parametrize("together", [True, False], ids=["in one change", "block by block"])
def test_another_branch_takes_the_place_of_the_last_blocks_and_back(together: bool) -> None:
    one, other = two_branches()
    chain = Chain(*one.steps)
    before = chain.picture()
    assert chain.contracts() == ["counter"]
    parts = [other.steps[1:]] if together else [[step] for step in other.steps[1:]]
    for number, steps in enumerate(parts):
        assert chain.change(0 if number else 3, steps).problem == ""
    assert chain.picture()[:2] == (other.state.root, other.state.values)
    assert chain.contracts() == ["abacus"]
    assert chain.change(3, one.steps[1:]).problem == ""
    assert chain.picture() == before


def test_a_change_may_go_back_to_the_genesis_and_may_shorten_the_chain() -> None:
    one, other = two_branches()
    chain = Chain(*one.steps)
    assert chain.change(4, other.steps[:1]).problem == ""
    assert chain.picture() == Chain(*other.steps[:1]).picture()


def spoiled(step: Step) -> Step:
    """Return a block whose transactions do not lead to the state that it names."""
    final, txs = step
    header = msgspec.structs.replace(final.block.header, state_root=bytes(32))
    return builders.finalise(CHAIN, Block(header, final.block.txs)), txs


@pytest.mark.parametrize("undone", [0, 1, 3], ids=lambda undone: f"{undone} undone")
@pytest.mark.parametrize("bad", [0, 1, 2], ids=["the first", "in the middle", "the last"])
def test_an_invalid_block_leaves_everything_as_it_was(undone: int, bad: int) -> None:
    one, _ = two_branches()
    other = Branch()
    for final, txs in one.steps[: 4 - undone]:
        other.add(*txs)
        assert other.head == final.block.header
    first_nonce = other.state.overlay().account(builders.key("bank").public).nonce
    for nonce in range(first_nonce, first_nonce + 3):
        other.add(pay(nonce, 99))
    steps = other.steps[4 - undone :]
    steps[bad] = spoiled(steps[bad])
    chain = Chain(*one.steps)
    before = chain.picture()
    changed = chain.change(undone, steps)
    assert (changed.kept, changed.invalid) == ((), steps[bad][0].block.header.id)
    assert "state_root" in changed.problem
    assert chain.picture() == before
    # And the chain goes on from where it stood.
    next_block = one.add(pay(5, 3))
    (final, txs) = one.steps[-1]
    assert chain.executor.run(TryBlock(final.block, txs)) == BlockTried(next_block.id, "")
    assert chain.change(0, one.steps[-1:]).problem == ""
    assert chain.executor.root == one.state.root


def test_a_block_that_was_tried_before_a_failed_change_is_tried_for_the_same_state_after_it() -> None:
    one, other = two_branches()
    chain = Chain(*one.steps)
    one.add(pay(5, 3))
    final, txs = one.steps[-1]
    assert chain.executor.run(TryBlock(final.block, txs)) == BlockTried(final.block.header.id, "")
    assert chain.change(3, [other.steps[1], spoiled(other.steps[2])]).invalid
    assert chain.change(0, [(final, txs)]).problem == ""
    assert chain.picture()[:2] == (one.state.root, one.state.values)


def test_a_block_that_was_tried_on_another_branch_does_not_count_there() -> None:
    """It was valid on top of the one branch; on top of the other it has another parent."""
    one, other = two_branches()
    chain = Chain(*one.steps)
    one.add(pay(5, 3))
    final, txs = one.steps[-1]
    chain.executor.run(TryBlock(final.block, txs))
    assert chain.change(3, other.steps[1:]).problem == ""
    tried = chain.executor.run(TryBlock(final.block, txs))
    assert isinstance(tried, BlockTried)
    assert "another parent" in tried.problem


# --- the transactions ----------------------------------------------------------------------------------------------


def waiting(pool: Mempool) -> list[Envelope]:
    return [*pool.first(10**9)]


def pool_of(*txs: Envelope) -> Mempool:
    pool = Mempool()
    for tx in txs:
        pool.add(tx)
    return pool


def sign(who: str, nonce: int, expires: int = 100) -> Envelope:
    return builders.sign(CHAIN, who, builders.transfer("shop", 1), nonce=nonce, expires=expires)


def test_what_is_put_back_comes_before_what_came_later() -> None:
    returned = [sign("bank", 3), sign("shop", 0), sign("bank", 4)]
    later = [sign("plant", 0), sign("bank", 5), sign("shop", 1)]
    pool = pool_of(*later)
    pool.put_back(returned)
    assert waiting(pool) == returned + later
    assert len(pool) == 6


def test_what_is_put_back_keeps_the_nonces_of_each_sender_in_line() -> None:
    pool = pool_of(sign("bank", 5), sign("plant", 0))
    pool.put_back([sign("bank", 3), sign("shop", 0), sign("bank", 4)])
    sender = builders.key("bank").public
    assert pool.next_nonce(sender, 3) == 6
    pool.require_next(sender, 6, 3)
    assert pool.overtaken(sender, 5) == [sign("bank", 3).id, sign("bank", 4).id]
    assert pool.next_nonce(builders.key("shop").public, 0) == 1
    pool.remove([sign("bank", nonce).id for nonce in (3, 4, 5)])
    assert pool.next_nonce(sender, 6) == 6
    assert [tx.id for tx in waiting(pool)] == [sign("shop", 0).id, sign("plant", 0).id]


def test_what_is_put_back_expires_and_counts_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    returned, later = [sign("bank", 0, expires=5), sign("bank", 1)], [sign("shop", 0, expires=5), sign("shop", 1)]
    pool = pool_of(*later)
    pool.put_back(returned)
    assert pool.expired(6) == [returned[0].id, later[0].id]
    assert pool.expired(5) == []
    sizes = [len(tx.raw) for tx in returned + later]
    monkeypatch.setattr(mempool, "MAX_WAITING_BYTES", sum(sizes) + len(sign("plant", 0).raw))
    pool.add(sign("plant", 0))
    with pytest.raises(mempool.Refused, match="too many transactions are waiting"):
        pool.add(sign("plant", 1))
    pool.remove(tx.id for tx in (*returned, *later, sign("plant", 0)))
    assert (len(pool), pool._bytes, pool._of_sender, pool._of_expiry) == (0, 0, {}, {})


def test_there_is_always_room_for_what_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """They had been accepted: a full list refuses, it never forgets."""
    later, returned = [sign("shop", nonce) for nonce in range(3)], [sign("bank", nonce) for nonce in range(2)]
    monkeypatch.setattr(mempool, "MAX_WAITING", 3)
    pool = pool_of(*later)
    pool.put_back(returned)
    assert waiting(pool) == returned + later
    with pytest.raises(mempool.Refused):
        pool.add(sign("shop", 3))


@pytest.mark.parametrize("seed", range(10))
def test_seed_a_block_taken_back_leaves_the_list_as_it_was_before_it(seed: int) -> None:
    """A block takes some of each sender's first; what came meanwhile stands behind them."""
    chance, nonces = random.Random(seed), {"bank": 0, "shop": 0, "plant": 0}

    def new() -> Envelope:
        who = chance.choice(sorted(nonces))
        nonces[who] += 1
        return sign(who, nonces[who] - 1)

    before, pool = [new() for _ in range(20)], Mempool()
    for tx in before:
        pool.add(tx)
    taken = before[: chance.randrange(21)]
    pool.remove(tx.id for tx in taken)
    meanwhile = [new() for _ in range(5)]
    for tx in meanwhile:
        pool.add(tx)
    pool.put_back(taken)
    assert waiting(pool) == before + meanwhile
    assert [pool.next_nonce(builders.key(who).public, 0) for who in nonces] == [*nonces.values()]
