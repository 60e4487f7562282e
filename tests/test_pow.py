"""Proof of work against its paper: one test for each rule (Nakamoto 2008; Bitcoin's developer reference).

Then miners in a bad network: they may be slow and change their minds, but when it is calm they agree.
A failing seed is in the test's name: `pytest tests/test_pow.py -k "seed and 17"`.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count, pairwise
from typing import Any

import msgspec
import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import decode, encode
from minichain.consensus.interface import (
    Adopt,
    Begin,
    Behind,
    Build,
    Built,
    Effect,
    Heard,
    Judged,
    Mine,
    Mined,
    Remember,
    Send,
    Setup,
    StartTimer,
    StopMining,
    Tell,
    Tick,
    TimedOut,
    Work,
)
from minichain.consensus.pow import Ask, Blocks, Forgotten, Pow, Sealed, Tip, tree
from minichain.consensus.pow.engine import ASK_AGAIN_MS, MAX_AHEAD
from minichain.consensus.pow.messages import MAX_ANSWER_BLOCKS, MAX_ANSWER_BYTES, MAX_LOCATOR
from minichain.consensus.pow.tree import (
    MAX_CHAINS,
    MAX_DIFFICULTY,
    MAX_INVALID,
    MEDIAN_OF,
    MIN_DEPTH,
    Entry,
    Standing,
    Tree,
    difficulty_after,
    locator,
    median_time,
    retarget,
)
from minichain.crypto import is_valid_signature
from minichain.errors import ConfigError
from minichain.ledger.certificate import (
    FinalBlock,
    QuorumCertificate,
    WorkCertificate,
    is_sealed,
)
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.genesis import Work as Setting
from minichain.ledger.types import Block, Header
from minichain.merkle import root
from tests.builders import committee, key

FOUR = committee(1, 1, 1, 1)
SETTING = Setting(difficulty=4, block_ms=1_000, window=10, most_change=4, confirmations=3)
LATER = 10**9  # far after every block of these tests
NAMES: dict[bytes, str] = {}


def chain(**setting: Any) -> Genesis:
    """Return a chain that began at time 0; `setting` is what differs from the usual work."""
    work = msgspec.structs.replace(SETTING, **setting)
    return Genesis(ChainSpec(chain_id="test", members=FOUR.members, engine="pow", genesis_time_ms=0, work=work))


CHAIN = chain()


def draft(parent: FinalBlock | None, name: str, time_ms: int, txs: tuple[bytes, ...], genesis: Genesis) -> Block:
    """Return a block without a seal; its name makes it different from others."""
    above = parent.block.header if parent else None
    fields: dict[str, Any] = {field: bytes(32) for field in Header.__struct_fields__}
    fields |= {"genesis": genesis.hash, "height": above.height + 1 if above else 1, "time_ms": time_ms}
    fields |= {"parent": above.id if above else genesis.hash, "tx_count": len(txs), "tx_root": root(txs)}
    made = Block(Header(**fields | {"state_root": name.encode().ljust(32, b".")}), txs)
    NAMES[made.header.id] = name
    return made


def seal(block: Block, difficulty: int) -> FinalBlock:
    """Do the work."""
    header = block.header
    nonce = next(nonce for nonce in count() if is_sealed(header.id, nonce, difficulty))
    return FinalBlock(block, WorkCertificate(header.height, header.id, difficulty, nonce))


def mined(
    parent: FinalBlock | None,
    name: str,
    time_ms: int | None = None,
    difficulty: int = 4,
    txs: tuple[bytes, ...] = (),
    genesis: Genesis = CHAIN,
) -> FinalBlock:
    """Return a sealed block, a second after its parent unless told otherwise."""
    usual = (parent.block.header.time_ms if parent else 0) + 1_000
    return seal(draft(parent, name, usual if time_ms is None else time_ms, txs, genesis), difficulty)


def row(parent: FinalBlock | None, names: str, **fields: Any) -> list[FinalBlock]:
    """Return sealed blocks one on top of the other, named by letters."""
    made = []
    for name in names:
        made.append(parent := mined(parent, name, **fields))
    return made


def id_of(final: FinalBlock) -> bytes:
    return final.block.header.id


# --- one engine ----------------------------------------------------------------------------------------------------

PEER, OTHER = key("node-1").public, key("node-2").public


class Miner:
    """One engine, and the part of its node that it needs: a chain, a memory, and a mind to find blocks invalid."""

    def __init__(
        self,
        genesis: Genesis = CHAIN,
        memory: Mapping[bytes, bytes] | None = None,
        chain: Sequence[FinalBlock] = (),
        invalid: Iterable[FinalBlock] = (),
        seed: int = 0,
    ) -> None:
        self.genesis = genesis
        self.memory = dict(memory or {})
        self.chain = list(chain)
        self.invalid = {id_of(final) for final in invalid}
        self.now = LATER
        self.is_slow = False  # does not answer `Adopt` by itself
        self.wish: Adopt | None = None
        self.told: set[bytes] = set()
        source = random.Random(seed)
        self.engine = Pow(
            Setup(key("node-0"), genesis.hash, genesis.spec, is_valid_signature, source, dict(self.memory))
        )
        self.first = self.begin()

    def begin(self) -> list[Effect]:
        head = id_of(self.chain[-1]) if self.chain else self.genesis.hash
        return self.do(Begin(len(self.chain) + 1, head, FOUR, lambda _: PEER))

    def do(self, event: Any) -> list[Effect]:
        """Give the engine one event and its node's answers; return all effects."""
        effects = self.engine.handle(event, self.now)
        for effect in list(effects):
            match effect:
                case Remember(name, None):
                    del self.memory[name]
                case Remember(name, data):
                    assert isinstance(data, bytes)
                    self.memory[name] = data
                case Tell(message) | Send(_, message):
                    assert decode(encode(message), type(message)) == message
                    self.require_remembered(message)
                case Adopt():
                    assert self.wish is None, "one adoption at a time"
                    self.wish = effect
        return effects if self.is_slow else effects + self.answer()

    def require_remembered(self, message: Any) -> None:
        if isinstance(message, Sealed):
            assert b"block" + id_of(message.final) in self.memory, "told before it was remembered"
            assert id_of(message.final) not in self.told, "told twice"
            self.told.add(id_of(message.final))

    def answer(self) -> list[Effect]:
        """Do what `Adopt` asks for, or say which block is invalid."""
        if self.wish is None:
            return []
        wish, self.wish = self.wish, None
        bad = next((final for final in wish.blocks if id_of(final) in self.invalid), None)
        if bad:
            return self.do(Judged(id_of(bad), False))
        self.chain[wish.height - 1 :] = wish.blocks
        headers = [final.block.header for final in self.chain]
        assert [header.height for header in headers] == list(range(1, len(headers) + 1))
        assert all(above.parent == below.id for below, above in pairwise(headers))
        return self.begin()

    def hear(self, *blocks: FinalBlock, sender: bytes = PEER) -> list[str]:
        return said([effect for final in blocks for effect in self.do(Heard(sender, Sealed(final)))])

    def heard(self, message: Any, sender: bytes = PEER) -> list[str]:
        return said(self.do(Heard(sender, message)))

    @property
    def names(self) -> str:
        return "".join(NAMES[id_of(final)] for final in self.chain)

    def see(self, what: str) -> Any:
        return self.engine.summary()[what]


def said(effects: list[Effect]) -> list[str]:
    """Return what was done, in short: "tell A", "adopt 2 AB", "mine A 4"..."""
    return [text for effect in effects if (text := tell(effect))]


def tell(effect: Effect) -> str:  # noqa: PLR0911
    match effect:
        case Tell(Sealed(final)):
            return f"tell {NAMES[id_of(final)]}"
        case Tell(Tip(block_id, height, work)):
            return f"tip {NAMES.get(block_id, 'genesis')} {height} {work}"
        case Send(_, Ask(ids, target)):
            return f"ask for {NAMES.get(target, '?')} from {NAMES.get(ids[0], 'genesis')}"
        case Send(_, Blocks(blocks)):
            return "send " + "".join(NAMES[id_of(final)] for final in blocks)
        case Send(_, Forgotten(oldest)):
            return f"forgotten below {oldest}"
        case Adopt(height, blocks):
            return f"adopt {height} " + "".join(NAMES[id_of(final)] for final in blocks)
        case Build(height, _, _, not_before_ms):
            return f"build {height} after {not_before_ms - 1}"
        case Mine(block_id, difficulty):
            return f"mine {NAMES[block_id]} {difficulty}"
        case StopMining():
            return "stop"
        case Behind():
            return "behind"
    return ""


def dig(miner: Miner, name: str, txs: tuple[bytes, ...] = ()) -> tuple[Block, list[str]]:
    """Answer a `Build`."""
    head = miner.chain[-1] if miner.chain else None
    time_ms = (head.block.header.time_ms if head else 0) + 1_000
    block = draft(head, name, time_ms, txs, miner.genesis)
    return block, said(miner.do(Built(block.header.height, 0, block)))


def find(miner: Miner, block: Block, difficulty: int = 4) -> list[str]:
    """Answer a `Mine`."""
    certificate = seal(block, difficulty).certificate
    assert isinstance(certificate, WorkCertificate)
    return said(miner.do(Mined(block.header.id, certificate.nonce)))


# --- most work (section 4) -----------------------------------------------------------------------------------------


def test_a_block_on_the_head_is_told_on_and_adopted() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    assert miner.hear(a) == ["tell A", "adopt 1 A"]
    assert miner.hear(b) == ["tell B", "adopt 2 B"]
    assert (miner.see("height"), miner.see("work"), miner.see("forks")) == (3, 8, 0)


def test_the_first_seen_of_two_equal_branches_stays_and_the_next_block_settles_it() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    c, d = row(a, "CD")
    assert miner.hear(a, b) == ["tell A", "adopt 1 A", "tell B", "adopt 2 B"]
    assert miner.hear(c)[:1] == ["tell C"], "known to everybody, though not adopted"
    assert (miner.names, miner.see("forks")) == ("AB", 1)
    assert miner.engine._tree.best.id == id_of(b)
    assert miner.hear(d) == ["tell D", "adopt 2 CD"]
    assert (miner.names, miner.see("reorganisations"), miner.see("deepest")) == ("ACD", 1, 1)


def test_fewer_blocks_with_more_work_win() -> None:
    """With windows of 2 the third block from the start sets the difficulty anew: fast mining makes it heavy.

    Slow: 1 and 2 at difficulty 8, then 12 s a block: 8 -> 2 and 2 -> 1. Fast: 1 ms a block, so 8 -> 32.
    """
    genesis = chain(difficulty=8, window=2)
    a = mined(None, "A", 1_000, 8, genesis=genesis)
    slow, difficulties = [a], (8, 8, 2, 2, 1, 1)
    for name, difficulty in zip("bcdefg", difficulties, strict=True):
        slow.append(mined(slow[-1], name, slow[-1].block.header.time_ms + 12_000, difficulty, genesis=genesis))
    fast = [a]
    for name, difficulty in zip("XYZ", (8, 8, 32), strict=True):
        fast.append(mined(fast[-1], name, fast[-1].block.header.time_ms + 1, difficulty, genesis=genesis))
    miner = Miner(genesis)
    miner.hear(*slow)
    assert (miner.names, miner.see("work")) == ("Abcdefg", 8 + 8 + 8 + 2 + 2 + 1 + 1)
    assert miner.hear(*fast[1:])[-1] == "adopt 2 XYZ"
    assert (miner.see("height"), miner.see("work"), miner.see("deepest")) == (5, 8 + 8 + 8 + 32, 6)


def test_a_branch_kept_back_undoes_three_blocks() -> None:
    """A selfish miner shows four blocks at once, newest first."""
    miner, selfish = Miner(), Miner()
    a, b, c, d = row(None, "ABCD")
    w, x, y, z = row(a, "WXYZ")
    miner.hear(a, b, c, d)
    for final in (a, w, x, y, z):
        selfish.hear(final)
    assert miner.hear(z, y) == ["ask for Z from D"], "one question at a time"
    answer = selfish.do(Heard(PEER, Ask((id_of(d), id_of(c), id_of(b), id_of(a)), id_of(z))))
    assert said(answer) == ["send WXYZ"]
    assert isinstance(answer[0], Send)
    assert miner.heard(answer[0].message) == ["tell Z", "adopt 2 WXYZ"], "the last stands for all"
    assert (miner.names, miner.see("reorganisations"), miner.see("deepest")) == ("AWXYZ", 1, 3)


def test_one_adoption_at_a_time() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    miner.is_slow = True
    assert miner.hear(a) == ["tell A", "adopt 1 A"]
    assert miner.hear(b) == ["tell B"], "the node is busy"
    assert miner.see("step") == "adopting"
    assert said(miner.answer()) == ["adopt 2 B"]
    assert said(miner.answer()) == []


def test_an_invalid_block_inside_a_heavier_branch() -> None:
    a, b = row(None, "AB")
    w, x, y, z = row(a, "WXYZ")
    (p,) = row(w, "P")
    miner = Miner(invalid=[x])
    miner.hear(a, b)
    miner.is_slow = True
    assert miner.hear(w, x, y, p) == ["tell W", "build 3 after 1000", "tell X", "adopt 2 WX", "tell Y", "tell P"]
    assert said(miner.answer()) == ["adopt 2 WP"], "the next best: as many blocks as X, seen later"
    assert said(miner.answer()) == []
    miner.is_slow = False
    assert miner.names == "AWP"
    assert miner.hear(x, y, z) == [], "invalid for ever, and so is what builds on it"
    assert miner.hear(z) == []
    assert miner.heard(Tip(id_of(z), 5, 20)) == []
    assert (miner.see("forks"), miner.engine.rejected) == (1, 0), "nobody is to blame but who made it"


def test_below_an_invalid_block_a_branch_ends_where_it_was_valid() -> None:
    a = mined(None, "A")
    w, x = row(None, "WX")
    miner = Miner(invalid=[x])
    assert miner.hear(a, w, x)[-3:] == ["tell X", "adopt 1 WX", "build 2 after 1000"], "A and W are equal"
    assert (miner.names, miner.see("forks")) == ("A", 1)
    (y,) = row(w, "Y")
    assert miner.hear(y) == ["tell Y", "adopt 1 WY"]


def test_a_verdict_on_another_block_changes_nothing() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    miner.hear(a)
    assert miner.do(Judged(id_of(a), False)) == []
    assert miner.do(Judged(bytes(32), False)) == []
    assert miner.hear(b)[-1] == "adopt 2 B"


# --- retargeting (section 4; developer guide, "Proof of Work") --------------------------------------------------------


def test_retargeting_by_hand() -> None:
    """Window 4, 1 000 ms a block, difficulty 6. Block 1 at 1 000; blocks 2 to 5 take 500 ms each.

    Block 6 is the first of the next window: the last one took from 1 000 to 3 000, 2 000 ms instead of 4 000, so
    6 * 4 000 // 2 000 = 12. Blocks 6 to 9 take 1 500 ms each: block 10 has 12 * 4 000 // 6 000 = 8.
    """
    genesis = chain(difficulty=6, window=4)
    times = [1_000, 1_500, 2_000, 2_500, 3_000, 4_500, 6_000, 7_500, 9_000, 10_000]
    demanded = [6, 6, 6, 6, 6, 12, 12, 12, 12, 8]
    tree, parent = Tree(genesis.hash, genesis.spec), None
    for height, (time_ms, difficulty) in enumerate(zip(times, demanded, strict=True), 1):
        for wrong in (difficulty - 1, difficulty + 1, 2 * difficulty):
            bad = mined(parent, "?", time_ms, wrong, genesis=genesis)
            assert tree.standing(bad, LATER) is Standing.FAULTY, (height, wrong)
        parent = mined(parent, "!", time_ms, difficulty, genesis=genesis)
        assert tree.standing(parent, LATER) is Standing.NEW, height
        tree.add(parent)
    assert tree.best.work == sum(demanded)


@pytest.mark.parametrize(
    ("old", "actual_ms", "expected"),
    [
        (100, 10_000, 100),
        (100, 9_999, 100),  # 100.01, rounded down
        (100, 5_000, 200),
        (100, 1_000, 400),  # ten times as fast: four times as hard
        (100, 0, 400),
        (100, -5_000, 400),  # times may go back a little
        (100, 20_000, 50),
        (100, 10**9, 25),
        (101, 10**9, 26),  # a quarter would be 25.25: less than that is more than the factor 4
        (1, 10**9, 1),
        (3, 10**9, 1),
        (MAX_DIFFICULTY, 0, MAX_DIFFICULTY),
    ],
)
def test_retargeting_is_in_proportion_within_a_factor(old: int, actual_ms: int, expected: int) -> None:
    assert retarget(old, actual_ms, SETTING) == expected


@given(st.integers(1, MAX_DIFFICULTY), st.integers(-(2**63), 2**63), st.integers(1, 100), st.integers(1, 8))
def test_retargeting_never_leaves_its_bounds(old: int, actual_ms: int, window: int, most_change: int) -> None:
    new = retarget(old, actual_ms, Setting(window=window, most_change=most_change))
    assert 1 <= new <= MAX_DIFFICULTY
    assert old <= new * most_change
    assert new <= old * most_change


@pytest.mark.parametrize("window", [1, 2, 3, 10])
def test_every_window_is_measured_between_its_border_blocks(window: int) -> None:
    """At an even pace nothing changes, wherever the windows lie; the pause before block 1 does not count."""
    genesis, entry = chain(window=window), Entry(bytes(32), None, 0, 0, 64)
    for height in range(1, 40):
        assert difficulty_after(entry, genesis.spec.work) == 64
        entry = Entry(b"%32d" % height, entry, height, 10**8 + 1_000 * height, 64)


def test_a_difficulty_that_nobody_could_reach_is_refused() -> None:
    genesis = chain(difficulty=MAX_DIFFICULTY)
    assert difficulty_after(Tree(genesis.hash, genesis.spec).head, genesis.spec.work) == MAX_DIFFICULTY
    with pytest.raises(ConfigError, match=f"work.difficulty is at most {MAX_DIFFICULTY}"):
        chain(difficulty=MAX_DIFFICULTY + 1)


# --- time (developer reference, "Block Headers"; BIP 113) ------------------------------------------------------------


def test_median_time_by_hand() -> None:
    """Genesis 0, then 10 40 20 30: the sorted five are 0 10 20 30 40. Of an even number the later middle one counts."""
    entry = Entry(b"", None, 0, 0, 1)
    medians = [median_time(entry)]
    for height, time_ms in enumerate((10, 40, 20, 30), 1):
        entry = Entry(b"", entry, height, time_ms, 1)
        medians.append(median_time(entry))
    assert medians == [0, 10, 10, 20, 20]


def test_median_time_is_of_eleven() -> None:
    entry = Entry(b"", None, 0, 0, 1)
    for height in range(1, 21):
        entry = Entry(b"", entry, height, 100 * height, 1)
    assert MEDIAN_OF == 11
    assert median_time(entry) == 1_500, "of 1 000 to 2 000"


def test_a_block_is_later_than_the_median_but_may_be_earlier_than_its_parent() -> None:
    miner, blocks = Miner(), row(None, "ABCDE")
    miner.hear(*blocks)  # 0 1 2 3 4 5 seconds: of six the later middle one is 3
    back = mined(blocks[-1], "F", 3_001)
    same = mined(blocks[-1], "G", 3_000)
    assert miner.hear(same) == []
    assert miner.engine.rejected == 1
    assert miner.hear(back) == ["tell F", "adopt 6 F"]


def test_a_block_from_the_future_waits_outside_and_nobody_is_blamed() -> None:
    miner, skew = Miner(), CHAIN.spec.max_skew_ms
    a = mined(None, "A", 50_000)
    miner.now = 50_000 - skew - 1
    assert miner.hear(a) == []
    assert miner.heard(Tip(id_of(a), 1, 4)) == ["ask for A from genesis"], "it can be asked for again"
    assert (miner.heard(Blocks((a,))), miner.engine.rejected) == ([], 0)
    miner.now += 1
    assert miner.hear(a) == ["tell A", "adopt 1 A"]


# --- mining is an effect ---------------------------------------------------------------------------------------------


def test_an_idle_network_does_not_mine() -> None:
    miner = Miner()
    assert miner.first == []
    assert miner.hear(*row(None, "AB")) == ["tell A", "adopt 1 A", "tell B", "adopt 2 B"]
    assert said(miner.do(Tick())) == ["tip B 2 8"]
    assert miner.see("step") == "idle"


def test_work_is_built_mined_told_adopted_and_confirmed_then_there_is_rest() -> None:
    miner = Miner()
    assert said(miner.do(Work())) == ["build 1 after 0"]
    assert miner.see("step") == "mining"
    a, story = dig(miner, "A", (b"tx",))
    assert story == ["mine A 4"]
    assert find(miner, a) == ["tell A", "adopt 1 A", "build 2 after 1000"], "1 of 3 confirmations"
    b, story = dig(miner, "B")
    assert story == ["mine B 4"]
    assert find(miner, b) == ["tell B", "adopt 2 B", "build 3 after 1000"], "2 of 3"
    c, _ = dig(miner, "C")
    assert find(miner, c) == ["tell C", "adopt 3 C"], "3 of 3"
    assert miner.see("step") == "idle"


def test_whoever_hears_of_transactions_in_a_block_helps_to_confirm_it() -> None:
    miner, a = Miner(), mined(None, "A", txs=(b"tx",))
    assert miner.hear(a) == ["tell A", "adopt 1 A", "build 2 after 1000"]


def test_a_block_from_elsewhere_ends_the_search() -> None:
    miner, a = Miner(), mined(None, "A", txs=(b"tx",))
    miner.do(Work())
    x, _ = dig(miner, "X", (b"tx",))
    assert miner.hear(a) == ["tell A", "stop", "adopt 1 A", "build 2 after 1000"]
    assert find(miner, x) == [], "too late"
    assert said(miner.do(Built(1, 0, x))) == [], "a block for another head is stale"
    _, story = dig(miner, "B")
    assert story == ["mine B 4"]


def test_after_a_branch_that_was_invalid_mining_goes_on() -> None:
    a = mined(None, "A")
    miner = Miner(invalid=[a])
    miner.do(Work())
    dig(miner, "X", (b"tx",))
    assert miner.hear(a) == ["tell A", "stop", "adopt 1 A", "build 1 after 0"]


def test_a_side_branch_does_not_disturb_the_search() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    miner.hear(a, b)
    miner.do(Work())
    assert dig(miner, "X", (b"tx",))[1] == ["mine X 4"]
    assert miner.hear(*row(a, "C")) == ["tell C"]


def test_transactions_that_come_while_an_empty_block_is_mined_are_taken_in() -> None:
    miner, a = Miner(), mined(None, "A", txs=(b"tx",))
    miner.hear(a)
    assert dig(miner, "X")[1] == ["mine X 4"]
    assert said(miner.do(Work())) == ["build 2 after 1000"]
    assert dig(miner, "Y", (b"more",))[1] == ["mine Y 4"], "the earlier search ends by itself"
    assert said(miner.do(Work())) == [], "what comes now waits for the next block"


def test_transactions_that_come_while_an_empty_block_is_built_are_taken_in_without_a_loop() -> None:
    miner = Miner()
    miner.do(Work())
    assert said(miner.do(Work())) == []
    assert dig(miner, "X")[1] == ["build 1 after 0"], "the block was begun before"
    assert dig(miner, "Y")[1] == ["mine Y 4"], "the node had nothing fit for a block after all"


def test_a_tie_is_mined_until_it_is_settled() -> None:
    """Both sides of a parted network rest on blocks of equal work: without this they would disagree for ever."""
    miner, (a, b) = Miner(), row(None, "AB")
    (c,) = row(a, "C")
    miner.hear(a, b)
    assert miner.heard(Tip(id_of(c), 2, 8)) == ["ask for C from B"]
    assert miner.heard(Blocks((c,))) == ["tell C", "build 3 after 1000"]
    d, _ = dig(miner, "D")
    assert find(miner, d) == ["tell D", "adopt 3 D"]


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_locator_has_gaps_that_double_and_ends_with_the_lowest() -> None:
    entry = Entry(b"0", None, 0, 0, 1)
    for height in range(1, 101):
        entry = Entry(b"%d" % height, entry, height, height, 1)
    heights = [int(block_id) for block_id in locator(entry)]
    assert heights == [100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 89, 85, 77, 61, 29, 0]
    assert locator(Entry(b"0", None, 0, 0, 1)) == (b"0",)


def test_whoever_hears_of_more_work_asks_and_of_less_does_not() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    miner.hear(a)
    assert miner.heard(Tip(id_of(b), 2, 3)) == []
    assert miner.heard(Tip(CHAIN.hash, 0, 0)) == []
    assert miner.heard(Tip(id_of(a), 1, 4)) == []
    assert miner.heard(Tip(id_of(b), 2, 8)) == ["ask for B from A"]
    assert miner.see("step") == "asking"
    assert miner.heard(Blocks((b,))) == ["tell B", "adopt 2 B"]


def long_chain(length: int, parent: FinalBlock | None = None, genesis: Genesis | None = None) -> list[FinalBlock]:
    """Return blocks at a steady pace, a try each."""
    blocks = []
    for _ in range(length):
        height = parent.block.header.height + 1 if parent else 1
        blocks.append(parent := mined(parent, f"{height} ", None, 1, genesis=genesis or EASY))
    return blocks


EASY = chain(difficulty=1)


def converse(one: Miner, other: Miner, effects: list[Effect]) -> list[str]:
    """Let two talk, beginning with what `one` has said, until nothing is left to say; return what `one` said."""
    told = said(effects)
    letters = [(other, PEER, effect.message) for effect in effects if isinstance(effect, Send)]
    while letters:
        to, sender, message = letters.pop(0)
        effects = to.do(Heard(sender, message))
        told += said(effects) if to is one else []
        back = (other, PEER) if to is one else (one, OTHER)
        letters += [(*back, effect.message) for effect in effects if isinstance(effect, Send)]
    return told


def grown(blocks: Iterable[FinalBlock], genesis: Genesis = EASY, **fields: Any) -> Miner:
    """Return a miner who has heard these blocks."""
    miner = Miner(genesis, **fields)
    miner.hear(*blocks)
    return miner


def tip_of(miner: Miner) -> Tip:
    (effect,) = miner.do(Tick())
    assert isinstance(effect, Tell)
    assert isinstance(effect.message, Tip)
    return effect.message


def test_a_long_chain_comes_in_several_answers() -> None:
    blocks = long_chain(MAX_ANSWER_BLOCKS + 5)
    full, miner = grown(blocks), Miner(EASY)
    told = converse(miner, full, miner.do(Heard(OTHER, tip_of(full))))
    assert told[0].startswith("ask for")
    assert told[1] == f"tell {MAX_ANSWER_BLOCKS} "
    assert told[-2] == f"tell {MAX_ANSWER_BLOCKS + 5} "
    assert miner.chain == full.chain
    assert miner.see("step") == "idle"


def test_a_branch_that_becomes_heavier_only_with_its_last_answer() -> None:
    """Three large blocks fill an answer; the first two are no reason to change sides, and are not sent twice."""
    large = (bytes(MAX_ANSWER_BYTES // 3),)
    (a,) = row(None, "A")
    ours, theirs = row(a, "bcdefgh"), row(a, "STUVWXYZ", txs=large)
    full, miner = grown([a, *theirs], CHAIN), grown([a, *ours], CHAIN)
    told = converse(miner, full, miner.do(Heard(OTHER, tip_of(full))))
    assert told[:5] == ["ask for Z from h", "tell U", "ask for Z from U", "tell X", "ask for Z from X"]
    assert told[5:7] == ["tell Z", "adopt 2 STUVWXYZ"]


def test_an_answer_is_bounded_in_blocks_and_bytes_but_holds_at_least_one() -> None:
    many = grown(long_chain(MAX_ANSWER_BLOCKS + 5))
    (effect,) = many.do(Heard(PEER, Ask((EASY.hash,), bytes(32))))
    assert isinstance(effect, Send)
    assert len(effect.message.blocks) == MAX_ANSWER_BLOCKS
    limits = msgspec.structs.replace(CHAIN.spec.limits, block_bytes=MAX_ANSWER_BYTES)
    wide = Genesis(msgspec.structs.replace(CHAIN.spec, limits=limits))
    large = row(None, "AB", txs=(bytes(MAX_ANSWER_BYTES),), genesis=wide)
    assert grown(large, wide).heard(Ask((wide.hash,), id_of(large[1]))) == ["send A"]


def test_an_answer_leads_to_what_was_asked_for_even_on_a_side_branch() -> None:
    a, b = row(None, "AB")
    c, d, e = row(a, "CDE")
    miner = grown([a, c, d, e, b], CHAIN)
    assert miner.heard(Ask((id_of(a),), id_of(b))) == ["send B"]
    assert miner.heard(Ask((id_of(a),), bytes(32))) == ["send CDE"], "unknown: then the own chain"
    assert miner.heard(Ask((id_of(b), id_of(a)), id_of(e))) == ["send CDE"], "after the last block that both have"
    assert miner.heard(Ask((id_of(e),), id_of(e))) == ["send "]


def test_whoever_was_away_too_long_is_behind() -> None:
    """The engine keeps no more than it needs to change its mind; older blocks are in the node's store."""
    blocks = long_chain(300)
    full, miner = grown(blocks), grown(blocks[:10])
    told = converse(miner, full, miner.do(Heard(OTHER, tip_of(full))))
    assert told == ["ask for 300  from 10 ", "behind"]
    for at in range(0, 300, 50):  # the node gets them from the other's store, and lets the engine hear them
        miner.heard(Blocks(tuple(blocks[at : at + 50])))
    assert miner.chain == blocks
    assert miner.heard(Forgotten(3)) == [], "nobody was asked"


def test_who_does_not_answer_is_not_waited_for() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    (effect, timer) = miner.do(Heard(PEER, Tip(id_of(b), 2, 8)))
    assert isinstance(effect, Send)
    assert isinstance(timer, StartTimer)
    assert (effect.to, timer.delay_ms) == (PEER, ASK_AGAIN_MS)
    assert miner.heard(Tip(id_of(b), 2, 8), OTHER) == [], "one question at a time"
    (effect, again) = miner.do(TimedOut(timer.timer))
    assert isinstance(effect, Send)
    assert isinstance(again, StartTimer)
    assert effect.to == OTHER
    assert miner.do(TimedOut(timer.timer)) == [], "the timer of the first question"
    assert miner.see("step") == "asking"
    assert miner.heard(Blocks((a, b)), PEER) == ["tell B", "adopt 1 AB"], "late is better than never"
    assert miner.do(TimedOut(again.timer)) == []
    assert miner.see("step") == "idle"


@pytest.mark.parametrize("is_silent", [True, False])
def test_one_who_only_claims_to_have_more_cannot_keep_us_from_asking_others(is_silent: bool) -> None:
    """It claims again before every other word and answers with nothing; yet the honest member's turn comes."""
    miner, honest, claims = Miner(), Miner(), (Tip(b"%32d" % n, 2, 2**40) for n in count())
    honest.hear(*row(None, "AB"))
    (question, timer) = miner.do(Heard(PEER, next(claims)))
    miner.do(Heard(OTHER, tip_of(honest)))
    miner.do(Heard(PEER, next(claims)))
    assert isinstance(question, Send)
    assert isinstance(timer, StartTimer)
    (question, _) = miner.do(TimedOut(timer.timer) if is_silent else Heard(PEER, Blocks(())))
    assert isinstance(question, Send)
    assert question.to == OTHER


def test_an_answer_that_leads_nowhere_is_not_followed() -> None:
    miner, (a, b, c) = Miner(), row(None, "ABC")
    miner.hear(a, b)
    assert miner.heard(Tip(id_of(c), 3, 99)) == ["ask for C from B"]
    assert miner.heard(Blocks((a, b))) == ["ask for C from B"], "on the way up perhaps"
    assert miner.heard(Blocks((a, b))) == [], "the same again is not"
    assert miner.heard(Tip(id_of(c), 3, 99)) == ["ask for C from B"]
    assert miner.heard(Blocks(())) == []


def test_each_block_is_told_on_once() -> None:
    miner, (a, b) = Miner(), row(None, "AB")
    assert miner.hear(a) == ["tell A", "adopt 1 A"]
    assert miner.hear(a, sender=OTHER) == []
    assert miner.heard(Blocks((a,))) == []
    assert miner.heard(Blocks((a, b))) == ["tell B", "adopt 2 B"]
    assert miner.hear(b) == []


# --- bad input -------------------------------------------------------------------------------------------------------


def bent(record: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(record, **fields)


def unsealed(**fields: Any) -> FinalBlock:
    """Return block A with another certificate."""
    final = mined(None, "A")
    return FinalBlock(final.block, bent(final.certificate, **fields))


def resealed(difficulty: int = 4, txs: tuple[bytes, ...] | None = None, **fields: Any) -> FinalBlock:
    """Return block A with another header, or other transactions, and honest work for it."""
    block = draft(None, "A", 1_000, (b"tx",), CHAIN)
    return seal(Block(bent(block.header, **fields), block.txs if txs is None else txs), difficulty)


def unlucky(final: FinalBlock) -> FinalBlock:
    """Return the block with a nonce that does not seal it."""
    nonce = next(nonce for nonce in count() if not is_sealed(id_of(final), nonce, 4))
    return FinalBlock(final.block, bent(final.certificate, nonce=nonce))


QUORUM = QuorumCertificate(1, 0, bytes(32), ())
HOSTILE: dict[str, Callable[[], Any]] = {
    "a nonce that does not seal": lambda: Sealed(unlucky(mined(None, "A"))),
    "a nonce of -1": lambda: Sealed(unsealed(nonce=-1)),
    "a nonce of -2**63": lambda: Sealed(unsealed(nonce=-(2**63))),
    "a nonce of 2**63": lambda: Sealed(unsealed(nonce=2**63)),
    "a nonce of 2**64 - 1": lambda: Sealed(unsealed(nonce=2**64 - 1)),
    "difficulty 0": lambda: Sealed(unsealed(difficulty=0)),
    "difficulty -4": lambda: Sealed(unsealed(difficulty=-4)),
    "difficulty 2**63": lambda: Sealed(unsealed(difficulty=2**63)),
    "difficulty 2**70": lambda: Sealed(unsealed(difficulty=2**70)),
    "less work than demanded": lambda: Sealed(resealed(3)),
    "more work than demanded": lambda: Sealed(resealed(5)),
    "a seal of another height": lambda: Sealed(unsealed(height=2)),
    "a seal of a height of 2**70": lambda: Sealed(unsealed(height=2**70)),
    "a seal of another block": lambda: Sealed(unsealed(block_id=bytes(32))),
    "a seal of an id of no length": lambda: Sealed(unsealed(block_id=b"")),
    "signatures instead of work": lambda: Sealed(FinalBlock(mined(None, "A").block, QUORUM)),
    "a block of another chain": lambda: Sealed(resealed(genesis=bytes(32))),
    "a genesis of a megabyte": lambda: Sealed(resealed(genesis=bytes(2**20))),
    "height 0": lambda: Sealed(resealed(height=0)),
    "height -1": lambda: Sealed(resealed(height=-1)),
    "height 2 on the genesis": lambda: Sealed(resealed(height=2)),
    "height 2**64 - 1 on the genesis": lambda: Sealed(resealed(height=2**64 - 1)),
    "the time of the genesis": lambda: Sealed(resealed(time_ms=0)),
    "a negative time": lambda: Sealed(resealed(time_ms=-(2**63))),
    "another root of transactions": lambda: Sealed(resealed(tx_root=bytes(32))),
    "another number of transactions": lambda: Sealed(resealed(tx_count=2)),
    "2**64 - 1 transactions": lambda: Sealed(resealed(tx_count=2**64 - 1)),
    "a transaction too few": lambda: Sealed(resealed(txs=())),
    "more bytes than a block has": lambda: Sealed(seal(draft(None, "A", 1_000, (bytes(2**20 + 1),), CHAIN), 4)),
    "all that in an answer": lambda: Blocks((resealed(tx_count=2),)),
    "an answer of too many blocks": lambda: Blocks((mined(None, "A"),) * (MAX_ANSWER_BLOCKS + 1)),
    "a tip with an id of no length": lambda: Tip(b"", 1, 4),
    "a tip with an id of a megabyte": lambda: Tip(bytes(2**20), 1, 4),
    "a tip at height -1": lambda: Tip(bytes(32), -1, 4),
    "a tip with negative work": lambda: Tip(bytes(32), 1, -4),
    "a tip with work of 2**63": lambda: Tip(bytes(32), 1, 2**63),
    "a locator of no ids": lambda: Ask((), bytes(32)),
    "a locator of too many ids": lambda: Ask((bytes(32),) * (MAX_LOCATOR + 1), bytes(32)),
    "a locator with an id of no length": lambda: Ask((bytes(32), b""), bytes(32)),
    "a target of no length": lambda: Ask((bytes(32),), b""),
    "a negative oldest height": lambda: Forgotten(-1),
    "something else": lambda: 17,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_no_correct_member_sends_is_counted_and_changes_nothing(make: Callable[[], Any]) -> None:
    miner, good = Miner(), mined(None, "G")
    before = miner.engine.summary()
    assert miner.heard(make()) == []
    assert (miner.engine.rejected, miner.engine.summary(), miner.memory) == (1, before, {})
    assert miner.hear(good) == ["tell G", "adopt 1 G"]
    miner.heard(make())
    assert (miner.engine.rejected, miner.names) == (2, "G")


SLOW: dict[str, Callable[[], Any]] = {
    "a block known already": lambda: Sealed(row(None, "AB")[1]),
    "a block without its parent": lambda: Sealed(row(None, "ABCDE")[4]),
    "a parent of no length": lambda: Sealed(resealed(parent=b"")),
    "a block far in the future": lambda: Sealed(resealed(time_ms=2**64 - 1)),
    "an old tip": lambda: Tip(id_of(row(None, "AB")[0]), 1, 4),
    "the tip of a branch given up": lambda: Tip(bytes(32), 1, 1),
    "an answer nobody asked for": lambda: Blocks(()),
    "an answer without the parent": lambda: Blocks(tuple(row(None, "ABCDE")[3:])),
    "a question about another chain": lambda: Ask((bytes(32),), bytes(32)),
    "a refusal nobody asked for": lambda: Forgotten(2**63),
}


@pytest.mark.parametrize("make", SLOW.values(), ids=SLOW.keys())
def test_what_a_slow_member_may_send_is_not_blamed(make: Callable[[], Any]) -> None:
    miner = grown(row(None, "AB"), CHAIN)
    before = miner.memory.copy()
    miner.heard(make())
    assert (miner.engine.rejected, miner.names, miner.memory) == (0, "AB", before)


NUMBERS = st.one_of(
    st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 2**40, 2**63, 2**64 - 1]), st.integers(-(2**63), 2**64 - 1)
)
IDS = st.one_of(st.binary(max_size=40), st.sampled_from([CHAIN.hash, bytes(32), *map(id_of, row(None, "ABC"))]))
FIELDS = {"genesis": IDS, "height": NUMBERS, "time_ms": NUMBERS, "parent": IDS, "tx_count": NUMBERS, "tx_root": IDS}
HEADERS = st.fixed_dictionaries({}, optional=FIELDS).map(
    lambda fields: bent(row(None, "ABC")[2].block.header, **fields)
)
SEALED = st.builds(lambda header, txs: seal(Block(header, txs), 4), HEADERS, st.just(()))
FORGED = st.builds(
    lambda header, *seal: FinalBlock(Block(header, ()), WorkCertificate(*seal)), HEADERS, NUMBERS, IDS, NUMBERS, NUMBERS
)
FINALS = st.one_of(SEALED, FORGED, st.sampled_from(row(None, "ABC")))
MESSAGES = st.one_of(
    st.builds(Sealed, FINALS),
    st.builds(Blocks, st.lists(FINALS, max_size=3).map(tuple)),
    st.builds(Tip, IDS, NUMBERS, NUMBERS),
    st.builds(Ask, st.lists(IDS, max_size=3).map(tuple), IDS),
    st.builds(Forgotten, NUMBERS),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([PEER, OTHER, b""]), MESSAGES), max_size=12))
def test_nothing_that_a_peer_sends_raises(letters: list[tuple[bytes, Any]]) -> None:
    miner = Miner()
    for sender, message in letters:
        miner.heard(message, sender)
    miner.hear(*row(None, "ABC"))
    assert miner.see("height") >= 4
    assert len(miner.memory) == len(miner.engine._tree) - 1


def test_the_same_block_with_another_seal_is_the_same_block() -> None:
    miner, a = Miner(), mined(None, "A")
    miner.hear(a)
    seals = (nonce for nonce in count(a.certificate.nonce + 1) if is_sealed(id_of(a), nonce, 4))  # type: ignore[union-attr]
    assert miner.hear(FinalBlock(a.block, bent(a.certificate, nonce=next(seals)))) == []
    assert miner.engine.rejected == 0


def test_nothing_is_heard_before_the_chain_is_known() -> None:
    engine = Pow(Setup(key("node-0"), CHAIN.hash, CHAIN.spec, is_valid_signature, random.Random(0), {}))
    for event in (Heard(PEER, Sealed(mined(None, "A"))), Work(), Tick(), Mined(bytes(32), 0)):
        assert engine.handle(event, LATER) == []
    assert engine.summary()["step"] == "idle"
    assert (engine.heard(), engine.recall(0, b"")) == (b"", [])


def test_a_chain_that_the_engine_never_made_is_our_bug() -> None:
    with pytest.raises(AssertionError, match="never put it"):
        Miner(chain=row(None, "A"))


def test_a_nonce_that_does_not_seal_is_our_bug() -> None:
    miner = Miner()
    miner.do(Work())
    block, _ = dig(miner, "A", (b"tx",))
    wrong = unlucky(seal(block, 4)).certificate
    assert isinstance(wrong, WorkCertificate)
    with pytest.raises(AssertionError, match="own node"):
        miner.do(Mined(wrong.block_id, wrong.nonce))


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_who_may_be_ahead_is_bounded() -> None:
    miner = Miner()
    for n in range(3 * MAX_AHEAD):
        miner.heard(Tip(b"%32d" % n, 9, 99), b"%32d" % n)
    assert len(miner.engine._ahead) == MAX_AHEAD


def test_a_tree_full_of_branches_lets_the_lightest_go() -> None:
    """Whoever floods us with cheap side branches pays for each block, and pushes out none of the better ones."""
    blocks = long_chain(8)
    miner = grown(blocks)
    limit = miner.engine._tree.limit
    assert limit == MAX_CHAINS * (MIN_DEPTH + SETTING.window + MEDIAN_OF)
    for n in range(limit + 50):
        miner.hear(mined(blocks[3], f"{n}", 4_500 + n, 1, genesis=EASY))
        assert len(miner.engine._tree) == len(miner.memory) + 1 <= limit
    assert miner.see("forks") == limit - 9
    side = row(blocks[4], "XYZW", difficulty=1, genesis=EASY)
    assert miner.hear(*side) == ["tell X", "tell Y", "tell Z", "build 9 after 4000", "tell W", "adopt 6 XYZW"]
    assert len(miner.engine._tree) == limit
    assert miner.hear(mined(blocks[0], "late", 2_500, 1, genesis=EASY)) == []
    assert miner.engine.rejected == 0


def test_a_full_tree_never_lets_go_of_what_is_in_use() -> None:
    """The head, what the node was asked to adopt, and the parent of the new block stay, however light they are."""
    miner = Miner(EASY)
    a, b, c, d, e = (mined(None, name, None, 1, genesis=EASY) for name in "ABCDE")
    miner.hear(a, b, c, d, e)
    tree = miner.engine._tree
    tree.limit, miner.is_slow = len(tree), True
    (x,) = row(b, "X", difficulty=1, genesis=EASY)
    assert miner.hear(x)[0] == "tell X"
    assert {b"block" + id_of(final) for final in (a, b, x)} < set(miner.memory)
    assert miner.wish == Adopt(1, (b, x))
    assert miner.hear(*row(d, "YZ", difficulty=1, genesis=EASY)) == ["tell Y"], "no room for Z without them"
    assert tree.get(id_of(a)) is tree.head
    assert tree.get(id_of(x)) is tree.offered
    miner.is_slow = False
    miner.answer()
    assert (miner.names, len(tree), miner.engine.rejected) == ("BX", tree.limit, 0)


def test_a_branch_from_too_deep_is_refused_and_nobody_is_blamed() -> None:
    blocks = long_chain(MIN_DEPTH + 10)
    miner = grown(blocks)
    assert miner.hear(mined(blocks[8], "A", None, 1, genesis=EASY)) == []
    assert miner.hear(mined(blocks[9], "B", 10_500, 1, genesis=EASY)) == ["tell B"], "just at the depth"
    assert miner.see("forks") == 1
    miner.hear(*long_chain(1, blocks[-1]))
    assert (miner.see("forks"), miner.engine.rejected) == (0, 0), "now it can never win"
    assert miner.hear(mined(blocks[9], "C", 10_501, 1, genesis=EASY)) == []


def test_more_confirmations_keep_more() -> None:
    genesis = chain(confirmations=3 * MIN_DEPTH)
    assert Tree(genesis.hash, genesis.spec).limit == MAX_CHAINS * (3 * MIN_DEPTH + SETTING.window + MEDIAN_OF)


def test_what_is_remembered_is_bounded() -> None:
    miner = grown(long_chain(400))
    assert len(miner.memory) == MIN_DEPTH + SETTING.window + MEDIAN_OF + 1


def test_invalid_ids_are_bounded() -> None:
    a = mined(None, "A", None, 1, genesis=EASY)
    miner = Miner(EASY, invalid=[a])
    miner.hear(a)
    for n in range(MAX_INVALID + 5):
        miner.hear(mined(a, "B", 2_000 + n, 1, genesis=EASY))
    assert len(miner.engine._tree._invalid) == MAX_INVALID


# --- restart ---------------------------------------------------------------------------------------------------------


def test_a_restart_at_every_point_of_a_small_run_ends_the_same() -> None:
    """Blocks come, a branch wins, a block is mined; the crash comes before or after the node has changed its chain."""
    a, b, c = row(None, "ABC")
    w, x, y = row(a, "WXY")
    z = mined(y, "Z", txs=(b"tx",))
    events = [a, b, w, c, x, y, z]
    whole = grown(events, CHAIN)
    assert whole.names == "AWXYZ"
    for crash in range(len(events) + 1):
        for was_switched in (True, False):
            before = grown(events[:crash], CHAIN)
            if not was_switched and crash:
                before = grown(events[: crash - 1], CHAIN)
                before.is_slow = True
                before.hear(events[crash - 1])
            after = Miner(memory=before.memory, chain=before.chain)
            assert after.see("forks") == before.see("forks")
            after.hear(*events[crash:])
            for what in ("height", "work", "difficulty", "forks", "step"):
                assert after.see(what) == whole.see(what), (crash, was_switched, what)
            assert (after.names, after.memory) == (whole.names, whole.memory)


def test_a_crash_before_the_node_had_changed_its_chain_offers_it_again() -> None:
    before, (a, b) = Miner(), row(None, "AB")
    before.is_slow = True
    before.hear(a, b)
    after = Miner(memory=before.memory, chain=before.chain)
    assert said(after.first) == ["adopt 1 AB"]
    assert said(Miner(memory=after.memory, chain=after.chain).first) == []
    assert Miner(memory=after.memory, chain=[a]).names == "AB", "or had changed a part of it"


def test_after_a_restart_the_own_side_of_a_tie_is_kept() -> None:
    a, b, c = (mined(None, name) for name in "ABC")
    before = grown([b, a, c], CHAIN)
    after = Miner(memory=before.memory, chain=before.chain)
    assert after.names == "B"


def test_a_block_that_was_mined_is_there_after_a_restart() -> None:
    before = Miner()
    before.do(Work())
    a, _ = dig(before, "A", (b"tx",))
    before.is_slow = True
    assert find(before, a) == ["tell A", "adopt 1 A"]
    after = Miner(memory=before.memory, chain=before.chain)
    assert said(after.first) == ["adopt 1 A", "build 2 after 1000"]


def test_a_long_chain_goes_on_after_a_restart_as_if_nothing_had_been() -> None:
    """What is remembered no longer reaches the genesis: times and difficulties must still be computed alike."""
    genesis = chain(difficulty=32, window=7)
    tree, blocks, source = Tree(genesis.hash, genesis.spec), list[FinalBlock](), random.Random(7)
    for height in range(1, 240):
        parent = blocks[-1] if blocks else None
        time_ms = median_time(tree.best) + 1 + source.randrange(12_000)
        difficulty = difficulty_after(tree.best, genesis.spec.work)
        blocks.append(mined(parent, f"{height} ", time_ms, difficulty, genesis=genesis))
        tree.add(blocks[-1])
    assert len({final.certificate.difficulty for final in blocks}) > 3  # type: ignore[union-attr]
    miner = grown(blocks[:200], genesis)
    assert len(miner.memory) < 150
    for at in range(200, 239):
        miner = Miner(genesis, memory=miner.memory, chain=miner.chain)
        miner.hear(blocks[at])
        assert len(miner.memory) == MIN_DEPTH + 7 + MEDIAN_OF + 1
    assert (miner.chain, miner.see("work")) == (blocks, tree.best.work)
    assert miner.engine.rejected == 0


# --- whatever the order ----------------------------------------------------------------------------------------------


@st.composite
def forests(draw: st.DrawFn) -> tuple[Genesis, list[FinalBlock], list[int]]:
    """Draw a tree of blocks whose difficulties differ, and two orders in one: the order of arrival."""
    genesis = chain(difficulty=draw(st.integers(1, 8)), window=draw(st.integers(1, 3)))
    tree, finals = Tree(genesis.hash, genesis.spec), list[FinalBlock]()
    for n in range(draw(st.integers(1, 24))):
        parent = draw(st.sampled_from([None, *finals[-4:], *finals]))
        entry = tree.get(id_of(parent)) if parent else tree.base
        assert entry is not None
        time_ms = median_time(entry) + draw(st.sampled_from([1, 300, 1_000, 5_000]))
        difficulty = min(difficulty_after(entry, genesis.spec.work), 2**14)
        if difficulty == 2**14:
            continue
        finals.append(mined(parent, f"{n} ", time_ms, difficulty, genesis=genesis))
        tree.add(finals[-1])
    return genesis, finals, draw(st.permutations(range(len(finals))))


@settings(max_examples=150, deadline=None)
@given(forests())
def test_whatever_the_order_of_arrival_the_heaviest_wins(forest: tuple[Genesis, list[FinalBlock], list[int]]) -> None:
    genesis, finals, order = forest
    full, miner = grown(finals, genesis), Miner(genesis)
    works = sorted((leaf.work for leaf in full.engine._tree.leaves.values()), reverse=True)
    for at in order:
        converse(miner, full, miner.do(Heard(OTHER, Sealed(finals[at]))))
    assert miner.see("work") == full.see("work")
    if len(works) == 1 or works[0] > works[1]:
        assert miner.chain == full.chain
    assert (miner.see("forks"), miner.engine.rejected) == (full.see("forks"), 0), "the whole tree is known"


# --- many miners in one story ----------------------------------------------------------------------------------------


class Node(Miner):
    """A miner with waiting transactions and a clock of its own. A cheater does not see that its blocks are invalid."""

    def __init__(self, genesis: Genesis, skew_ms: int = 0, cheats: bool = False, **fields: Any) -> None:
        self.skew_ms, self.cheats = skew_ms, cheats
        self.waiting: dict[bytes, None] = {}
        self.called_at = -1
        super().__init__(genesis, **fields)
        self.is_slow = True

    def answer(self) -> list[Effect]:
        if self.wish and not self.cheats:
            self.invalid |= {id_of(final) for final in self.wish.blocks if NAMES[id_of(final)] == "bad"}
        self.called_at = -1
        return super().answer()

    def owed(self) -> tuple[bytes, ...]:
        """Return the transactions that are not in the chain."""
        done = {tx for final in self.chain for tx in final.block.txs}
        return tuple(tx for tx in self.waiting if tx not in done)

    def call(self) -> list[Effect]:
        """Tell the engine once at each height that something waits."""
        if self.called_at == len(self.chain) or not self.owed():
            return []
        self.called_at = len(self.chain)
        return self.do(Work())


class Net:
    """Nodes under virtual time, with weather between them. Whoever mines tries `pace` nonces a second."""

    def __init__(self, seed: int, graph: networkx.Graph, cheaters: int = 0, pace: float = 5.0, **setting: Any) -> None:
        self.random = random.Random(seed)
        self.genesis = chain(**{"difficulty": 8, "block_ms": 400, "window": 5, **setting})
        self.graph, self.pace, self.size = graph, pace, graph.number_of_nodes()
        self.cheaters = set(range(cheaters))
        self.honest = [i for i in range(self.size) if i not in self.cheaters]
        self.publics = [b"%32d" % i for i in range(self.size)]
        self.index = {public: i for i, public in enumerate(self.publics)}
        self.now, self.turn, self.letters = 0, 0, 0
        self.loss, self.side = 0.0, [0] * self.size
        self.agenda: list[tuple[int, int, int, int, Callable[[], list[Effect]]]] = []
        self.lives = [0] * self.size
        self.searches = [0] * self.size
        self.nodes = [
            Node(self.genesis, self.random.randrange(-2_000, 2_000), i in self.cheaters, seed=i)
            for i in range(self.size)
        ]
        for i in range(self.size):
            self.tick(i)

    def later(self, i: int, delay_ms: int, act: Callable[[], list[Effect]]) -> None:
        self.turn += 1
        heapq.heappush(self.agenda, (self.now + delay_ms, self.turn, i, self.lives[i], act))

    def run(self, until: int) -> None:
        while self.agenda and self.agenda[0][0] <= until:
            self.now, _, i, life, act = heapq.heappop(self.agenda)
            if life == self.lives[i]:
                self.give(i, act)
        self.now = until

    def give(self, i: int, act: Callable[[], list[Effect]]) -> None:
        node = self.nodes[i]
        node.now = self.now + node.skew_ms + 10_000
        self.perform(i, act())
        self.perform(i, node.call())

    def perform(self, i: int, effects: list[Effect]) -> None:
        node = self.nodes[i]
        for effect in effects:
            match effect:
                case Tell(message):
                    for j in self.graph[i]:
                        self.post(i, j, message)
                case Send(to, message):
                    self.post(i, self.index[to], message)
                case StartTimer(timer, delay_ms):
                    self.later(i, delay_ms, lambda timer=timer: node.do(TimedOut(timer)))
                case Adopt():
                    self.later(i, self.random.randrange(1, 60), node.answer)
                case Build(height, _, _, not_before_ms):
                    built = Built(height, 0, self.build(i, not_before_ms))
                    self.later(i, self.random.randrange(20), lambda built=built: node.do(built))
                case Mine(block_id, difficulty):
                    self.search(i, block_id, difficulty)
                case StopMining():
                    self.searches[i] += 1

    def post(self, i: int, j: int, message: Any) -> None:
        """Send a letter; it may be lost, or overtaken by later ones."""
        self.letters += 1
        if self.side[i] == self.side[j] and self.random.random() >= self.loss:
            node, heard = self.nodes[j], Heard(self.publics[i], message)
            self.later(j, self.random.randrange(5, 80), lambda: node.do(heard))

    def build(self, i: int, not_before_ms: int) -> Block:
        node = self.nodes[i]
        name = "bad" if node.cheats else f"{i}"
        return draft(
            node.chain[-1] if node.chain else None, name, max(node.now, not_before_ms), node.owed(), self.genesis
        )

    def search(self, i: int, block_id: bytes, difficulty: int) -> None:
        """An exponential delay, then a nonce that really seals."""
        node, first = self.nodes[i], self.random.getrandbits(32)
        self.searches[i] += 1
        mine = self.searches[i]
        nonce = next(nonce for nonce in count(first) if is_sealed(block_id, nonce, difficulty))
        delay_ms = int(self.random.expovariate(self.pace / difficulty / 1_000))
        self.later(i, delay_ms, lambda: node.do(Mined(block_id, nonce)) if mine == self.searches[i] else [])

    def tick(self, i: int) -> None:
        def act() -> list[Effect]:
            self.tick(i)
            return self.nodes[i].do(Tick())

        self.later(i, self.random.randrange(300, 700), act)

    def submit(self, tx: bytes, *to: int) -> None:
        for i in to or range(self.size):
            self.nodes[i].waiting[tx] = None
            self.nodes[i].called_at = -1
            self.later(i, self.random.randrange(100), lambda: [])

    def crash(self, i: int) -> None:
        """Start a node anew with what it had remembered; what was under way to it is lost."""
        old = self.nodes[i]
        self.lives[i] += 1
        self.searches[i] += 1
        node = Node(self.genesis, old.skew_ms, old.cheats, memory=old.memory, chain=old.chain, seed=i)
        node.waiting = old.waiting
        self.nodes[i] = node
        self.tick(i)
        self.give(i, lambda: node.first)

    def calm(self, limit_ms: int) -> None:
        """Let everything arrive until everybody rests."""
        self.loss, self.side = 0.0, [0] * self.size
        end = self.now + limit_ms
        while self.now < end and not self.is_settled():
            self.run(self.now + 500)

    def is_settled(self) -> bool:
        resting = all(self.nodes[i].see("step") == "idle" for i in self.honest)
        return resting and len({self.head(i) for i in self.honest}) == 1

    def head(self, i: int) -> bytes:
        node = self.nodes[i]
        return id_of(node.chain[-1]) if node.chain else b""


@pytest.mark.parametrize("seed", range(100))
def test_seed_agreement_after_calm(seed: int) -> None:
    """Loss, overtaking letters, parted networks, crashes, wrong clocks, now and then a cheater."""
    size = 4 + seed % 4
    net = Net(seed, networkx.complete_graph(size), cheaters=seed % 3 == 0)
    net.loss = net.random.choice([0.0, 0.1, 0.3])
    for n in range(4):
        net.submit(b"tx-%d" % n)
        net.side = [net.random.randrange(2) for _ in range(size)]
        net.run(net.now + net.random.randrange(3_000))
        net.crash(net.random.randrange(size))
    net.calm(60_000)
    assert net.is_settled(), "no agreement"
    for i in net.honest:
        node = net.nodes[i]
        assert node.owed() == (), "a transaction was lost"
        assert node.engine.rejected == 0, "a correct member was blamed"
        assert len(node.memory) == len(node.engine._tree) - 1


def test_the_same_seed_gives_the_same_story() -> None:
    def story() -> tuple[int, list[bytes]]:
        net = Net(5, networkx.complete_graph(5))
        net.submit(b"tx")
        net.run(8_000)
        return net.letters, [net.head(i) for i in range(5)]

    assert story() == story()


def test_the_difficulty_finds_the_pace() -> None:
    """It starts sixteen times too low, and a block shall take 400 ms: five miners with 200 tries a second each."""
    net = Net(1, networkx.complete_graph(5), pace=200.0, difficulty=25, window=20, confirmations=999)
    net.submit(b"tx")
    net.run(40_000)
    assert 200 <= net.nodes[0].see("difficulty") <= 800, "400 is right"
    times = [final.block.header.time_ms for final in net.nodes[0].chain[-30:]]
    assert 200 * 29 < times[-1] - times[0] < 800 * 29


def test_two_hundred_nodes_that_know_six_others_each_agree() -> None:
    graph = networkx.random_regular_graph(6, 200, seed=1)
    net = Net(1, graph, pace=0.1)
    for n in range(3):
        net.submit(b"tx-%d" % n, n, n + 100)
        net.run(net.now + 1_000)
    net.calm(30_000)
    assert net.is_settled()
    assert {i for i in range(200) if net.nodes[i].owed()} == set()
    assert {net.nodes[i].engine.rejected for i in range(200)} == {0}
    spoken, seen = sum(len(node.told) for node in net.nodes), len({name for node in net.nodes for name in node.memory})
    assert spoken <= 200 * seen, "each of them tells each block once, and never again"


# --- cost ------------------------------------------------------------------------------------------------------------


def test_a_seal_is_checked_once_and_never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hearing costs is a hash; `minichain bench miners` tells the microseconds."""
    checked: list[bytes] = []

    def check(block_id: bytes, nonce: int, difficulty: int) -> bool:
        checked.append(block_id)
        return is_sealed(block_id, nonce, difficulty)

    monkeypatch.setattr(tree, "is_sealed", check)
    blocks = long_chain(50)
    engine = Miner(EASY).engine
    begins = [Begin(n + 1, id_of(blocks[n - 1]) if n else EASY.hash, FOUR, lambda _: PEER) for n in range(51)]
    heard = [Heard(PEER, Sealed(final)) for final in blocks]
    for event, begin in zip(heard, begins[1:], strict=True):
        engine.handle(event, LATER)
        engine.handle(begin, LATER)
    assert checked == [id_of(final) for final in blocks]
    for event in heard:
        engine.handle(event, LATER)
    assert len(checked) == len(blocks)
